"""Class the loans at the end of a day, and move them to the books of their classes.

The close of day D finds the classes while D + 1 is open. A class counts from D on. The move
between books is booked in D + 1 with value date D, after whatever D + 1 has brought the loan
already: a balance asked for D then shows it in its class.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import narwhals as nw
import polars as pl
from django.db import connection

from tallystick.book.columns import plain
from tallystick.book.impairment.models import STILL_IN_FORCE
from tallystick.book.impairment.packs import InForce, pack_on
from tallystick.book.impairment.standing import class_of_rank, settled_since, standing_on
from tallystick.book.ledger.models import Book
from tallystick.book.ledger.post import post_many
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.positions import LoanPosition, positions_of, store
from tallystick.rules.accounting import Booking, book_changed
from tallystick.rules.classification import NO_CLAUSE, classified
from tallystick.rules.journal import JournalEntry
from tallystick.rules.loan_balances import balances
from tallystick.rules.rule_pack import AssetClass, Limit


class Classed(NamedTuple):
    """A loan's class from a day on; the recognised amounts are None where interest accrues."""

    loan_id: int
    asset_class: AssetClass
    clause: str
    stage: int
    days_past_due: int
    suspended_from_date: date | None
    interest_recognised_minor: int | None
    penalty_recognised_minor: int | None


def classify(legal_entity_id: int, *, day: date, act_id: int) -> dict[str, Any]:
    """Class the loans by the legal entity's rule pack; returns what changed, counted.

    Nothing happens where there is no pack. Part of the caller's transaction.
    """
    held_to = pack_on(legal_entity_id, day)
    if held_to is None:
        return {"pack": None}
    loans = classes_on(legal_entity_id, day, held_to)
    changed = _changed(loans, held_to, day)
    changed += [_nothing_owed(loan_id) for loan_id in settled_since(legal_entity_id, day)]
    _store(changed, pack_id=held_to.pack_id, day=day)
    moved = _move(legal_entity_id, loans, day=day, act_id=act_id)
    return {
        "pack": held_to.pack.code,
        "changed": len(changed),
        "moved": moved,
        "to": dict(sorted(Counter(str(each.asset_class) for each in changed).items())),
    }


def classes_on(legal_entity_id: int, day: date, held_to: InForce) -> pl.DataFrame:
    """The loans of ``standing_on`` with class_rank, clause and stage."""
    limits = held_to.pack.limits(on=day)
    standing = standing_on(legal_entity_id, day, bad_over_days=limits[Limit.SUBSTANDARD_OVER_DAYS])
    return classified(nw.from_native(standing), limits=limits).to_native()


def _changed(loans: pl.DataFrame, held_to: InForce, day: date) -> list[Classed]:
    """What is classed otherwise than before, by another clause, or in another stage."""
    ranks = {str(each): each.rank for each in AssetClass}
    differing = loans.filter(
        (pl.col("class_rank") != pl.col("class_before").replace_strict(ranks))
        | (pl.col("clause") != pl.col("clause_before"))
        | (pl.col("stage") != pl.col("stage_before"))
    )
    non_accrual_rank = held_to.pack.non_accrual_from.rank
    return [
        _classed(row, is_suspended=row["class_rank"] >= non_accrual_rank, day=day)
        for row in differing.sort("loan_id").iter_rows(named=True)
    ]


def _classed(row: Mapping[str, Any], *, is_suspended: bool, day: date) -> Classed:
    """Interest that runs after this night is suspended; what ran before has been income."""
    suspended_from = interest_minor = penalty_minor = None
    if is_suspended and row["suspended_from"]:
        suspended_from = date.fromisoformat(row["suspended_from"])
        interest_minor = row["interest_recognised_minor"]
        penalty_minor = row["penalty_recognised_minor"]
    elif is_suspended:
        suspended_from = day + timedelta(days=1)
        interest_minor = row["interest_accrued_minor"]
        penalty_minor = row["penalty_accrued_minor"]
    return Classed(
        row["loan_id"],
        class_of_rank(row["class_rank"]),
        row["clause"],
        row["stage"],
        row["days_past_due"],
        suspended_from,
        interest_minor,
        penalty_minor,
    )


def _nothing_owed(loan_id: int) -> Classed:
    return Classed(loan_id, AssetClass.NORMAL, NO_CLAUSE, 1, 0, None, None, None)


def _store(changed: Sequence[Classed], *, pack_id: int, day: date) -> None:
    if not changed:
        return
    with connection.cursor() as cursor:
        # Two statements: the unique index on what is in force sees the row before it as ended.
        cursor.execute(
            "UPDATE impairment_loanclass SET superseded_date = %s"
            " WHERE loan_id = ANY(%s::bigint[]) AND superseded_date = %s",
            [day, plain([each.loan_id for each in changed]), STILL_IN_FORCE],
        )
        cursor.execute(
            "INSERT INTO impairment_loanclass (loan_id, from_date, superseded_date, pack_id,"
            " asset_class, clause, stage, days_past_due, suspended_from_date,"
            " interest_recognised_minor, penalty_recognised_minor)"
            " SELECT loan_id, %s, %s, %s, asset_class, clause, stage, days, suspended, interest,"
            " penalty FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::smallint[],"
            " %s::integer[], %s::date[], %s::bigint[], %s::bigint[]) AS now"
            " (loan_id, asset_class, clause, stage, days, suspended, interest, penalty)",
            [
                day,
                STILL_IN_FORCE,
                pack_id,
                plain([each.loan_id for each in changed]),
                plain([each.asset_class for each in changed]),
                plain([each.clause or '""' for each in changed]),
                plain([each.stage for each in changed]),
                plain([each.days_past_due for each in changed]),
                plain([each.suspended_from_date for each in changed]),
                plain([each.interest_recognised_minor for each in changed]),
                plain([each.penalty_recognised_minor for each in changed]),
            ],
        )


def _move(legal_entity_id: int, loans: pl.DataFrame, *, day: date, act_id: int) -> int:
    """Move the loans that are kept in the book of another class; returns how many."""
    books = {book.pk: book for book in Book.objects.filter(legal_entity=legal_entity_id)}
    wanted = {
        loan_id: class_of_rank(rank)
        for loan_id, book_id, rank in loans.select("loan_id", "book_id", "class_rank").rows()
        if books[book_id].asset_class != class_of_rank(rank)
    }
    if not wanted:
        return 0
    found = positions_of(wanted)
    lock_facilities(legal_entity_id, facility_ids={loan.facility_id for loan in found.values()})
    # Read again under lock: the day that is open goes on meanwhile, and may have settled some.
    moving = [loan for loan in positions_of(wanted).values() if loan.status == "live"]
    to_book = _books_for(moving, wanted, books)
    booking_date = day + timedelta(days=1)
    post_many(
        [
            entry
            for loan in moving
            if (entry := _moved(loan, to_book[loan.loan_id], day)) is not None
        ],
        act_id=act_id,
    )
    store(
        [loan._replace(book_id=to_book[loan.loan_id]) for loan in moving],
        booking_date=booking_date,
    )
    _write_books(to_book)
    return len(moving)


def _books_for(
    moving: Iterable[LoanPosition], wanted: Mapping[int, AssetClass], books: dict[int, Book]
) -> dict[int, int]:
    """The book of each loan's class, opened where it is the first; by loan id."""
    by_book: dict[tuple[int, AssetClass], list[int]] = defaultdict(list)
    for loan in moving:
        by_book[loan.book_id, wanted[loan.loan_id]].append(loan.loan_id)
    to_book = {}
    for (book_id, asset_class), loan_ids in sorted(by_book.items()):
        old = books[book_id]
        new, _ = Book.objects.get_or_create(
            legal_entity_id=old.legal_entity_id,
            programme=old.programme,
            funder_id=old.funder_id,
            currency=old.currency,
            asset_class=str(asset_class),
        )
        to_book |= dict.fromkeys(loan_ids, new.pk)
    return to_book


def _moved(loan: LoanPosition, to_book: int, day: date) -> JournalEntry | None:
    """What the loan owes after the night of ``day`` and what has met it since; None if nothing."""
    assert loan.position is not None
    booking_date = day + timedelta(days=1)
    owed = balances(loan.position, max(booking_date, loan.position.last_value_date))
    if not owed.owed_minor or to_book == loan.book_id:
        return None
    return book_changed(
        Booking(loan.legal_entity_id, loan.currency, f"loan:{loan.code}", day, booking_date),
        from_book=loan.book_id,
        to_book=to_book,
        balances_minor={
            "fees": owed.fees_due_minor,
            "penalty": owed.penalty_due_minor,
            "interest": owed.interest_due_minor,
            "principal": owed.principal_minor,
        },
    )


def _write_books(to_book: Mapping[int, int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE financing_loan AS loan SET book_id = moved.book_id"
            " FROM unnest(%s::bigint[], %s::bigint[]) AS moved (id, book_id)"
            " WHERE loan.id = moved.id",
            [plain(to_book), plain(to_book.values())],
        )
