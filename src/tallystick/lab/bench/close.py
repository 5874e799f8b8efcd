"""How long the close of a day takes: a large live book of which one loan in a hundred changes.

Each day's repayments are recorded by the book's own code, the day is closed, and in the end the
books are held against a fold of every hundredth loan. Of several days the median counts. Where
repayments are dated back they count from before others of the same loans, so that every one of
them is a refold.
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import psycopg

from tallystick.lab.bench.figures import Figure, seconds
from tallystick.lab.bench.taken_over import FIRST_DAY, bench_caller, take_over

if TYPE_CHECKING:
    from tallystick.book.servicing.positions import LoanPosition
    from tallystick.rules.loan_position import Position

CHANGING = 100
"""One loan in so many is repaid a part of on the day."""

DAYS = 3
BACK_DATED_DAYS = 30
MAX_SECONDS, MAX_SECONDS_A_MILLION = 10, 11.25
"""Up to a million loans, and for each million of a larger book."""
MAX_RATIO = 1.1
MAX_BACK_DATED_RATIO = 2
MAX_READING_RATIO = 1.2
REPAID_MINOR = 5_000


@dataclass(frozen=True, slots=True)
class Closed:
    """What the close of a day took, in all and by step, and the changes before it."""

    seconds: float
    steps: dict[str, float]
    change_seconds: float


@dataclass(frozen=True, slots=True)
class Measured:
    """The day with the median close, and how many differences the books showed in the end.

    ``moved``: the loans that the first night moved to other books; ``moving_seconds``: its step of
    classes, which read and classed all that was late besides.
    """

    day: Closed
    wrong: int
    moved: int
    moving_seconds: float


def measure(
    young: Measured, old: Measured, back_dated: Measured, *, loans: int, old_days: int
) -> list[Figure]:
    """The figures of books alike but for the age of their loans and the dating of repayments."""
    wrong = young.wrong + old.wrong + back_dated.wrong
    return [
        *_figures(f"close of {loans:,} loans 1 day old", young.day, loans),
        *_figures(f"close of {loans:,} loans {old_days} days old", old.day, loans),
        Figure("old to young", old.day.seconds / young.day.seconds, "×", bound=MAX_RATIO),
        *_figures("close after repayments dated back, old", back_dated.day, loans),
        Figure(
            "dated back to dated on the day",
            back_dated.day.seconds / old.day.seconds,
            "×",
            bound=MAX_BACK_DATED_RATIO,
        ),
        Figure(f"classes of a night that moves {old.moved:,} loans", old.moving_seconds, "s"),
        Figure("repayments recorded before it, old", _repaid_a_second(old, loans), "/s"),
        Figure("the same, dated back", _repaid_a_second(back_dated, loans), "/s"),
        Figure("differences from a fold of every 100th loan", wrong, "", bound=0),
    ]


def reading(young_ms: float, old_ms: float, *, old_days: int) -> list[Figure]:
    """What it takes to read a loan, its state and its statement, at both ages, in one book."""
    return [
        Figure("a loan read over the API, 1 day old", young_ms, "ms"),
        Figure(f"a loan read over the API, {old_days} days old", old_ms, "ms"),
        Figure("reading old to young", old_ms / young_ms, "×", bound=MAX_READING_RATIO),
    ]


def _figures(what: str, closed: Closed, loans: int) -> list[Figure]:
    millions = loans / 1_000_000
    bound = MAX_SECONDS if millions <= 1 else MAX_SECONDS_A_MILLION * millions
    steps = [Figure(f"  of it {step}", took, "s") for step, took in closed.steps.items()]
    return [Figure(what, closed.seconds, "s", bound=bound), *steps]


def _repaid_a_second(measured: Measured, loans: int) -> float:
    return loans // CHANGING / measured.day.change_seconds


def closes_of(loans: int, *, age_days: int, url: str, back_dated: bool = False) -> Measured:
    """Close days of a book of so many loans, in the database at ``url``, which is empty.

    With ``back_dated`` each loan that changes was repaid a part of on the day before the first.
    """
    from tallystick.book.servicing.close import close_through

    with psycopg.connect(url, autocommit=True) as owner:
        legal_entity_id = take_over(owner, loans=loans, age_days=age_days)
        owner.execute("ANALYZE")
        close_through(legal_entity_id, FIRST_DAY - timedelta(days=1))
        moved, moving_seconds = _most_moved(owner)
        owner.execute("VACUUM ANALYZE")
        first_day = FIRST_DAY
        if back_dated:
            _repay(owner, legal_entity_id, first_day, value_date=first_day)
            close_through(legal_entity_id, first_day)
            first_day += timedelta(days=1)
        days = [
            _closed(owner, legal_entity_id, first_day + timedelta(days=n), back_dated=back_dated)
            for n in range(DAYS)
        ]
        median = statistics.median_low(day.seconds for day in days)
        return Measured(
            next(day for day in days if day.seconds == median),
            differences(owner, legal_entity_id, first_day + timedelta(days=DAYS - 1)),
            moved,
            moving_seconds,
        )


def _most_moved(owner: psycopg.Connection[Any]) -> tuple[int, float]:
    """Of the nights closed so far, how many loans the one moved that moved most, and how long."""
    found = owner.execute(
        "SELECT (classes.figures::jsonb ->> 'moved')::integer,"
        " extract(epoch FROM classes.finished_at - before.finished_at)::float"
        " FROM servicing_daystep AS classes"
        " JOIN servicing_daystep AS before"
        "   ON before.date = classes.date AND before.step = 'delinquency'"
        " WHERE classes.step = 'classes' ORDER BY 1 DESC LIMIT 1"
    ).fetchone()
    assert found is not None
    return found[0], found[1]


def _closed(
    owner: psycopg.Connection[Any], legal_entity_id: int, day: date, *, back_dated: bool
) -> Closed:
    value_date = day - timedelta(days=BACK_DATED_DAYS) if back_dated else day
    return close_timed(
        owner,
        legal_entity_id,
        day,
        before=lambda: _repay(owner, legal_entity_id, day, value_date=value_date),
    )


def close_timed(
    owner: psycopg.Connection[Any], legal_entity_id: int, day: date, *, before: Callable[[], None]
) -> Closed:
    """Close a day after what changes on it ``before``, and tell what each of both took."""
    from tallystick.book.servicing.close import close_day

    change_seconds = seconds(before)
    took = seconds(lambda: close_day(legal_entity_id, day))
    done = owner.execute(
        "SELECT step, extract(epoch FROM finished_at)::float FROM servicing_daystep"
        " WHERE date = %s ORDER BY id",
        [day],
    ).fetchall()
    steps = {done[0][0]: took - (done[-1][1] - done[0][1])}
    steps |= {step: at - before for (_, before), (step, at) in pairwise(done)}
    return Closed(took, steps, change_seconds)


def _repay(
    owner: psycopg.Connection[Any], legal_entity_id: int, day: date, *, value_date: date
) -> None:
    """A repayment for every hundredth loan."""
    changing = owner.execute(
        "SELECT loan.id, facility.id, supplier.code FROM financing_loan AS loan"
        " JOIN financing_facility AS facility ON facility.id = loan.facility_id"
        " JOIN parties_party AS supplier ON supplier.id = facility.supplier_id"
        " WHERE loan.id %% %s = 0",
        [CHANGING],
    ).fetchall()
    repay_loans(
        [Repaid(*row, REPAID_MINOR) for row in changing],
        legal_entity_id=legal_entity_id,
        day=day,
        value_date=value_date,
    )


class Repaid(NamedTuple):
    """What a loan is repaid on a day."""

    loan_id: int
    facility_id: int
    supplier: str
    amount_minor: int


def repay_loans(
    repaid: Sequence[Repaid], *, legal_entity_id: int, day: date, value_date: date
) -> None:
    """A repayment for each of these loans, recorded as early repayments are."""
    from tallystick.book.acts.once import once
    from tallystick.book.parties.business_date import open_day
    from tallystick.book.servicing.allocation import Share, allocate, lock_facilities
    from tallystick.book.servicing.lines import Line
    from tallystick.book.servicing.positions import positions_of
    from tallystick.book.servicing.receipts import Receipt, keep_receipts
    from tallystick.book.servicing.recording import Cash, record_cash
    from tallystick.rules.settlement_terms import Sweep

    with once(bench_caller(), key=f"repayments {day}", kind="repay", request={}) as act:
        business_date = open_day(legal_entity_id)
        references = {each.loan_id: f"{day}:{each.loan_id}" for each in repaid}
        kept = keep_receipts(
            [
                Receipt(
                    references[each.loan_id], each.supplier, "CNY", each.amount_minor, value_date
                )
                for each in repaid
            ],
            legal_entity_id=legal_entity_id,
            booking_date=business_date,
            act_id=act.act_id,
        )
        facilities = lock_facilities(
            legal_entity_id, facility_ids={each.facility_id for each in repaid}
        )
        loans = positions_of(references)
        allocated = allocate(
            [
                Share(
                    kept[references[each.loan_id]],
                    each.facility_id,
                    each.loan_id,
                    each.amount_minor,
                    value_date,
                    Sweep.ALL,
                )
                for each in repaid
            ],
            facilities=facilities,
            covers_minor={},
            loans=loans,
            booking_date=business_date,
        )
        record_cash(
            [
                Cash(
                    kept[references[each.loan_id]],
                    references[each.loan_id],
                    "CNY",
                    each.amount_minor,
                    value_date,
                    0,
                    (),
                )
                for each in repaid
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


def differences(owner: psycopg.Connection[Any], legal_entity_id: int, day: date) -> int:
    """Sampled loans whose position is not their events' fold, and books the ledger differs from."""
    from tallystick.book.ledger.queries import balances
    from tallystick.book.servicing.accrual import owed_by_book
    from tallystick.book.servicing.history import loan_events
    from tallystick.book.servicing.positions import positions_of
    from tallystick.rules.loan_steps import position_of
    from tallystick.rules.loan_turns import standing_on

    def stands(loan: "LoanPosition") -> "Position":
        folded = position_of(loan.terms, events[loan.loan_id], on=day, known_on=day)
        return standing_on(folded, loan.booking_date)

    rows = owner.execute("SELECT id FROM financing_loan WHERE id %% %s = 0", [CHANGING]).fetchall()
    sample = [loan_id for (loan_id,) in rows]
    events = loan_events(sample)
    wrong = sum(loan.position != stands(loan) for loan in positions_of(sample).values())
    accounts = dict(
        owner.execute(
            "SELECT book_id, id FROM ledger_account WHERE name = 'interest_receivable'"
        ).fetchall()
    )
    held = balances(accounts.values(), on=day, known_on=day)
    return wrong + sum(
        held[accounts[book_id]].net_minor != owed.interest_minor
        for book_id, owed in owed_by_book(legal_entity_id, day=day).items()
    )
