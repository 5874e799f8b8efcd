"""Reference loans told as a timeline: what happened, and the table at every moment."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

from loan_journal import our_lines, peer_lines
from loan_table import PARTS, compared, lines_of, totals_compared
from loan_terms_of_case import (
    AHEAD,
    DECIMALS,
    MONTH_ENDS,
    UNITS,
    CaseTerms,
    UnknownVocabularyError,
    agreed,
    known,
    minor,
    rate,
    with_ahead,
)
from outcome import (
    Case,
    MalformedCaseError,
    Outcome,
    all_compared,
    all_of,
    day,
    differs,
    field,
    number,
    optional_day,
    stated,
    unsupported,
    whole,
)

from tallystick.rules.calendars import WEEKENDS_ONLY, Adjustment, Period
from tallystick.rules.instalment_accrual import accrual_until, closing_accrual
from tallystick.rules.instalment_dates import part_of_year, spans_of
from tallystick.rules.instalment_events import (
    InstalmentEvent,
    InstalmentEventKind,
    Reschedule,
)
from tallystick.rules.instalment_loan import (
    InstalmentLoan,
    Movement,
    Status,
    fold,
)
from tallystick.rules.instalment_rows import RowKind
from tallystick.rules.instalment_terms import Begins, Part, ReceiptKind
from tallystick.rules.loan import fold as fold_daily
from tallystick.rules.loan_events import EventKind, LoanEvent
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.refusal import Refusal
from tallystick.rules.schedule import Accrual, Method
from tallystick.rules.schedule_dates import DatePlan, MonthEnd, due_dates

RECEIPTS = {
    "REPAYMENT": ReceiptKind.REPAYMENT,
    "DOWN_PAYMENT": ReceiptKind.DOWN_PAYMENT,
    "MERCHANT_ISSUED_REFUND": ReceiptKind.MERCHANT_REFUND,
    "PAYOUT_REFUND": ReceiptKind.PAYOUT_REFUND,
    "GOODWILL_CREDIT": ReceiptKind.GOODWILL,
    "INTEREST_PAYMENT_WAIVER": ReceiptKind.INTEREST_WAIVER,
    "CHARGE_ADJUSTMENT": ReceiptKind.CHARGE_ADJUSTMENT,
    "RECOVERY_REPAYMENT": ReceiptKind.RECOVERY,
}
TYPES = {
    InstalmentEventKind.DISBURSED: "DISBURSEMENT",
    InstalmentEventKind.CHARGE_WAIVED: "WAIVE_LOAN_CHARGES",
    InstalmentEventKind.CHARGED_BACK: "CHARGEBACK",
    InstalmentEventKind.CREDIT_REFUNDED: "CREDIT_BALANCE_REFUND",
    InstalmentEventKind.CHARGED_OFF: "CHARGE_OFF",
}
STATUSES = {
    Status.AGREED: "APPROVED",
    Status.ACTIVE: "ACTIVE",
    Status.PAID: "CLOSED_OBLIGATIONS_MET",
    Status.OVERPAID: "OVERPAID",
}
IGNORED_EVENTS = {"approve", "global_config", "cob_step", "submit"}


def timeline_case(case: Case) -> Outcome:
    """Every check of a timeline, each at its moment."""
    story = Story(CaseTerms(field(case, "inputs")))
    faults: list[str | None] = []
    try:
        for written in field(case, "timeline"):
            step = stated(written)
            if "event" in step:
                story.happens(step)
            else:
                check = known(CHECKS_OF, field(step, "check"), "check")
                faults += check(story, step)
    except UnknownVocabularyError as unknown:
        # What went wrong before it is wrong all the same.
        return all_of(faults) if any(faults) else unsupported(str(unknown))
    except Refusal as refusal:
        faults.append(f"refused: {refusal}")
    return all_compared(faults)


class Story:
    """A loan as far as its timeline has been read."""

    def __init__(self, terms: CaseTerms) -> None:
        self.read = terms
        start, principal_minor = agreed(terms.inputs)
        self.terms = terms.loan(start=start, principal_minor=principal_minor)
        self.events: list[InstalmentEvent] = []
        self.today = start
        self.closed: list[tuple[int, date]] = []
        """Business dates on which the day's close ran, and how many events there were by then."""

    def happens(self, step: Case) -> None:
        name = str(step["event"])
        if name in IGNORED_EVENTS:
            if name == "approve" and step.get("amount") is not None and not self.events:
                plan = replace(self.terms.plan, principal_minor=minor(step["amount"]))
                self.terms = replace(self.terms, plan=plan)
            return
        if name == "business_date":
            self.today = day(field(step, "date"))
            if self.read.is_progressive():
                self.looks()
            return
        if name.upper() in RECEIPTS:
            _receive(self, {"type": name.upper(), **step})
            return
        happens: Callable[[Story, Case], None] = known(EVENTS, name, "event")
        happens(self, step)

    def looks(self) -> None:
        self.record(InstalmentEventKind.CLOSED_DAY, self.today)

    def record(self, kind: InstalmentEventKind, on: date, **fields: Any) -> None:
        event = InstalmentEvent(len(self.events) + 1, kind, on, **fields)
        self.events.append(event)
        self.today = max(self.today, on)

    def loan(self) -> InstalmentLoan:
        return fold(self.terms, self.events, on=date.max)

    def receipts_on(self, on: date) -> list[InstalmentEvent]:
        return [
            event
            for event in self.events
            if event.kind is InstalmentEventKind.RECEIVED and event.value_date == on
        ]

    def reversals(self) -> dict[int, int]:
        """Which event took which back: the id of the one by that of the other."""
        return {e.reverses: e.event_id for e in self.events if e.reverses is not None}

    def movements(self) -> list[tuple[Movement, bool]]:
        """All movements, those taken back as they were just before; whether they still stand."""
        told = [(movement, True) for movement in self.loan().movements]
        for taken_back, by in self.reversals().items():
            before = fold(self.terms, self.events[: by - 1], on=date.max)
            told += [(m, False) for m in before.movements if m.event_id == taken_back]
        return sorted(told, key=lambda pair: (pair[0].value_date, pair[0].event_id))


def _step_date(story: Story, step: Case) -> date:
    return optional_day(step, "date") or story.today


def _disburse(story: Story, step: Case) -> None:
    story.record(
        InstalmentEventKind.DISBURSED,
        _step_date(story, step),
        amount_minor=minor(field(step, "amount")),
    )


def _receive(story: Story, step: Case) -> None:
    kind = _as_written(step.get("type") or step.get("transaction_type") or "REPAYMENT")
    story.record(
        InstalmentEventKind.RECEIVED,
        _step_date(story, step),
        amount_minor=minor(field(step, "amount")),
        receipt=known(RECEIPTS, kind, "receipt"),
    )


def _refund_in_full(story: Story, step: Case) -> None:
    story.record(
        InstalmentEventKind.RECEIVED,
        _step_date(story, step),
        amount_minor=minor(field(step, "amount")),
        receipt=ReceiptKind.MERCHANT_REFUND,
    )


def _charge(story: Story, step: Case) -> None:
    story.record(
        InstalmentEventKind.CHARGED,
        _step_date(story, step),
        amount_minor=minor(field(step, "amount")),
        is_penalty=step.get("kind") == "penalty",
        due_date=optional_day(step, "due_date") or story.today,
    )


def _waive_charge(story: Story, step: Case) -> None:
    """The charge due on a date where one is stated, else the last that still stands."""
    due_date = optional_day(step, "due_date")
    waived = {event.waives for event in _standing(story, InstalmentEventKind.CHARGE_WAIVED)}
    open_charges = [
        event.event_id
        for event in _standing(story, InstalmentEventKind.CHARGED)
        if event.event_id not in waived and due_date in (None, event.due_date)
    ]
    if not open_charges:
        raise MalformedCaseError("no charge to waive")
    on = _step_date(story, step)
    story.record(InstalmentEventKind.CHARGE_WAIVED, on, waives=open_charges[-1])


def _undo_waiver(story: Story, _: Case) -> None:
    _undo_last(story, InstalmentEventKind.CHARGE_WAIVED)


def _standing(story: Story, kind: InstalmentEventKind) -> list[InstalmentEvent]:
    """Events of a kind that nothing has taken back."""
    taken_back = story.reversals()
    return [e for e in story.events if e.kind is kind and e.event_id not in taken_back]


def _undo_last(story: Story, kind: InstalmentEventKind) -> None:
    made = _standing(story, kind)
    if not made:
        raise MalformedCaseError(f"nothing {kind} to undo")
    story.record(InstalmentEventKind.REVERSED, story.today, reverses=made[-1].event_id)


def _charge_percent(story: Story, step: Case) -> None:
    loan = story.loan()
    basis = str(step.get("basis") or "principal")
    owed = {part: sum(row.owed[part] for row in loan.rows) for part in Part}
    named = {"principal": Part.PRINCIPAL, "interest": Part.INTEREST}
    base_minor = sum(owed[known(named, name.strip(), "basis")] for name in basis.split("+"))
    amount = number(field(step, "percent")) * base_minor / 100
    story.record(
        InstalmentEventKind.CHARGED,
        _step_date(story, step),
        amount_minor=round(amount),
        is_penalty=step.get("kind") == "penalty",
        due_date=optional_day(step, "due_date") or story.today,
    )


def _amount_goes_back(kind: InstalmentEventKind) -> Callable[[Story, Case], None]:
    def happens(story: Story, step: Case) -> None:
        story.record(kind, _step_date(story, step), amount_minor=minor(field(step, "amount")))

    return happens


def _charge_off(story: Story, step: Case) -> None:
    story.record(InstalmentEventKind.CHARGED_OFF, _step_date(story, step))


def _undo(story: Story, step: Case) -> None:
    made = story.receipts_on(day(field(step, "date")))
    ordinal = whole(step.get("ordinal", 1))
    if not 1 <= ordinal <= len(made):
        raise MalformedCaseError(f"no {ordinal}. receipt on {step['date']}")
    story.record(InstalmentEventKind.REVERSED, story.today, reverses=made[ordinal - 1].event_id)


def _undo_disbursal(story: Story, step: Case) -> None:
    last_only = "last" in str(step["event"])
    taken_back = story.reversals()
    paid_out = [
        event.event_id
        for event in story.events
        if event.kind is InstalmentEventKind.DISBURSED and event.event_id not in taken_back
    ]
    for event_id in paid_out[-1:] if last_only else paid_out:
        story.record(InstalmentEventKind.REVERSED, story.today, reverses=event_id)


def _pause(story: Story, step: Case) -> None:
    days = sorted(day(value) for name, value in step.items() if name != "event" and _is_day(value))
    if len(days) != 2:
        raise UnknownVocabularyError(f"interest pause {step!r}")
    story.record(InstalmentEventKind.INTEREST_PAUSED, days[0], due_date=days[1])


def _is_day(value: object) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _undo_charge_off(story: Story, _: Case) -> None:
    _undo_last(story, InstalmentEventKind.CHARGED_OFF)


def _reschedule(story: Story, step: Case) -> None:
    since = day(field(step, "rescheduleFromDate"))
    if step.get("newInterestRate") is not None:
        story.record(
            InstalmentEventKind.RATE_CHANGED,
            _borne_from(story, since),
            annual_rate=rate(step["newInterestRate"]),
        )
    change = Reschedule(
        new_due_date=optional_day(step, "adjustedDueDate"),
        extra_periods=whole(step.get("extraTerms") or 0),
        principal_grace_periods=whole(step.get("graceOnPrincipal") or 0),
        interest_grace_periods=whole(step.get("graceOnInterest") or 0),
    )
    if change != Reschedule():
        story.record(
            InstalmentEventKind.RESCHEDULED,
            optional_day(step, "submittedOnDate") or story.today,
            due_date=since,
            reschedule=change,
        )


def _borne_from(story: Story, since: date) -> date:
    """The first night of a new rate.

    The older engine gives it to the whole period of the instalment due that day. The newer one's
    day belongs to the night that ends on it; ours to the one that starts.
    """
    if story.read.is_progressive():
        return since - timedelta(days=1)
    rows = [row for row in story.loan().rows if row.kind is RowKind.INSTALMENT]
    return next((row.from_date for row in rows if row.due_date >= since), since)


def _rate_change(story: Story, step: Case) -> None:
    written = step.get("annual_rate_pct") or field(step, "rate")
    since = _step_date(story, step) - timedelta(days=1)
    story.record(InstalmentEventKind.RATE_CHANGED, since, annual_rate=rate(written))


def _product_rule(story: Story, step: Case) -> None:
    ahead = known(AHEAD, field(step, "future_installment_allocation"), "future allocation")
    kind = str(step.get("transaction_type") or "DEFAULT")
    if kind == "DEFAULT":
        story.terms = replace(story.terms, order=with_ahead(story.terms.order, ahead))
        return
    receipt = known(RECEIPTS, kind, "receipt")
    order = with_ahead(story.terms.order_of(receipt), ahead)
    story.terms = replace(story.terms, orders={**story.terms.orders, receipt: order})


def _close_day(story: Story, _: Case) -> None:
    story.looks()
    story.closed.append((len(story.events), story.today))


EVENTS: dict[str, Callable[[Story, Case], None]] = {
    "disburse": _disburse,
    "credit_transaction": _receive,
    "full_refund": _refund_in_full,
    "charge": _charge,
    "charge_percent": _charge_percent,
    "waive_charge": _waive_charge,
    "charge_waive": _waive_charge,
    "undo_waive_charge": _undo_waiver,
    "chargeback": _amount_goes_back(InstalmentEventKind.CHARGED_BACK),
    "credit_balance_refund": _amount_goes_back(InstalmentEventKind.CREDIT_REFUNDED),
    "charge_off": _charge_off,
    "undo_charge_off": _undo_charge_off,
    "undo_transaction": _undo,
    "undo_disbursal": _undo_disbursal,
    "undo_last_disbursal": _undo_disbursal,
    "interest_pause": _pause,
    "reschedule": _reschedule,
    "interest_rate_change": _rate_change,
    "product_rule": _product_rule,
    "close_of_business": _close_day,
}


def _schedule(story: Story, step: Case) -> Iterable[str | None]:
    expected = field(step, "rows")
    with_payouts = any("nr" not in row for row in expected)
    yield from compared(lines_of(story.loan(), with_payouts=with_payouts), expected)
    for row in expected:
        if "sub_periods" in row:
            yield from _factors(story, row)


def _factors(story: Story, row: Case) -> Iterable[str | None]:
    """The parts of a year behind a row, times the rate, as the case prints them."""
    plan = story.terms.plan
    if story.terms.begins is Begins.PAYOUT:
        plan = replace(plan, start=story.loan().payouts[0].date)
    spans = spans_of(plan, (), reaching=plan.start)
    span = spans[whole(row["nr"]) - 1]
    part = part_of_year(plan, span, span.from_date, span.due_date) * Fraction(plan.annual_rate)
    written = sum((number(p["rate_factor"]) for p in row["sub_periods"]), start=Fraction(0))
    if abs(part - written) > Fraction(1, 10**11):
        yield f"row {row['nr']} factor: {float(part)}, expected {float(written)}"


def _schedule_total(story: Story, step: Case) -> Iterable[str | None]:
    return totals_compared(lines_of(story.loan(), with_payouts=True), field(step, "row"))


def _major(amount_minor: int) -> Fraction:
    return Fraction(amount_minor, 10**DECIMALS)


def _outstanding(story: Story, step: Case) -> Iterable[str | None]:
    owed = _major(story.loan().outstanding_minor())
    yield differs("outstanding", owed, number(field(step, "amount")))


def _overpaid(story: Story, step: Case) -> Iterable[str | None]:
    yield differs("overpaid", _major(story.loan().credit_minor), number(field(step, "amount")))


def _status(story: Story, step: Case) -> Iterable[str | None]:
    wanted = _as_written(field(step, "value"))
    yield differs("status", STATUSES[story.loan().status], wanted)


def _type_of(movement: Movement) -> str:
    if movement.receipt is None:
        return TYPES[movement.kind]
    return next(name for name, kind in RECEIPTS.items() if kind is movement.receipt)


def _as_written(written: object) -> str:
    return str(written).upper().replace("-", "_").replace(" ", "_")


def _transactions(story: Story, step: Case) -> Iterable[str | None]:
    expected = [_transaction(row) for row in field(step, "rows")]
    accruals = [row for row in expected if _as_written(row["type"]) == "ACCRUAL"]
    others = [row for row in expected if row not in accruals]
    told = [movement for movement, stands in story.movements() if stands]
    if len(others) > len(told):
        told = [movement for movement, _ in story.movements()]
    yield differs("transactions", len(told), len(others))
    for movement, row in zip(told, others, strict=False):
        what = f"transaction of {row['date']}"
        yield differs(f"{what} date", movement.value_date, day(row["date"]))
        yield differs(f"{what} type", _type_of(movement), _as_written(row["type"]))
        paid = 0 if movement.receipt is None and _is_plain(movement) else 1
        figures = {name: movement.parts_minor[part] * paid for name, part in PARTS.items()}
        figures["amount"] = movement.amount_minor
        figures["loan_balance"] = movement.principal_minor_after
        figures["overpayment"] = max(0, movement.credit_minor)
        for name, amount_minor in figures.items():
            if name in row:
                yield differs(f"{what} {name}", _major(amount_minor), number(row[name]))
    recognised = _accruals(story) if accruals else []
    yield differs("accruals", len(recognised), len(accruals)) if accruals else None
    for (on, parts), row in zip(recognised, accruals, strict=False):
        yield differs("accrual date", on, day(row["date"]))
        for name, part in PARTS.items():
            if name in row:
                yield differs(f"accrual {name}", _major(parts.get(part, 0)), number(row[name]))
        if "amount" in row:
            yield differs("accrual amount", _major(sum(parts.values())), number(row["amount"]))


TRANSACTION_COLUMNS = {"date", "type", "amount", *PARTS, "loan_balance", "overpayment"}


def _transaction(row: Case) -> Case:
    """A line of a list of transactions, of which every column can be compared."""
    told = stated(row)
    unknown = set(told) - TRANSACTION_COLUMNS
    if unknown:
        raise UnknownVocabularyError(f"columns of a transaction {sorted(unknown)}")
    for name in ("date", "type"):
        field(told, name)
    return told


def _is_plain(movement: Movement) -> bool:
    return movement.kind is InstalmentEventKind.DISBURSED


def _accruals(story: Story) -> list[tuple[date, dict[Part, int]]]:
    """What was recognised, and had not been before: by each close of a day, which does the day
    before it, and each time the loan came to be paid."""
    recognised: list[tuple[date, dict[Part, int]]] = []
    before = dict.fromkeys(Part, 0)
    closed = dict(story.closed)
    for count in range(1, len(story.events) + 1):
        loan = fold(story.terms, story.events[:count], on=date.max)
        accrual = closing_accrual(loan)
        if accrual is None and count in closed:
            accrual = accrual_until(loan, closed[count] - timedelta(days=1))
        if accrual is None:
            continue
        anew = {part: amount - before[part] for part, amount in accrual.parts_minor.items()}
        if any(amount > 0 for amount in anew.values()):
            recognised.append((accrual.value_date, anew))
            before |= accrual.parts_minor
    return recognised


def _journal(story: Story, step: Case) -> Iterable[str | None]:
    expected, named = peer_lines(field(step, "rows"))
    wanted_type, on = _as_written(field(step, "transaction")), day(field(step, "date"))
    of_the_kind = [
        (movement, stands)
        for movement, stands in story.movements()
        if movement.value_date == on and _type_of(movement) == wanted_type
    ]
    if not of_the_kind:
        yield f"no {wanted_type} on {on}"
    actual = Counter()
    for movement, stands in of_the_kind:
        actual += our_lines(movement, stands=stands, named=named)
    yield differs(f"journal of {wanted_type} on {on}", actual, expected)
    if "total" in step:
        debited = sum(line[3] * count for line, count in actual.items() if line[2] == "debit")
        yield differs("total of debits", _major(debited), number(step["total"]))


REFUNDS = (ReceiptKind.MERCHANT_REFUND, ReceiptKind.PAYOUT_REFUND)


def _interest_to_date(story: Story, step: Case) -> Iterable[str | None]:
    """Interest of every night since the first payout; the refund that ends it left aside."""
    on = day(field(step, "as_of"))
    plan = story.terms.plan
    kinds = {
        InstalmentEventKind.DISBURSED: EventKind.DISBURSED,
        InstalmentEventKind.RECEIVED: EventKind.RECEIVED,
    }
    told = [
        LoanEvent(e.event_id, kinds[e.kind], e.value_date, e.value_date, e.amount_minor)
        for e in story.events
        if e.kind in kinds and e.receipt not in REFUNDS
    ]
    if plan.accrual is not Accrual.DAILY:
        raise UnknownVocabularyError("interest to a day in months of equal length")
    daily = LoanTerms(
        currency=story.terms.currency,
        principal_minor=sum(e.amount_minor for e in told if e.kind is EventKind.DISBURSED),
        annual_rate=plan.annual_rate,
        day_count=plan.day_count,
        method=Method.BULLET,
        start=min(e.value_date for e in told),
        maturity=story.loan().rows[-1].due_date,
        rounding=plan.rounding,
    )
    accrued = fold_daily(daily, told, on=on, known_on=date.max).balances.interest_accrued_minor
    yield differs("interest accrued", _major(accrued), number(field(step, "amount")))


def _due_dates(story: Story, step: Case) -> Iterable[str | None]:
    due = [row.due_date for row in story.loan().rows]
    yield differs("due dates", due, [day(value) for value in field(step, "dates")])


CHECKS_OF: dict[str, Callable[[Story, Case], Iterable[str | None]]] = {
    "schedule": _schedule,
    "schedule_total": _schedule_total,
    "outstanding": _outstanding,
    "overpaid": _overpaid,
    "status": _status,
    "transactions": _transactions,
    "journal": _journal,
    "interest_accrued_to_date": _interest_to_date,
    "due_dates": _due_dates,
}


def journal_case(case: Case) -> Outcome:
    """The journal lines of one transaction of a short timeline."""
    inputs = field(case, "inputs")
    loan = field(inputs, "loan")
    wanted = field(inputs, "transaction")
    terms = {
        "product": loan.get("product"),
        "principal": loan.get("principal"),
        "annual_rate_pct": loan.get("rate", "0"),
        "submitted_on": _first_date(inputs),
        "interest_type": "FLAT" if "FLAT" in str(loan.get("product")) else "DECLINING_BALANCE",
        "interest_calculation_period": "SAME_AS_REPAYMENT_PERIOD",
        "amortization": "EQUAL_INSTALLMENTS",
        **_lives_of(str(loan.get("product"))),
        **{name: value for name, value in loan.items() if name not in ("rate",)},
    }
    check = {
        "check": "journal",
        "transaction": field(wanted, "type"),
        "date": field(wanted, "date"),
        "rows": field(field(case, "expected"), "entries"),
        "total": field(case, "expected").get("total"),
    }
    steps = [*(_dated(step, wanted) for step in field(inputs, "events")), check]
    return timeline_case({"inputs": terms, "timeline": steps})


def _lives_of(product: str) -> Case:
    """How long the peers' standard products run, which such a case does not state."""
    if "INTEREST" in product:
        return {"number_of_repayments": 3, "repay_every": 1, "repay_unit": "MONTHS"}
    return {"number_of_repayments": 1, "repay_every": 30, "repay_unit": "DAYS"}


def _first_date(inputs: Case) -> str:
    dates = [step["date"] for step in field(inputs, "events") if step.get("date")]
    if not dates:
        raise MalformedCaseError("no event has a date")
    return str(min(dates))


def _dated(step: Case, wanted: Case) -> Case:
    """An event without a date is the transaction asked about, where it is of its kind."""
    of_its_kind = str(step.get("event", "")).upper() == wanted["type"]
    return {**step, "date": wanted["date"]} if "date" not in step and of_its_kind else step


def due_dates_case(case: Case) -> Outcome:
    """Due dates that are told as a list, or as how many had come by certain days."""
    inputs = field(case, "inputs")
    faults: list[str | None] = []
    dates = first_dates(inputs)
    for step in case.get("timeline") or ():
        faults.append(differs("due dates", dates, step.get("dates")))
    expected = case.get("expected") or {}
    for name, value in expected.items():
        if name == "payments_made":
            made = [sum(due <= str(on) for due in dates) for on in field(inputs, "as_of")]
            faults.append(differs(name, made, value))
        elif name in ("first", "second", "last"):
            place = {"first": 0, "second": 1, "last": -1}[name]
            faults.append(differs(name, dates[place], value))
        elif name in ("dates", "due_dates"):
            faults.append(differs(name, dates, value))
        else:
            return unsupported(f"expectation {name!r}")
    return all_compared(faults)


def first_dates(inputs: Case) -> list[str]:
    """The due dates that a case asks for, from its first one."""
    first = next(
        (
            inputs[n]
            for n in ("first_due_date", "first_payment_date", "repayment_start")
            if n in inputs
        ),
        None,
    )
    if first is None:
        raise MalformedCaseError("no first due date")
    start = day(first)
    unit = known(UNITS, str(inputs.get("repay_unit", "MONTHS")).upper(), "unit")
    rule = inputs.get("month_end_due_date_strategy", "LAST_DAY_OF_MONTH")
    count = whole(inputs.get("number") or field(inputs, "number_of_repayments"))
    plan = DatePlan(
        start=start - timedelta(days=1),
        first_due_date=start,
        maturity=None,
        number_of_periods=count,
        frequency=Period(whole(inputs.get("repay_every", 1)), unit),
        month_end=month_end_of(inputs, rule),
        calendar=WEEKENDS_ONLY,
        adjustment=Adjustment.UNADJUSTED,
    )
    return [due.isoformat() for due in due_dates(plan)]


def month_end_of(inputs: Case, rule: str) -> MonthEnd:
    """Loans that keep to the end of the month say so in words."""
    if "end of" in str(inputs.get("schedule_type", "")).lower():
        return MonthEnd.ALWAYS_LAST_DAY
    return known(MONTH_ENDS, rule, "month end")
