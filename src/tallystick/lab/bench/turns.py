"""How long a night takes over a book of loans in instalments, beside one of a due date each.

Twelve equal monthly instalments, of a bank, whose losses are expected by due date. First
instalments fall due on thirty days, but on business days alone: a night before a business day is
the turn of at least one loan in thirty, the night before a Saturday of none. What falls due is
paid on its day, and the same loans of the other book are repaid as much.
"""

import json
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

import psycopg

from tallystick.book.acts.once import once
from tallystick.book.financing.draw_down import plan_kept
from tallystick.book.financing.programmes import preset
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.models import STILL_IN_FORCE
from tallystick.lab.bench.close import (
    Closed,
    Repaid,
    close_timed,
    differences,
    repay_loans,
)
from tallystick.lab.bench.figures import Figure
from tallystick.lab.bench.taken_over import (
    DECISIONS,
    EVENTS,
    LOANS_OF_A_FACILITY,
    POSITION_COLUMNS,
    PROGRAMME,
    bench_caller,
    book_taken_over,
    facilities_open,
    one_id,
)
from tallystick.rules.calendars import WEEKENDS_ONLY
from tallystick.rules.loan_events import rate_from_ppb
from tallystick.rules.programme import ProgrammeTerms, stored_programme
from tallystick.rules.repayment import Agreed, instalments

OPENED = date(2026, 8, 31)
"""A Monday after a month of 31 days: what was drawn in the thirty days up to it falls due, first,
in the thirty days from the second day after it on."""

DRAWING_DAYS, MONTHS, TENOR_DAYS = 30, 12, 365
TURNING_DAYS = (OPENED + timedelta(days=2), OPENED + timedelta(days=3))
"""A Wednesday and a Thursday. After the Friday nothing turns."""

QUIET_DAY = OPENED + timedelta(days=4)

RULE_PACK = "cn.bank"
SIZES = 100
"""So many amounts and rates; of each with each first day one plan is made."""

MAX_SECONDS_A_LOAN = 5 / 50_000
PAID_SHARE = 1.02
"""Of an instalment: where its due date moved by some days, interest of them comes on top."""


@dataclass(frozen=True, slots=True)
class Nights:
    """Closes of one book: the slower of those with which loans turn, and one with which none does.

    ``turned``: as many turned, and as many others were paid an instalment of.
    """

    turning: Closed
    quiet: Closed
    turned: int
    wrong: int


def measure(in_instalments: Nights, at_once: Nights, *, loans: int) -> list[Figure]:
    """The figures of two books alike but for their due dates."""
    turning, quiet = in_instalments.turning, in_instalments.quiet
    return [
        Figure(
            f"close of {loans:,} loans in {MONTHS} instalments, {in_instalments.turned:,} turn",
            turning.seconds,
            "s",
            bound=max(1.0, MAX_SECONDS_A_LOAN * loans),
        ),
        *(Figure(f"  of it {step}", took, "s") for step, took in turning.steps.items()),
        Figure("the same, none turns", quiet.seconds, "s"),
        *(Figure(f"  of it {step}", took, "s") for step, took in quiet.steps.items()),
        Figure("the same of loans with one due date", at_once.quiet.seconds, "s"),
        Figure(
            "none turns to one due date",
            quiet.seconds / at_once.quiet.seconds,
            "×",
        ),
        Figure(
            "instalments recorded before it",
            in_instalments.turned / turning.change_seconds,
            "/s",
        ),
        Figure(
            "differences from a fold of every 100th loan",
            in_instalments.wrong + at_once.wrong,
            "",
            bound=0,
        ),
    ]


def nights_of(loans: int, *, url: str, in_instalments: bool) -> Nights:
    """Close nights of a book of so many loans, in the database at ``url``, which is empty."""
    with psycopg.connect(url, autocommit=True) as owner:
        legal_entity_id = _take_over(owner, loans, in_instalments=in_instalments)
        owner.execute("ANALYZE")
        close_through(legal_entity_id, TURNING_DAYS[0] - timedelta(days=1))
        owner.execute("VACUUM ANALYZE")
        turning = [_night(owner, legal_entity_id, day) for day in TURNING_DAYS]
        quiet = _night(owner, legal_entity_id, QUIET_DAY)
        return Nights(
            max(turning, key=lambda night: night.seconds),
            quiet,
            len(_due_on(owner, QUIET_DAY)),
            differences(owner, legal_entity_id, QUIET_DAY),
        )


def _night(owner: psycopg.Connection[Any], legal_entity_id: int, day: date) -> Closed:
    due = _due_on(owner, day)
    return close_timed(
        owner,
        legal_entity_id,
        day,
        before=lambda: repay_loans(due, legal_entity_id=legal_entity_id, day=day, value_date=day),
    )


def _due_on(owner: psycopg.Connection[Any], day: date) -> list[Repaid]:
    """The loans whose first instalment falls due on a day, and what is paid of them."""
    rows = owner.execute(
        "SELECT loan.n, loan.facility_id, supplier.code, loan.paid_minor FROM taken_over AS loan"
        " JOIN financing_facility AS facility ON facility.id = loan.facility_id"
        " JOIN parties_party AS supplier ON supplier.id = facility.supplier_id"
        " WHERE loan.first_date = %s",
        [day],
    )
    return [Repaid(*row) for row in rows]


_TAKEN_OVER = """
    CREATE TEMP TABLE taken_over (
        n integer, facility_id bigint, amount_minor bigint, annual_rate_ppb bigint,
        drawn_date date, first_date date, last_date date, paid_minor bigint,
        agreed_plan jsonb, due_dates date[], planned_minor bigint[], level_minor bigint)
"""

_BOOKED = """
    INSERT INTO financing_loan
        (id, code, facility_id, decision_id, book_id, currency, principal_minor, annual_rate_ppb,
         penalty_rate_ppb, day_count, tenor_days, drawn_date, due_date, maturity_date, agreed_plan,
         due_date_provisional, status)
    OVERRIDING SYSTEM VALUE
    SELECT n, 'L-' || n, facility_id, n, %(book_id)s, 'CNY', amount_minor, annual_rate_ppb,
           50000000, 'ACT/360', %(tenor_days)s, drawn_date,
           CASE WHEN agreed_plan IS NULL THEN last_date ELSE first_date END,
           CASE WHEN agreed_plan IS NOT NULL THEN last_date END, agreed_plan, false, 'live'
    FROM taken_over
"""

_POSITIONS = f"""
    INSERT INTO servicing_position ({POSITION_COLUMNS}, penalty_growth, turn_date)
    SELECT n, %(opened)s, %(still)s, %(book_id)s,
           CASE WHEN agreed_plan IS NULL THEN last_date ELSE first_date END, drawn_date,
           drawn_date, 'disbursed', drawn_date, amount_minor, amount_minor, annual_rate_ppb,
           360000000000, 0, 0, 50000000, 0, 0, 0, 0, 0, false,
           CASE WHEN agreed_plan IS NOT NULL THEN 0 END,
           CASE WHEN agreed_plan IS NOT NULL THEN first_date END
    FROM taken_over
"""

_PLANS = """
    INSERT INTO servicing_repaymentplan
        (loan_id, due_dates, planned_minor, interest_at_due_minor, level_minor, evened_minor)
    SELECT n, due_dates, planned_minor, '{}', level_minor, amount_minor FROM taken_over
    WHERE agreed_plan IS NOT NULL
"""


def _take_over(owner: psycopg.Connection[Any], loans: int, *, in_instalments: bool) -> int:
    facility_ids = facilities_open(
        max(1, loans // LOANS_OF_A_FACILITY),
        programme=_programme() if in_instalments else preset(PROGRAMME),
        rule_pack=RULE_PACK,
        opened=OPENED,
    )
    owner.execute(_TAKEN_OVER)
    with owner.cursor().copy("COPY taken_over FROM STDIN") as copied:
        for n in range(1, loans + 1):
            copied.write_row(_loan(n, facility_ids, in_instalments=in_instalments))
    with once(bench_caller(), key="take over", kind="take_over", request={}) as act:
        act.answer({})
    arguments = {
        "act_id": act.act_id,
        "book_id": one_id(owner, "SELECT id FROM ledger_book"),
        "opened": OPENED,
        "tenor_days": TENOR_DAYS,
        "still": STILL_IN_FORCE,
    }
    for statement in (DECISIONS, _BOOKED, EVENTS, _POSITIONS, _PLANS):
        owner.execute(statement, arguments)
    book_taken_over(owner, opened=OPENED)
    return one_id(owner, "SELECT id FROM parties_legalentity")


def _loan(n: int, facility_ids: list[int], *, in_instalments: bool) -> list[Any]:
    """A row of the table; of a size or drawn on a day it is like many others."""
    size = n // DRAWING_DAYS % SIZES
    amount_minor, annual_rate_ppb = 120_000 + size * 7_919, 60_000_000 + size * 1_000_000
    drawn_date = OPENED - timedelta(days=n % DRAWING_DAYS)
    agreed = _agreed(drawn_date, amount_minor, annual_rate_ppb)
    plan = agreed.plan
    of_plan = [
        json.dumps(plan_kept(plan, WEEKENDS_ONLY)),
        [due.due_date for due in plan.dues],
        [due.planned_minor for due in plan.dues],
        plan.level_minor,
    ]
    return [
        n,
        facility_ids[n // DRAWING_DAYS % len(facility_ids)],
        amount_minor,
        annual_rate_ppb,
        drawn_date,
        plan.dues[0].due_date,
        plan.dues[-1].due_date,
        int(plan.level_minor * PAID_SHARE),
        *(of_plan if in_instalments else [None] * len(of_plan)),
    ]


@lru_cache(maxsize=DRAWING_DAYS * SIZES)
def _agreed(drawn_date: date, amount_minor: int, annual_rate_ppb: int) -> Agreed:
    terms = _programme()
    return instalments(
        terms.repayment,
        amount_minor=amount_minor,
        annual_rate=rate_from_ppb(annual_rate_ppb),
        day_count=terms.price.day_count,
        drawn_date=drawn_date,
        tenor_days=TENOR_DAYS,
        max_tenor_days=TENOR_DAYS,
        calendar=WEEKENDS_ONLY,
        adjustment=terms.drawdown.due_date_adjustment,
    )


@lru_cache(maxsize=1)
def _programme() -> ProgrammeTerms:
    return in_monthly_instalments(preset(PROGRAMME), max_tenor_days=TENOR_DAYS)


def in_monthly_instalments(terms: ProgrammeTerms, *, max_tenor_days: int) -> ProgrammeTerms:
    """A programme with its loans repaid in equal monthly instalments, up to so many days."""
    written = dict(terms.content["terms"])
    written["drawdown"] = {**written["drawdown"], "max_tenor_days": max_tenor_days}
    written["repayment"] = {
        "method": "equal_instalments",
        "every": "1M",
        "sources": {"method": "illustrative", "every": "illustrative"},
    }
    return stored_programme(terms.code, {**terms.content, "terms": written})
