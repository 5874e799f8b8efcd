"""Reference cases that state single figures of a loan instead of a whole table."""

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from loan_terms_of_case import (
    INTEREST_ON,
    METHODS,
    UNITS,
    UnknownVocabularyError,
    known,
    minor,
    rate,
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
    stated,
    unsupported,
    whole,
)

from tallystick.rules.amortisation import Level, Rule, portions
from tallystick.rules.calendars import Period
from tallystick.rules.daycount import DayCount
from tallystick.rules.impaired_interest import interest_basis_minor
from tallystick.rules.instalment_allocation import spread
from tallystick.rules.instalment_rows import Row, RowKind
from tallystick.rules.instalment_terms import AllocationOrder, Part
from tallystick.rules.limits import DrawdownInputs, DrawdownRequest, decide_drawdown
from tallystick.rules.loan import fold
from tallystick.rules.loan_events import EventKind, LoanEvent
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.money import Rounding, rounded, text_from_minor
from tallystick.rules.reference_rates import with_spread
from tallystick.rules.schedule import (
    Accrual,
    Instalment,
    InterestOn,
    InterestRounding,
    Method,
    ScheduleTerms,
    schedule,
)
from tallystick.rules.security_value import Item, lendable_minor, shortfall_minor
from tallystick.rules.waterfall import Bucket, Claim, pay

ANY_DAY = date(2026, 1, 1)
FINE = 10**8
"""Parts of a minor unit that figures published as unrounded are calculated in."""


class UnknownFigureError(UnknownVocabularyError):
    """A figure that has no counterpart here."""


Figures = Callable[[Case, str], object]


def _figures_case(figures: Figures) -> Callable[[Case], Outcome]:
    """Every figure of ``expected``, each asked for by its name."""

    def check(case: Case) -> Outcome:
        case = {**case, "inputs": stated(case.get("inputs") or {})}
        faults: list[str | None] = []
        unknown = []
        for name, value in stated(field(case, "expected")).items():
            try:
                faults.append(_off(name, figures(case, name), value))
            except UnknownFigureError:
                unknown.append(name)
        if unknown and not any(faults):
            return unsupported(f"figures {', '.join(unknown)}")
        return all_compared(faults)

    return check


def _off(name: str, actual: object, expected: object) -> str | None:
    """Numbers are compared at the decimals that the case prints."""
    if isinstance(actual, Fraction) and not isinstance(expected, bool):
        text = str(expected)
        decimals = len(text.partition(".")[2])
        scale = 10**decimals
        printed = rounded(actual.numerator * scale, actual.denominator, Rounding.HALF_UP)
        return differs(name, Fraction(printed, scale), number(text))
    return differs(name, actual, expected)


def _major(amount_minor: int) -> Fraction:
    return Fraction(amount_minor, 100)


# Schedules.


def _convention(case: Case) -> str:
    return str(case.get("convention") or "").lower()


def _parts_of_a_unit(case: Case) -> int:
    """In what parts of a currency unit a case calculates.

    Textbook figures are unrounded inside and rounded for display only; an instalment in whole
    units leaves interest in cents, unless interest and balance are rounded to units as well.
    """
    convention = _convention(case)
    if "interest and balance" in convention:
        return 1
    return 100 if "ceil" in convention or "whole unit" in convention else 100 * FINE


def _rows(case: Case) -> list[Instalment]:
    """The schedule of a case; where it does not say otherwise, in months."""
    inputs = field(case, "inputs")
    parts = _parts_of_a_unit(case)
    whole_units = parts <= 100
    method = inputs.get("method") or inputs.get("amortization") or "EQUAL_INSTALLMENTS"
    return schedule(
        ScheduleTerms(
            principal_minor=int(number(field(inputs, "principal")) * parts),
            annual_rate=rate(field(inputs, "annual_rate_pct")),
            day_count=DayCount.ACT_365F,
            method=known(METHODS, method, "method"),
            start=ANY_DAY,
            number_of_periods=whole(field(inputs, "number_of_repayments")),
            frequency=_frequency(inputs),
            interest_on=known(
                INTEREST_ON, inputs.get("interest_type", "DECLINING_BALANCE"), "interest type"
            ),
            rounding=Rounding.HALF_EVEN if parts == 1 else Rounding.HALF_UP,
            accrual=Accrual.WHOLE_PERIODS,
            interest_rounding=InterestRounding.EACH_PERIOD,
            instalment_rounding=Rounding.UP if whole_units else Rounding.HALF_UP,
            instalment_multiple_minor=parts if whole_units else 1,
        )
    )


def _frequency(inputs: Case) -> Period:
    unit = known(UNITS, str(inputs.get("repay_unit", "MONTHS")).upper(), "unit")
    return Period(whole(inputs.get("repay_every", 1)), unit)


def _schedule_figure(case: Case, name: str) -> object:
    parts = _parts_of_a_unit(case)
    rows = _rows(case)

    def major(amount: int) -> Fraction:
        return Fraction(amount, parts)

    plain = name.removesuffix("_installment").removesuffix("_unrounded")
    first, last = rows[0], rows[-1]
    total_interest = sum(row.interest_minor for row in rows)
    match plain:
        case "installment" | "emi" | "monthly_payment":
            return major(first.principal_minor + first.interest_minor)
        case "first_interest" | "monthly_interest" | "interest_per_period":
            return major(first.interest_minor)
        case "first_principal":
            # As displayed: the instalment less its interest, each as it is printed.
            payment = first.principal_minor + first.interest_minor
            shown = (
                rounded(100 * amount, parts, Rounding.HALF_UP)
                for amount in (payment, first.interest_minor)
            )
            return _major(next(shown) - next(shown))
        case "principal_per_period" | "monthly_principal":
            return major(first.principal_minor)
        case "first_payment":
            return major(first.principal_minor + first.interest_minor)
        case "last_payment" | "last_installment":
            return major(last.principal_minor + last.interest_minor)
        case "last_interest":
            return major(last.interest_minor)
        case "last_principal":
            return major(last.principal_minor)
        case "total_interest" | "total_payable_interest" | "interest_total":
            return major(total_interest)
        case "total_payment" | "total_payable_amount" | "total_paid":
            return major(total_interest + sum(row.principal_minor for row in rows))
        case "monthly_decrease":
            return major(first.interest_minor - rows[1].interest_minor)
    return major(_of_a_row(plain, rows))


def _of_a_row(name: str, rows: list[Instalment]) -> int:
    """``balance_after_12_payments``, or ``interest_3`` and ``payment_3`` of the third row."""
    words = name.removesuffix("_payments").removesuffix("_payment").split("_")
    place = words.pop()
    if not place.isdecimal() or not 0 < int(place) <= len(rows):
        raise UnknownFigureError(name)
    row = rows[int(place) - 1]
    match words:
        case ["balance"] | ["balance", "after"] | ["remaining", "after"]:
            return row.balance_minor
        case ["interest"]:
            return row.interest_minor
        case ["principal"]:
            return row.principal_minor
        case ["payment"] | ["instalment"] | ["installment"]:
            return row.principal_minor + row.interest_minor
    raise UnknownFigureError(name)


# Interest and penalty of days.


def _interest_minor(principal_minor: int, annual_rate: Decimal, days: int) -> int:
    """Simple interest of days over 365, as the schedule of a bullet has it."""
    if not days:
        return 0
    bullet = ScheduleTerms(
        principal_minor=principal_minor,
        annual_rate=annual_rate,
        day_count=DayCount.ACT_365F,
        method=Method.BULLET,
        start=ANY_DAY,
        maturity=ANY_DAY + timedelta(days=days),
    )
    return schedule(bullet)[0].interest_minor


def _days(case: Case) -> int:
    """The days a case states, or those between its first and last date."""
    inputs = field(case, "inputs")
    for name in ("days", "penalty_days", "elapsed_days"):
        if name in inputs:
            return whole(inputs[name])
    dates = sorted(str(value) for value in inputs.values() if _is_day(value))
    if len(dates) < 2:
        raise UnknownFigureError
    both_ends = any(words in _convention(case) for words in ("both ends", "inclusive"))
    return (day(dates[-1]) - day(dates[0])).days + both_ends


def _is_day(value: object) -> bool:
    try:
        date.fromisoformat(str(value))
    except ValueError:
        return False
    return True


def _accrual_figure(case: Case, name: str) -> object:
    inputs = field(case, "inputs")
    names = ("principal", "draw", "principal_first", "topup", "overdue_interest")
    drawn_minor = sum(minor(inputs[n]) for n in names[:4] if n in inputs)
    annual_rate = rate(field(inputs, "annual_rate_pct"))
    interest_minor = _interest_minor(drawn_minor, annual_rate, _days(case))
    owed_minor = drawn_minor + interest_minor
    if "interest" in name:
        return _major(interest_minor)
    match name:
        case "pending_principal" | "principal":
            return _major(drawn_minor)
        case "payoff_total" | "payoff" | "total":
            return _major(owed_minor)
        case "closed" | "waived" if "paid" in inputs:
            # A rest up to the tolerance is waived and closes the loan.
            rest_minor = owed_minor - minor(inputs["paid"])
            tolerated = rest_minor <= minor(inputs.get("tolerance", "100"))
            return tolerated if name == "closed" else _major(rest_minor if tolerated else 0)
    raise UnknownFigureError


def _penalty_figure(case: Case, name: str) -> object:
    inputs = field(case, "inputs")
    overdue_minor = sum(minor(inputs[n]) for n in inputs if n.startswith("overdue"))
    if name != "penalty" or not overdue_minor:
        raise UnknownFigureError
    if "penalty_days" in inputs:
        days = whole(inputs["penalty_days"])
    else:
        days = max(0, _days(case) - whole(inputs.get("grace_days", 0)))
    penalty_rate = rate(field(inputs, "penalty_rate_pct"))
    return _major(_interest_minor(overdue_minor, penalty_rate, days))


def _daily_figure(case: Case, name: str) -> object:
    """A loan at a rate per day, with a penalty per day on what is overdue."""
    inputs = field(case, "inputs")
    start, due, on = (day(field(inputs, n)) for n in ("disbursed_on", "due_on", "as_of"))
    principal_minor = minor(field(inputs, "principal"))
    paid_minor = minor(inputs.get("paid") or "0")
    terms = LoanTerms(
        currency="EUR",
        principal_minor=principal_minor,
        annual_rate=360 * rate(field(inputs, "daily_rate_pct")),
        day_count=DayCount.ACT_360,
        method=Method.BULLET,
        start=start,
        maturity=due,
        penalty_rate=360 * rate(inputs.get("penalty_daily_rate_pct") or "0"),
    )
    payout = LoanEvent(1, EventKind.DISBURSED, start, start, amount_minor=principal_minor)
    owed = fold(terms, [payout], on=on, known_on=date.max).balances
    match name:
        case "days":
            return (on - start).days
        case "interest":
            return _major(owed.interest_accrued_minor)
        case "penalty_days":
            return owed.days_past_due
        case "penalty":
            return _major(owed.penalty_accrued_minor)
        case "payoff" | "total":
            return _major(owed.owed_minor - paid_minor)
        case "principal":
            return _major(owed.principal_minor)
    raise UnknownFigureError


def _last_accrual(case: Case, name: str) -> object:
    if name != "last_accrual":
        raise UnknownFigureError
    maturity = ANY_DAY + timedelta(days=30)
    terms = LoanTerms(
        "EUR",
        10_000,
        Decimal("0.1"),
        DayCount.ACT_365F,
        Method.BULLET,
        ANY_DAY,
        maturity,
    )
    payout = LoanEvent(1, EventKind.DISBURSED, ANY_DAY, ANY_DAY, amount_minor=10_000)
    segments = fold(terms, [payout], on=maturity, known_on=date.max).segments
    last_night = segments[-1].end_date - timedelta(days=1)
    return f"maturity - {(maturity - last_night).days} day"


def _dpd_figure(case: Case, name: str) -> object:
    """Their count has the due date as day 1; ours counts days after it."""
    if name != "dpd":
        raise UnknownFigureError
    inputs = field(case, "inputs")
    draws = inputs.get("draws") or [inputs]
    due = {draw.get("id"): day(draw.get("due") or field(draw, "due_date")) for draw in draws}
    paid = {draw.get("id"): day(draw["paid_full_on"]) for draw in draws if draw.get("paid_full_on")}
    counted = []
    asked = field(case, "expected")["dpd"]
    if not isinstance(asked, list):
        on = next((inputs[n] for n in ("as_of", "on", "date") if n in inputs), None)
        asked = [{"date": on, "dpd": asked}]
    for row in asked:
        on = day(field(row, "date"))
        if row.get("draw") not in due:
            raise MalformedCaseError(f"no draw {row.get('draw')!r}")
        terms = LoanTerms(
            "EUR",
            10_000,
            Decimal(0),
            DayCount.ACT_365F,
            Method.BULLET,
            min(due[row.get("draw")], on) - timedelta(days=30),
            due[row.get("draw")],
        )
        start = terms.start
        told = [LoanEvent(1, EventKind.DISBURSED, start, start, amount_minor=10_000)]
        paid_on = paid.get(row.get("draw"))
        if paid_on is not None and paid_on <= on:
            told.append(LoanEvent(2, EventKind.RECEIVED, paid_on, paid_on, amount_minor=10_000))
        balances = fold(terms, told, on=on, known_on=date.max).balances
        is_due = on >= terms.maturity and balances.owed_minor > 0
        counted.append({**row, "dpd": balances.days_past_due + is_due})
    listed = isinstance(field(case, "expected")["dpd"], list)
    return counted if listed else counted[0]["dpd"]


# Rates, limits and security.


def _rate_figure(case: Case, name: str) -> object:
    if name != "rates":
        raise UnknownFigureError
    pairs = field(field(case, "inputs"), "pairs")
    rates = [100 * with_spread(rate(reference), whole(bps)) for reference, bps in pairs]
    return [f"{value.normalize():f}" for value in rates]


def _ltv_figure(case: Case, name: str) -> object:
    inputs = field(case, "inputs")
    items = [
        Item(int(number(item["qty"]) * 10**6), minor(item["price"]))
        for item in inputs.get("collateral") or ()
    ]
    haircut_bps = int(number(inputs.get("haircut_pct") or "0") * 100)
    if name == "max_loan":
        return _major(lendable_minor(items, haircut_bps=haircut_bps))
    if name in ("shortfall", "breach") and "outstanding" in inputs:
        value = inputs.get("value") or inputs.get("collateral_value")
        missing = shortfall_minor(
            outstanding_minor=minor(inputs["outstanding"]),
            value_minor=minor(value) if value else lendable_minor(items, haircut_bps=0),
            max_ltv_bps=int(number(inputs.get("ltv_pct") or inputs["max_ltv_pct"]) * 100),
        )
        return missing > 0 if name == "breach" else _major(missing)
    raise UnknownFigureError


def _limit_figure(case: Case, name: str) -> object:
    inputs = field(case, "inputs")
    if name != "second_loan_allowed":
        raise UnknownFigureError
    limit_minor = minor(field(inputs, "limit"))
    room = DrawdownInputs(
        currency="EUR",
        business_date=ANY_DAY,
        frozen_reason="",
        expiry_date=ANY_DAY,
        min_tenor_days=1,
        max_tenor_days=1,
        min_draw_minor=1,
        facility_limit_minor=limit_minor,
        programme_cap_per_supplier_minor=limit_minor,
        programme_headroom_minor=limit_minor,
        funder_headroom_minor=limit_minor,
        drawn_minor=minor(field(inputs, "first_loan")),
        base_minor=limit_minor,
        cover_minor=limit_minor,
        security_interest_in_force=True,
    )
    request = DrawdownRequest(minor(field(inputs, "second_loan")), "EUR", 1, ANY_DAY)
    return decide_drawdown(request, room).granted


def _voucher_figure(case: Case, name: str) -> object:
    """Financing locks its part of a voucher; what no lock took is available."""
    inputs = field(case, "inputs")
    locked = pay(
        minor(field(inputs, "amount")),
        [Bucket("locked", [Claim("financing", minor(field(inputs, "financed")))])],
    )
    figures = {"locked": sum(p.amount_minor for p in locked.paid), "available": locked.rest_minor}
    if name not in figures:
        raise UnknownFigureError
    return _major(figures[name])


def _basis_figure(case: Case, name: str) -> object:
    if name != "interest_basis":
        raise UnknownFigureError
    inputs = field(case, "inputs")
    basis: dict[str, str] = {}
    for stage in field(inputs, "stages"):
        basis_minor = interest_basis_minor(
            stage=whole(stage),
            principal_minor=minor(inputs["principal"]),
            accrued_minor=minor(inputs["accrued"]),
            allowance_minor=minor(inputs["allowance"]),
        )
        basis[str(stage)] = text_from_minor(basis_minor, "EUR")
    return basis


def _carry_figure(case: Case, name: str) -> object:
    """Interest posted step by step, of which only the running total is rounded."""
    inputs = field(case, "inputs")
    days = [whole(d) for d in field(inputs, "steps_days")] * whole(inputs.get("repeat", 1))
    rate_bps = whole(field(inputs, "rate_bp"))
    principal = whole(field(inputs, "principal_cents"))
    growth = [rate_bps * d for d in days]
    denominator = 10_000 * 365

    def posted(what: InterestRounding) -> list[int]:
        rule = Rule(
            method=Method.INTEREST_ONLY,
            interest_on=InterestOn.OUTSTANDING,
            interest_rounding=what,
            rounding=Rounding.HALF_EVEN,
            instalment_rounding=Rounding.HALF_EVEN,
            instalment_multiple_minor=1,
            evened=False,
            principal_grace_periods=0,
            interest_grace_periods=0,
        )
        return portions(rule, principal, growth, denominator, Level(0, len(days))).interests_minor

    steps = posted(InterestRounding.RUNNING_TOTAL)
    match name:
        case "total_cents" | "sum_cents":
            return sum(steps)
        case "max_step_cents":
            return max(steps)
        case "min_step_cents":
            return min(steps)
        case "exact_total_cents":
            return Fraction(principal * sum(growth), denominator)
        case "nonzero_days" | "nonzero_steps":
            return sum(1 for step in steps if step)
        case "naive_daily_rounding_total_cents":
            return sum(posted(InterestRounding.EACH_PERIOD))
        case "cents" | "steps_cents":
            return steps
    if name.startswith("first_") and name.endswith("_cents"):
        return steps[: whole(name.removeprefix("first_").removesuffix("_cents"))]
    raise UnknownFigureError


# Payments over several loans.


def _allocation(case: Case) -> Outcome:
    inputs, expected = field(case, "inputs"), field(case, "expected")
    if "loans" not in inputs:
        return _clearing(inputs, expected)
    loans = sorted(
        inputs["loans"], key=lambda loan: (-whole(loan["dpd"]), loan["disbursed"], loan["id"])
    )
    rules = inputs.get("rules") or {}
    unknown = set(rules) - {"pay_current_installment", "excess"}
    if unknown:
        return unsupported(f"rules {', '.join(sorted(unknown))}")
    buckets = [bucket for loan in loans for bucket in _arrears(loan)]
    if rules.get("pay_current_installment", True):
        buckets += [_current(loan) for loan in loans]
    cash = whole(field(inputs, "payment_cents"))
    paid = pay(cash, buckets)
    lines = [[p.bucket, int(p.claim_id), p.amount_minor] for p in paid.paid]
    for target, amount in _excess(paid.rest_minor, rules.get("excess")):
        lines.append([target, None, amount])
    faults = [differs("lines", lines, expected.get("lines"))]
    for key, after in (expected.get("after") or {}).items():
        loan = next(loan for loan in loans if f"loan{loan['id']}" == key)
        faults += _after(loan, lines, after)
    left_out = set(expected) - {"lines", "after"}
    return unsupported(f"figures {sorted(left_out)}") if left_out else all_compared(faults)


def _arrears(loan: Case) -> list[Bucket]:
    """Arrears of one loan: their parts where they are known, as one sum where they are not."""
    name, arrears = str(loan["id"]), whole(loan["arrears"])
    if not loan.get("known", True):
        return [Bucket("loan_arrears", [Claim(name, arrears)])]
    penalty = min(whole(loan.get("penalty") or 0), arrears)
    interest = min(whole(loan.get("interest") or 0), arrears - penalty)
    return [
        Bucket("loan_penalty", [Claim(name, penalty)]),
        Bucket("loan_interest", [Claim(name, interest)]),
        Bucket("loan_principal", [Claim(name, arrears - penalty - interest)]),
    ]


def _current(loan: Case) -> Bucket:
    """The instalment that is not late yet; a loan is never overpaid."""
    left = max(0, whole(loan["balance"]) - whole(loan["arrears"]))
    due = min(whole(loan["installment"]), left)
    return Bucket("loan_installment", [Claim(str(loan["id"]), due)])


def _excess(cash: int, targets: list[Case] | None) -> list[tuple[str, int]]:
    placed = []
    rest = cash
    for target in targets or [{"target": "deposits"}]:
        cap = rest
        if "percent" in target:
            share = number(target["percent"]) * cash / 100
            cap = rounded(share.numerator, share.denominator, Rounding.DOWN)
        if "max" in target:
            cap = min(cap, whole(target["max"]))
        bucket = Bucket(target["target"], [Claim("excess", rest)], cap_minor=cap)
        paid = pay(rest, [bucket])
        placed += [(p.bucket, p.amount_minor) for p in paid.paid]
        rest = paid.rest_minor
    return placed


def _after(loan: Case, lines: list[Any], after: Case) -> list[str | None]:
    paid = {line[0]: line[2] for line in lines if line[1] == loan["id"]}
    arrears = [paid.get(f"loan_{n}", 0) for n in ("penalty", "interest", "principal", "arrears")]
    faults = []
    for name, value in after.items():
        match name:
            case "penalty" | "interest":
                actual = whole(loan[name]) - paid.get(f"loan_{name}", 0)
            case "arrears":
                actual = whole(loan["arrears"]) - sum(arrears)
            case "dpd_unchanged":
                # Days past due run until nothing is late any more.
                actual = whole(loan["dpd"]) if sum(arrears) < whole(loan["arrears"]) else 0
            case _:
                faults.append(f"{name} after: unknown")
                continue
        faults.append(differs(f"{name} after", actual, value))
    return faults


PARTS_NAMED = {"interest": Part.INTEREST, "principal": Part.PRINCIPAL, "fee": Part.FEE}


def _clearing(inputs: Case, expected: Case) -> Outcome:
    """One payment over interest and principal of one bullet, in the order stated."""
    due_date = ANY_DAY + timedelta(days=whole(field(inputs, "term_days")))
    bullet = ScheduleTerms(
        principal_minor=minor(field(inputs, "principal")),
        annual_rate=rate(field(inputs, "annual_rate_pct")),
        day_count=DayCount.ACT_360,
        method=Method.BULLET,
        start=ANY_DAY,
        maturity=due_date,
    )
    owed = schedule(bullet)[0]
    row = Row(RowKind.INSTALMENT, ANY_DAY, due_date)
    row.owed |= {Part.INTEREST: owed.interest_minor, Part.PRINCIPAL: owed.principal_minor}
    stated = [known(PARTS_NAMED, name, "part") for name in field(inputs, "order")]
    parts = (*stated, *(part for part in Part if part not in stated))
    order = AllocationOrder(parts, parts, parts)
    shares, rest_minor = spread(
        minor(field(inputs, "payment")),
        [row],
        order,
        on=due_date,
        limit=lambda r, part: r.outstanding_of(part),
    )
    paid = {share.part: share.amount_minor for share in shares}
    status = "still repaying" if row.outstanding_minor else "settled"
    figures = {
        "interest": _major(paid.get(Part.INTEREST, 0)),
        "principal": _major(paid.get(Part.PRINCIPAL, 0)),
        "remaining": _major(rest_minor),
    }
    faults = [
        differs(name, value.strip(), status)
        if name == "status"
        else _off(name, figures[name], value)
        for name, value in expected.items()
        if name in figures or name == "status"
    ]
    left_out = set(expected) - {*figures, "status"}
    return unsupported(f"figures {sorted(left_out)}") if left_out else all_of(faults)


FACTS: dict[str, Callable[[Case], Outcome]] = {
    "schedule_facts": _figures_case(_schedule_figure),
    "installment": _figures_case(_schedule_figure),
    "accrual_count": _figures_case(_last_accrual),
    "penalty": _figures_case(_penalty_figure),
    "daily_accrual": _figures_case(_daily_figure),
    "dpd": _figures_case(_dpd_figure),
    "rate": _figures_case(_rate_figure),
    "ltv": _figures_case(_ltv_figure),
    "limit": _figures_case(_limit_figure),
    "voucher": _figures_case(_voucher_figure),
    "accrual_basis": _figures_case(_basis_figure),
    "accrual_carry": _figures_case(_carry_figure),
    "allocation_order": _allocation,
}
accrual_facts_case = _figures_case(_accrual_figure)
