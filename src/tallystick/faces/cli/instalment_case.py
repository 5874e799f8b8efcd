"""A loan of instalments written as a JSON file: its plan, what it decides, and what happened.

A case is one of instalments when it has ``instalments``, the decisions of the product, or a
``number_of_periods`` in place of a maturity. Events are numbered as they stand in the file.
Without a payout among them, nothing has been paid out yet.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tallystick.faces.cli.case_fields import Fields, content_of, naming
from tallystick.rules.calendars import WEEKENDS_ONLY, Adjustment
from tallystick.rules.daycount import DayCount
from tallystick.rules.instalment_events import InstalmentEvent, InstalmentEventKind, Reschedule
from tallystick.rules.instalment_terms import (
    STANDARD_ORDER,
    Advance,
    Ahead,
    AllocationOrder,
    Axis,
    Begins,
    ChargeDue,
    InstalmentTerms,
    Joining,
    Part,
    Reach,
    Recalculation,
    ReceiptKind,
    Rest,
)
from tallystick.rules.loan_terms import MONTHLY
from tallystick.rules.money import Rounding
from tallystick.rules.schedule import (
    Accrual,
    InstalmentFormula,
    InterestOn,
    InterestRounding,
    Method,
    MonthEnd,
    ScheduleTerms,
)

_MONEY = (
    InstalmentEventKind.DISBURSED,
    InstalmentEventKind.RECEIVED,
    InstalmentEventKind.CHARGED,
    InstalmentEventKind.CHARGED_BACK,
    InstalmentEventKind.CREDIT_REFUNDED,
)


@dataclass(frozen=True, slots=True)
class PlanCase:
    """What a schedule is made from, as a file tells it."""

    currency: str
    plan: ScheduleTerms


@dataclass(frozen=True, slots=True)
class InstalmentCase:
    """A loan of instalments and its events, as a file tells them."""

    terms: InstalmentTerms
    events: tuple[InstalmentEvent, ...]


def tells_instalments(path: Path) -> bool:
    """True where the case is one of instalments. Raises CaseRefused."""
    content = content_of(path)
    return "instalments" in content or "number_of_periods" in content


def read_plan(path: Path) -> PlanCase:
    """The schedule's terms of a case of instalments. Raises CaseRefused."""
    case = Fields(content_of(path), where=str(path))
    with naming(path):
        told = PlanCase(case.currency("currency"), _plan(case))
        _decisions_of_the_loan(case)
        case.refuse_unknown()
    return told


def read_instalments(path: Path) -> InstalmentCase:
    """The loan and its events. Raises CaseRefused, and what the terms refuse."""
    case = Fields(content_of(path), where=str(path))
    with naming(path):
        loan = _decisions_of_the_loan(case)
        terms = InstalmentTerms(
            currency=case.currency("currency"),
            plan=_plan(case),
            order=_order(loan.allocation) if loan.allocation else STANDARD_ORDER,
            recalculation=_recalculation(loan.recalculation) if loan.recalculation else None,
            joining=case.choice("joining", Joining) if "joining" in case else Joining.DUE_THAT_DAY,
            begins=case.choice("begins", Begins) if "begins" in case else Begins.PAYOUT,
            pays_down_at_once=(
                case.yes_or_no("pays_down_at_once") if "pays_down_at_once" in case else False
            ),
        )
        events = _events(loan.events)
        case.refuse_unknown()
    return InstalmentCase(terms, tuple(events))


@dataclass(frozen=True, slots=True)
class _LoanFields:
    allocation: Fields | None
    recalculation: Fields | None
    events: Sequence[Fields]


def _decisions_of_the_loan(case: Fields) -> _LoanFields:
    """What a schedule alone does not ask for."""
    _ = ("joining" in case, "begins" in case, "pays_down_at_once" in case)
    such_as = '{"kind": "received", "value_date": "2026-02-01", "amount_minor": 100}'
    return _LoanFields(
        allocation=case.part("allocation") if "allocation" in case else None,
        recalculation=case.part("recalculation") if "recalculation" in case else None,
        events=case.objects("events", each="event", such_as=such_as) if "events" in case else (),
    )


def _plan(case: Fields) -> ScheduleTerms:
    decided = case.part("instalments") if "instalments" in case else Fields({}, where="")

    def whole(field: str, otherwise: int = 0) -> int:
        return decided.whole(field) if field in decided else otherwise

    plan = ScheduleTerms(
        principal_minor=case.whole("principal_minor"),
        annual_rate=case.rate("annual_rate"),
        day_count=case.choice("day_count", DayCount),
        method=case.choice("method", Method),
        start=case.day("start"),
        maturity=case.day("maturity") if "maturity" in case else None,
        number_of_periods=case.whole("number_of_periods") if "number_of_periods" in case else None,
        frequency=case.frequency("frequency") if "frequency" in case else MONTHLY,
        rounding=case.choice("rounding", Rounding) if "rounding" in case else Rounding.HALF_UP,
        calendar=WEEKENDS_ONLY,
        adjustment=(
            decided.choice("adjustment", Adjustment)
            if "adjustment" in decided
            else Adjustment.UNADJUSTED
        ),
        fee_minor=whole("fee_minor"),
        first_due_date=decided.day("first_due_date") if "first_due_date" in decided else None,
        month_end=(
            decided.choice("month_end", MonthEnd) if "month_end" in decided else MonthEnd.LAST_DAY
        ),
        interest_on=(
            decided.choice("interest_on", InterestOn)
            if "interest_on" in decided
            else InterestOn.OUTSTANDING
        ),
        accrual=decided.choice("accrual", Accrual) if "accrual" in decided else Accrual.DAILY,
        interest_rounding=(
            decided.choice("interest_rounding", InterestRounding)
            if "interest_rounding" in decided
            else InterestRounding.RUNNING_TOTAL
        ),
        instalment_formula=(
            decided.choice("instalment_formula", InstalmentFormula)
            if "instalment_formula" in decided
            else InstalmentFormula.ACTUAL_PERIODS
        ),
        instalment_rounding=(
            decided.choice("instalment_rounding", Rounding)
            if "instalment_rounding" in decided
            else None
        ),
        instalment_multiple_minor=whole("instalment_multiple_minor", 1),
        evened=decided.yes_or_no("evened") if "evened" in decided else False,
        agreed_instalment_minor=(
            decided.whole("agreed_instalment_minor")
            if "agreed_instalment_minor" in decided
            else None
        ),
        principal_grace_periods=whole("principal_grace_periods"),
        interest_grace_periods=whole("interest_grace_periods"),
        interest_free_periods=whole("interest_free_periods"),
        down_payment_bps=whole("down_payment_bps"),
    )
    decided.refuse_unknown()
    return plan


def _order(fields: Fields) -> AllocationOrder:
    order = AllocationOrder(
        past_due=fields.choices("past_due", Part),
        due=fields.choices("due", Part),
        in_advance=fields.choices("in_advance", Part),
        axis=fields.choice("axis", Axis) if "axis" in fields else Axis.BY_INSTALMENT,
        ahead=fields.choice("ahead", Ahead) if "ahead" in fields else Ahead.NEXT,
        charge_due=(
            fields.choice("charge_due", ChargeDue)
            if "charge_due" in fields
            else ChargeDue.WITH_INSTALMENT
        ),
    )
    fields.refuse_unknown()
    return order


def _recalculation(fields: Fields) -> Recalculation:
    again = Recalculation(
        rest=fields.choice("rest", Rest) if "rest" in fields else Rest.DAY,
        reach=fields.choice("reach", Reach) if "reach" in fields else Reach.EVERY_PERIOD,
        advance=(
            fields.choice("advance", Advance) if "advance" in fields else Advance.LESS_INTEREST
        ),
        interest_on_interest=(
            fields.yes_or_no("interest_on_interest") if "interest_on_interest" in fields else False
        ),
    )
    fields.refuse_unknown()
    return again


def _events(written: Sequence[Fields]) -> list[InstalmentEvent]:
    numbers: dict[str, int] = {}
    for number, fields in enumerate(written, start=1):
        name = fields.name("id") if "id" in fields else str(number)
        if name in numbers:
            fields.refuse("id", name, f"event {numbers[name]} is named so already; name it anew")
        numbers[name] = number
    return [_event(fields, number, numbers) for number, fields in enumerate(written, start=1)]


def _event(fields: Fields, number: int, numbers: Mapping[str, int]) -> InstalmentEvent:
    kind = fields.choice("kind", InstalmentEventKind)
    charged = kind is InstalmentEventKind.CHARGED

    def another(field: str) -> int:
        name = fields.name(field)
        if name not in numbers:
            fields.refuse(field, name, "name the id of an event in this file")
        return numbers[name]

    event = InstalmentEvent(
        event_id=number,
        kind=kind,
        value_date=fields.day("value_date"),
        amount_minor=fields.whole("amount_minor") if kind in _MONEY else 0,
        receipt=(
            fields.choice("receipt", ReceiptKind) if "receipt" in fields else ReceiptKind.REPAYMENT
        ),
        is_penalty=(
            fields.yes_or_no("is_penalty") if charged and "is_penalty" in fields else False
        ),
        due_date=fields.day("due_date") if "due_date" in fields else None,
        annual_rate=(
            fields.rate("annual_rate") if kind is InstalmentEventKind.RATE_CHANGED else None
        ),
        reschedule=_reschedule(fields) if kind is InstalmentEventKind.RESCHEDULED else None,
        reverses=another("reverses") if kind is InstalmentEventKind.REVERSED else None,
        waives=another("waives") if kind is InstalmentEventKind.CHARGE_WAIVED else None,
    )
    fields.refuse_unknown()
    return event


def _reschedule(fields: Fields) -> Reschedule:
    def whole(field: str) -> int:
        return fields.whole(field) if field in fields else 0

    return Reschedule(
        new_due_date=fields.day("new_due_date") if "new_due_date" in fields else None,
        extra_periods=whole("extra_periods"),
        principal_grace_periods=whole("principal_grace_periods"),
        interest_grace_periods=whole("interest_grace_periods"),
    )
