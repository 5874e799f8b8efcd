"""Machine clients: let in by a key of which nobody keeps the secret."""

from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from django.db import DatabaseError, connection

from tallystick.book.access import rate_limits
from tallystick.book.access.clients import (
    ClientExists,
    ClientUnusable,
    KeyRefused,
    NewClient,
    UnknownClient,
    add_client,
    let_in,
    revoke_client,
)
from tallystick.book.access.models import MachineClient, RequestWindow
from tallystick.book.access.permissions import May
from tallystick.book.access.rate_limits import TooManyRequests, count_failure
from tallystick.book.access.scopes import ScopeOfTheHouse, UnknownScope
from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller
from tallystick.book.parties.register import party_ids

OPERATOR = Caller("system", "operator@factor.example", "cli")


def added(code: str = "shop", *scopes: str, **others: object) -> str:
    wanted = NewClient(code, scopes or ("facilities:read",), **others)
    return add_client(wanted, caller=OPERATOR)


def test_the_key_that_was_shown_lets_in_and_names_the_client(database):
    machine = let_in(added("shop", "facilities:read", "drawdowns:write"))

    assert machine.viewer.client_code == "shop"
    assert machine.viewer.caller("api").owner == "client:shop"
    assert machine.viewer.granted == {May.SEE_HOUSE, May.DRAW}


def test_a_firms_client_sees_its_own_firm_only(database):
    party_id = party_ids(["SELLER"])["SELLER"]

    viewer = let_in(added(party_code="SELLER")).viewer

    assert (viewer.party_id, viewer.granted) == (party_id, {May.SEE_OWN})


def test_the_secret_is_kept_nowhere(database):
    key = added()
    secret = key.split("_", 2)[2]

    kept = MachineClient.objects.get(code="shop")
    acts = "".join(str(row) for row in Act.objects.values_list())

    assert bytes(kept.secret_sha256) == sha256(secret.encode()).digest()
    assert secret not in acts
    assert len(secret) == 43


@pytest.mark.parametrize(
    "spoiled",
    [
        pytest.param(lambda key: key[:0], id="none"),
        pytest.param(lambda key: key[:-1] + ("A" if key[-1] != "A" else "B"), id="one letter off"),
        pytest.param(lambda key: key.replace("tk_", "sk_"), id="another start"),
        pytest.param(lambda key: f"tk_{'0' * 12}_{key[16:]}", id="another client"),
        pytest.param(lambda key: key + " ", id="a blank after it"),
        pytest.param(lambda key: key + "\x00", id="a null character after it"),
    ],
)
def test_any_other_key_is_refused(database, spoiled):
    key = added()

    with pytest.raises(KeyRefused):
        let_in(spoiled(key))


def test_a_revoked_client_is_let_in_no_more(database):
    key = added()
    revoke_client("shop", caller=OPERATOR)

    with pytest.raises(KeyRefused):
        let_in(key)


def test_revoking_again_keeps_the_first_moment(database):
    added()
    revoke_client("shop", caller=OPERATOR)
    first = MachineClient.objects.get().revoked_at
    revoke_client("shop", caller=Caller("system", "another@factor.example", "portal"))

    assert MachineClient.objects.get().revoked_at == first


def test_an_expired_client_is_let_in_no_more(database):
    key = added(expires_at=datetime.now(UTC) + timedelta(seconds=30))
    assert let_in(key).viewer.client_code == "shop"
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        cursor.execute(
            "UPDATE access_machineclient SET created_at = now() - interval '2 days',"
            " expires_at = now() - interval '1 second'"
        )

    with pytest.raises(KeyRefused):
        let_in(key)


def test_the_last_use_is_written_once_a_minute_at_most(database):
    key = added()
    let_in(key)
    first = MachineClient.objects.get().last_used_at
    let_in(key)
    assert MachineClient.objects.get().last_used_at == first
    MachineClient.objects.update(last_used_at=first - timedelta(seconds=61))
    let_in(key)

    assert MachineClient.objects.get().last_used_at > first - timedelta(seconds=61)


@pytest.mark.parametrize(
    ("code", "scopes", "others", "refusal"),
    [
        pytest.param("Shop", ("facilities:read",), {}, ClientUnusable, id="capitals in its code"),
        pytest.param("a" * 41, ("facilities:read",), {}, ClientUnusable, id="a long code"),
        pytest.param("shop", (), {}, UnknownScope, id="no scope"),
        pytest.param("shop", ("money:take",), {}, UnknownScope, id="no such scope"),
        pytest.param(
            "shop", ("receipts:write",), {"party_code": "S"}, ScopeOfTheHouse, id="not for firms"
        ),
        pytest.param(
            "shop",
            ("facilities:read",),
            {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
            ClientUnusable,
            id="expired before it began",
        ),
        pytest.param(
            "shop",
            ("facilities:read",),
            {"max_requests_a_minute": 0},
            ClientUnusable,
            id="may not ask",
        ),
    ],
)
def test_a_client_that_cannot_be_is_refused(database, code, scopes, others, refusal):
    party_ids(["S"])

    with pytest.raises(refusal):
        add_client(NewClient(code, scopes, **others), caller=OPERATOR)

    assert not MachineClient.objects.exists()


def test_codes_are_given_once_also_after_a_client_was_revoked(database):
    added()
    revoke_client("shop", caller=OPERATOR)

    with pytest.raises(ClientExists):
        added()


def test_revoking_nobody_is_refused(database):
    with pytest.raises(UnknownClient):
        revoke_client("nobody\x00", caller=OPERATOR)


def test_the_application_cannot_give_a_client_more_than_it_was_given(database):
    added()

    with pytest.raises(DatabaseError, match="permission denied"):
        MachineClient.objects.update(scopes=["drawdowns:write"])


def test_requests_above_the_limit_of_a_minute_are_refused(database):
    key, another = added("shop", max_requests_a_minute=3), added("mall", max_requests_a_minute=3)
    within = [let_in(key).allowance for _ in range(3)]
    above = let_in(key).allowance

    with pytest.raises(TooManyRequests):
        above.refuse_used_up()

    for allowance in within:
        allowance.refuse_used_up()
    assert [allowance.remaining for allowance in (*within, above)] == [2, 1, 0, 0]
    assert 1 <= above.reset_seconds <= 60
    assert let_in(another).allowance.remaining == 2


def test_a_request_with_a_wrong_key_takes_nothing_from_the_client_it_names(database):
    key = added(max_requests_a_minute=3)

    with pytest.raises(KeyRefused):
        let_in(key[:-3] + "AAA")

    assert let_in(key).allowance.remaining == 2


def test_a_minute_later_the_limit_is_there_again(database):
    key = added(max_requests_a_minute=3)
    for _ in range(3):
        let_in(key)
    window = RequestWindow.objects.get()
    window.started_at -= timedelta(seconds=61)
    window.save()

    assert let_in(key).allowance.remaining == 2


def test_an_address_that_guesses_is_held_up_and_the_others_are_not(database):
    for _ in range(rate_limits.MAX_FAILURES_A_MINUTE):
        count_failure("192.0.2.1")

    with pytest.raises(TooManyRequests):
        count_failure("192.0.2.1")
    count_failure("192.0.2.2")
