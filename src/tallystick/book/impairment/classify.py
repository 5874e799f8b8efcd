"""Class the loans at the end of a day, and move them to the books of their classes.

The close of day D finds the classes while D + 1 is open. A class counts from D on. The move
between books is booked in D + 1 with value date D, after whatever D + 1 has brought the loan
already: a balance asked for D then shows it in its class.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
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
from tallystick.book.servicing.rebook import rebook
from tallystick.rules.classification import NO_CLAUSE, classified
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
    moved = rebook(legal_entity_id, _in_other_books(legal_entity_id, loans), day=day, act_id=act_id)
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


def _in_other_books(legal_entity_id: int, loans: pl.DataFrame) -> dict[int, AssetClass]:
    """The class of each loan that is kept in the book of another, by loan id."""
    books = Book.objects.filter(legal_entity=legal_entity_id)
    rank_of_book = {book.pk: AssetClass(book.asset_class).rank for book in books}
    misplaced = loans.filter(
        pl.col("class_rank")
        != pl.col("book_id").replace_strict(rank_of_book, return_dtype=pl.Int64)
    )
    return {
        loan_id: class_of_rank(rank)
        for loan_id, rank in misplaced.select("loan_id", "class_rank").sort("loan_id").rows()
    }
