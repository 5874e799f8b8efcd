"""Walk a run through its dates: what arrives, what is asked, and the close of each day.

The same walk serves the simulated world and the replays of real data; all it does, it does by the
book's own acts, each a batch of the day.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from time import monotonic

from tallystick.book.acts.once import Caller
from tallystick.book.financing.availability import availability
from tallystick.book.financing.draw_down import DrawRequest, draw_down_many
from tallystick.book.payments.bank_answers import take_answers
from tallystick.book.payments.models import CashReceipt, PaymentOrder, PaymentStatus
from tallystick.book.servicing.close import close_day
from tallystick.book.servicing.reverse import ReceiptReversedAlready, reverse_receipt
from tallystick.book.servicing.settle import Receipt, settle_many
from tallystick.book.trade.dispute import dispute_claims, resolve_disputes
from tallystick.book.trade.models import Claim
from tallystick.book.trade.record_documents import record_documents
from tallystick.book.trade.reductions import UnknownClaim
from tallystick.lab.bank import Bank
from tallystick.lab.events import Remittance, Source, Wish
from tallystick.lab.measures import DayMeasures, RunSummary, measured
from tallystick.lab.stage import Stage
from tallystick.rules.refusal import Refusal
from tallystick.rules.trade_documents import TradeDocument

PPM = 1_000_000

DisputeAct = Callable[..., list[bool]]
"""``dispute_claims`` or ``resolve_disputes``, which are asked alike."""


class BooksDisagree(Exception):  # noqa: N818 - what has happened, as an auditor would say it
    """An invariant does not hold after a close: a fault of the platform, with the day it shows."""

    def __init__(self, on: date, wrong: Sequence[str]) -> None:
        self.on = on
        self.wrong = tuple(wrong)
        super().__init__(f"after the close of {on}: " + "; ".join(wrong[:10]))


@dataclass(frozen=True, slots=True)
class Walk:
    """A run: its outside world, its stage in the book, its bank, and who acts.

    ``daily_check`` names what is wrong with the books after a close, if anything is. ``expected``
    are the refusals with which the book answers a source that misbehaves: they are counted, and
    any other ends the run. ``desk``: whoever works once a day besides, the factor's own
    people or suppliers who repay.
    """

    source: Source
    stage: Stage
    bank: Bank
    caller: Caller
    daily_check: Callable[[date], Sequence[str]] = lambda _on: ()
    expected: tuple[type[Refusal], ...] = ()
    desk: Callable[[date], None] = lambda _on: None

    def through(
        self,
        summary: RunSummary,
        *,
        start: date,
        end: date,
        on_day: Callable[[DayMeasures], None] = lambda _day: None,
    ) -> RunSummary:
        """Walk every date from ``start`` through ``end``.

        Raises BooksDisagree on the first day on which ``daily_check`` finds something, and any
        refusal that is not ``expected``.
        """
        began = monotonic()
        on = start
        while on <= end:
            day = self._day(on, summary)
            summary.days.append(day)
            on_day(day)
            if wrong := self.daily_check(on):
                raise BooksDisagree(on, wrong)
            on += timedelta(days=1)
        summary.seconds += monotonic() - began
        return summary

    def _day(self, on: date, summary: RunSummary) -> DayMeasures:
        events = self.source.events(on)
        self._record(events.documents, on, summary)
        self._change_disputes(dispute_claims, events.disputed_claims, f"disputes/{on}", summary)
        self._change_disputes(resolve_disputes, events.resolved_claims, f"ends/{on}", summary)
        self._settle(events.remittances, on, summary)
        self._take_back(events.recalled_receipts, summary)
        self.desk(on)
        self._draw(self.source.wishes(on), on, summary)
        self._hear_bank(on, summary)
        close_day(self.stage.legal_entity_id, on)
        return measured(self.stage, on)

    def _record(self, documents: Sequence[TradeDocument], on: date, summary: RunSummary) -> None:
        if not documents:
            return
        outcomes = record_documents(
            documents,
            caller=self.caller,
            key=f"documents/{on}",
            legal_entity_id=self.stage.legal_entity_id,
            numbers_repeat=self.source.numbers_repeat,
        )
        summary.documents += len(outcomes)
        for outcome in outcomes:
            if isinstance(outcome, Refusal):
                self._count(outcome, summary)
            else:
                summary.repeated_documents += outcome.repeated

    def _count(self, refusal: Refusal, summary: RunSummary) -> None:
        """Count a refusal that had to be expected; raise any other."""
        if not isinstance(refusal, self.expected):
            raise refusal
        summary.refused(refusal)

    def _change_disputes(
        self, change: DisputeAct, codes: Sequence[str], key: str, summary: RunSummary
    ) -> None:
        """Raise or end disputes, but for claims that are not on record."""
        left = list(codes)
        while left:
            try:
                change(
                    left,
                    reason="told by the source",
                    legal_entity_id=self.stage.legal_entity_id,
                    caller=self.caller,
                    key=key,
                )
            except UnknownClaim as unknown:
                self._count(unknown, summary)
                left = [code for code in left if code != unknown.claim]
            else:
                return

    def _take_back(self, references: Sequence[str], summary: RunSummary) -> None:
        for reference in references:
            try:
                reverse_receipt(
                    reference,
                    legal_entity_id=self.stage.legal_entity_id,
                    caller=self.caller,
                    key=f"recall/{reference}",
                )
            except ReceiptReversedAlready as already:
                self._count(already, summary)

    def _settle(self, remittances: Sequence[Remittance], on: date, summary: RunSummary) -> None:
        receipts = self._receipts(remittances, on)
        if not receipts:
            return
        known = set(
            CashReceipt.objects.filter(
                legal_entity=self.stage.legal_entity_id,
                bank_reference__in=[receipt.bank_reference for receipt in receipts],
            ).values_list("bank_reference", flat=True)
        )
        for settled in settle_many(
            receipts, legal_entity_id=self.stage.legal_entity_id, caller=self.caller
        ):
            if isinstance(settled, Refusal):
                self._count(settled, summary)
                continue
            if settled.bank_reference in known:
                summary.repeated_receipts += 1
                continue
            known.add(settled.bank_reference)
            summary.claims_paid_minor += settled.amount_minor
            summary.repaid_minor += settled.to_loans_minor
            summary.to_advances_minor += settled.to_advances_minor
            summary.to_suppliers_minor += settled.to_supplier_minor
            summary.suspense_minor += settled.suspense_minor

    def _receipts(self, remittances: Sequence[Remittance], on: date) -> list[Receipt]:
        open_amounts = [code for r in remittances for code, amount in r.lines if amount is None]
        outstanding_minor = {
            code: face_minor - paid_minor - diluted_minor
            for code, face_minor, paid_minor, diluted_minor in Claim.objects.filter(
                code__in=open_amounts
            ).values_list("code", "face_minor", "paid_minor", "diluted_minor")
        }
        receipts = []
        for remittance in remittances:
            lines = tuple(
                (code, amount_minor)
                for code, stated_minor in remittance.lines
                if (
                    amount_minor := outstanding_minor.get(code, 0)
                    if stated_minor is None
                    else stated_minor
                )
            )
            # A claim that credit notes have used up is not paid: no cash comes for it.
            if lines:
                receipts.append(
                    Receipt(
                        bank_reference=remittance.reference,
                        payer=remittance.payer,
                        currency=remittance.currency or self.source.currency,
                        amount_minor=remittance.amount_minor
                        or sum(amount_minor for _, amount_minor in lines),
                        value_date=remittance.value_date or on,
                        lines=lines,
                    )
                )
        return receipts

    def _draw(self, wishes: Sequence[Wish], on: date, summary: RunSummary) -> None:
        wished = {self.stage.facility_ids[wish.supplier]: wish for wish in wishes}
        requests = []
        for facility_id, standing in availability(list(wished), on=on).items():
            wish = wished[facility_id]
            amount_minor = standing.available_minor * wish.share_ppm // PPM
            amount_minor -= amount_minor % self.stage.round_to_minor
            if amount_minor >= self.stage.min_draw_minor[facility_id]:
                requests.append(
                    DrawRequest(
                        facility=self.stage.facility_codes[facility_id],
                        amount_minor=amount_minor,
                        tenor_days=wish.tenor_days,
                        on=on,
                        caller=self.caller,
                        key=f"draw/{facility_id}/{on}",
                    )
                )
        for outcome in draw_down_many(requests) if requests else ():
            if isinstance(outcome, Refusal):
                summary.draws_refused += 1
                summary.refused(outcome)
            else:
                summary.draws += 1
                summary.drawn_minor += outcome.amount_minor

    def _hear_bank(self, on: date, summary: RunSummary) -> None:
        orders = list(
            PaymentOrder.objects.filter(
                legal_entity=self.stage.legal_entity_id, status=PaymentStatus.ORDERED
            ).order_by("id")
        )
        messages = self.bank.answers(orders, on)
        if not messages:
            return
        take_answers(
            messages,
            legal_entity_id=self.stage.legal_entity_id,
            caller=self.caller,
            key=f"bank/{on}",
        )
        summary.payouts_rejected += sum(m.outcome == "rejected" for m in messages)
