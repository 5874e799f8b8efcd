"""The walk: every address, as everybody, against a firm's objects.

Each address of the portal stands in ``ADDRESSES`` with what a role has to be permitted to open
it; the machines' operations are walked the same way from the API's own description. An address
that is missing here fails the walk: add it, with a value in ``PLACES`` for what its path names.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache as remembered

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, get_resolver, reverse
from django.urls.resolvers import URLResolver
from tests.book.sales_credit import scene as sales
from tests.book.servicing.scene import Scene
from tests.faces.portal.two_firms import SIGNED_IN, Firm, person, two_firms

from tallystick.book.access.clients import NewClient, add_client
from tallystick.book.access.models import RequestWindow
from tallystick.book.access.permissions import GRANTED, May
from tallystick.book.access.scopes import SCOPES
from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller
from tallystick.book.financing.models import Decision
from tallystick.book.ledger.models import Account, Entry
from tallystick.book.parties.models import Role, User
from tallystick.book.payments.models import CashReceipt, PaymentOrder
from tallystick.book.rights import FIRM_ROLE
from tallystick.book.trade.models import Claim
from tallystick.faces.api.v1 import api

METHODS = ("get", "post", "put", "delete")
STAFF = (Role.OPERATOR, Role.RISK_OFFICER, Role.APPROVER, Role.TREASURY, Role.AUDITOR)

ADDRESSES: dict[str, May] = {
    "supplier-home": May.SEE_OWN,
    "supplier-home-draw": May.DRAW,
    "supplier-home-draw-quote": May.DRAW,
    "supplier-home-draw-confirm": May.DRAW,
    "supplier-home-drawn": May.SEE_OWN,
    "supplier-home-left-out": May.SEE_OWN,
    "supplier-loans": May.SEE_OWN,
    "supplier-loans-one": May.SEE_OWN,
    "supplier-loans-decision": May.SEE_OWN,
    "supplier-loans-settle": May.REPAY,
    "supplier-loans-dispute": May.DISPUTE,
    "supplier-advances-one": May.SEE_OWN,
    "supplier-advances-draw": May.DRAW,
    "supplier-dues": May.SEE_OWN,
    "supplier-overdue": May.SEE_OWN,
    "supplier-overdue-promise": May.PROMISE,
    "supplier-claims": May.SEE_OWN,
    "supplier-claims-one": May.SEE_OWN,
    "supplier-claims-dispute": May.DISPUTE,
    "supplier-cases": May.SEE_OWN,
    "supplier-cases-one": May.SEE_OWN,
    "supplier-statement": May.SEE_OWN,
    "supplier-statement-csv": May.SEE_OWN,
    "supplier-statement-xlsx": May.SEE_OWN,
    "house-today": May.SEE_HOUSE,
    "house-worklist": May.SEE_HOUSE,
    "house-worklist-item": May.SEE_HOUSE,
    "house-worklist-close": May.WORK,
    "house-claims": May.SEE_HOUSE,
    "house-claims-csv": May.SEE_HOUSE,
    "house-claims-one": May.SEE_HOUSE,
    "house-claims-dispute": May.DISPUTE,
    "house-claims-resolve": May.DISPUTE,
    "house-parties": May.SEE_HOUSE,
    "house-parties-one": May.SEE_HOUSE,
    "house-facilities": May.SEE_HOUSE,
    "house-facilities-one": May.SEE_HOUSE,
    "house-facilities-freeze": May.FREEZE,
    "house-facilities-unfreeze": May.FREEZE,
    "house-loans": May.SEE_HOUSE,
    "house-loans-one": May.SEE_HOUSE,
    "house-loans-decision": May.SEE_HOUSE,
    "house-loans-extend": May.PROPOSE_RELIEF,
    "house-loans-move-due": May.PROPOSE_RELIEF,
    "house-loans-re-age": May.PROPOSE_RELIEF,
    "house-loans-pause": May.PROPOSE_RELIEF,
    "house-loans-rate": May.PROPOSE_RELIEF,
    "house-loans-waive": May.PROPOSE_RELIEF,
    "house-loans-restructure": May.PROPOSE_RELIEF,
    "house-loans-charge-off": May.PROPOSE_RELIEF,
    "house-loans-sell": May.PROPOSE_RELIEF,
    "house-loans-buy-back": May.PROPOSE_RELIEF,
    "house-loans-reverse-share": May.PROPOSE_RELIEF,
    "house-loans-fee": May.SERVICE_LOANS,
    "house-loans-reverse": May.PROPOSE_RELIEF,
    "house-loans-charge-back": May.MOVE_CASH,
    "house-advances": May.SEE_HOUSE,
    "house-advances-one": May.SEE_HOUSE,
    "house-advances-charge-off": May.PROPOSE_RELIEF,
    "house-approvals": May.SEE_HOUSE,
    "house-approvals-approve": May.DECIDE_RELIEF,
    "house-approvals-reject": May.DECIDE_RELIEF,
    "house-approvals-withdraw": May.WITHDRAW,
    "house-approvals-approve-loss": May.DECIDE_RELIEF,
    "house-approvals-reject-loss": May.DECIDE_RELIEF,
    "house-collections": May.SEE_HOUSE,
    "house-collections-one": May.SEE_HOUSE,
    "house-collections-assign": May.COLLECT,
    "house-collections-note": May.COLLECT,
    "house-collections-pause": May.COLLECT,
    "house-collections-promise": May.COLLECT,
    "house-collections-letter": May.COLLECT,
    "house-cash": May.SEE_HOUSE,
    "house-cash-receipts": May.SEE_HOUSE,
    "house-cash-receipt": May.SEE_HOUSE,
    "house-cash-take": May.TAKE_RECEIPTS,
    "house-cash-receipt-apply": May.MOVE_CASH,
    "house-cash-receipt-loan": May.MOVE_CASH,
    "house-cash-receipt-reverse": May.MOVE_CASH,
    "house-cash-refund": May.MOVE_CASH,
    "house-cash-orders": May.SEE_HOUSE,
    "house-cash-order-again": May.MOVE_CASH,
    "house-cash-answers": May.SEE_HOUSE,
    "house-close": May.SEE_HOUSE,
    "house-close-progress": May.SEE_HOUSE,
    "house-close-start": May.CLOSE_DAY,
    "house-close-verify": May.VERIFY,
    "house-close-verification": May.SEE_HOUSE,
    "house-close-day": May.SEE_HOUSE,
    "house-ledger": May.SEE_HOUSE,
    "house-ledger-accounts": May.SEE_HOUSE,
    "house-ledger-statement": May.SEE_HOUSE,
    "house-ledger-entry": May.SEE_HOUSE,
    "house-ledger-proof": May.SEE_HOUSE,
    "house-ledger-proof-download": May.SEE_HOUSE,
    "house-ledger-seals": May.SEE_HOUSE,
    "house-ledger-seals-download": May.SEE_HOUSE,
    "house-proof": May.SEE_HOUSE,
    "house-classes": May.SEE_HOUSE,
    "house-classes-propose": May.PROPOSE_FACT,
    "house-classes-end": May.PROPOSE_FACT,
    "house-classes-approve": May.DECIDE_FACT,
    "house-classes-reject": May.DECIDE_FACT,
    "house-journals": May.SEE_HOUSE,
    "house-journals-one": May.SEE_HOUSE,
    "house-journals-propose": May.PROPOSE_JOURNAL,
    "house-journals-approve": May.DECIDE_JOURNAL,
    "house-journals-reject": May.DECIDE_JOURNAL,
    "house-programmes": May.SEE_HOUSE,
    "house-programmes-one": May.SEE_HOUSE,
    "house-programmes-limit": May.CHANGE_TERMS,
    "house-programmes-line": May.CHANGE_TERMS,
    "house-users": May.MANAGE_USERS,
    "house-users-add": May.MANAGE_USERS,
    "house-users-one": May.MANAGE_USERS,
    "house-users-role": May.MANAGE_USERS,
    "house-users-password": May.MANAGE_USERS,
    "house-users-shut-out": May.MANAGE_USERS,
    "house-users-let-in": May.MANAGE_USERS,
    "house-users-unlock": May.MANAGE_USERS,
    "house-users-second-factor": May.MANAGE_USERS,
    "house-clients": May.MANAGE_CLIENTS,
    "house-clients-add": May.MANAGE_CLIENTS,
    "house-clients-revoke": May.MANAGE_CLIENTS,
    "house-webhooks": May.MANAGE_CLIENTS,
    "house-webhooks-add": May.MANAGE_CLIENTS,
    "house-webhooks-rotate": May.MANAGE_CLIENTS,
    "house-webhooks-disable": May.MANAGE_CLIENTS,
    "house-webhooks-replay": May.MANAGE_CLIENTS,
    "house-audit": May.SEE_AUDIT,
    "house-audit-csv": May.SEE_AUDIT,
    "house-audit-act": May.SEE_AUDIT,
}
"""Whose page it is: who is permitted this opens it, and nobody else."""

OWN_ACCOUNT = {
    "home",
    "account_change_password",
    "account_reauthenticate",
    "usersessions_list",
    "usersessions_end",
    "usersessions_end_others",
    "mfa_index",
    "mfa_reauthenticate",
    "mfa_activate_totp",
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_generate_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_list_webauthn",
    "mfa_add_webauthn",
    "mfa_reauthenticate_webauthn",
    "mfa_edit_webauthn",
    "mfa_remove_webauthn",
}
"""Everybody's who has signed in, about nobody but oneself."""

OPEN = {
    "api-docs",
    "account_login",
    "account_logout",
    "account_inactive",
    "mfa_authenticate",
    "mfa_login_webauthn",
    "set_language",
}
"""For whoever comes; shows nothing of anybody."""


OUR_LINE = "SL-OF-OURS"


@dataclass(frozen=True, slots=True, eq=False)
class Stage:
    """Our firm, its neighbour, and somebody of each role; ``neighbour`` is of the other firm."""

    ours: Firm
    other: Firm
    people: dict[str, User]
    machine_key: str
    advance: str


def lent_out_of_sales(scene: Scene, firm: Firm) -> str:
    """The firm has drawn an advance out of its sales, on OUR_LINE; the advance's code."""
    sales.has_sold_for_three_months(scene, firm.code)
    sales.a_line(scene, merchant=firm.code, code=OUR_LINE)
    return sales.paid_out(scene, 20_000_000, line=OUR_LINE)


@pytest.fixture(scope="module")
def stage(shared_database) -> Stage:
    scene, ours, other = two_firms()
    people = {role.value: person(role) for role in STAFF}
    people["own"] = person(Role.SUPPLIER, ours.facility.supplier)
    people["neighbour"] = person(Role.SUPPLIER, other.facility.supplier)
    scopes = [name for name, scope in SCOPES.items() if scope.for_firms]
    key = add_client(
        NewClient("walker", tuple(scopes), party_code=other.code, max_requests_a_minute=100_000),
        caller=Caller("system", "tests", "cli"),
    )
    return Stage(ours, other, people, key, lent_out_of_sales(scene, ours))


@pytest.fixture(autouse=True)
def nobody_is_too_quick() -> None:
    cache.clear()


def named_addresses(
    patterns: list[URLPattern | URLResolver], route: str = ""
) -> Iterator[tuple[str | None, str]]:
    for pattern in patterns:
        path = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if pattern.namespace != api.urls_namespace:
                yield from named_addresses(pattern.url_patterns, path)
        else:
            yield pattern.name, path


ALL = dict(named_addresses(get_resolver().url_patterns))


@remembered
def places(stage: Stage, name: str) -> dict[str, object]:
    """What the path of an address names: our firm's object of that kind."""
    ours = stage.ours
    claim = Claim.objects.get(code=ours.claim)
    code = ours.facility.code
    if "loans" in name or name == "supplier-home-drawn":
        code = ours.loan.code
    elif "advances" in name:
        code = OUR_LINE if name == "supplier-advances-draw" else stage.advance
    elif "claims" in name:
        code = ours.claim
    elif "parties" in name:
        code = ours.code
    elif "programmes" in name:
        code = ours.facility.programme.code
    number: object = 999_999
    if name.startswith("supplier-claims"):
        number = claim.pk
    elif name == "house-loans-decision":
        number = Decision.objects.get(loan=ours.loan).pk
    entry = Entry.objects.order_by("pk").first()
    account = Account.objects.order_by("pk").first()
    known: dict[str, object] = {
        "code": code,
        "number": number,
        "pk": 999_999,
        "user": stage.people["own"].pk,
        "receipt": CashReceipt.objects.get(bank_reference=f"BANK-{ours.code}").pk,
        "order": PaymentOrder.objects.filter(beneficiary=ours.facility.supplier_id).first().pk,
        "day": ours.loan.drawn_date.isoformat(),
        "verification": 999_999,
        "name": account.name,
        "currency": account.currency,
        "account": account.pk,
        "entry": entry.pk,
        "journal": 999_999,
        "fact": 999_999,
        "limit": ours.facility.programme_limit_id,
        "line": ours.facility.funding_line_id,
        "act": Act.objects.order_by("pk").first().pk,
    }
    wanted = re.findall(r"<(?:\w+:)?(\w+)>", ALL[name])
    missing = [one for one in wanted if one not in known]
    assert not missing, f"{name} names {missing} in its path: say in places() which one to walk to"
    return {one: known[one] for one in wanted}


def browser(stage: Stage, who: str | None) -> Client:
    client = Client(HTTP_HOST="localhost", raise_request_exception=False)
    if who is not None:
        client.force_login(stage.people[who], backend=SIGNED_IN)
    return client


def text_of(response) -> str:
    content = b"".join(response.streaming_content) if response.streaming else response.content
    return content.decode(errors="replace")


def shown_of(firm: Firm, response, *, asked: str) -> list[str]:
    """What of the firm's is in the answer, other than what the question itself said."""
    text = text_of(response)
    return [needle for needle in firm.needles if needle in text and needle not in asked]


def test_every_address_says_whose_it_is():
    named = {name for name in ALL if name is not None}
    unnamed = [path for name, path in named_addresses(get_resolver().url_patterns) if name is None]

    assert named - ADDRESSES.keys() - OWN_ACCOUNT - OPEN == set(), (
        "Addresses that nobody walks to: name each in ADDRESSES with the permission that opens it"
    )
    assert (ADDRESSES.keys() | OWN_ACCOUNT | OPEN) - named == set(), "Addresses that are no more"
    assert set(unnamed) == {"health/live", "health/ready"}


def test_without_signing_in_every_address_leads_to_the_sign_in(stage):
    client = browser(stage, None)
    sign_in = reverse("account_login")
    wrong = []
    for name in ADDRESSES.keys() | OWN_ACCOUNT:
        path = reverse(name, kwargs=places(stage, name))
        for method in METHODS:
            answer = getattr(client, method)(path)
            told = answer.get("Location", "").startswith(sign_in)
            if not told and answer.status_code != 405:
                wrong.append((name, method, answer.status_code))

    assert wrong == []


@pytest.mark.parametrize("who", [*(role.value for role in STAFF), "own"])
def test_each_role_opens_what_it_may_and_nothing_else(stage, who):
    granted = GRANTED[Role(stage.people[who].role)]
    client = browser(stage, who)
    wrong = []
    for name, act in ADDRESSES.items():
        # The house has no page of a supplier's, whatever else it may.
        may = act in granted and (name.startswith("supplier-") == (who == "own"))
        path = reverse(name, kwargs=places(stage, name))
        status = client.get(path).status_code
        if may != (status != 403) or status >= 500:
            wrong.append((name, "may" if may else "may not", status))

    assert wrong == []


@pytest.mark.parametrize("who", [*(role.value for role in STAFF), "own"])
def test_what_a_role_may_not_open_it_cannot_send_to_either(stage, who):
    granted = GRANTED[Role(stage.people[who].role)]
    client = browser(stage, who)
    wrong = []
    for name, act in ADDRESSES.items():
        if act in granted and (name.startswith("supplier-") == (who == "own")):
            continue
        path = reverse(name, kwargs=places(stage, name))
        status = client.post(path).status_code
        if status not in (403, 405):
            wrong.append((name, status))

    assert wrong == []


def test_nothing_is_changed_or_deleted_by_a_method_that_no_form_uses(stage):
    for who in ("operator", "own"):
        client = browser(stage, who)
        for name in ADDRESSES:
            path = reverse(name, kwargs=places(stage, name))
            for method in ("put", "delete"):
                assert getattr(client, method)(path).status_code in (403, 405), (name, method)


def test_a_firm_finds_its_own_objects(stage):
    client = browser(stage, "own")
    shown = {
        name: text_of(client.get(reverse(name, kwargs=places(stage, name))))
        for name in ("supplier-home", "supplier-loans-one", "supplier-claims-one")
    }

    assert stage.ours.facility.code in shown["supplier-home"]
    assert stage.ours.loan.code in shown["supplier-loans-one"]
    assert stage.ours.needles[-2] in shown["supplier-claims-one"]


def test_the_neighbour_reaches_nothing_of_ours_by_any_address_or_method(stage):
    client = browser(stage, "neighbour")
    wrong = []
    for name in ADDRESSES.keys() | OWN_ACCOUNT:
        parts = places(stage, name)
        path = reverse(name, kwargs=parts)
        for method in METHODS:
            answer = getattr(client, method)(path, follow=False)
            asked = f"{path} {parts}"
            shown = shown_of(stage.ours, answer, asked=asked)
            names_ours = bool(parts) and name in ADDRESSES
            refused = answer.status_code in (403, 404, 405)
            if shown or answer.status_code >= 500 or (names_ours and not refused):
                wrong.append((name, method, answer.status_code, shown))

    assert wrong == []


def test_a_form_full_of_our_names_gets_the_neighbour_nowhere(stage):
    """As far as forms go: every field that might name something names ours."""
    client = browser(stage, "neighbour")
    acts = Act.objects.count()
    form = {
        "code": stage.ours.facility.code,
        "facility": stage.ours.facility.code,
        "loan": stage.ours.loan.code,
        "claim": stage.ours.claim,
        "amount": "1.00",
        "days": "30",
        "tenor_days": "30",
        "reason": "a good one",
        "key": "walk",
    }
    for name in ADDRESSES:
        parts = places(stage, name)
        if parts:
            answer = client.post(reverse(name, kwargs=parts), form)
            assert answer.status_code in (403, 404, 405), name

    assert Act.objects.count() == acts


def test_every_page_of_a_firm_is_read_behind_the_second_wall(stage):
    client = browser(stage, "own")
    for name in ADDRESSES:
        if not name.startswith("supplier-"):
            continue
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(reverse(name, kwargs=places(stage, name)))
            text_of(answer)
        if answer.status_code != 405:
            assert any(FIRM_ROLE in query["sql"] for query in queries), name
        assert answer.status_code < 500, name


def test_a_machine_of_another_firm_reaches_nothing_of_ours(stage):
    client = Client(HTTP_HOST="localhost", raise_request_exception=False)
    ours = {
        "facility": stage.ours.facility.code,
        "loan": stage.ours.loan.code,
        "claim": stage.ours.claim,
        "advance": stage.advance,
        "line": OUR_LINE,
        "decision": str(Decision.objects.get(loan=stage.ours.loan).pk),
    }
    wrong = []
    for path, operations in api.get_openapi_schema(path_prefix="/api/v1/")["paths"].items():
        asked = re.sub(r"{(\w+)}", lambda part: ours.get(part.group(1), "999999"), path)
        for method in operations:
            RequestWindow.objects.all().delete()  # guesses are counted; that is shown elsewhere
            without = getattr(client, method)(asked, content_type="application/json")
            answer = getattr(client, method)(
                asked,
                content_type="application/json",
                headers={"Authorization": f"Bearer {stage.machine_key}", "Idempotency-Key": "w"},
            )
            shown = shown_of(stage.ours, answer, asked=asked)
            names_ours = "{" in path
            found = names_ours and answer.status_code < 400
            if without.status_code != 401 or shown or found or answer.status_code >= 500:
                wrong.append((path, method, without.status_code, answer.status_code, shown))

    assert wrong == []
