"""A loan written as a JSON file: its terms and what happened to it, for use without a database.

Amounts are whole numbers of minor units; rates are text or numbers, read digit by digit and never
as binary fractions. Events are numbered as they stand in the file, from 1. An event may have an id
of its own, by which a reversal names it; without one it is named by its number. Without a booking
date it is booked on its value date. Without a payout among the events, the principal is paid out
on the loan's first day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from tallystick.faces.cli.case_fields import Fields, content_of, naming, numbered_events
from tallystick.faces.cli.floating_case import floating_resets
from tallystick.rules.daycount import DayCount
from tallystick.rules.instalment_terms import Axis
from tallystick.rules.loan_events import (
    FIELDS_OF,
    Charge,
    EventKind,
    Keeps,
    LoanEvent,
)
from tallystick.rules.loan_terms import (
    BACKWARDS,
    MONTHLY,
    RECEIPT_ORDER,
    USUAL_ORDERS,
    Bucket,
    Debt,
    KindOrders,
    LoanTerms,
    PenaltyBand,
    penalty_of_a_day,
    penalty_of_multiple,
)
from tallystick.rules.money import Rounding
from tallystick.rules.reference_rates import rate_change_events
from tallystick.rules.schedule import Method


@dataclass(frozen=True, slots=True)
class LoanCase:
    """A loan's terms and its events, as a file tells them."""

    terms: LoanTerms
    events: tuple[LoanEvent, ...]


def read_case(path: Path) -> LoanCase:
    """The loan described in ``path``. Raises CaseRefused."""
    case = Fields(content_of(path), where=str(path))
    with naming(path):
        resets = floating_resets(case, start_date=case.day("start"), end_date=case.day("maturity"))
        terms = _terms(case, resets[0].annual_rate if resets else case.rate("annual_rate"))
        events = _events(case, terms.currency)
        case.refuse_unknown()
    events += rate_change_events(resets, first_id=len(events) + 1)
    if not any(event.kind is EventKind.DISBURSED for event in events):
        payout = LoanEvent(
            event_id=0,
            kind=EventKind.DISBURSED,
            value_date=terms.start,
            booking_date=terms.start,
            amount_minor=terms.principal_minor,
        )
        events = [payout, *events]
    return LoanCase(terms, tuple(events))


def _terms(case: "Fields", annual_rate: Decimal) -> LoanTerms:
    return LoanTerms(
        currency=case.currency("currency"),
        principal_minor=case.whole("principal_minor"),
        annual_rate=annual_rate,
        day_count=case.choice("day_count", DayCount),
        method=case.choice("method", Method),
        start=case.day("start"),
        maturity=case.day("maturity"),
        frequency=case.frequency("frequency") if "frequency" in case else MONTHLY,
        rounding=case.choice("rounding", Rounding) if "rounding" in case else Rounding.HALF_UP,
        penalty_rate=_penalty_rate(case) or Decimal(0),
        penalty_grace_days=(
            case.whole("penalty_grace_days") if "penalty_grace_days" in case else 0
        ),
        receipt_order=(
            case.choices("receipt_order", Bucket) if "receipt_order" in case else RECEIPT_ORDER
        ),
        penalty_bands=_penalty_bands(case),
        revolving=case.yes_or_no("revolving") if "revolving" in case else False,
        axis=case.choice("axis", Axis) if "axis" in case else Axis.BY_PART,
        kind_orders=_kind_orders(case.part("orders")) if "orders" in case else USUAL_ORDERS,
    )


def _kind_orders(fields: "Fields") -> KindOrders:
    orders = KindOrders(
        remitted=fields.choices("remitted", Bucket) if "remitted" in fields else None,
        repaid=fields.choices("repaid", Bucket) if "repaid" in fields else None,
        recovered=fields.choices("recovered", Debt) if "recovered" in fields else None,
        charged_back=(
            fields.choices("charged_back", Debt) if "charged_back" in fields else BACKWARDS
        ),
    )
    fields.refuse_unknown()
    return orders


def _penalty_bands(case: "Fields") -> tuple[PenaltyBand, ...]:
    bands = []
    if "penalty_bands" not in case:
        return ()
    such_as = '{"days_past_due": 30, "penalty_rate": "0.288"}'
    for fields in case.objects("penalty_bands", each="penalty band", such_as=such_as):
        days_past_due = fields.whole("days_past_due")
        rate = _penalty_rate(fields, case)
        if rate is None:
            fields.refuse("penalty_rate", None, "give the band's rate")
        fields.refuse_unknown()
        bands.append(PenaltyBand(days_past_due, rate))
    return tuple(bands)


def _penalty_rate(fields: "Fields", case: "Fields | None" = None) -> Decimal | None:
    """A penalty rate a year, however it is written; None where it is not."""
    loan = case or fields
    written = {
        name: fields.rate(name)
        for name in ("penalty_rate", "penalty_daily_rate", "penalty_multiple")
        if name in fields
    }
    if len(written) > 1:
        fields.refuse(list(written)[1], written.popitem()[1], f"give one of {', '.join(written)}")
    for name, value in written.items():
        if name == "penalty_daily_rate":
            return penalty_of_a_day(value, loan.choice("day_count", DayCount))
        if name == "penalty_multiple":
            return penalty_of_multiple(value, loan.rate("annual_rate"))
        return value
    return None


def _events(case: "Fields", currency: str) -> list[LoanEvent]:
    written, numbers = numbered_events(case)
    return [
        _event(fields, number, numbers, currency) for number, fields in enumerate(written, start=1)
    ]


def _event(fields: "Fields", number: int, numbers: Mapping[str, int], currency: str) -> LoanEvent:
    kind = fields.choice("kind", EventKind)
    value_date = fields.day("value_date")
    booking_date = fields.day("booking_date") if "booking_date" in fields else value_date
    if "currency" in fields and (told := fields.currency("currency")) != currency:
        fields.refuse_currency(told, currency)
    needed = FIELDS_OF[kind]
    event = LoanEvent(
        event_id=number,
        kind=kind,
        value_date=value_date,
        booking_date=booking_date,
        amount_minor=fields.whole("amount_minor") if "amount_minor" in needed else None,
        annual_rate=fields.rate("annual_rate") if "annual_rate" in needed else None,
        reverses=_reversed(fields, numbers) if "reverses" in needed else None,
        days=fields.whole("days") if "days" in needed else None,
        due_date=fields.day("due_date") if "due_date" in needed else None,
        to_date=fields.day("to_date") if "to_date" in needed else None,
        waives=fields.choice("waives", Charge) if "waives" in needed else None,
        keeps=fields.choice("keeps", Keeps) if "keeps" in needed else None,
    )
    fields.refuse_unknown()
    return event


def _reversed(fields: "Fields", numbers: Mapping[str, int]) -> int:
    name = fields.name("reverses")
    if name not in numbers:
        fields.refuse("reverses", name, "name the id of an event in this file")
    return numbers[name]
