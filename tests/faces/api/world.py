"""Two firms with facilities and claims, and machine clients to ask with."""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.test import Client
from tests.book.sales_credit import scene as sales
from tests.book.servicing.scene import Scene

from tallystick.book.access.clients import NewClient, add_client
from tallystick.book.access.scopes import SCOPES
from tallystick.book.acts.once import Caller
from tallystick.book.collections.models import Case
from tallystick.book.financing.models import Loan
from tallystick.book.parties.models import User
from tallystick.book.servicing.close import close_through
from tallystick.lab.stage import Stage, StageTerms, set_stage

START = date(2026, 3, 2)
OPERATOR = Caller("system", "operator@factor.example", "cli", "a test")
FIRMS = ("ANNA", "BORIS")
FIRM_SCOPES = tuple(name for name, scope in SCOPES.items() if scope.for_firms)


@dataclass(frozen=True)
class World:
    """``key`` by client: ``house`` (every scope, for an operator), ``approver`` (every scope, for
    one), ``treasury`` (as well), ``anna`` and ``boris`` (every scope of firms)."""

    stage: Stage
    keys: dict[str, str]

    def get(self, path: str, *, who: str = "house", **headers: str) -> Any:
        return Client(HTTP_HOST="localhost").get(
            f"/api/v1{path}", headers={"Authorization": f"Bearer {self.keys[who]}", **headers}
        )

    def post(
        self, path: str, body: Any, *, who: str = "house", key: str | None = None, **headers: str
    ) -> Any:
        sent = {"Authorization": f"Bearer {self.keys[who]}", **headers}
        if key is not None:
            sent["Idempotency-Key"] = key
        content = body if isinstance(body, (str, bytes)) else json.dumps(body)
        return Client(HTTP_HOST="localhost").post(
            f"/api/v1{path}", content, content_type="application/json", headers=sent
        )


def a_world() -> World:
    stage = set_stage(
        StageTerms("jd.jingbaobei", "CNY", facility_limit_minor=10**10),
        suppliers=FIRMS,
        start=START,
        end=date(2027, 3, 2),
        caller=OPERATOR,
    )
    return World(
        stage,
        {
            "house": a_client("house", *SCOPES),
            "approver": a_client("approver", *SCOPES, user_email=a_person("approver")),
            "treasury": a_client("treasury", *SCOPES, user_email=a_person("treasury")),
            "anna": a_client("anna", *FIRM_SCOPES, party_code="ANNA"),
            "boris": a_client("boris", *FIRM_SCOPES, party_code="BORIS"),
        },
    )


def a_client(code: str, *scopes: str, **others: Any) -> str:
    asked = {"max_requests_a_minute": 100_000, **others}
    if any(SCOPES[scope].by_person for scope in scopes):
        asked.setdefault("user_email", a_person("operator"))
    return add_client(NewClient(code, scopes, **asked), caller=OPERATOR)


def a_person(role: str) -> str:
    """The address of somebody of the house with the role."""
    email = f"a-{role}@factor.example"
    User.objects.get_or_create(email=email, defaults={"role": role})
    return email


def invoice(number: str, *, supplier: str = "ANNA", **changes: Any) -> dict[str, Any]:
    return {
        "kind": "invoice",
        "supplier": supplier,
        "obligor": "MALL",
        "number": number,
        "issue_date": "2026-03-02",
        "due_date": "2026-05-01",
        "currency": "CNY",
        "amount_minor": 50_000_000,
        **changes,
    }


def drawdown(**changes: Any) -> dict[str, Any]:
    return {
        "facility": "F-ANNA",
        "amount_minor": 1_000_000,
        "currency": "CNY",
        "tenor_days": 30,
        **changes,
    }


def with_a_late_payer(world: World) -> tuple[str, Case]:
    """ANNA's loan is past due: its code, and the case that the close of day has opened."""
    loan = with_a_loan(world)
    legal_entity_id = world.stage.legal_entity_id
    close_through(legal_entity_id, Loan.objects.get(code=loan).due_date + timedelta(days=5))
    return loan, Case.objects.get()


def with_a_loan(world: World) -> str:
    """ANNA has an invoice and has drawn on it, and the bank has paid; the loan's code."""
    world.post("/documents", {"documents": [invoice("INV-1")]}, key="documents")
    drawn = world.post("/drawdowns", drawdown(), key="draw").json()
    paid = {
        "bank_reference": "BK-1",
        "end_to_end_id": drawn["end_to_end_id"],
        "outcome": "paid",
        "amount_minor": drawn["amount_minor"],
        "currency": "CNY",
        "value_date": "2026-03-02",
    }
    world.post("/bank-answers", {"messages": [paid]}, key="bank")
    return str(drawn["loan"])


def with_an_advance(world: World, firm: str = "ANNA") -> str:
    """The firm has a line out of its sales, ``SL-ANNA``, and an advance; the advance's code."""
    scene = Scene(world.stage.legal_entity_id, 0, "CNY")
    sales.has_sold_for_three_months(scene, firm)
    sales.a_line(scene, merchant=firm, code=f"SL-{firm}")
    return sales.paid_out(scene, 20_000_000, line=f"SL-{firm}")
