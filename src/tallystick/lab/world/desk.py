"""The factor's own people, and suppliers who repay: whatever partners left undone is settled here.

They work the lists by the book's own acts, each item some days after it was opened. What they do
with one is drawn from the seed and the item's own subject.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from random import Random

from django.db.models import QuerySet

from tallystick.book.acts.once import Caller
from tallystick.book.parties.models import Party, Role, User
from tallystick.book.payments.models import CashReceipt
from tallystick.book.payments.order_again import NotToBeOrderedAgain, order_again
from tallystick.book.payments.orders import orders_waiting
from tallystick.book.proposals.decide import approve_proposal
from tallystick.book.proposals.propose import propose_refund
from tallystick.book.proposals.terms import Refund
from tallystick.book.servicing.apply_unapplied import apply_unapplied
from tallystick.book.servicing.models import STILL_IN_FORCE, Position
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.reverse import reverse_receipt
from tallystick.book.servicing.supplier_accounts import held_minor
from tallystick.book.trade.models import Claim, ClaimStatus
from tallystick.book.trade.record_documents import record_documents
from tallystick.book.watch.models import WorkItem
from tallystick.book.watch.worklist import close_item, items_open
from tallystick.lab.stage import Stage
from tallystick.lab.world.bank import MisbehavingBank
from tallystick.lab.world.misbehaving_market import MisbehavingMarket
from tallystick.rules.frames import STAGES
from tallystick.rules.refusal import Refusal
from tallystick.rules.trade_documents import TradeDocument

PPM = 1_000_000
DAYS_UNTIL_THE_BANK_IS_ASKED = 5
DAYS_UNTIL_CASH_IS_SENT_BACK = 25
DAYS_UNTIL_GIVEN_UP = 60
DAYS_UNTIL_RECOURSE = 20
"""Past due; then the supplier repays what its payers have not."""

DAYS_UNTIL_WRITTEN_OFF = 120
"""Past due; then the supplier gives up a claim, or its claims would keep the base at nothing."""

REPAYS_EARLY_PPM = 8_000
"""of the live loans, a day"""


@dataclass(frozen=True, slots=True)
class Desk:
    """Who works the lists of a run. ``did`` counts what was done."""

    stage: Stage
    bank: MisbehavingBank
    market: MisbehavingMarket
    seed: int
    caller: Caller
    did: Counter[str] = field(default_factory=Counter)

    def work(self, on: date) -> None:
        """A day: the bank is asked, items are settled, suppliers repay and give claims up."""
        self._ask_bank(on)
        for item in items_open(self.stage.legal_entity_id):
            if self._is_its_day(item, on):
                self._settle_item(item, on)
        self._take_repayments(on)
        self._take_write_offs(on)

    def _ask_bank(self, on: date) -> None:
        """Ask about orders that wait for long; the platform itself does not pay them again."""
        for order in orders_waiting(self.stage.legal_entity_id):
            waited_days = (on - order.ordered_date).days
            if waited_days == 0 or waited_days % DAYS_UNTIL_THE_BANK_IS_ASKED:
                continue
            self.bank.asked_again(order.end_to_end_id, on)
            try:
                self._order_again(order.end_to_end_id)
            except NotToBeOrderedAgain:
                self.did["asked the bank, which had not said; paid nothing again"] += 1
            else:
                raise AssertionError(f"{order.end_to_end_id} was ordered twice")

    def _is_its_day(self, item: WorkItem, on: date) -> bool:
        patience = 1 + Random(f"{self.seed}/desk/{item.kind}/{item.subject}").randrange(9)
        waited_days = (on - item.opened_date).days
        return waited_days > 0 and waited_days % patience == 0

    def _settle_item(self, item: WorkItem, on: date) -> None:
        match item.kind:
            case "unapplied_cash":
                self._settle_cash(item.subject.removeprefix("receipt:"), item, on)
            case "failed_payout" if item.subject.startswith("payment:P"):
                self._order_anew(item, on)
            case "supplier_credit":
                self._refund(item)
            case _:
                close_item(item.pk, who=self.caller.actor, resolution="looked into, explained")
                self.did[f"closed an item: {item.kind}"] += 1

    def _order_anew(self, item: WorkItem, on: date) -> None:
        try:
            self._order_again(item.subject.removeprefix("payment:"))
        except NotToBeOrderedAgain:
            # A receipt was taken back meanwhile: it is no longer owed, or the supplier owes us.
            self.did["did not order again what may not be owed"] += 1
            if (on - item.opened_date).days > DAYS_UNTIL_GIVEN_UP:
                close_item(item.pk, who=self.caller.actor, resolution="no longer owed")
        else:
            self.did["ordered again what the bank had rejected"] += 1

    def _order_again(self, end_to_end_id: str) -> str:
        return order_again(
            end_to_end_id, legal_entity_id=self.stage.legal_entity_id, caller=self.caller
        )

    def _refund(self, item: WorkItem) -> None:
        _, supplier, currency = item.subject.split(":")
        party = (Party.objects.get(code=supplier).pk, currency)
        held = held_minor(self.stage.legal_entity_id, "supplier_credit", [party])
        if credit_minor := -held.get(party, 0):
            number = propose_refund(
                supplier,
                Refund(currency, credit_minor),
                legal_entity_id=self.stage.legal_entity_id,
                caller=replace(self.caller, reason="nothing is owed that it could meet"),
                key=f"refund/{item.pk}",
                maker=_person(Role.TREASURY),
            )
            approve_proposal(
                number,
                caller=self.caller,
                key=f"refund/{item.pk}/approved",
                checker=_person(Role.APPROVER),
            )
            self.did["refunded a credit"] += 1
        else:
            close_item(item.pk, who=self.caller.actor, resolution="nothing is left of it")

    def _settle_cash(self, reference: str, item: WorkItem, on: date) -> None:
        receipt = CashReceipt.objects.select_related("payer").get(
            legal_entity=self.stage.legal_entity_id, bank_reference=reference
        )
        lines = _fitting(
            receipt.unapplied_minor,
            [*self._claims_meant(receipt), *self._claims_of_payer(receipt)],
        )
        if lines:
            apply_unapplied(
                reference,
                lines,
                legal_entity_id=self.stage.legal_entity_id,
                caller=self.caller,
                key=f"apply/{reference}/{on}",
            )
            self.did["applied cash that had waited"] += 1
        elif (on - item.opened_date).days > DAYS_UNTIL_CASH_IS_SENT_BACK:
            reverse_receipt(
                reference,
                legal_entity_id=self.stage.legal_entity_id,
                caller=self.caller,
                key=f"send back/{reference}",
            )
            self.did["took back a receipt whose cash found no claim"] += 1

    def _claims_meant(self, receipt: CashReceipt) -> list[tuple[str, int]]:
        """The claims that the payer names when asked, with what is outstanding on each."""
        codes = [code for code, _ in self.market.meant(receipt.bank_reference)]
        return _outstanding(Claim.objects.filter(code__in=codes), receipt.currency)

    def _claims_of_payer(self, receipt: CashReceipt) -> list[tuple[str, int]]:
        """The payer's oldest claims; a payer that knows nothing of its cash is asked in vain."""
        if not self.market.meant(receipt.bank_reference):
            return []
        settled = Claim.objects.filter(obligor=receipt.payer, stage=STAGES[-1])
        return _outstanding(settled, receipt.currency)[:3]

    def _take_repayments(self, on: date) -> None:
        for loan, due_date, principal_minor in (
            Position.objects.filter(superseded_date=STILL_IN_FORCE, settled=False)
            .order_by("loan_id")
            .values_list("loan__code", "due_date", "principal_minor")
        ):
            chance = Random(f"{self.seed}/desk/{loan}/{on}")
            if (on - due_date).days > DAYS_UNTIL_RECOURSE:
                # Roughly what is owed: what is too much becomes the supplier's credit.
                self._repay(loan, principal_minor * chance.choice((50, 100, 110)) // 100, on)
                self.did["had a supplier repay what was long past due"] += 1
            elif chance.randrange(PPM) < REPAYS_EARLY_PPM:
                self._repay(loan, principal_minor * chance.choice((20, 60, 105)) // 100, on)
                self.did["took an early repayment"] += 1

    def _repay(self, loan: str, amount_minor: int, on: date) -> None:
        """At least one unit of the currency, so that a rest of interest is repaid as well."""
        repay(
            loan,
            max(amount_minor, 100),
            value_date=None,
            caller=self.caller,
            key=f"repay/{loan}/{on}",
        )

    def _take_write_offs(self, on: date) -> None:
        """Suppliers' credit notes for claims that nobody will pay any more."""
        lapsed = (
            Claim.objects.exclude(status=ClaimStatus.CLOSED)
            .filter(due_date__lt=on - timedelta(days=DAYS_UNTIL_WRITTEN_OFF))
            .select_related("document", "supplier", "obligor")
            .order_by("pk")
        )
        notes = [_write_off(claim, on) for claim in lapsed]
        if notes:
            self.did["took a credit note for a claim given up"] += len(notes)
            for outcome in record_documents(
                notes,
                caller=self.caller,
                key=f"write-offs/{on}",
                legal_entity_id=self.stage.legal_entity_id,
            ):
                if isinstance(outcome, Refusal):
                    raise outcome


def _write_off(claim: Claim, on: date) -> TradeDocument:
    return TradeDocument(
        kind="credit_note",
        issuer=claim.supplier.code,
        supplier=claim.supplier.code,
        obligor=claim.obligor.code,
        number=f"WO-{claim.pk}-{on}",
        issue_date=on,
        currency=claim.currency,
        amount_minor=claim.face_minor - claim.paid_minor - claim.diluted_minor,
        fulfils_kind=claim.document.kind,
        fulfils_number=claim.document.number,
    )


def _outstanding(claims: QuerySet[Claim], currency: str) -> list[tuple[str, int]]:
    """Of these claims, those on which something is outstanding, with how much; the oldest first."""
    return [
        (code, face_minor - paid_minor - diluted_minor)
        for code, face_minor, paid_minor, diluted_minor in claims.filter(currency=currency)
        .exclude(status=ClaimStatus.CLOSED)
        .order_by("issue_date", "pk")
        .values_list("code", "face_minor", "paid_minor", "diluted_minor")
    ]


def _fitting(cash_minor: int, claims: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """The claims that the cash pays, the last of them perhaps in part; each claim once."""
    lines: dict[str, int] = {}
    for code, outstanding_minor in claims:
        if cash_minor and code not in lines:
            lines[code] = min(cash_minor, outstanding_minor)
            cash_minor -= lines[code]
    return list(lines.items())


def _person(role: Role) -> User:
    """The one of the factor's people who has the role."""
    email = f"{role.value}@factor.example"
    return User.objects.get_or_create(email=email, defaults={"role": role})[0]
