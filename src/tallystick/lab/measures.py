"""What a run shows of each day: the figures behind the summary and the charts."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db import connection

from tallystick.book.ledger.models import Account
from tallystick.book.ledger.queries import balances
from tallystick.book.servicing.models import STILL_IN_FORCE
from tallystick.lab.stage import Stage
from tallystick.rules.refusal import Refusal

AGEING_BUCKETS = ("not due", "1–30", "31–60", "61–90", "over 90")
"""Days past due of live claims."""


@dataclass(frozen=True, slots=True)
class DayMeasures:
    """One closed day of a run, in minor units of the run's currency.

    ``available`` is what suppliers could still draw at the end of the day, ``base`` the sum of
    borrowing bases, ``ineligible`` outstanding claims left out by reason, ``ageing`` outstanding
    live claims by days past due, ``interest`` what has been earned so far, ``lost`` principal more
    than 90 days past due, ``shortfall`` what is drawn above cover.
    """

    date: date
    outstanding_minor: int
    base_minor: int
    available_minor: int
    drawn_minor: int
    shortfall_minor: int
    interest_minor: int
    lost_minor: int
    ineligible_minor: dict[str, int] = field(default_factory=dict)
    ageing_minor: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProgrammeMeasures:
    """What a run lent by one programme, in minor units of the run's currency.

    ``loans`` are advances where it lends out of sales. ``drawn`` counts what was paid out;
    ``outstanding`` is principal at the end, ``past_due`` that of loans of which anything was past
    due then, ``interest`` what was earned, penalty included, and ``allowance`` what was provided
    for losses.
    """

    code: str
    suppliers: int
    loans: int
    drawn_minor: int
    outstanding_minor: int
    past_due_minor: int
    interest_minor: int
    allowance_minor: int


@dataclass(slots=True)
class RunSummary:
    """Totals of a run, filled in as it goes.

    ``paid_by_merchants``: what was repaid out of merchants' own accounts, not of settlements;
    ``to_advances``: what settlements kept for advances out of sales.
    ``programmes`` tells the programmes apart. ``refusals`` counts what the book refused of what
    came from outside, by the refusal's name.
    """

    name: str
    currency: str
    seed: int
    assumptions: list[str]
    days: list[DayMeasures] = field(default_factory=list)
    programmes: list[ProgrammeMeasures] = field(default_factory=list)
    suppliers: int = 0
    documents: int = 0
    repeated_documents: int = 0
    repeated_receipts: int = 0
    claims_paid_minor: int = 0
    draws: int = 0
    drawn_minor: int = 0
    draws_refused: int = 0
    refusals: dict[str, int] = field(default_factory=dict)
    payouts_rejected: int = 0
    repaid_minor: int = 0
    paid_by_merchants_minor: int = 0
    to_advances_minor: int = 0
    to_suppliers_minor: int = 0
    suspense_minor: int = 0
    seconds: float = 0.0

    def refused(self, refusal: Refusal) -> None:
        """Count a refusal."""
        name = type(refusal).__name__
        self.refusals[name] = self.refusals.get(name, 0) + 1

    @property
    def last(self) -> DayMeasures:
        return self.days[-1]

    @property
    def peak_drawn_minor(self) -> int:
        return max((day.drawn_minor for day in self.days), default=0)


_AGEING = """
SELECT CASE WHEN %(on)s <= due_date THEN 0
            ELSE 1 + least((%(on)s - due_date - 1) / 30, 3) END AS bucket,
       sum(face_minor - paid_minor - diluted_minor)
FROM trade_claim WHERE status <> 'closed' AND pool_id IS NOT NULL GROUP BY bucket
"""
_BASES = """
SELECT each.key, sum(each.value::numeric)
FROM collateral_pool AS pool
JOIN collateral_poolbase AS stored
  ON stored.pool_id = pool.id AND stored.date = pool.base_date
 AND stored.version = pool.base_version
CROSS JOIN LATERAL jsonb_each_text(stored.result) AS each
WHERE pool.legal_entity_id = %(legal_entity)s AND pool.base_date = %(next_day)s
GROUP BY each.key
"""
_OVERDUE = """
SELECT coalesce(sum(principal_minor), 0) FROM servicing_position
WHERE superseded_date = %(still)s AND NOT settled AND due_date < %(on)s - 90
"""
_FACILITIES = """
SELECT sum(greatest(0, least(pool.base_minor, facility.limit_minor,
           facility.drawn_minor + programme.limit_minor - programme.drawn_minor,
           facility.drawn_minor + line.limit_minor - line.drawn_minor) - facility.drawn_minor)),
       sum(facility.drawn_minor),
       sum(greatest(0, facility.drawn_minor - pool.cover_minor))
FROM financing_facility AS facility
JOIN collateral_pool AS pool ON pool.id = facility.pool_id
JOIN financing_programmelimit AS programme ON programme.id = facility.programme_limit_id
JOIN funding_fundingline AS line ON line.id = facility.funding_line_id
WHERE facility.legal_entity_id = %(legal_entity)s
"""
"""What each facility could draw by itself; the sum may be more than a common limit leaves."""

_INELIGIBLE = "ineligible_"
_INCOME = ("interest_income", "penalty_income", "advance_fee_income")


def measured(stage: Stage, on: date) -> DayMeasures:
    """The figures of a day that has just been closed; bases are those of the day now open."""
    next_day = on + timedelta(days=1)
    place = {
        "legal_entity": stage.legal_entity_id,
        "on": on,
        "next_day": next_day,
        "still": STILL_IN_FORCE,
    }
    with connection.cursor() as cursor:
        cursor.execute(_AGEING, place)
        ageing_minor = {bucket: int(minor) for bucket, minor in cursor.fetchall()}
        cursor.execute(_BASES, place)
        bases = {name: int(minor) for name, minor in cursor.fetchall()}
        cursor.execute(_OVERDUE, place)
        (lost_minor,) = cursor.fetchone()
        cursor.execute(_FACILITIES, place)
        available_minor, drawn_minor, shortfall_minor = map(int, cursor.fetchone())
    income = Account.objects.filter(legal_entity=stage.legal_entity_id, name__in=_INCOME)
    earned = balances(list(income.values_list("id", flat=True)), on=date.max, known_on=on)
    return DayMeasures(
        date=on,
        outstanding_minor=bases.get("outstanding_minor", 0),
        base_minor=bases.get("base_minor", 0),
        available_minor=available_minor,
        drawn_minor=drawn_minor,
        shortfall_minor=shortfall_minor,
        interest_minor=-sum(balance.net_minor for balance in earned.values()),
        lost_minor=int(lost_minor),
        ineligible_minor={
            name.removeprefix(_INELIGIBLE).removesuffix("_minor"): minor
            for name, minor in sorted(bases.items())
            if name.startswith(_INELIGIBLE)
        },
        ageing_minor={
            name: ageing_minor.get(place, 0) for place, name in enumerate(AGEING_BUCKETS)
        },
    )


_PROGRAMMES = """
WITH lent AS (
    SELECT programme.code, count(DISTINCT facility.supplier_id) AS suppliers,
           count(held.loan_id) AS loans,
           coalesce(sum(held.disbursed_minor), 0) AS drawn_minor,
           coalesce(sum(held.principal_minor), 0) AS outstanding_minor,
           coalesce(sum(held.principal_minor) FILTER (
               WHERE NOT held.settled AND held.due_date < %(on)s), 0) AS past_due_minor
    FROM financing_facility AS facility
    JOIN financing_programme AS programme ON programme.id = facility.programme_id
    LEFT JOIN financing_loan AS loan ON loan.facility_id = facility.id
    LEFT JOIN servicing_position AS held
      ON held.loan_id = loan.id AND held.superseded_date = %(still)s
    WHERE facility.legal_entity_id = %(legal_entity)s
    GROUP BY 1
    UNION ALL
    SELECT programme.code, count(DISTINCT line.merchant_id), count(held.advance_id),
           coalesce(sum(advance.advance_minor) FILTER (WHERE held.advance_id IS NOT NULL), 0),
           coalesce(sum(held.principal_minor), 0),
           coalesce(sum(held.principal_minor) FILTER (
               WHERE advance.behind_since_date < %(on)s), 0)
    FROM sales_credit_salesline AS line
    JOIN financing_programme AS programme ON programme.id = line.programme_id
    LEFT JOIN sales_credit_advance AS advance ON advance.line_id = line.id
    LEFT JOIN sales_credit_advanceposition AS held
      ON held.advance_id = advance.id AND held.superseded_date = %(still)s
    WHERE line.legal_entity_id = %(legal_entity)s
    GROUP BY 1
)
SELECT lent.*, coalesce((
           SELECT sum(provision.allowance_minor) FROM impairment_provision AS provision
           JOIN ledger_book AS book ON book.id = provision.book_id
           WHERE provision.date = %(on)s AND book.programme = lent.code
             AND provision.legal_entity_id = %(legal_entity)s), 0)
FROM lent ORDER BY code
"""


def programmes_measured(stage: Stage, on: date) -> list[ProgrammeMeasures]:
    """The programmes of a run at the end of its last day, which has just been closed."""
    income = Account.objects.filter(legal_entity=stage.legal_entity_id, name__in=_INCOME)
    programme_of = dict(income.values_list("id", "book__programme"))
    earned_minor: dict[str, int] = defaultdict(int)
    for account_id, balance in balances(programme_of, on=date.max, known_on=on).items():
        earned_minor[programme_of[account_id]] -= balance.net_minor
    with connection.cursor() as cursor:
        cursor.execute(
            _PROGRAMMES,
            {"legal_entity": stage.legal_entity_id, "on": on, "still": STILL_IN_FORCE},
        )
        return [
            ProgrammeMeasures(code, *map(int, lent), earned_minor[code], int(allowance_minor))
            for code, *lent, allowance_minor in cursor.fetchall()
        ]
