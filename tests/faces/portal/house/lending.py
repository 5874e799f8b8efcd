"""A lender with two suppliers: claims, loans, a drawdown decided, and items on the worklist."""

from dataclasses import dataclass
from itertools import count

from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.faces.portal.two_firms import Firm, two_firms

from tallystick.book.acts.once import Caller
from tallystick.book.collateral.models import SecurityInterest
from tallystick.book.financing.draw_down import Drawdown, DrawRequest, draw_down
from tallystick.book.financing.models import Loan
from tallystick.book.payments.bank_answers import BankMessage, take_answers
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.settle import settle_many
from tallystick.book.watch.models import WorkItem
from tallystick.book.watch.worklist import NewItem, open_items

DRAWN_MINOR = 250_000_00
REJECTED_MINOR = 4_321_00

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Lending:
    """Two firms with one lender, and what a third one drew by the rules."""

    scene: scenes.Scene
    ours: Firm
    other: Firm
    drawn: Drawdown

    @property
    def loan(self) -> Loan:
        return Loan.objects.get(code=self.drawn.loan)


def opened() -> Lending:
    scene, ours, other = two_firms()
    # On a facility of its own: the scene numbers the loans that it puts in place by itself.
    facility = scenes.facility(scene, "DRAWER")
    SecurityInterest.objects.create(
        pool=facility.pool,
        secured_party=facility.legal_entity.party,
        from_date=scene.today,
        to_date=facility.expiry_date,
    )
    scenes.owes(facility, 4 * DRAWN_MINOR, obligor="MALL")
    drawn = draw_down(
        DrawRequest(
            facility=facility.code,
            amount_minor=DRAWN_MINOR,
            tenor_days=30,
            on=scene.today,
            caller=Caller("firm:DRAWER", "clerk@drawer.example", "portal"),
            key="a draw",
        )
    )
    return Lending(scene, ours, other, drawn)


def item(
    lending: Lending, kind: str = "unapplied_cash", subject: str = "", **details: object
) -> WorkItem:
    """An item on the list, about something of its own unless a subject is given."""
    subject = subject or f"receipt:BANK-{next(_numbers)}"
    open_items(
        lending.scene.legal_entity_id, [NewItem(kind, subject, details)], on=lending.scene.today
    )
    return WorkItem.objects.get(kind=kind, subject=subject, closed_at=None)


def rejected_payment(lending: Lending) -> PaymentOrder:
    """What a settlement left for a supplier without loans, and the bank has turned down."""
    facility = scenes.facility(lending.scene, f"REFUSED-{next(_numbers)}")
    claim = scenes.owes(facility, REJECTED_MINOR)
    settle_many(
        [
            Receipt(
                bank_reference=f"BANK-{facility.code}",
                payer="JD",
                currency="CNY",
                lines=((claim, REJECTED_MINOR),),
                amount_minor=REJECTED_MINOR,
                value_date=lending.scene.today,
            )
        ],
        legal_entity_id=lending.scene.legal_entity_id,
        caller=scenes.CALLER,
    )
    order = PaymentOrder.objects.get(beneficiary=facility.supplier)
    message = BankMessage(
        f"BK-{order.end_to_end_id}",
        order.end_to_end_id,
        "rejected",
        order.amount_minor,
        order.currency,
        lending.scene.today,
    )
    take_answers(
        [message],
        legal_entity_id=lending.scene.legal_entity_id,
        caller=scenes.CALLER,
        key=message.bank_reference,
    )
    return order


def many_claims(lending: Lending, number: int) -> list[str]:
    """So many more claims of ours, by their codes in the order of their making."""
    return [scenes.owes(lending.ours.facility, 100_00 + n) for n in range(number)]


def pages(lending: Lending) -> list[str]:
    """Every page of lending that everybody of the house may look at."""
    some = item(lending)
    firm = lending.ours
    return [
        reverse("house-today"),
        reverse("house-worklist"),
        reverse("house-worklist-item", kwargs={"number": some.pk}),
        reverse("house-claims"),
        reverse("house-claims-one", kwargs={"code": firm.claim}),
        reverse("house-claims-one", kwargs={"code": firm.paid_claim}),
        reverse("house-parties"),
        reverse("house-parties-one", kwargs={"code": firm.code}),
        reverse("house-parties-one", kwargs={"code": "JD"}),
        reverse("house-facilities"),
        reverse("house-facilities-one", kwargs={"code": firm.facility.code}),
        reverse("house-loans"),
        reverse("house-loans-one", kwargs={"code": firm.loan.code}),
        reverse("house-loans-one", kwargs={"code": lending.drawn.loan}),
        reverse("house-loans-decision", kwargs={"number": lending.loan.decision_id}),
    ]
