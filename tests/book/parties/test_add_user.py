"""Who may sign in, and with what."""

import pytest

from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller
from tallystick.book.parties.add_user import (
    FirmMissing,
    NotAnAddress,
    UnknownRole,
    UserExists,
    WeakPassword,
    add_user,
)
from tallystick.book.parties.models import Party, User

GOOD = "seven brown otters"


def added(**changes: str | None) -> User:
    asked = {"email": "li@bank.example", "role": "operator", "password": GOOD, "party_code": None}
    caller = Caller(owner="system", actor="root", channel="cli")
    return add_user(**(asked | changes), caller=caller)


def test_a_user_signs_in_with_a_password_of_which_only_the_hash_is_kept(database):
    added(email=" Li@Bank.example ")

    user = User.objects.get(email="li@bank.example")
    assert user.check_password(GOOD)
    assert user.password.startswith("argon2")
    act = Act.objects.get(kind="add_user")
    assert act.actor == "root"
    assert GOOD not in str(act.answer)


def test_an_address_is_used_once_whatever_its_capitals(database):
    added()

    with pytest.raises(UserExists):
        added(email="LI@bank.example")
    assert User.objects.count() == 1


@pytest.mark.parametrize(
    "password", ["short", "", "111111111111111", "password1234", "li@bank.example"]
)
def test_a_password_that_could_be_guessed_is_refused(database, password):
    with pytest.raises(WeakPassword):
        added(password=password)
    assert not User.objects.exists()


def test_a_refused_user_can_be_added_after_correction(database):
    with pytest.raises(WeakPassword):
        added(password="short")

    assert added().pk


def test_a_supplier_belongs_to_a_registered_firm(database):
    Party.objects.create(code="S1", name="Seller one")

    for code in (None, "S2"):
        with pytest.raises(FirmMissing):
            added(role="supplier", party_code=code)
    assert added(role="supplier", party_code="S1").party.code == "S1"


def test_an_unknown_role_is_refused_with_those_that_exist(database):
    with pytest.raises(UnknownRole, match="auditor"):
        added(role="emperor")


@pytest.mark.parametrize("email", ["", "li", "li@", "@bank.example", "a b@c.example"])
def test_what_is_no_address_is_refused(database, email):
    with pytest.raises(NotAnAddress):
        added(email=email)
