"""A line of statement-cycle credit, written as a case file and told as plain JSON values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from tallystick.faces.cli.case_fields import Fields, content_of, naming, numbered_events
from tallystick.rules.daycount import DayCount
from tallystick.rules.money import Rounding
from tallystick.rules.statement_cycle import Statement, fold_statements
from tallystick.rules.statement_terms import (
    Cycle,
    LateBand,
    StatementEvent,
    StatementEventKind,
    StatementTerms,
)


@dataclass(frozen=True, slots=True)
class LineCase:
    """A line's terms and its events, as a file tells them."""

    terms: StatementTerms
    events: tuple[StatementEvent, ...]


def read_line(path: Path) -> LineCase:
    """The line described in ``path``. Raises CaseRefused."""
    case = Fields(content_of(path), where=str(path))
    with naming(path):
        case.name("credit")
        terms = StatementTerms(
            currency=case.currency("currency"),
            opened_date=case.day("opened_date"),
            cycle=case.choice("cycle", Cycle),
            cycle_day=case.whole("cycle_day"),
            due_days=case.whole("due_days"),
            annual_rate=_rate(case, "annual_rate", Decimal(0)),
            day_count=(
                case.choice("day_count", DayCount) if "day_count" in case else DayCount.ACT_365F
            ),
            minimum_share=_rate(case, "minimum_share", Decimal(1)),
            minimum_floor_minor=_whole(case, "minimum_floor_minor", 0),
            statement_fee_rate=_rate(case, "statement_fee_rate", Decimal(0)),
            late_bands=_late_bands(case),
            max_instalments=_whole(case, "max_instalments", 1),
            instalment_fee_rate=_rate(case, "instalment_fee_rate", Decimal(0)),
            rounding=case.choice("rounding", Rounding) if "rounding" in case else Rounding.HALF_UP,
        )
        written, numbers = numbered_events(case)
        events = tuple(_event(each, n, numbers) for n, each in enumerate(written, start=1))
        case.refuse_unknown()
    return LineCase(terms, events)


def line_told(path: Path, *, on: date | None) -> dict[str, Any]:
    """How the line stands on a day, else on the day of its last event."""
    case = read_line(path)
    asked = on or max((event.value_date for event in case.events), default=case.terms.opened_date)
    with naming(path):
        state = fold_statements(case.terms, case.events, on=asked, known_on=date.max)
    return {
        "credit": "statement_cycle",
        "on": state.on.isoformat(),
        "currency": case.terms.currency,
        "owed_minor": state.owed_minor,
        "billed_minor": state.billed_minor,
        "due_minor": state.due_minor,
        "days_past_due": state.days_past_due,
        "interest_minor": state.interest_minor,
        "late_charges_minor": state.late_charges_minor,
        "instalments_left_minor": state.instalments_left_minor,
        "credit_minor": state.credit_minor,
        "statements": [_statement(statement) for statement in state.statements],
    }


def _statement(statement: Statement) -> dict[str, Any]:
    return {
        "n": statement.number,
        "statement_date": statement.statement_date.isoformat(),
        "due_date": statement.due_date.isoformat(),
        "opening_minor": statement.opening_minor,
        "purchases_minor": statement.purchases_minor,
        "instalment_minor": statement.instalment_minor,
        "fees_minor": statement.fees_minor,
        "interest_minor": statement.interest_minor,
        "late_charges_minor": statement.late_charges_minor,
        "closing_minor": statement.closing_minor,
        "minimum_minor": statement.minimum_minor,
        "paid_in_full": statement.paid_in_full,
    }


def _rate(case: Fields, field: str, usual: Decimal) -> Decimal:
    return case.rate(field) if field in case else usual


def _whole(case: Fields, field: str, usual: int) -> int:
    return case.whole(field) if field in case else usual


def _late_bands(case: Fields) -> tuple[LateBand, ...]:
    if "late_bands" not in case:
        return ()
    such_as = '{"from_days": 1, "daily_rate": "0.0005"}'
    bands = []
    for fields in case.objects("late_bands", each="late band", such_as=such_as):
        bands.append(LateBand(fields.whole("from_days"), fields.rate("daily_rate")))
        fields.refuse_unknown()
    return tuple(bands)


def _event(fields: Fields, number: int, numbers: Mapping[str, int]) -> StatementEvent:
    kind = fields.choice("kind", StatementEventKind)
    value_date = fields.day("value_date")
    booking_date = fields.day("booking_date") if "booking_date" in fields else value_date
    amount_minor = instalments = reverses = None
    match kind:
        case StatementEventKind.CONVERTED:
            instalments = fields.whole("instalments")
        case StatementEventKind.REVERSED:
            name = fields.name("reverses")
            if name not in numbers:
                fields.refuse("reverses", name, "name the id of an event in this file")
            reverses = numbers[name]
        case _:
            amount_minor = fields.whole("amount_minor")
    fields.refuse_unknown()
    return StatementEvent(
        number, kind, value_date, booking_date, amount_minor, instalments, reverses
    )
