"""A loan of instalments is a fold over its events: its table, and where all money went."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum

from tallystick.rules.instalment_allocation import Limit, Share, spread
from tallystick.rules.instalment_dates import MovedFrom
from tallystick.rules.instalment_events import (
    InstalmentEvent,
    InstalmentEventKind,
    InvalidInstalmentEvent,
    standing,
)
from tallystick.rules.instalment_history import Early, History, PaidToRow, Payout
from tallystick.rules.instalment_plan import Plan, accrued_on, planned
from tallystick.rules.instalment_rows import Charge, Row, RowKind
from tallystick.rules.instalment_terms import (
    Advance,
    InstalmentTerms,
    Part,
    ReceiptKind,
)


class Status(StrEnum):
    """Where the loan is in its life."""

    AGREED = "agreed"
    ACTIVE = "active"
    PAID = "paid"
    OVERPAID = "overpaid"


@dataclass(frozen=True, slots=True)
class Movement:
    """What one event moved. ``parts_minor``: what a receipt paid, or what a waiver or charge-off
    took off.

    ``credit_minor`` is what came to the borrower's credit, below zero what was taken from it.
    ``principal_minor_after`` is the principal outstanding after the event.
    """

    event_id: int
    kind: InstalmentEventKind
    receipt: ReceiptKind | None
    value_date: date
    amount_minor: int
    parts_minor: dict[Part, int]
    credit_minor: int
    principal_minor_after: int
    after_charge_off: bool


@dataclass(frozen=True, slots=True)
class InstalmentLoan:
    """The state of a loan: its instalments in the order they fall due, payouts and movements."""

    terms: InstalmentTerms
    status: Status
    payouts: tuple[Payout, ...]
    rows: tuple[Row, ...]
    movements: tuple[Movement, ...]
    credit_minor: int

    def outstanding_minor(self) -> int:
        """Everything that is owed by the table and not paid."""
        if self.status is Status.AGREED:
            return 0
        return sum(row.outstanding_minor for row in self.rows)

    def outstanding_of(self, part: Part) -> int:
        """What is owed and not paid of one part."""
        return sum(row.outstanding_of(part) for row in self.rows)


def fold(terms: InstalmentTerms, events: Sequence[InstalmentEvent], *, on: date) -> InstalmentLoan:
    """The loan after all events up to ``on``. Before money is paid out, its table as agreed.

    Raises InvalidInstalmentEvent and ScheduleImpossible.
    """
    in_force = standing(events, on=on)
    if not any(event.kind is InstalmentEventKind.DISBURSED for event in in_force):
        agreed = Payout(terms.plan.start, terms.plan.principal_minor)
        rows = _rows_of(planned(terms, History((agreed,))))
        return InstalmentLoan(terms, Status.AGREED, (agreed,), tuple(rows), (), 0)
    return _Fold(terms, in_force, on).done()


@dataclass(slots=True)
class _Fold:
    """One pass over the events of a loan, moving its rows from event to event."""

    terms: InstalmentTerms
    events: list[InstalmentEvent]
    on: date
    history: History = field(init=False)
    rows: list[Row] = field(default_factory=list)
    added: list[Row] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    paid_out: list[Payout] = field(default_factory=list)
    credit_minor: int = 0
    charged_off: bool = False

    def done(self) -> InstalmentLoan:
        self.history = _history(self.events)
        self._plan()
        # A charge counts from the earlier of the day it was recorded and the day it is due.
        steps = sorted(self.events, key=lambda event: (_effective_date(event), event.event_id))
        for event in steps:
            self._take(event)
        return InstalmentLoan(
            terms=self.terms,
            status=self._status(),
            payouts=tuple(self.paid_out),
            rows=tuple(self._in_order()),
            movements=tuple(self.movements),
            credit_minor=self.credit_minor,
        )

    def _status(self) -> Status:
        if any(row.outstanding_minor > 0 for row in self._in_order()):
            return Status.ACTIVE
        return Status.OVERPAID if self.credit_minor else Status.PAID

    def _take(self, event: InstalmentEvent) -> None:
        match event.kind:
            case InstalmentEventKind.DISBURSED:
                self._disburse(event)
            case InstalmentEventKind.RECEIVED:
                self._receive(event, event.receipt, event.amount_minor)
            case InstalmentEventKind.CHARGED:
                self._charge(event)
            case InstalmentEventKind.CHARGED_BACK | InstalmentEventKind.CREDIT_REFUNDED:
                self._owe_again(event)
            case InstalmentEventKind.CHARGE_WAIVED:
                self._waive(event)
            case InstalmentEventKind.CHARGED_OFF:
                self._charge_off(event)
            case InstalmentEventKind.CLOSED_DAY:
                self._look(event.value_date)
            case _:
                pass  # changes of the plan are in the history from the first

    # The table.

    def _plan(self) -> None:
        """Lay the table anew over what has been paid."""
        anew = _rows_of(planned(self.terms, self.history))
        for known, row in zip(self.rows, anew, strict=bool(self.rows)):
            known.owed[Part.PRINCIPAL] = row.owed[Part.PRINCIPAL] + known.credited_minor
            known.owed[Part.INTEREST] = row.owed[Part.INTEREST]
        self.rows = self.rows or anew

    def _look(self, day: date) -> None:
        """Calculate the table again as of a day, where the terms ask for it."""
        if self.terms.recalculation is None:
            return
        if day not in self.history.looked_on:
            self.history = replace(self.history, looked_on=(*self.history.looked_on, day))
        self._plan()

    def _in_order(self) -> list[Row]:
        return sorted(
            [*self.rows, *self.added],
            key=lambda row: (row.due_date, row.kind is not RowKind.DOWN_PAYMENT, row.from_date),
        )

    def _instalments(self) -> list[Row]:
        return [row for row in self.rows if row.kind is RowKind.INSTALMENT]

    def _row_for(self, day: date) -> Row:
        """The instalment whose period a day is in; one more after the last."""
        instalments = self._instalments()
        for row in instalments:
            if day <= row.due_date:
                return row
        for row in self.added:
            if day <= row.due_date:
                return row
        if self.added:
            self.added[-1].due_date = day
        else:
            self.added.append(Row(RowKind.ADDED, instalments[-1].due_date, day))
        return self.added[-1]

    # The events.

    def _disburse(self, event: InstalmentEvent) -> None:
        payout = Payout(event.value_date, event.amount_minor)
        self.paid_out.append(payout)
        self._record(event, None, event.amount_minor, {}, 0)
        if not self.terms.pays_down_at_once:
            return
        down_minor = sum(
            row.outstanding_minor
            for row in self.rows
            if row.kind is RowKind.DOWN_PAYMENT and row.due_date == event.value_date
        )
        if down_minor:
            self._receive(event, ReceiptKind.DOWN_PAYMENT, down_minor)

    def _receive(self, event: InstalmentEvent, receipt: ReceiptKind, amount_minor: int) -> None:
        day = event.value_date
        again = self.terms.recalculation
        if again is not None:
            self._look(day)
            if again.advance is Advance.LOWER_INSTALMENT:
                self._note_early(day, amount_minor)
        shares, left_minor = spread(
            amount_minor,
            self._in_order(),
            self.terms.order_of(receipt),
            on=day,
            limit=self._limit(day),
        )
        self._note_paid(day, shares)
        self.credit_minor += left_minor
        parts_minor = dict.fromkeys(Part, 0)
        for share in shares:
            parts_minor[share.part] += share.amount_minor
        self._record(event, receipt, amount_minor, parts_minor, left_minor)
        if again is not None and shares:
            self._plan()

    def _limit(self, day: date) -> Limit:
        """How much of each part can be paid on a day.

        Interest of the running period can only be paid as far as it has come, that of later ones
        not yet: what is paid ahead to an instalment is principal, up to the whole of it.
        """
        again = self.terms.recalculation
        if again is None or again.advance is Advance.LOWER_INSTALMENT:
            return lambda row, part: row.outstanding_of(part)
        running = accrued_on(self.terms, self.history, day)
        instalments = self._instalments()

        def limit(row: Row, part: Part) -> int:
            if row.due_date <= day or part in (Part.FEE, Part.PENALTY):
                return row.outstanding_of(part)
            borne_minor = 0
            if row is instalments[running.period]:
                borne_minor = min(row.owed[Part.INTEREST], running.interest_minor)
            borne_minor = max(0, borne_minor - row.paid[Part.INTEREST])
            if part is Part.INTEREST:
                return borne_minor
            whole_minor = sum(row.owed[p] - row.paid[p] for p in (Part.PRINCIPAL, Part.INTEREST))
            return min(whole_minor - borne_minor, self._principal_minor())

        return limit

    def _note_early(self, day: date, amount_minor: int) -> None:
        due_minor = sum(row.outstanding_minor for row in self._in_order() if row.due_date <= day)
        early_minor = min(amount_minor - due_minor, self._principal_minor())
        if early_minor > 0:
            early = Early(day, early_minor)
            self.history = replace(self.history, early=(*self.history.early, early))
            self._plan()

    def _note_paid(self, day: date, shares: Sequence[Share]) -> None:
        """Tell the table what was paid to its instalments; principal owed again is not its own."""
        for index, row in enumerate(self._instalments()):
            of_row = [share for share in shares if share.row is row]
            to_principal, to_interest = (
                sum(share.amount_minor for share in of_row if share.part is part)
                for part in (Part.PRINCIPAL, Part.INTEREST)
            )
            noted = sum(p.principal_minor for p in self.history.paid if p.period == index)
            room = row.owed[Part.PRINCIPAL] + row.owed[Part.INTEREST] - row.credited_minor - noted
            paid = PaidToRow(day, index, max(0, min(to_principal, room)), to_interest)
            if paid.principal_minor or paid.interest_minor:
                self.history = replace(self.history, paid=(*self.history.paid, paid))

    def _charge(self, event: InstalmentEvent) -> None:
        assert event.due_date is not None
        part = Part.PENALTY if event.is_penalty else Part.FEE
        charge = Charge(event.event_id, event.due_date, part, event.amount_minor)
        row = self._row_for(event.due_date)
        row.add_charge(charge)
        from_credit_minor = min(self.credit_minor, event.amount_minor)
        if from_credit_minor:
            row.pay(part, from_credit_minor, event.value_date)
            self.credit_minor -= from_credit_minor

    def _waive(self, event: InstalmentEvent) -> None:
        for row in self._in_order():
            for charge in row.charges:
                if charge.charge_id == event.waives:
                    forgone_minor = row.waive(charge, event.value_date)
                    self._record(event, None, forgone_minor, {charge.part: forgone_minor}, 0)
                    return
        raise InvalidInstalmentEvent(
            f"Event {event.event_id} waives {event.waives}, which is no charge that stands then. "
            "Name the id of a charge of this loan, or waive it later."
        )

    def _owe_again(self, event: InstalmentEvent) -> None:
        """Money goes back: out of the credit first, then it is principal once more."""
        from_credit_minor = min(self.credit_minor, event.amount_minor)
        owed_minor = event.amount_minor - from_credit_minor
        self.credit_minor -= from_credit_minor
        if owed_minor:
            row = self._row_for(event.value_date)
            row.credited_minor += owed_minor
            row.owed[Part.PRINCIPAL] += owed_minor
        self._record(
            event, None, event.amount_minor, {Part.PRINCIPAL: owed_minor}, -from_credit_minor
        )

    def _charge_off(self, event: InstalmentEvent) -> None:
        if self.charged_off:
            raise InvalidInstalmentEvent(
                f"Event {event.event_id} charges off a loan that is charged off already: "
                "reverse one of the two."
            )
        self._look(event.value_date)
        parts_minor = {
            part: sum(row.outstanding_of(part) for row in self._in_order()) for part in Part
        }
        self._record(event, None, sum(parts_minor.values()), parts_minor, 0)
        self.charged_off = True

    def _principal_minor(self) -> int:
        owed_again_minor = sum(row.credited_minor for row in self._in_order())
        repaid_minor = sum(row.paid[Part.PRINCIPAL] for row in self._in_order())
        return sum(p.amount_minor for p in self.paid_out) + owed_again_minor - repaid_minor

    def _record(
        self,
        event: InstalmentEvent,
        receipt: ReceiptKind | None,
        amount_minor: int,
        parts_minor: dict[Part, int],
        credit_minor: int,
    ) -> None:
        self.movements.append(
            Movement(
                event_id=event.event_id,
                kind=event.kind,
                receipt=receipt,
                value_date=event.value_date,
                amount_minor=amount_minor,
                parts_minor={part: parts_minor.get(part, 0) for part in Part},
                credit_minor=credit_minor,
                principal_minor_after=self._principal_minor(),
                after_charge_off=self.charged_off,
            )
        )


def _effective_date(event: InstalmentEvent) -> date:
    if event.kind is InstalmentEventKind.CHARGED and event.due_date is not None:
        return min(event.value_date, event.due_date)
    return event.value_date


def _history(events: Sequence[InstalmentEvent]) -> History:
    """What of the events makes the table."""
    payouts: list[Payout] = []
    moved: list[MovedFrom] = []
    rates: list[tuple[date, Decimal]] = []
    pauses: list[tuple[date, date]] = []
    for event in events:
        match event.kind:
            case InstalmentEventKind.DISBURSED:
                payouts.append(Payout(event.value_date, event.amount_minor))
            case InstalmentEventKind.RATE_CHANGED:
                assert event.annual_rate is not None
                rates.append((event.value_date, event.annual_rate))
            case InstalmentEventKind.INTEREST_PAUSED:
                assert event.due_date is not None
                pauses.append((event.value_date, event.due_date))
            case InstalmentEventKind.RESCHEDULED:
                assert event.due_date is not None
                assert event.reschedule is not None
                moved.append(MovedFrom(event.due_date, event.reschedule))
            case _:
                pass
    return History(tuple(payouts), tuple(moved), tuple(sorted(rates)), tuple(pauses))


def _rows_of(plan: Plan) -> list[Row]:
    """Rows that nothing has been paid to: down payments, then instalments."""
    rows = []
    for down in plan.down_payments:
        row = Row(RowKind.DOWN_PAYMENT, down.date, down.date)
        row.owed[Part.PRINCIPAL] = down.amount_minor
        rows.append(row)
    for planned_row in plan.rows:
        row = Row(RowKind.INSTALMENT, planned_row.from_date, planned_row.due_date)
        row.owed[Part.PRINCIPAL] = planned_row.principal_minor
        row.owed[Part.INTEREST] = planned_row.interest_minor
        rows.append(row)
    return rows
