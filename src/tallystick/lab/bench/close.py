"""How long the close of a day takes: a large live book of which one loan in a hundred changes.

The loans are put in place by set-based statements, as the payouts of a book that is taken over:
each with its decision, its event and its position, and one entry a facility, so that the ledger
holds what the loans say. Then the day's repayments are recorded by the book's own code, the day
is closed, and the books are held against a fold of every hundredth loan.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import psycopg

from tallystick.lab.bench.figures import Figure, seconds

OPENED = date(2026, 3, 2)
TODAY = OPENED + timedelta(days=2)
PROGRAMME = "jd.jingbaobei"
LOANS_OF_A_FACILITY = 500
CHANGING = 100
"""One loan in so many is repaid a part of on the day."""

MAX_SECONDS = 30
MAX_RATIO = 1.1
REPAID_MINOR = 5_000


@dataclass(frozen=True, slots=True)
class Closed:
    """What the close of one day took, in all and by step."""

    seconds: float
    steps: dict[str, float]
    change_seconds: float
    wrong: int


def measure(young: Closed, old: Closed, *, loans: int, old_days: int) -> list[Figure]:
    """The figures of two books alike but for the age of their loans."""
    changing = loans // CHANGING
    return [
        Figure(f"close of {loans:,} loans 1 day old", young.seconds, "s", bound=MAX_SECONDS),
        *(Figure(f"  of it {step}", took, "s") for step, took in young.steps.items()),
        Figure(
            f"close of {loans:,} loans {old_days} days old", old.seconds, "s", bound=MAX_SECONDS
        ),
        *(Figure(f"  of it {step}", took, "s") for step, took in old.steps.items()),
        Figure("old to young", old.seconds / young.seconds, "×", bound=MAX_RATIO),
        Figure(f"recording {changing:,} repayments before it", young.change_seconds, "s"),
        Figure(
            f"repayments recorded a second, {old_days} days old",
            changing / old.change_seconds,
            "/s",
        ),
        Figure("differences from a fold of every 100th loan", young.wrong + old.wrong, "", bound=0),
    ]


def close_of(loans: int, *, age_days: int, url: str) -> Closed:
    """Close a day of a book of so many loans, in the database at ``url``, which is empty.

    Loans older than a day have a superseded position each, as if their due date had moved.
    """
    from tallystick.book.servicing.close import close_day, close_through

    facility_ids = _facilities(max(1, loans // LOANS_OF_A_FACILITY))
    with psycopg.connect(url, autocommit=True) as owner:
        _put_in_place(owner, facility_ids, loans, age_days)
        legal_entity_id = _legal_entity(owner)
        close_through(legal_entity_id, TODAY - timedelta(days=1))
        owner.execute("VACUUM ANALYZE")
        change_seconds = seconds(lambda: _repay(owner, legal_entity_id))
        owner.execute("CHECKPOINT")
        took = seconds(lambda: close_day(legal_entity_id, TODAY))
        steps = owner.execute(
            "SELECT step, extract(epoch FROM finished_at)::float FROM servicing_daystep"
            " WHERE date = %s ORDER BY id",
            [TODAY],
        ).fetchall()
        first = took - (steps[-1][1] - steps[0][1])
        parts = {steps[0][0]: first} | {
            step: at - before for (_, before), (step, at) in pairwise(steps)
        }
        return Closed(took, parts, change_seconds, _wrong(owner))


def _caller() -> Any:
    from tallystick.book.acts.once import Caller

    return Caller(owner="system", actor="bench", channel="lab")


def _facilities(count: int) -> list[int]:
    """As many facilities, of a supplier with one invoice each."""
    from tallystick.book.financing.open_facility import NewFacility, Waiver, open_facilities
    from tallystick.book.financing.programmes import preset
    from tallystick.book.parties.open_entity import NewLegalEntity, open_legal_entity
    from tallystick.book.trade.record_documents import TradeDocument, record_documents

    entity_id = open_legal_entity(
        NewLegalEntity("BENCH", "Bench", "Asia/Shanghai", "China", OPENED),
        caller=_caller(),
        key="entity",
    )
    facilities = open_facilities(
        [
            NewFacility(
                code=f"F-{number}",
                supplier=f"S-{number}",
                programme=preset(PROGRAMME),
                currency="CNY",
                limit_minor=10**12,
                expiry_date=OPENED + timedelta(days=365),
                waived=frozenset({Waiver.CONTRACT_AGE}),
            )
            for number in range(count)
        ],
        legal_entity_id=entity_id,
        caller=_caller(),
        key="facilities",
    )
    record_documents(
        [
            TradeDocument(
                "invoice",
                issuer=f"S-{number}",
                supplier=f"S-{number}",
                obligor="JD",
                number="1",
                issue_date=OPENED,
                currency="CNY",
                amount_minor=10**11,
                due_date=OPENED + timedelta(days=90),
            )
            for number in range(count)
        ],
        caller=_caller(),
        key="invoices",
        legal_entity_id=entity_id,
    )
    return list(facilities.values())


# --- the loans ---------------------------------------------------------------------------------

# Amounts, rates and tenors differ from loan to loan; all fall due after the day that is closed.
_LOANS = """
    CREATE TEMP TABLE taken_over AS
    SELECT n, (%(facility_ids)s::bigint[])[1 + n %% cardinality(%(facility_ids)s::bigint[])]
               AS facility_id,
           100000 + n::bigint * 7919 %% 900000 AS amount_minor,
           60000000 + n %% 61 * 1000000 AS annual_rate_ppb,
           %(drawn_date)s::date AS drawn_date,
           %(today)s::date + 1 + n %% 90 AS due_date
    FROM generate_series(1, %(loans)s::integer) AS n;
"""

_DECISIONS = """
    INSERT INTO financing_decision
        (id, facility_id, date, amount_minor, inputs, verdicts, rule_version, act_id)
    OVERRIDING SYSTEM VALUE
    SELECT n, facility_id, drawn_date, amount_minor, '{}', '[]', 'taken over', %(act_id)s
    FROM taken_over
"""

_BOOKED = """
    INSERT INTO financing_loan
        (id, code, facility_id, decision_id, book_id, currency, principal_minor, annual_rate_ppb,
         penalty_rate_ppb, day_count, tenor_days, drawn_date, due_date, due_date_provisional,
         status)
    OVERRIDING SYSTEM VALUE
    SELECT n, 'L-' || n, facility_id, n, %(book_id)s, 'CNY', amount_minor, annual_rate_ppb,
           50000000, 'ACT/360', due_date - drawn_date, drawn_date, due_date, false, 'live'
    FROM taken_over
"""

_EVENTS = """
    INSERT INTO servicing_loanevent
        (loan_id, kind, value_date, booking_date, amount_minor, reference, act_id)
    SELECT n, 'disbursed', drawn_date, %(opened)s, amount_minor, 'taken over', %(act_id)s
    FROM taken_over
"""

_POSITIONS = """
    INSERT INTO servicing_position
        (loan_id, booking_date, superseded_date, book_id, due_date, disbursed_date,
         last_value_date, last_kind, accrued_to_date, principal_minor, disbursed_minor,
         annual_rate_ppb, denominator, interest_numerator, interest_received_minor,
         penalty_rate_ppb, penalty_numerator, penalty_received_minor, fees_charged_minor,
         fees_received_minor, credit_minor, settled)
    SELECT n, %(booked)s, %(superseded)s, %(book_id)s, due_date, drawn_date, drawn_date,
           'disbursed', drawn_date, amount_minor, amount_minor, annual_rate_ppb, 360000000000, 0,
           0, 50000000, 0, 0, 0, 0, 0, false
    FROM taken_over
"""

_DRAWN = """
    UPDATE financing_facility AS facility SET drawn_minor = taken.minor
    FROM (SELECT facility_id, sum(amount_minor) AS minor FROM taken_over GROUP BY 1) AS taken
    WHERE facility.id = taken.facility_id;
    UPDATE financing_programmelimit SET drawn_minor = (SELECT sum(amount_minor) FROM taken_over);
    UPDATE funding_fundingline SET drawn_minor = (SELECT sum(amount_minor) FROM taken_over);
"""


def _put_in_place(
    owner: psycopg.Connection[Any], facility_ids: Sequence[int], loans: int, age_days: int
) -> None:
    from tallystick.book.acts.once import once
    from tallystick.book.ledger.post import post_many
    from tallystick.book.servicing.models import STILL_IN_FORCE
    from tallystick.rules.accounting import Booking, loan_disbursed

    with once(_caller(), key="take over", kind="take_over", request={}) as act:
        act.answer({})
    first = OPENED if age_days == 1 else OPENED + timedelta(days=1)
    arguments = {
        "loans": loans,
        "facility_ids": list(facility_ids),
        "act_id": act.act_id,
        "book_id": _one(owner, "SELECT id FROM ledger_book"),
        "opened": OPENED,
        "today": TODAY,
        "drawn_date": TODAY - timedelta(days=age_days),
        "booked": first,
        "superseded": STILL_IN_FORCE,
    }
    owner.execute(_LOANS, arguments)
    for statement in (_DECISIONS, _BOOKED, _EVENTS, _POSITIONS):
        owner.execute(statement, arguments)
    if first > OPENED:
        owner.execute(_POSITIONS, arguments | {"booked": OPENED, "superseded": first})
    owner.execute(_DRAWN)
    legal_entity_id = _legal_entity(owner)
    drawn = owner.execute("SELECT facility_id, sum(amount_minor) FROM taken_over GROUP BY 1")
    with once(_caller(), key="entries", kind="take_over", request={}) as booked:
        post_many(
            [
                loan_disbursed(
                    Booking(legal_entity_id, "CNY", f"taken over:{facility_id}", OPENED, OPENED),
                    book=arguments["book_id"],
                    amount_minor=int(amount_minor),
                )
                for facility_id, amount_minor in drawn
            ],
            act_id=booked.act_id,
        )
        booked.answer({})


def _one(owner: psycopg.Connection[Any], query: str) -> Any:
    row = owner.execute(query).fetchone()
    assert row is not None
    return row[0]


def _legal_entity(owner: psycopg.Connection[Any]) -> int:
    return int(_one(owner, "SELECT id FROM parties_legalentity"))


# --- the day -----------------------------------------------------------------------------------


def _repay(owner: psycopg.Connection[Any], legal_entity_id: int) -> None:
    """A repayment for every hundredth loan, recorded as early repayments are."""
    from tallystick.book.acts.once import once
    from tallystick.book.parties.business_date import open_day
    from tallystick.book.servicing.allocation import Share, allocate, lock_facilities
    from tallystick.book.servicing.lines import Line
    from tallystick.book.servicing.positions import positions_of
    from tallystick.book.servicing.receipts import Receipt, keep_receipts
    from tallystick.book.servicing.recording import Cash, record_cash
    from tallystick.rules.programme import Sweep

    changing = owner.execute(
        "SELECT loan.id, facility.id, supplier.code FROM financing_loan AS loan"
        " JOIN financing_facility AS facility ON facility.id = loan.facility_id"
        " JOIN parties_party AS supplier ON supplier.id = facility.supplier_id"
        " WHERE loan.id %% %s = 0",
        [CHANGING],
    ).fetchall()
    with once(_caller(), key="repayments", kind="repay", request={}) as act:
        business_date = open_day(legal_entity_id)
        receipts = {
            f"repay:{loan_id}": Receipt(
                f"repay:{loan_id}", supplier, "CNY", REPAID_MINOR, business_date
            )
            for loan_id, _, supplier in changing
        }
        kept = keep_receipts(
            list(receipts.values()),
            legal_entity_id=legal_entity_id,
            booking_date=business_date,
            act_id=act.act_id,
        )
        facilities = lock_facilities(
            legal_entity_id, facility_ids={facility_id for _, facility_id, _ in changing}
        )
        loans = positions_of(loan_id for loan_id, _, _ in changing)
        allocated = allocate(
            [
                Share(
                    kept[f"repay:{loan_id}"],
                    facility_id,
                    loan_id,
                    REPAID_MINOR,
                    business_date,
                    Sweep.ALL,
                )
                for loan_id, facility_id, _ in changing
            ],
            facilities=facilities,
            covers_minor={},
            loans=loans,
            booking_date=business_date,
        )
        record_cash(
            [
                Cash(kept[reference], reference, "CNY", REPAID_MINOR, business_date, 0, ())
                for reference in receipts
            ],
            [
                Line(
                    each.receipt_id,
                    facilities[each.facility_id].supplier_id,
                    each.facility_id,
                    each.loan_id,
                    str(each.bucket),
                    each.amount_minor,
                )
                for each in allocated
            ],
            loans=loans,
            legal_entity_id=legal_entity_id,
            booking_date=business_date,
            act_id=act.act_id,
        )
        act.answer({})


def _wrong(owner: psycopg.Connection[Any]) -> int:
    """Sampled loans whose position is not their events' fold, and 1 if the ledger differs."""
    from tallystick.book.ledger.queries import balances
    from tallystick.book.servicing.accrual import owed_by_book
    from tallystick.book.servicing.history import loan_events
    from tallystick.book.servicing.positions import positions_of
    from tallystick.rules.loan_steps import position_of

    sample = [
        row[0]
        for row in owner.execute("SELECT id FROM financing_loan WHERE id %% %s = 0", [CHANGING])
    ]
    events = loan_events(sample)
    wrong = sum(
        loan.position != position_of(loan.terms, events[key], on=TODAY, known_on=TODAY)
        for key, loan in positions_of(sample).items()
    )
    account_id = _one(owner, "SELECT id FROM ledger_account WHERE name = 'interest_receivable'")
    held = balances([account_id], on=TODAY, known_on=TODAY)[account_id].net_minor
    (owed,) = owed_by_book(_legal_entity(owner), day=TODAY).values()
    return wrong + (held != owed.interest_minor)
