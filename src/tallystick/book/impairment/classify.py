"""Class loans and advances at the end of a day, and move them to the books of their classes.

The close of day D finds the classes while D + 1 is open. A class counts from D on. The move
between books is booked in D + 1 with value date D, after whatever D + 1 has brought the debt
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
from tallystick.book.impairment.advances_standing import advances_settled_since
from tallystick.book.impairment.debts import class_of_rank
from tallystick.book.impairment.models import STILL_IN_FORCE
from tallystick.book.impairment.packs import InForce, pack_on
from tallystick.book.impairment.standing import settled_since, standing_on
from tallystick.book.ledger.models import Book
from tallystick.book.sales_credit.rebook import rebook_advances
from tallystick.book.servicing.rebook import rebook
from tallystick.rules.classification import NO_CLAUSE, classified
from tallystick.rules.rule_pack import AssetClass, Limit


class Classed(NamedTuple):
    """A debt's class from a day on; the recognised amounts are None where interest accrues."""

    debt_id: int
    asset_class: AssetClass
    clause: str
    stage: int
    days_past_due: int
    suspended_from_date: date | None
    interest_recognised_minor: int | None
    penalty_recognised_minor: int | None


def classify(legal_entity_id: int, *, day: date, act_id: int) -> dict[str, Any]:
    """Class the debts by the legal entity's rule pack; returns what changed, counted.

    Nothing happens where there is no pack. Part of the caller's transaction.
    """
    held_to = pack_on(legal_entity_id, day)
    if held_to is None:
        return {"pack": None}
    debts = classes_on(legal_entity_id, day, held_to)
    loans, advances = debts.filter(~pl.col("is_advance")), debts.filter("is_advance")
    of_loans = _changed(loans, held_to, day) + [
        _nothing_owed(loan_id) for loan_id in settled_since(legal_entity_id, day)
    ]
    of_advances = _changed(advances, held_to, day) + [
        _nothing_owed(advance_id) for advance_id in advances_settled_since(legal_entity_id, day)
    ]
    _store("loan", of_loans, pack_id=held_to.pack_id, day=day)
    _store("advance", of_advances, pack_id=held_to.pack_id, day=day)
    # Facilities before lines out of sales, as everywhere.
    moved = rebook(legal_entity_id, _in_other_books(legal_entity_id, loans), day=day, act_id=act_id)
    moved += rebook_advances(
        legal_entity_id, _in_other_books(legal_entity_id, advances), day=day, act_id=act_id
    )
    changed = of_loans + of_advances
    return {
        "pack": held_to.pack.code,
        "changed": len(changed),
        "moved": moved,
        "to": dict(sorted(Counter(str(each.asset_class) for each in changed).items())),
    }


def classes_on(legal_entity_id: int, day: date, held_to: InForce) -> pl.DataFrame:
    """The debts of ``standing_on`` with class_rank, clause and stage."""
    limits = held_to.pack.limits(on=day)
    standing = standing_on(legal_entity_id, day, bad_over_days=limits[Limit.SUBSTANDARD_OVER_DAYS])
    return classified(nw.from_native(standing), limits=limits).to_native()


def _changed(debts: pl.DataFrame, held_to: InForce, day: date) -> list[Classed]:
    """What is classed otherwise than before, by another clause, or in another stage."""
    ranks = {str(each): each.rank for each in AssetClass}
    differing = debts.filter(
        (pl.col("class_rank") != pl.col("class_before").replace_strict(ranks))
        | (pl.col("clause") != pl.col("clause_before"))
        | (pl.col("stage") != pl.col("stage_before"))
    )
    non_accrual_rank = held_to.pack.non_accrual_from.rank
    return [
        _classed(row, is_suspended=row["class_rank"] >= non_accrual_rank, day=day)
        for row in differing.sort("debt_id").iter_rows(named=True)
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
        row["debt_id"],
        class_of_rank(row["class_rank"]),
        row["clause"],
        row["stage"],
        row["days_past_due"],
        suspended_from,
        interest_minor,
        penalty_minor,
    )


def _nothing_owed(debt_id: int) -> Classed:
    return Classed(debt_id, AssetClass.NORMAL, NO_CLAUSE, 1, 0, None, None, None)


def _store(debt: str, changed: Sequence[Classed], *, pack_id: int, day: date) -> None:
    """Keep the classes of loans or advances (``debt``); an advance has no penalty."""
    if not changed:
        return
    penalty = ", penalty_recognised_minor" if debt == "loan" else ""
    columns = (
        f"{debt}_id, asset_class, clause, stage, days_past_due, suspended_from_date,"
        f" interest_recognised_minor{penalty}"
    )
    with connection.cursor() as cursor:
        # Two statements: the unique index on what is in force sees the row before it as ended.
        cursor.execute(
            f"UPDATE impairment_{debt}class SET superseded_date = %s"
            f" WHERE {debt}_id = ANY(%s::bigint[]) AND superseded_date = %s",
            [day, plain([each.debt_id for each in changed]), STILL_IN_FORCE],
        )
        cursor.execute(
            f"INSERT INTO impairment_{debt}class (from_date, superseded_date, pack_id, {columns})"
            f" SELECT %s, %s, %s, {columns}"
            " FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::smallint[],"
            " %s::integer[], %s::date[], %s::bigint[], %s::bigint[]) AS now"
            f" ({debt}_id, asset_class, clause, stage, days_past_due, suspended_from_date,"
            " interest_recognised_minor, penalty_recognised_minor)",
            [
                day,
                STILL_IN_FORCE,
                pack_id,
                plain([each.debt_id for each in changed]),
                plain([each.asset_class for each in changed]),
                plain([each.clause or '""' for each in changed]),
                plain([each.stage for each in changed]),
                plain([each.days_past_due for each in changed]),
                plain([each.suspended_from_date for each in changed]),
                plain([each.interest_recognised_minor for each in changed]),
                plain([each.penalty_recognised_minor for each in changed]),
            ],
        )


def _in_other_books(legal_entity_id: int, debts: pl.DataFrame) -> dict[int, AssetClass]:
    """The class of each debt that is kept in the book of another, by row id."""
    books = Book.objects.filter(legal_entity=legal_entity_id)
    rank_of_book = {book.pk: AssetClass(book.asset_class).rank for book in books}
    misplaced = debts.filter(
        pl.col("class_rank")
        != pl.col("book_id").replace_strict(rank_of_book, return_dtype=pl.Int64)
    )
    return {
        debt_id: class_of_rank(rank)
        for debt_id, rank in misplaced.select("debt_id", "class_rank").sort("debt_id").rows()
    }
