"""Users: operators add, change and shut out; every change is an act, and nobody changes oneself."""

import re

import pytest
from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.faces.portal.house.office import (
    LANGUAGES,
    STAFF,
    key_in,
    queries_for,
    signed_in,
    text_of,
    user,
)

from tallystick.book.acts.models import Act
from tallystick.book.parties.models import Party, Role, User

LIST = "/house/users/"
ADD = "/house/users/add/"
ACTS = ("role", "password", "shut-out", "let-in", "unlock", "second-factor")


@pytest.fixture(scope="module")
def firm(shared_database) -> Party:
    scenes.opened()
    return Party.objects.create(code="SELLER", name="Seller")


def page(somebody: User, act: str = "one") -> str:
    return reverse(f"house-users-{act}", args=[somebody.pk])


def asked(client, url, **fields):
    return client.post(url, {"key": key_in(client.get(url)), "reason": "asked for", **fields})


def test_only_operators_manage_users(firm):
    somebody = user(Role.TREASURY, "somebody")
    for role in (*STAFF, Role.SUPPLIER):
        client = signed_in(role)
        expected = 200 if role is Role.OPERATOR else 403
        for url in (LIST, ADD, page(somebody), *(page(somebody, act) for act in ACTS)):
            assert client.get(url).status_code == expected, (role, url)
            if expected == 403:
                assert client.post(url, {"key": "k", "reason": "r"}).status_code == 403


def test_the_pages_stand_in_both_languages_and_take_few_statements(firm):
    somebody = user(Role.TREASURY, "somebody")
    for language in LANGUAGES:
        client = signed_in(Role.OPERATOR, language=language)
        assert queries_for(client, LIST) <= 5
        assert queries_for(client, page(somebody)) <= 8
        assert client.get(ADD).status_code == 200


def test_the_password_of_a_new_user_is_shown_once_and_kept_nowhere(firm):
    client = signed_in(Role.OPERATOR)
    key = key_in(client.get(ADD))
    fields = {"key": key, "email": "li@house.example", "role": "treasury", "reason": "joined"}

    answer = client.post(ADD, fields)

    password = re.search(r'headline-code">([^<]+)<', answer.content.decode())[1]
    added = User.objects.get(email="li@house.example")
    assert added.check_password(password)
    assert added.must_change_password
    assert "no-store" in answer["Cache-Control"]
    assert password not in str(list(Act.objects.values()))
    assert password not in client.get(page(added)).content.decode()
    again = client.post(ADD, fields)
    assert again.status_code == 422
    assert "There is a user li@house.example already" in text_of(again)
    assert User.objects.get(email="li@house.example").check_password(password)


def test_a_suppliers_user_belongs_to_a_firm_and_nobody_elses_does(firm):
    client = signed_in(Role.OPERATOR)
    new = {"email": "clerk@seller.example"}

    for wrong in (
        {"role": "supplier", "firm": ""},
        {"role": "operator", "firm": "SELLER"},
        {"role": "supplier", "firm": "NOBODY"},
        {"role": "machine", "firm": ""},
        {"role": "operator", "firm": "", "email": "no address"},
    ):
        answer = asked(client, ADD, **(new | wrong))
        assert answer.status_code == 422, wrong
        assert answer.context["form"].errors, wrong

    assert asked(client, ADD, **new, role="supplier", firm="SELLER").status_code == 200
    assert User.objects.get(email="clerk@seller.example").party == firm


def test_a_role_is_changed_by_another_and_sessions_end(firm):
    somebody = user(Role.TREASURY, "promoted")
    theirs = signed_in(Role.TREASURY, "promoted")
    assert theirs.get("/house/cash/").status_code == 200
    client = signed_in(Role.OPERATOR)

    assert asked(client, page(somebody, "role"), role="auditor").status_code == 302

    assert User.objects.get(pk=somebody.pk).role == Role.AUDITOR
    assert theirs.get("/house/cash/").status_code == 302
    act = Act.objects.get(kind="change_role")
    assert (act.actor, act.reason) == ("operator@house.example", "asked for")


def test_nobody_changes_the_role_they_have_or_shuts_themselves_out(firm):
    client = signed_in(Role.OPERATOR)
    oneself = user(Role.OPERATOR)
    shown = client.get(page(oneself)).content.decode()

    for act, fields in (("role", {"role": "approver"}), ("shut-out", {}), ("second-factor", {})):
        answer = asked(client, page(oneself, act), **fields)
        assert answer.status_code == 422
        assert "is who you are" in text_of(answer)
        assert page(oneself, act) not in shown
    assert User.objects.get(pk=oneself.pk).role == Role.OPERATOR


def test_somebody_shut_out_is_gone_at_once_and_may_be_let_in_again(firm):
    somebody = user(Role.AUDITOR, "leaver")
    theirs = signed_in(Role.AUDITOR, "leaver")
    client = signed_in(Role.OPERATOR)

    assert asked(client, page(somebody, "shut-out")).status_code == 302
    assert theirs.get("/house/ledger/").status_code == 302
    assert "Shut out" in text_of(client.get(page(somebody)))

    assert asked(client, page(somebody, "let-in")).status_code == 302
    assert signed_in(Role.AUDITOR, "leaver").get("/house/ledger/").status_code == 200


def test_a_lost_password_is_made_anew_and_has_to_be_changed(firm):
    somebody = user(Role.AUDITOR, "forgetful")
    client = signed_in(Role.OPERATOR)

    answer = asked(client, page(somebody, "password"))

    password = re.search(r'headline-code">([^<]+)<', answer.content.decode())[1]
    found = User.objects.get(pk=somebody.pk)
    assert found.check_password(password)
    assert found.must_change_password


def test_a_user_is_unlocked(firm):
    from axes.models import AccessAttempt

    somebody = user(Role.AUDITOR, "clumsy")
    AccessAttempt.objects.create(
        username=somebody.email, failures_since_start=7, ip_address="10.0.0.1", user_agent="x"
    )
    client = signed_in(Role.OPERATOR)
    assert page(somebody, "unlock") in client.get(page(somebody)).content.decode()

    assert asked(client, page(somebody, "unlock")).status_code == 302

    assert not AccessAttempt.objects.filter(username=somebody.email).exists()


def test_the_list_is_narrowed_down(firm):
    user(Role.APPROVER)
    client = signed_in(Role.OPERATOR)

    def shown(**asked):
        return {each.email for each in client.get(LIST, asked).context["part"].rows}

    assert shown(role="approver") == {"approver@house.example"}
    assert shown(address="APPROVER@") == {"approver@house.example"}
    assert shown(address="nobody") == set()


def test_a_user_who_is_not_there_is_answered_so(firm):
    assert signed_in(Role.OPERATOR).get("/house/users/999999/").status_code == 404
