"""A large live book, put in place by set-based statements: what a close is measured on.

The loans are the payouts of a book that is taken over: each with its decision, its event and its
position, and one entry a facility, so that the ledger holds what the loans say. Three loans in a
hundred are past due and belong to one supplier in twenty: firms are late rather than loans, each
since another day. The first night classes a quarter of what is late.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from tallystick.rules.programme import ProgrammeTerms

OPENED = date(2026, 3, 2)
FIRST_DAY = OPENED + timedelta(days=2)
"""The first day that is measured: loans are as old as asked on it, and fall due after it."""

PROGRAMME = "jd.jingbaobei"
RULE_PACK = "cn.factor"
LOANS_OF_A_FACILITY = 500
LATE_FACILITY, LATE_OF_FIVE = 20, 3
"""One facility in so many has late loans: three in five of its loans."""
LATEST_DAYS = 240
"""Of the firm that has been late for longest; others have been for any number of days up to it."""

NEW_LOAN, LIKE_THE_OTHERS = 201, 101
"""Two loans that no repayment meets. The first is a day old in every book, so that it can be read
beside the second, which is as old as the rest."""


def take_over(owner: psycopg.Connection[Any], *, loans: int, age_days: int) -> int:
    """Put so many loans in place in an empty database; returns the legal entity's id.

    It is a factor, whose loans are classed and provided for every night. Loans older than a day
    have a superseded position each, as if their due date had moved.
    """
    from tallystick.book.financing.programmes import preset

    facility_ids = facilities_open(
        max(1, loans // LOANS_OF_A_FACILITY),
        programme=preset(PROGRAMME),
        rule_pack=RULE_PACK,
        opened=OPENED,
    )
    _put_in_place(owner, facility_ids, loans, age_days)
    return one_id(owner, "SELECT id FROM parties_legalentity")


def one_id(owner: psycopg.Connection[Any], query: str) -> int:
    """The single number that a query answers."""
    row = owner.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def bench_caller() -> Any:
    """Who acts in a benchmark."""
    from tallystick.book.acts.once import Caller

    return Caller(owner="system", actor="bench", channel="lab")


def facilities_open(
    count: int, *, programme: "ProgrammeTerms", rule_pack: str, opened: date
) -> list[int]:
    """As many facilities, of a supplier with one invoice each, in a legal entity just opened."""
    from tallystick.book.financing.open_facility import NewFacility, Waiver, open_facilities
    from tallystick.book.impairment.packs import adopt
    from tallystick.book.impairment.packs import preset as preset_pack
    from tallystick.book.parties.open_entity import NewLegalEntity, open_legal_entity
    from tallystick.book.trade.record_documents import TradeDocument, record_documents

    entity_id = open_legal_entity(
        NewLegalEntity("BENCH", "Bench", "Asia/Shanghai", "China", opened),
        caller=bench_caller(),
        key="entity",
    )
    adopt(entity_id, preset_pack(rule_pack), caller=bench_caller(), key="rule pack")
    facilities = open_facilities(
        [
            NewFacility(
                code=f"F-{number}",
                supplier=f"S-{number}",
                programme=programme,
                currency="CNY",
                limit_minor=10**12,
                expiry_date=opened + timedelta(days=365),
                waived=frozenset({Waiver.CONTRACT_AGE}),
            )
            for number in range(count)
        ],
        legal_entity_id=entity_id,
        caller=bench_caller(),
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
                issue_date=opened,
                currency="CNY",
                amount_minor=10**11,
                due_date=opened + timedelta(days=90),
            )
            for number in range(count)
        ],
        caller=bench_caller(),
        key="invoices",
        legal_entity_id=entity_id,
    )
    return list(facilities.values())


# Amounts, rates and tenors differ from loan to loan. What is not late falls due after the first
# day, a ninetieth of it each day. The loans that change on a day (multiples of a hundred) belong to
# all facilities.
_LOANS = """
    CREATE TEMP TABLE taken_over AS
    SELECT n, (%(facility_ids)s::bigint[])[1 + facility] AS facility_id,
           100000 + n::bigint * 7919 %% 900000 AS amount_minor,
           60000000 + n %% 61 * 1000000 AS annual_rate_ppb,
           CASE WHEN is_late THEN least(%(drawn_date)s::date, late_since - 60)
                WHEN n = %(new_loan)s THEN %(today)s::date - 1
                ELSE %(drawn_date)s::date END AS drawn_date,
           CASE WHEN is_late THEN late_since ELSE %(today)s::date + 1 + n %% 90 END AS due_date
    FROM generate_series(1, %(loans)s::integer) AS n
    CROSS JOIN LATERAL (SELECT cardinality(%(facility_ids)s::bigint[]) AS facilities) AS of_all
    CROSS JOIN LATERAL (
        SELECT (n + n / 100) %% facilities AS facility,
               n / facilities AS place
    ) AS placed
    CROSS JOIN LATERAL (
        SELECT %(latest_days)s - facility / %(late_facility)s * 37 %% %(latest_days)s AS latest_days
    ) AS of_firm
    CROSS JOIN LATERAL (
        SELECT facility %% %(late_facility)s = 0 AND place %% 5 < %(late_of_five)s AS is_late,
               %(today)s::date - 1 - place %% of_firm.latest_days AS late_since
    ) AS judged;
"""

DECISIONS = """
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

EVENTS = """
    INSERT INTO servicing_loanevent
        (loan_id, kind, value_date, booking_date, amount_minor, reference, act_id)
    SELECT n, 'disbursed', drawn_date, %(opened)s, amount_minor, 'taken over', %(act_id)s
    FROM taken_over
"""

POSITION_COLUMNS = """
        loan_id, booking_date, superseded_date, book_id, due_date, disbursed_date,
         last_value_date, last_kind, accrued_to_date, principal_minor, disbursed_minor,
         annual_rate_ppb, denominator, interest_numerator, interest_received_minor,
         penalty_rate_ppb, penalty_numerator, penalty_received_minor, fees_charged_minor,
         fees_received_minor, credit_minor, settled"""

_POSITIONS = f"""
    INSERT INTO servicing_position ({POSITION_COLUMNS})
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
    from tallystick.book.servicing.models import STILL_IN_FORCE

    with once(bench_caller(), key="take over", kind="take_over", request={}) as act:
        act.answer({})
    first = OPENED if age_days == 1 else OPENED + timedelta(days=1)
    arguments = {
        "loans": loans,
        "late_facility": LATE_FACILITY,
        "late_of_five": LATE_OF_FIVE,
        "latest_days": LATEST_DAYS,
        "new_loan": NEW_LOAN,
        "facility_ids": list(facility_ids),
        "act_id": act.act_id,
        "book_id": one_id(owner, "SELECT id FROM ledger_book"),
        "opened": OPENED,
        "today": FIRST_DAY,
        "drawn_date": FIRST_DAY - timedelta(days=age_days),
        "booked": first,
        "superseded": STILL_IN_FORCE,
    }
    owner.execute(_LOANS, arguments)
    for statement in (DECISIONS, _BOOKED, EVENTS, _POSITIONS):
        owner.execute(statement, arguments)
    if first > OPENED:
        owner.execute(_POSITIONS, arguments | {"booked": OPENED, "superseded": first})
    book_taken_over(owner, opened=OPENED)


def book_taken_over(owner: psycopg.Connection[Any], *, opened: date) -> None:
    """Let limits and ledger hold the loans of the table ``taken_over``: an entry a facility."""
    from tallystick.book.acts.once import once
    from tallystick.book.ledger.post import post_many
    from tallystick.rules.accounting import Booking, loan_disbursed

    owner.execute(_DRAWN)
    book_id = one_id(owner, "SELECT id FROM ledger_book")
    legal_entity_id = one_id(owner, "SELECT id FROM parties_legalentity")
    drawn = owner.execute("SELECT facility_id, sum(amount_minor) FROM taken_over GROUP BY 1")
    with once(bench_caller(), key="entries", kind="take_over", request={}) as booked:
        post_many(
            [
                loan_disbursed(
                    Booking(legal_entity_id, "CNY", f"taken over:{facility_id}", opened, opened),
                    book=book_id,
                    amount_minor=int(amount_minor),
                )
                for facility_id, amount_minor in drawn
            ],
            act_id=booked.act_id,
        )
        booked.answer({})
