"""An advance out of sales, written as a case file and told as plain JSON values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

from tallystick.faces.cli.case_fields import Fields, content_of, naming, numbered_events
from tallystick.rules.money import Rounding
from tallystick.rules.pricing import apr_percent_estimate
from tallystick.rules.sales_events import SalesEvent, SalesEventKind
from tallystick.rules.sales_pace import PaceCounts, PacePeriod, PaceTerms
from tallystick.rules.sales_share import fold_sales_share
from tallystick.rules.sales_terms import SalesShareTerms, planned_payments
from tallystick.rules.timevalue import CashFlow

_FRACTION = re.compile(r"[0-9]{1,9}(/[1-9][0-9]{0,8}|\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True)
class SalesCase:
    """An advance's terms and its events, as a file tells them."""

    terms: SalesShareTerms
    events: tuple[SalesEvent, ...]


def read_sales(path: Path) -> SalesCase:
    """The advance described in ``path``. Raises CaseRefused."""
    case = Fields(content_of(path), where=str(path))
    with naming(path):
        case.name("credit")
        terms = SalesShareTerms(
            currency=case.currency("currency"),
            advance_minor=case.whole("advance_minor"),
            start=case.day("start"),
            share_bps=case.whole("share_bps"),
            yearly_sales_minor=case.whole("yearly_sales_minor"),
            fee_minor=case.whole("fee_minor") if "fee_minor" in case else None,
            daily_rate=case.rate("daily_rate") if "daily_rate" in case else None,
            year_days=case.whole("year_days") if "year_days" in case else 360,
            pace=_pace(case.part("pace")) if "pace" in case else None,
            rounding=case.choice("rounding", Rounding) if "rounding" in case else Rounding.HALF_UP,
        )
        written, numbers = numbered_events(case)
        events = tuple(_event(each, n, numbers) for n, each in enumerate(written, start=1))
        case.refuse_unknown()
    return SalesCase(terms, events)


def schedule_told(path: Path) -> dict[str, Any]:
    """The plan of an advance whose sales run as expected, with the rate of all charges."""
    terms = read_sales(path).terms
    with naming(path):
        rows = planned_payments(terms)
        on_first_day = fold_sales_share(terms, [], on=terms.start, known_on=date.max)
    flows = [CashFlow(terms.start, terms.advance_minor)]
    flows += [CashFlow(row.date, -row.payment_minor) for row in rows]
    return {
        "credit": "sales_share",
        "currency": terms.currency,
        "advance_minor": terms.advance_minor,
        "daily_minor": on_first_day.daily_minor,
        "payments": len(rows),
        "end_date": rows[-1].date.isoformat(),
        "total_minor": sum(row.payment_minor for row in rows),
        "effective_daily_rate": _exact(on_first_day.effective_daily_rate),
        "apr_percent": _text(apr_percent_estimate(flows)),
        "rows": [
            {
                "n": row.n,
                "date": row.date.isoformat(),
                "payment_minor": row.payment_minor,
                "fee_earned_minor": row.fee_earned_minor,
                "balance_minor": row.balance_minor,
                "fee_left_minor": row.fee_left_minor,
            }
            for row in rows
        ],
    }


def state_told(path: Path, *, on: date | None) -> dict[str, Any]:
    """How the advance stands on a day, else on the day of its last event."""
    case = read_sales(path)
    asked = on or max((event.value_date for event in case.events), default=case.terms.start)
    with naming(path):
        state = fold_sales_share(case.terms, case.events, on=asked, known_on=date.max)
    return {
        "credit": "sales_share",
        "on": state.on.isoformat(),
        "currency": case.terms.currency,
        "advance_minor": case.terms.advance_minor,
        "principal_minor": state.principal_minor,
        "principal_repaid_minor": state.principal_repaid_minor,
        "fee_minor": state.fee_minor,
        "fee_earned_minor": state.fee_earned_minor,
        "fee_left_minor": state.fee_left_minor,
        "collected_minor": state.collected_minor,
        "outstanding_minor": state.outstanding_minor,
        "credit_minor": state.credit_minor,
        "refunded_minor": state.refunded_minor,
        "lost_minor": state.lost_minor,
        "recovered_minor": state.recovered_minor,
        "share_bps": state.share_bps,
        "daily_minor": state.daily_minor,
        "effective_daily_rate": _exact(state.effective_daily_rate),
        "expected_minor": state.expected_minor,
        "behind_minor": state.behind_minor,
        "catch_up_daily_minor": state.catch_up_daily_minor,
        "payments_left": state.payments_left,
        "first_expected_end_date": state.first_expected_end_date.isoformat(),
        "expected_end_date": state.expected_end_date and state.expected_end_date.isoformat(),
        "pace": [_period(period) for period in state.pace],
        "movements": [
            {
                "event": movement.event_id,
                "kind": movement.kind.value,
                "value_date": movement.value_date.isoformat(),
                "amount_minor": movement.amount_minor,
                "applied_minor": movement.applied_minor,
                "credit_minor": movement.credit_minor,
            }
            for movement in state.movements
        ],
    }


def _period(period: PacePeriod) -> dict[str, Any]:
    near = period.near_breach_date
    return {
        "n": period.number,
        "start_date": period.start_date.isoformat(),
        "end_date": period.end_date.isoformat(),
        "minimum_minor": period.minimum_minor,
        "paid_minor": period.paid_minor,
        "short_minor": period.short_minor,
        "state": period.state.value,
        "near_breach_date": near and near.isoformat(),
    }


def _pace(fields: Fields) -> PaceTerms:
    checks = "check_every" in fields
    terms = PaceTerms(
        period=fields.frequency("every"),
        minimum_share=_fraction(fields, "minimum_share"),
        counts=(
            fields.choice("counts", PaceCounts) if "counts" in fields else PaceCounts.WITHIN_PERIOD
        ),
        grace_days=fields.whole("grace_days") if "grace_days" in fields else 0,
        check_every=fields.frequency("check_every") if checks else None,
        check_share=_fraction(fields, "check_share") if checks else Fraction(0),
    )
    fields.refuse_unknown()
    return terms


def _fraction(fields: Fields, field: str) -> Fraction:
    written = fields.name(field)
    if not _FRACTION.fullmatch(written):
        fields.refuse(field, written, 'give a part of one as text, such as "1/6" or "0.10"')
    return Fraction(written)


def _event(fields: Fields, number: int, numbers: Mapping[str, int]) -> SalesEvent:
    kind = fields.choice("kind", SalesEventKind)
    value_date = fields.day("value_date")
    booking_date = fields.day("booking_date") if "booking_date" in fields else value_date
    amount_minor = share_bps = reverses = None
    match kind:
        case SalesEventKind.SHARE_CHANGED:
            share_bps = fields.whole("share_bps")
        case SalesEventKind.REVERSED:
            name = fields.name("reverses")
            if name not in numbers:
                fields.refuse("reverses", name, "name the id of an event in this file")
            reverses = numbers[name]
        case SalesEventKind.CHARGED_OFF:
            pass
        case _:
            amount_minor = fields.whole("amount_minor")
    fields.refuse_unknown()
    return SalesEvent(number, kind, value_date, booking_date, amount_minor, share_bps, reverses)


def _exact(rate: Decimal) -> str:
    return f"{rate.normalize():f}"


def _text(rate: Decimal | None) -> str | None:
    return None if rate is None else f"{rate:f}"
