"""Statement-cycle credit as a fold: statements, dues, interest from posting, late charges.

A day goes: first a statement that is drawn on it, then its events, and at its end the due date of
an earlier statement is judged. A payment meets what is on statements first, the oldest first; of
one statement charges, then instalments, then purchases; then what is not billed yet.

Interest runs on each purchase from its posting on what is unpaid of it, exactly:

    numerator = Σ unpaid × rate × days            over 10⁹ × days of the year

It is kept with the purchase. Where the statement is paid in full by its due date the interest of
its purchases is forgiven; otherwise it joins the line's running total, which goes on with what
stays unpaid. Only that running total is rounded. It is put on the next statement, as are late
charges, and bears no interest. Late charges run on what is unpaid of the minimum, not on late
charges in it, from the first day after the due date, at the rate of the band the day lies in.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum

from tallystick.rules.asked_days import refuse_too_late
from tallystick.rules.loan_balances import AskedTooEarly
from tallystick.rules.loan_events import RATE_UNITS, rate_in_ppb, refuse_contradictions
from tallystick.rules.money import rounded
from tallystick.rules.refusal import Refusal
from tallystick.rules.statement_terms import (
    StatementEvent,
    StatementEventKind,
    StatementTerms,
    due_date_of,
    statement_dates,
    statement_events_in_force,
)


class ItemKind(StrEnum):
    """What is owed, in the order in which a payment meets it on one statement."""

    LATE_CHARGE = "late_charge"
    INTEREST = "interest"
    FEE = "fee"
    INSTALMENT = "instalment"
    PURCHASE = "purchase"


_PLACE = {kind: place for place, kind in enumerate(ItemKind)}


@dataclass(slots=True, eq=False)
class _Item:
    """One debt; ``numerator`` is interest it has run up that is not in the line's total yet."""

    kind: ItemKind
    posting_date: date
    amount_minor: int
    unpaid_minor: int
    statement: int | None = None
    is_charged: bool = False
    numerator: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement as it was drawn. Amounts are minor units.

    ``opening_minor`` is what was still owed of earlier ones; it and what is new sum to
    ``closing_minor``. ``paid_in_full`` is None until its due date has gone by.
    """

    number: int
    statement_date: date
    due_date: date
    opening_minor: int
    purchases_minor: int
    instalment_minor: int
    fees_minor: int
    interest_minor: int
    late_charges_minor: int
    closing_minor: int
    minimum_minor: int
    paid_in_full: bool | None


class CannotConvert(Refusal):
    """There is no statement that can be paid in instalments so."""


@dataclass(frozen=True, slots=True)
class StatementState:
    """The line on a day, after that day's events. Amounts are minor units.

    ``owed_minor`` is everything, ``billed_minor`` what of it stands on statements, ``due_minor``
    what of the minimum is unpaid of statements whose due date has come, ``interest_minor`` and
    ``late_charges_minor`` what has run up in all, billed or not. ``instalments_left_minor`` was
    converted and will be billed.
    """

    terms: StatementTerms
    on: date
    statements: tuple[Statement, ...]
    owed_minor: int
    billed_minor: int
    due_minor: int
    days_past_due: int
    interest_minor: int
    late_charges_minor: int
    instalments_left_minor: int
    credit_minor: int


@dataclass(slots=True)
class _Dues:
    """What must be paid of a statement; late charges run on the part that is none itself."""

    due_date: date
    unpaid_minor: int
    bearing_minor: int


@dataclass(slots=True)
class _Line:
    """The line while it is folded. ``to_bill`` are instalments of later statements."""

    terms: StatementTerms
    today: date
    items: list[_Item] = field(default_factory=list)
    statements: list[Statement] = field(default_factory=list)
    dues: dict[int, _Dues] = field(default_factory=dict)
    to_bill: list[_Item] = field(default_factory=list)
    interest_numerator: int = 0
    interest_billed_minor: int = 0
    late_numerator: int = 0
    late_billed_minor: int = 0
    credit_minor: int = 0

    def run_to(self, day: date) -> None:
        """Let interest and late charges run to ``day``."""
        days = (day - self.today).days
        rate_ppb = rate_in_ppb(self.terms.annual_rate)
        for item in self.items:
            if item.kind is ItemKind.PURCHASE and item.unpaid_minor:
                grown = item.unpaid_minor * rate_ppb * days
                if item.is_charged:
                    self.interest_numerator += grown
                else:
                    item.numerator += grown
        for due in self.dues.values():
            self.late_numerator += due.bearing_minor * _late_rate_days(
                self.terms, (self.today - due.due_date).days, (day - due.due_date).days
            )
        self.today = day

    def interest_minor(self) -> int:
        return rounded(
            self.interest_numerator, RATE_UNITS * self.terms.year_days, self.terms.rounding
        )

    def late_minor(self) -> int:
        return rounded(self.late_numerator, RATE_UNITS, self.terms.rounding)

    def owed_minor(self) -> int:
        unbilled_minor = (
            self.interest_minor()
            - self.interest_billed_minor
            + self.late_minor()
            - self.late_billed_minor
        )
        return sum(item.unpaid_minor for item in self.items) + unbilled_minor

    def draw_statement(self) -> None:
        """What was posted and has run up is billed; credit meets it at once."""
        terms, number = self.terms, len(self.statements) + 1
        opening_minor = sum(item.unpaid_minor for item in self.items if item.statement)
        new = [item for item in self.items if item.statement is None]
        purchases_minor = sum(item.unpaid_minor for item in new)
        new += self._instalments_now()
        fee_minor = _part(purchases_minor, rate_in_ppb(terms.statement_fee_rate), terms)
        interest_minor = self.interest_minor() - self.interest_billed_minor
        late_minor = self.late_minor() - self.late_billed_minor
        self.interest_billed_minor += interest_minor
        self.late_billed_minor += late_minor
        for kind, amount_minor in (
            (ItemKind.FEE, fee_minor),
            (ItemKind.INTEREST, interest_minor),
            (ItemKind.LATE_CHARGE, late_minor),
        ):
            if amount_minor:
                new.append(_Item(kind, self.today, amount_minor, amount_minor))
        for item in new:
            item.statement = number
            if item not in self.items:
                self.items.append(item)
        closing_minor = sum(item.unpaid_minor for item in self.items if item.statement)
        share_minor = _part(closing_minor, rate_in_ppb(terms.minimum_share), terms)
        minimum_minor = min(closing_minor, max(share_minor, terms.minimum_floor_minor))
        overdue_minor = sum(due.unpaid_minor for due in self.dues.values())
        due_date = due_date_of(terms, self.today)
        new_minor = max(0, minimum_minor - overdue_minor)
        self.dues[number] = _Dues(due_date, new_minor, max(0, new_minor - late_minor))
        self.statements.append(
            Statement(
                number=number,
                statement_date=self.today,
                due_date=due_date,
                opening_minor=opening_minor,
                purchases_minor=purchases_minor,
                instalment_minor=sum(
                    item.amount_minor for item in new if item.kind is ItemKind.INSTALMENT
                ),
                fees_minor=sum(item.amount_minor for item in new if item.kind is ItemKind.FEE),
                interest_minor=interest_minor,
                late_charges_minor=late_minor,
                closing_minor=closing_minor,
                minimum_minor=minimum_minor,
                paid_in_full=None,
            )
        )
        credit_minor, self.credit_minor = self.credit_minor, 0
        self.pay(credit_minor)

    def pay(self, amount_minor: int) -> None:
        """Meet what is billed, the oldest first, and then what is not; the rest is credit."""
        in_turn = sorted(
            (item for item in self.items if item.unpaid_minor),
            key=lambda item: (
                item.statement or len(self.statements) + 1,
                _PLACE[item.kind],
                item.posting_date,
            ),
        )
        rest_minor = amount_minor
        for item in in_turn:
            paid_minor = min(rest_minor, item.unpaid_minor)
            item.unpaid_minor -= paid_minor
            rest_minor -= paid_minor
        self.credit_minor += rest_minor
        for due in self.dues.values():
            met_minor = min(amount_minor, due.unpaid_minor)
            due.unpaid_minor -= met_minor
            due.bearing_minor = min(due.bearing_minor, due.unpaid_minor)
            amount_minor -= met_minor

    def judge(self, number: int) -> None:
        """The due date of a statement has gone by: is its interest forgiven, or charged?"""
        items = [item for item in self.items if item.statement == number]
        in_full = not any(
            item.unpaid_minor for item in self.items if item.statement and item.statement <= number
        )
        for item in items:
            if not in_full:
                self.interest_numerator += item.numerator
                item.is_charged = True
            item.numerator = 0
        told = self.statements[number - 1]
        self.statements[number - 1] = replace(told, paid_in_full=in_full)

    def convert(self, event: StatementEvent) -> None:
        """The purchases of the latest statement become instalments, its own fee falls away."""
        count = event.instalments or 0
        statement = self.statements[-1] if self.statements else None
        if statement is None or event.value_date > statement.due_date:
            raise CannotConvert(
                f"Event {event.event_id} converts on {event.value_date}, when no statement is "
                "open: convert between the day of a statement and its due date."
            )
        if not 2 <= count <= self.terms.max_instalments:
            raise CannotConvert(
                f"Event {event.event_id} asks for {count} instalments: "
                f"the line offers up to {self.terms.max_instalments}."
            )
        converted = [
            item
            for item in self.items
            if item.statement == statement.number
            and item.kind in (ItemKind.PURCHASE, ItemKind.FEE)
            and item.unpaid_minor
        ]
        amount_minor = sum(
            item.unpaid_minor for item in converted if item.kind is ItemKind.PURCHASE
        )
        if amount_minor < count:
            raise CannotConvert(
                f"Event {event.event_id} converts {amount_minor} minor units: "
                "convert a statement whose purchases are not paid yet."
            )
        removed_minor = sum(item.unpaid_minor for item in converted)
        for item in converted:
            item.unpaid_minor = item.numerator = 0
        planned = _instalments(self.terms, amount_minor, count, event.value_date)
        for item in planned[:2]:
            item.statement = statement.number
            self.items.append(item)
        self.to_bill += planned[2:]
        first_minor = sum(item.amount_minor for item in planned[:2])
        due = self.dues[statement.number]
        due.unpaid_minor = max(first_minor, due.unpaid_minor - removed_minor + first_minor)
        due.bearing_minor = max(first_minor, due.bearing_minor - removed_minor + first_minor)

    def _instalments_now(self) -> list[_Item]:
        """The instalment and fee of each conversion that this statement bills."""
        now = [item for item in self.to_bill if item.posting_date <= self.today]
        self.to_bill = [item for item in self.to_bill if item.posting_date > self.today]
        for item in now:
            item.posting_date = self.today
        return now


def fold_statements(
    terms: StatementTerms, events: Sequence[StatementEvent], *, on: date, known_on: date
) -> StatementState:
    """The line ``on`` a day, after that day's events, as ``known_on`` a day.

    Raises AskedTooEarly, AskedTooLate, ContradictoryEvents, CannotConvert.
    """
    if on < terms.opened_date:
        raise AskedTooEarly(
            f"The line is opened on {terms.opened_date} and has no state on {on}: "
            "ask for that day or a later one."
        )
    refuse_too_late(on, start_date=terms.opened_date)
    refuse_contradictions(events, start=terms.opened_date)
    line = _Line(terms, terms.opened_date)
    by_day: dict[date, list[StatementEvent]] = {}
    for event in statement_events_in_force(events, on=on, known_on=known_on):
        by_day.setdefault(event.value_date, []).append(event)
    drawn = set(_until(statement_dates(terms), on))
    due = {due_date_of(terms, day): number for number, day in enumerate(sorted(drawn), start=1)}
    for day in sorted({*by_day, *drawn, *(each for each in due if each < on), on}):
        line.run_to(day)
        if day in drawn:
            line.draw_statement()
        for event in by_day.get(day, ()):
            _take(line, event)
        if day in due and day < on:
            line.judge(due[day])
    return _state(line, on)


def _take(line: _Line, event: StatementEvent) -> None:
    amount_minor = event.amount_minor or 0
    match event.kind:
        case StatementEventKind.PURCHASED:
            line.items.append(
                _Item(ItemKind.PURCHASE, event.value_date, amount_minor, amount_minor)
            )
        case StatementEventKind.RETURNED | StatementEventKind.RECEIVED:
            line.pay(amount_minor)
        case StatementEventKind.CONVERTED:
            line.convert(event)
        case StatementEventKind.REVERSED:
            pass


def _state(line: _Line, on: date) -> StatementState:
    past_due = [each for each in line.dues.values() if each.unpaid_minor and each.due_date < on]
    return StatementState(
        terms=line.terms,
        on=on,
        statements=tuple(line.statements),
        owed_minor=line.owed_minor(),
        billed_minor=sum(item.unpaid_minor for item in line.items if item.statement),
        due_minor=sum(each.unpaid_minor for each in line.dues.values() if each.due_date <= on),
        days_past_due=max(((on - each.due_date).days for each in past_due), default=0),
        interest_minor=line.interest_minor(),
        late_charges_minor=line.late_minor(),
        instalments_left_minor=sum(item.amount_minor for item in line.to_bill),
        credit_minor=line.credit_minor,
    )


def _instalments(
    terms: StatementTerms, amount_minor: int, count: int, converted_date: date
) -> list[_Item]:
    """Instalment and fee of each period in turn; the last instalment takes the remainder.

    instalment = amount / count rounded, fee = amount × rate rounded, each period.
    """
    fee_minor = _part(amount_minor, rate_in_ppb(terms.instalment_fee_rate), terms)
    dates = [converted_date]
    for day in statement_dates(terms):
        if len(dates) == count:
            break
        if day > converted_date:
            dates.append(day)
    planned = []
    for n, day in enumerate(dates, start=1):
        part_minor = rounded(amount_minor * n, count, terms.rounding) - rounded(
            amount_minor * (n - 1), count, terms.rounding
        )
        planned.append(_Item(ItemKind.INSTALMENT, day, part_minor, part_minor))
        planned.append(_Item(ItemKind.FEE, day, fee_minor, fee_minor))
    return planned


def _late_rate_days(terms: StatementTerms, start: int, end: int) -> int:
    """Σ of the daily rates, in billionths, over the days after ``start`` days late to ``end``."""
    total = 0
    bands = terms.late_bands
    for place, band in enumerate(bands):
        last = bands[place + 1].from_days - 1 if place + 1 < len(bands) else end
        days = min(end, last) - max(start, band.from_days - 1)
        total += max(0, days) * rate_in_ppb(band.daily_rate)
    return total


def _part(amount_minor: int, rate_ppb: int, terms: StatementTerms) -> int:
    return rounded(amount_minor * rate_ppb, RATE_UNITS, terms.rounding)


def _until(days: Iterator[date], last: date) -> Iterator[date]:
    for day in days:
        if day > last:
            return
        yield day
