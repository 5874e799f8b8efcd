"""Signing in: passwords, second factors, lock-outs, sessions and what each says when it fails."""

import json
import re
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from html import unescape

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from allauth.usersessions.models import UserSession
from axes.models import AccessAttempt
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.test import Client, RequestFactory, override_settings
from tests.faces.portal.two_firms import SIGNED_IN, person

from tallystick.book.access import sessions
from tallystick.book.access.users import (
    ActsOnOneself,
    RoleNeedsFirm,
    change_role,
    disable_user,
    enable_user,
    reset_second_factor,
    unlock_user,
)
from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller
from tallystick.book.parties.add_user import add_user
from tallystick.book.parties.models import Role, User
from tallystick.faces.portal.signin.address import address_of

PASSWORD = "seven brown otters"
EMAIL = "li@bank.example"
OPERATOR = Caller("system", "root", "cli")
SIGN_IN = "/account/login/"


@pytest.fixture(autouse=True)
def alone_and_quick() -> Iterator[None]:
    """Requests of another test do not count; argon2, which takes its time, is shown elsewhere."""
    cache.clear()
    with override_settings(PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"]):
        yield


@pytest.fixture
def li(database) -> User:
    return add_user(
        email=EMAIL, role="operator", password=PASSWORD, party_code=None, caller=OPERATOR
    )


def browser(**headers: str) -> Client:
    return Client(HTTP_HOST="localhost", **headers)


def sign_in(client: Client, password: str = PASSWORD, email: str = EMAIL, **more: str):
    return client.post(SIGN_IN, {"login": email, "password": password, **more})


def signed_in(user: User) -> Client:
    client = browser()
    client.force_login(user, backend=SIGNED_IN)
    assert client.get("/account/sessions/").status_code == 200
    return client


def confirmed() -> Client:
    """Signed in, and just asked again for the password: what second factors demand."""
    client = browser()
    sign_in(client)
    client.post("/account/reauthenticate/", {"password": PASSWORD})
    return client


def text_of(response) -> str:
    return unescape(response.content.decode())


def test_address_and_password_let_in_and_lead_where_one_wanted_to_go(li):
    client = browser()
    asked = client.get("/house/")
    assert asked["Location"] == f"{SIGN_IN}?next=/house/"

    answered = client.post(asked["Location"], {"login": " LI@bank.example", "password": PASSWORD})

    assert answered["Location"] == "/house/"
    assert client.get("/house/").status_code == 200


def test_a_foreign_address_to_go_on_to_is_not_followed(li):
    answered = browser().post(
        f"{SIGN_IN}?next=https://evil.example/", {"login": EMAIL, "password": PASSWORD}
    )

    assert answered["Location"] == "/"


def test_a_wrong_password_and_an_unknown_address_are_told_alike(li):
    wrong = sign_in(browser(), "not the password")
    unknown = sign_in(browser(), email="nobody@bank.example")

    told = re.search(r"Address and password do not belong together[^<]*", text_of(wrong))
    assert told is not None
    assert told.group() in text_of(unknown)
    assert "an operator can give you a new password" in told.group()


def test_the_password_is_never_put_back_into_the_page(li):
    assert b"not the password" not in sign_in(browser(), "not the password").content


def test_the_fields_tell_the_browser_what_to_fill_in(database):
    page = text_of(browser().get(SIGN_IN))

    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page


def test_nobody_signs_up_and_no_password_is_reset_by_mail(database):
    for path in ("signup/", "email/", "password/reset/", "confirm-email/", "password/set/"):
        assert browser().get(f"/account/{path}").status_code == 404


def test_signing_out_is_a_form_never_a_link(li):
    client = signed_in(li)

    assert client.get("/account/logout/").status_code == 405
    assert client.post("/account/logout/").status_code == 302
    assert client.get("/house/")["Location"].startswith(SIGN_IN)


def test_signing_in_changes_the_key_of_the_session(li):
    client = browser()
    planted = client.session
    planted["planted"] = True
    planted.save()
    client.cookies["session"] = planted.session_key

    sign_in(client)

    assert client.cookies["session"].value != planted.session_key
    assert not Session.objects.filter(session_key=planted.session_key).exists()


def test_a_disabled_user_is_not_let_in_and_thrown_out(li):
    client = signed_in(li)

    disable_user(EMAIL, caller=OPERATOR, key="off")

    assert client.get("/house/")["Location"].startswith(SIGN_IN)
    assert sign_in(browser())["Location"] == "/account/inactive/"
    enable_user(EMAIL, caller=OPERATOR, key="on")
    assert sign_in(browser()).status_code == 302


@pytest.fixture
def told_to_change(database) -> Client:
    add_user(
        email=EMAIL,
        role="operator",
        password=PASSWORD,
        party_code=None,
        caller=OPERATOR,
        must_change_password=True,
    )
    client = browser()
    sign_in(client)
    return client


def test_a_password_others_have_seen_leads_only_to_its_change(told_to_change):
    client = told_to_change
    for path in ("/", "/house/", "/account/second-factor/", "/account/sessions/"):
        assert client.get(path)["Location"] == "/account/password/"
    assert "Choose one that only you know" in text_of(client.get("/account/password/"))


def test_once_changed_everything_is_open_and_the_trail_says_so(told_to_change):
    client = told_to_change
    changed = client.post(
        "/account/password/",
        {"oldpassword": PASSWORD, "password1": "a wall of moss", "password2": "a wall of moss"},
    )

    assert changed.status_code == 302
    assert client.get("/house/").status_code == 200
    act = Act.objects.get(kind="set_password")
    assert (act.actor, act.channel) == (EMAIL, "portal")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"password1": PASSWORD, "password2": PASSWORD}, "is the old one"),
        ({"password1": "short", "password2": "short"}, "at least 12"),
        ({"password1": "a wall of moss", "password2": "a wall of mass"}, "same password"),
        ({"oldpassword": "x"}, "not your present password"),
    ],
    ids=["the same again", "too short", "two different", "not the present one"],
)
def test_a_password_that_cannot_be_is_told_why(told_to_change, given, told):
    client = told_to_change
    form = {
        "oldpassword": PASSWORD,
        "password1": "a wall of moss",
        "password2": "a wall of moss",
    }

    answered = client.post("/account/password/", form | given)

    assert answered.status_code == 200
    assert told in text_of(answered)
    assert User.objects.get(email=EMAIL).must_change_password


def test_changing_the_password_ends_every_other_session(li):
    here, there = browser(), browser()
    sign_in(here)
    sign_in(there)

    here.post(
        "/account/password/",
        {"oldpassword": PASSWORD, "password1": "a wall of moss", "password2": "a wall of moss"},
    )

    assert here.get("/house/").status_code == 200
    assert there.get("/house/")["Location"].startswith(SIGN_IN)
    assert UserSession.objects.count() == 1


def fail(times: int, **headers: str):
    client = browser(**headers)
    for _ in range(times):
        answered = sign_in(client, "not the password")
    return answered


def test_the_fifth_failure_locks_and_says_for_how_long_and_who_helps(li):
    assert fail(4).status_code == 200

    locked = fail(1)

    assert locked.status_code == 429
    assert locked["Retry-After"] == "900"
    assert "Wait 15 minutes" in text_of(locked)
    assert "tell an operator" in text_of(locked)


def test_the_right_password_does_not_open_a_locked_account(li):
    fail(5)

    assert sign_in(browser()).status_code == 429


def test_another_address_and_another_account_are_not_locked(li):
    fail(5)
    add_user(
        email="other@bank.example",
        role="auditor",
        password=PASSWORD,
        party_code=None,
        caller=OPERATOR,
    )

    assert sign_in(browser(REMOTE_ADDR="10.0.0.7")).status_code == 302
    assert sign_in(browser(), email="other@bank.example").status_code == 302


def test_an_account_that_does_not_exist_is_locked_just_the_same(database):
    client = browser()
    answers = [sign_in(client, email="no@bank.example").status_code for _ in range(5)]

    assert answers == [200, 200, 200, 200, 429]


def test_capitals_do_not_make_another_account(li):
    fail(4)

    assert sign_in(browser(), "not the password", email="LI@BANK.example").status_code == 429


def test_whoever_goes_on_waits_longer(li):
    fail(9)

    assert fail(1)["Retry-After"] == "1800"
    assert fail(5)["Retry-After"] == "3600"


def test_after_the_wait_the_right_password_lets_in_and_the_count_starts_anew(li):
    fail(5)
    AccessAttempt.objects.update(attempt_time=datetime.now().astimezone() - timedelta(hours=1))

    assert sign_in(browser()).status_code == 302
    assert fail(4).status_code == 200


def test_an_operator_can_unlock(li):
    fail(5)

    assert unlock_user(EMAIL, caller=OPERATOR, key="k") == {"user": EMAIL, "was_locked": True}

    assert sign_in(browser()).status_code == 302


def test_no_password_that_was_tried_is_kept(li):
    fail(2)

    kept = " ".join(str(row) for row in AccessAttempt.objects.values_list())

    assert "not the password" not in kept


def test_confirming_with_wrong_passwords_locks_too(li):
    client = signed_in(li)
    answers = [
        client.post("/account/reauthenticate/", {"password": "wrong"}).status_code for _ in range(5)
    ]

    assert answers == [200, 200, 200, 200, 429]


def address_told(forwarded: str) -> str:
    return address_of(
        RequestFactory().get("/", REMOTE_ADDR="127.0.0.1", HTTP_X_FORWARDED_FOR=forwarded)
    )


def test_without_a_proxy_the_header_is_not_believed():
    assert address_told("10.0.0.9") == "127.0.0.1"


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("10.0.0.9", "10.0.0.9"),
        ("1.2.3.4, 10.0.0.9", "10.0.0.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("10.0.0.9, nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
    ],
)
def test_behind_one_it_is_the_last_that_the_proxy_added(behind_a_proxy, forwarded, address):
    assert address_told(forwarded) == address


@pytest.fixture
def behind_a_proxy() -> Iterator[None]:
    with override_settings(ORIGIN="https://finance.example"):
        yield


def code_now(secret: str, steps: int = 0) -> str:
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def with_app() -> tuple[str, list[str]]:
    """Turn codes on for the user as they would; the secret, and the recovery codes."""
    client = confirmed()
    page = text_of(client.get("/account/second-factor/app/"))
    found = re.search(r"<code>([A-Z2-7]{16,})</code>", page)
    assert found is not None
    turned_on = client.post(
        "/account/second-factor/app/", {"code": code_now(found.group(1), steps=-1)}
    )
    assert turned_on["Location"] == "/account/second-factor/recovery/"
    shown = text_of(client.get(turned_on["Location"]))
    client.post("/account/logout/")
    return found.group(1), re.findall(r"<code>(\d{8})</code>", shown)


def test_the_app_reads_a_picture_that_needs_no_exception_from_the_policy(li):
    client = confirmed()

    page = text_of(client.get("/account/second-factor/app/"))

    assert "<svg viewBox" in page
    assert "data:" not in page


def test_the_password_alone_lets_in_no_longer(li):
    secret, _ = with_app()
    client = browser()

    assert sign_in(client)["Location"].startswith("/account/second-factor/ask/")
    assert client.get("/house/")["Location"].startswith(SIGN_IN)
    client.post("/account/second-factor/ask/", {"code": code_now(secret)})
    assert client.get("/house/").status_code == 200


def test_a_code_works_once(li):
    secret, _ = with_app()
    code = code_now(secret)
    for expected in (302, 200):
        client = browser()
        sign_in(client)
        answered = client.post("/account/second-factor/ask/", {"code": code})
        assert answered.status_code == expected
    assert "This code is not right" in text_of(answered)


def test_a_recovery_code_lets_in_once(li):
    _, codes = with_app()
    assert len(codes) == 10
    for expected in (302, 200):
        client = browser()
        sign_in(client)
        answered = client.post("/account/second-factor/ask/", {"code": codes[0]})
        assert answered.status_code == expected


def test_guessing_codes_is_stopped(li):
    with_app()
    client = browser()
    sign_in(client)
    answers = [
        text_of(client.post("/account/second-factor/ask/", {"code": f"00000{n}"})) for n in range(6)
    ]

    assert "Too many wrong codes" in answers[-1]


def test_an_operator_takes_a_lost_one_off(li):
    with_app()

    reset_second_factor(EMAIL, caller=OPERATOR, key="lost")

    assert sign_in(browser())["Location"] == "/"
    assert not Authenticator.objects.exists()
    assert Act.objects.filter(kind="reset_second_factor").exists()


def test_turning_it_on_asks_again_who_it_is_after_a_while(li):
    client = signed_in(li)

    asked = client.get("/account/second-factor/app/")

    assert asked["Location"].startswith("/account/reauthenticate/")
    page = text_of(client.get(asked["Location"]))
    assert "Confirm that it is you" in page
    answered = client.post(asked["Location"], {"password": PASSWORD})
    assert answered["Location"] == "/account/second-factor/app/"


def test_passkeys_are_offered_with_what_a_browser_needs(li):
    client = confirmed()

    page = text_of(client.get("/account/passkeys/add/"))
    options = json.loads(
        re.search(r'id="js_data" type="application/json">(.*?)</script>', page).group(1)
    )
    offered = browser().get("/account/passkeys/login/", HTTP_ACCEPT="application/json").json()

    assert options["creation_options"]["publicKey"]["rp"]["id"] == "localhost"
    assert offered["request_options"]["publicKey"]["rpId"] == "localhost"


def test_a_made_up_passkey_is_refused_and_not_an_error(li):
    client = browser()
    client.get("/account/passkeys/login/", HTTP_ACCEPT="application/json")

    for credential in ("", "{}", '{"id": "x", "rawId": "x", "type": "public-key"}', "[1]"):
        answered = client.post("/account/passkeys/login/", {"credential": credential})
        assert answered["Location"] == SIGN_IN


def test_each_is_shown_with_device_and_address(li):
    here = browser(HTTP_USER_AGENT="Firefox on a desk")
    there = browser(HTTP_USER_AGENT="Phone", REMOTE_ADDR="10.0.0.7")
    sign_in(here)
    sign_in(there)

    page = text_of(here.get("/account/sessions/"))

    assert "Firefox on a desk" in page
    assert "10.0.0.7" in page
    keys = list(UserSession.objects.values_list("session_key", flat=True))
    assert len(keys) == 2
    assert not any(key in page for key in keys)


def test_one_is_ended_or_all_others(li):
    here, first, second, third = (browser() for _ in range(4))
    for client in (here, first, second, third):
        sign_in(client)
    number = UserSession.objects.get(session_key=first.cookies["session"].value).pk

    here.post(f"/account/sessions/{number}/end/")
    assert first.get("/house/").status_code == 302
    assert second.get("/house/").status_code == 200
    here.post("/account/sessions/end-others/")

    assert [c.get("/house/").status_code for c in (here, second, third)] == [200, 302, 302]


def test_nobody_ends_somebody_elses(li):
    victim, other = signed_in(li), signed_in(person(Role.AUDITOR))
    number = UserSession.objects.get(user=li).pk

    assert other.post(f"/account/sessions/{number}/end/").status_code == 404
    assert victim.get("/house/").status_code == 200


@pytest.mark.parametrize(
    ("key", "age"),
    [("seen_at", sessions.MAX_IDLE), ("signed_in_at", sessions.MAX_AGE)],
    ids=["without use for too long", "too old, however busy"],
)
def test_a_session_ends(li, key, age):
    client = signed_in(li)
    session = client.session
    session[key] -= int(age.total_seconds()) + 1
    session.save()

    answered = client.get("/house/", follow=True)

    assert answered.redirect_chain == [(f"{SIGN_IN}?next=/house/", 302)]
    assert "Your session has ended" in text_of(answered)


def test_use_is_noted_once_a_minute(li):
    client = signed_in(li)
    noted = client.session["seen_at"]
    session = client.session
    session["seen_at"] = noted - 61
    session.save()

    client.get("/house/")

    assert client.session["seen_at"] >= noted


def test_the_person_signs_in_and_comes_back_to_the_page_of_the_form(li):
    client = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)

    answered = client.post("/house/", {}, HTTP_REFERER="http://localhost/house/?day=1")

    assert answered["Location"] == f"{SIGN_IN}?next=/house/%3Fday%3D1"
    assert "Nothing was done" in text_of(client.get(answered["Location"]))


def test_a_foreign_page_is_not_come_back_to(database):
    answered = Client(HTTP_HOST="localhost", enforce_csrf_checks=True).post(
        "/house/", {}, HTTP_REFERER="http://evil.example/house/"
    )

    assert answered["Location"] == f"{SIGN_IN}?next=/"


def test_who_is_signed_in_meanwhile_is_shown_the_way_back(li):
    client = Client(HTTP_HOST="localhost", enforce_csrf_checks=True)
    client.force_login(li, backend=SIGNED_IN)

    answered = client.post(
        "/account/sessions/end-others/", {}, HTTP_REFERER="http://localhost/house/"
    )

    assert answered.status_code == 403
    assert "Nothing was done" in text_of(answered)
    assert 'href="/house/"' in text_of(answered)


def test_a_sign_in_form_that_was_too_old_leads_to_a_new_one(database):
    answered = sign_in(Client(HTTP_HOST="localhost", enforce_csrf_checks=True))

    assert answered.status_code == 403
    assert f'href="{SIGN_IN}"' in text_of(answered)


def test_nobody_shuts_out_or_promotes_oneself(li):
    myself = Caller("system", EMAIL, "portal")

    for act in (disable_user, enable_user, reset_second_factor):
        with pytest.raises(ActsOnOneself):
            act(EMAIL, caller=myself, key="k")
    with pytest.raises(ActsOnOneself):
        change_role(EMAIL, Role.APPROVER, caller=myself, key="k")


def test_a_role_changes_within_the_house_and_signs_out(li):
    client = signed_in(li)

    change_role(EMAIL, Role.AUDITOR, caller=OPERATOR, key="role")

    assert User.objects.get(email=EMAIL).role == Role.AUDITOR
    assert client.get("/house/").status_code == 302
    with pytest.raises(RoleNeedsFirm):
        change_role(EMAIL, Role.SUPPLIER, caller=OPERATOR, key="supplier")
