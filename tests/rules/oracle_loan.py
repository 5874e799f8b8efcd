"""A loan read aloud, one night at a time, in fractions: slow, obvious, and never rounded inside.

Restates the clauses of ``rules.loan`` without their closed forms: every night adds its interest
and its penalty to a running total, every day its events, one by one.
"""

from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from tallystick.rules.daycount import accrual_days, accrual_denominator
from tallystick.rules.loan_events import EventKind, LoanEvent, rate_from_ppb
from tallystick.rules.loan_terms import LoanTerms, plan_of
from tallystick.rules.money import rounded
from tallystick.rules.schedule import schedule

PLAN_CHANGES = ("restructured", "re_aged", "extended", "due_moved")
PLACES = [
    "rate_changed",
    "restructured",
    "re_aged",
    "extended",
    "due_moved",
    "interest_paused",
    "fee_charged",
    "disbursed",
    "received",
    "remitted",
    "repaid",
    "charged_back",
    "refunded",
    "waived",
    "charged_off",
    "recovered",
]


@dataclass
class Loan:
    """Everything that is known of the loan on the day that has been reached."""

    rate: Fraction
    dues: list[tuple[date, int]]  # due date, and what is to be repaid by then in all
    runs_from: date
    evened: int  # the principal that a new rate evens the instalments over
    principal: int = 0
    repaid: int = 0
    lost: int = 0
    interest: Fraction = Fraction(0)
    penalty: Fraction = Fraction(0)
    fees: int = 0
    paid: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHARGES, 0))
    waived: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHARGES, 0))
    written_off: dict[str, int] = field(default_factory=lambda: dict.fromkeys(CHARGES, 0))
    recovered: int = 0
    credit: int = 0
    charged_off: bool = False
    interest_by_due_date: dict[date, int] = field(default_factory=dict)


CHARGES = ("fees", "penalty", "interest")


def state(terms: LoanTerms, events: list[LoanEvent], *, on: date, known_on: date) -> dict[str, int]:
    """The figures that ``rules.loan_position.Balances`` holds, by the same names."""
    happened = [event for event in remaining(events, known_on) if event.value_date <= on]
    loan = Loan(
        Fraction(terms.annual_rate),
        plan(schedule(plan_of(terms)), terms, 0),
        terms.start,
        terms.principal_minor,
    )
    day = terms.start
    while True:
        for event in in_order_of_the_day(happened, day):
            happen(loan, event, terms, day)
        if day in [due_date for due_date, _ in loan.dues]:
            loan.interest_by_due_date[day] = whole(loan.interest, terms)
        if day == on:
            break
        year_part = night(terms, day)
        if day >= loan.runs_from:
            loan.interest += loan.principal * loan.rate * year_part
        for days_past_due, rate in steps(terms):
            bearing = planned(loan.dues, day - timedelta(days=days_past_due))
            loan.penalty += past_due(loan, bearing) * rate * year_part
        day += timedelta(days=1)
    return figures(loan, terms, on)


def plan(rows, terms: LoanTerms, repaid: int) -> list[tuple[date, int]]:
    dues = []
    for row in rows:
        repaid += row.principal_minor
        dues.append((row.due_date, repaid))
    return [*dues[:-1], (dues[-1][0], 10**30 if terms.revolving else terms.principal_minor)]


def business_day(terms: LoanTerms, day: date) -> date:
    """Of a calendar without holidays: a Saturday or Sunday moves to the Monday, or stays."""
    if terms.adjustment == "following":
        day += timedelta(days=7 - day.weekday() if day.weekday() > 4 else 0)
    return day


def steps(terms: LoanTerms) -> list[tuple[int, Fraction]]:
    bands = [(terms.penalty_grace_days, terms.penalty_rate)]
    bands += [(band.days_past_due, band.rate) for band in terms.penalty_bands]
    before = Fraction(0)
    changes = []
    for days_past_due, rate in bands:
        changes.append((days_past_due, Fraction(rate) - before))
        before = Fraction(rate)
    return changes


def remaining(events: list[LoanEvent], known_on: date) -> list[LoanEvent]:
    """What was known and not taken back."""
    known = [event for event in events if event.booking_date <= known_on]
    taken_back = {event.reverses for event in known}
    return [
        event
        for event in known
        if event.kind is not EventKind.REVERSED and event.event_id not in taken_back
    ]


def in_order_of_the_day(events: list[LoanEvent], day: date) -> list[LoanEvent]:
    today = sorted(
        (event for event in events if event.value_date == day),
        key=lambda event: (place(event.kind), event.booking_date, event.event_id),
    )
    rates = [event for event in today if event.kind == "rate_changed"]
    return [*rates[-1:], *(event for event in today if event.kind != "rate_changed")]


def place(kind: str) -> int:
    """Changes of the plan share one place: they build on each other as they were recorded."""
    return PLACES.index("restructured" if kind in PLAN_CHANGES else kind)


def happen(loan: Loan, event: LoanEvent, terms: LoanTerms, day: date) -> None:
    amount = event.amount_minor or 0
    match event.kind:
        case "rate_changed" if Fraction(event.annual_rate) != loan.rate:
            loan.rate = Fraction(event.annual_rate)
            if terms.method == "equal_instalments":
                even_anew(loan, terms, day)
        case "restructured" | "re_aged":
            if event.annual_rate is not None:
                loan.rate = Fraction(event.annual_rate)
            begin_anew(loan, terms, day, event.to_date)
        case "extended":
            later = timedelta(days=event.days)
            last = loan.dues[-1]
            moved = [due + later for due, minor in loan.dues if due >= day or (due, minor) == last]
            kept = loan.dues[: -len(moved)]
            on_business_days = [business_day(terms, due) for due in moved]
            if len({day, *on_business_days}) == 1 + len(moved) and min(on_business_days) > day:
                moved = on_business_days
            amounts = [minor for _, minor in loan.dues[-len(moved) :]]
            loan.dues = [*kept, *zip(moved, amounts, strict=True)]
        case "due_moved":
            to = business_day(terms, event.to_date)
            loan.dues = [(to if due == event.due_date else due, minor) for due, minor in loan.dues]
        case "interest_paused":
            loan.runs_from = max(loan.runs_from, event.to_date + timedelta(days=1))
        case "fee_charged":
            loan.fees += amount
            used = min(loan.credit, amount)
            loan.paid["fees"] += used
            loan.credit -= used
        case "disbursed":
            loan.principal += amount
            used = min(loan.credit, amount)
            loan.principal -= used
            loan.repaid += used
            loan.credit -= used
        case "received" | "remitted" | "repaid":
            receive(loan, amount, terms, day, event.kind)
        case "charged_back" | "refunded":
            give_back(loan, amount, terms)
        case "waived":
            charge = str(event.waives)
            loan.waived[charge] += min(amount, owed_of(loan, terms)[charge])
        case "charged_off":
            charge_off(loan, terms)
        case "recovered":
            recover(loan, amount, terms, day)


def even_anew(loan: Loan, terms: LoanTerms, day: date) -> None:
    """Instalments of periods that begin later, and one that begins today, are made equal again."""
    begins = [terms.start, *(due for due, _ in loan.dues)]
    place = next((n for n, begin in enumerate(begins[:-1]) if begin >= day), len(loan.dues))
    before = planned(loan.dues, begins[place]) if place else 0
    left, later = loan.evened - before, loan.dues[place:]
    if len(later) < 2 or left <= 0:
        return

    def charge(since: date, until: date, principal: int) -> Fraction:
        nights = (since + timedelta(days=n) for n in range((until - since).days))
        bearing = sum(night(terms, each) for each in nights if each >= loan.runs_from)
        return principal * loan.rate * bearing

    periods = list(pairwise([begins[place], *(due for due, _ in later)]))
    owed, paid_in = Fraction(1), Fraction(0)
    for since, until in periods:
        grown = 1 + charge(since, until, 1)
        owed, paid_in = owed * grown, paid_in * grown + 1
    level = whole(left * owed / paid_in, terms)
    running = loan.interest + charge(day, begins[place], loan.principal)
    loan.dues = loan.dues[:place]
    for since, until in periods:
        if not left:
            break
        before_it, running = running, running + charge(since, until, left)
        part = level - (whole(running, terms) - whole(before_it, terms))
        part = min(max(part, 0), left)
        left -= part
        before += part
        loan.dues.append((until, before))
    loan.dues[-1] = (loan.dues[-1][0], terms.principal_minor)


def begin_anew(loan: Loan, terms: LoanTerms, day: date, last_day: date) -> None:
    loan.interest_by_due_date = {}
    if not loan.principal:
        last_day = business_day(terms, last_day)
        loan.dues = [(last_day, 10**30 if terms.revolving else terms.principal_minor)]
        return
    agreed = replace(
        plan_of(terms),
        principal_minor=loan.principal,
        annual_rate=rate_from_ppb(int(loan.rate * 10**9)),
        start=day,
        maturity=last_day,
    )
    loan.evened = loan.principal + loan.repaid + loan.lost
    loan.dues = plan(schedule(agreed), terms, loan.repaid)


def receive(loan: Loan, amount: int, terms: LoanTerms, day: date, kind: str) -> None:
    """By part, all that is owed is one bill; by instalment, there is one for each that has come."""
    order = buckets_in_order(terms, kind)
    come = [due_date for due_date, _ in loan.dues if due_date <= day]
    if terms.axis == "by_instalment" and len(loan.dues) > 1:
        for due_date in come:
            amount = pay_instalment(loan, amount, terms, day, order, due_date)
        if len(come) < len(loan.dues):
            left_out = ("fees", "penalty") if come else ()
            amount = pay(loan, amount, terms, day, [each for each in order if each not in left_out])
    else:
        amount = pay(loan, amount, terms, day, order)
    loan.credit += amount


def buckets_in_order(terms: LoanTerms, kind: str) -> list[str]:
    named = getattr(terms.kind_orders, kind, None) or terms.receipt_order
    principal = ["principal_due", "principal_not_due"]
    return [each for name in named for each in (principal if name == "principal" else [str(name)])]


def pay(loan: Loan, amount: int, terms: LoanTerms, day: date, order: list[str]) -> int:
    for bucket in order:
        if bucket in CHARGES:
            paid = min(amount, owed_of(loan, terms)[bucket])
            loan.paid[bucket] += paid
        else:
            due = past_due(loan, planned(loan.dues, day))
            if bucket == "principal_not_due":
                due = loan.principal - due
            paid = min(amount, due)
            loan.principal -= paid
            loan.repaid += paid
        amount -= paid
    return amount


def pay_instalment(
    loan: Loan, amount: int, terms: LoanTerms, day: date, order: list[str], due_date: date
) -> int:
    for bucket in order:
        owed = owed_of(loan, terms)
        if bucket == "principal_due":
            paid = min(amount, past_due(loan, planned(loan.dues, due_date)))
            loan.principal -= paid
            loan.repaid += paid
        elif bucket == "interest":
            by_then = owed["interest"]
            if due_date < loan.dues[-1][0]:
                later = whole(loan.interest, terms)
                by_then -= later - loan.interest_by_due_date.get(due_date, later)
            paid = min(amount, max(0, by_then))
            loan.paid["interest"] += paid
        elif bucket in CHARGES and due_date == loan.dues[0][0]:
            paid = min(amount, owed[bucket])
            loan.paid[bucket] += paid
        else:
            paid = 0
        amount -= paid
    return amount


def give_back(loan: Loan, amount: int, terms: LoanTerms) -> None:
    taken = min(amount, loan.credit)
    loan.credit -= taken
    amount -= taken
    for debt in terms.kind_orders.charged_back:
        if debt == "principal":
            taken = min(amount, loan.repaid)
            loan.repaid -= taken
            loan.principal += taken
        else:
            taken = min(amount, loan.paid[str(debt)])
            loan.paid[str(debt)] -= taken
        amount -= taken


def charge_off(loan: Loan, terms: LoanTerms) -> None:
    owed = owed_of(loan, terms)
    if not loan.principal and not any(owed.values()):
        return
    loan.charged_off = True
    loan.written_off = owed
    loan.lost, loan.principal = loan.principal, 0


def recover(loan: Loan, amount: int, terms: LoanTerms, day: date) -> None:
    if not loan.charged_off:
        receive(loan, amount, terms, day, "recovered")
        return
    recovered = min(amount, loan.lost + sum(loan.written_off.values()) - loan.recovered)
    loan.recovered += recovered
    loan.credit += amount - recovered


def recovered_of_each(loan: Loan, terms: LoanTerms) -> dict[str, int]:
    lost = {**loan.written_off, "principal": loan.lost}
    left = loan.recovered
    recovered = dict.fromkeys(lost, 0)
    for bucket in buckets_in_order(terms, "recovered"):
        debt = "principal" if bucket == "principal_due" else bucket
        if debt in lost:
            recovered[debt] = min(left, lost[debt])
            left -= recovered[debt]
    return recovered


def owed_of(loan: Loan, terms: LoanTerms) -> dict[str, int]:
    arisen = {
        "fees": loan.fees,
        "penalty": whole(loan.penalty, terms),
        "interest": whole(loan.interest, terms),
    }
    return {
        charge: arisen[charge] - loan.paid[charge] - loan.waived[charge] - loan.written_off[charge]
        for charge in CHARGES
    }


def planned(dues: list[tuple[date, int]], day: date) -> int:
    """Principal that the plan wants repaid by the end of ``day``."""
    return max((minor for due_date, minor in dues if due_date <= day), default=0)


def past_due(loan: Loan, planned_by_now: int) -> int:
    return min(loan.principal, max(0, planned_by_now - loan.repaid))


def night(terms: LoanTerms, day: date) -> Fraction:
    """The part of a year that the night after ``day`` is, days counted from the loan's start."""
    until, since = (
        accrual_days(terms.day_count, terms.start, end, termination_date=terms.maturity)
        for end in (day + timedelta(days=1), day)
    )
    return Fraction(until - since, accrual_denominator(terms.day_count))


def whole(exact: Fraction, terms: LoanTerms) -> int:
    return rounded(exact.numerator, exact.denominator, terms.rounding)


def figures(loan: Loan, terms: LoanTerms, on: date) -> dict[str, int]:
    owed = {
        "principal_minor": loan.principal,
        **{f"{charge}_due_minor": minor for charge, minor in owed_of(loan, terms).items()},
    }
    met = loan.paid["interest"] + loan.waived["interest"] + loan.written_off["interest"]
    unpaid = [
        due_date
        for due_date, by_then in loan.dues
        if due_date < on
        and (
            past_due(loan, by_then) > 0
            or loan.interest_by_due_date[due_date] > met
            or (due_date == loan.dues[-1][0] and sum(owed.values()) > 0)
        )
    ]
    return {
        **owed,
        "owed_minor": sum(owed.values()),
        "principal_due_minor": past_due(loan, planned(loan.dues, on)),
        "principal_repaid_minor": loan.repaid,
        "principal_charged_off_minor": loan.lost,
        "interest_accrued_minor": whole(loan.interest, terms),
        "penalty_accrued_minor": whole(loan.penalty, terms),
        "fees_charged_minor": loan.fees,
        **{f"{charge}_received_minor": minor for charge, minor in loan.paid.items()},
        **{f"{charge}_waived_minor": minor for charge, minor in loan.waived.items()},
        **{f"{charge}_charged_off_minor": minor for charge, minor in loan.written_off.items()},
        "recovered_minor": loan.recovered,
        **{
            f"{debt}_recovered_minor": minor
            for debt, minor in recovered_of_each(loan, terms).items()
        },
        "credit_minor": loan.credit,
        "days_past_due": (on - min(unpaid)).days if unpaid else 0,
    }
