"""Five-category classification of loans, by the thresholds of a legal entity's rule pack.

A loan is first classed by what it is itself: its days past due, and facts recorded about it or
its debtor. A firm's debts then stand together: none is better than the firm's worst conduct
allows. What was non-performing performs again only after all arrears are paid and a time of
observation. The worst clause that holds decides, and is named.
"""

from collections.abc import Callable, Mapping, Sequence

import narwhals as nw
from narwhals.typing import FrameT

from tallystick.rules.expected_loss import stage
from tallystick.rules.rule_pack import NON_PERFORMING, AssetClass, Limit
from tallystick.rules.shares import share_down

NO_CLAUSE = ""
"""Clause of a loan that nothing speaks against."""

Clause = tuple[Limit, AssetClass, Callable[[int], nw.Expr]]
"""What a threshold leads to, and when it does, given its value."""

_IMPAIRED, _IS_FIRM = nw.col("credit_impaired"), ~nw.col("is_retail")
_WAS_BAD = _IS_FIRM & (nw.col("rank_before") >= NON_PERFORMING.rank)


def _days_over(days: int) -> nw.Expr:
    return nw.col("days_past_due") > days


def _loss_over(share_bps: int) -> nw.Expr:
    return _IMPAIRED & (nw.col("expected_loss_bps") > share_bps)


OVERDUE_CLAUSES: Sequence[Clause] = (
    (Limit.LOSS_OVER_DAYS, AssetClass.LOSS, _days_over),
    (Limit.DOUBTFUL_OVER_DAYS, AssetClass.DOUBTFUL, _days_over),
    (Limit.SUBSTANDARD_OVER_DAYS, AssetClass.SUBSTANDARD, _days_over),
    (Limit.SPECIAL_MENTION_OVER_DAYS, AssetClass.SPECIAL_MENTION, _days_over),
)

FACT_CLAUSES: Sequence[Clause] = (
    (Limit.LOSS_OVER_LOSS_BPS, AssetClass.LOSS, _loss_over),
    (Limit.DOUBTFUL_OVER_LOSS_BPS, AssetClass.DOUBTFUL, _loss_over),
    (Limit.CREDIT_IMPAIRED, AssetClass.SUBSTANDARD, lambda _on: _IMPAIRED),
    (Limit.DIVERTED_USE, AssetClass.SPECIAL_MENTION, lambda _on: nw.col("diverted_use")),
)

SHARE_CLAUSES: Sequence[Clause] = (
    (
        Limit.DEBTOR_OVER_SHARE_BPS,
        AssetClass.SUBSTANDARD,
        lambda _bps: _IS_FIRM & (nw.col("debtor_over_share") == 1),
    ),
    (
        Limit.ELSEWHERE_OVER_SHARE_BPS,
        AssetClass.SUBSTANDARD,
        lambda bps: _IS_FIRM & (nw.col("elsewhere_bps") > bps),
    ),
)

CURE_CLAUSES: Sequence[Clause] = (
    (
        Limit.CURE_NEEDS_NO_ARREARS,
        AssetClass.SUBSTANDARD,
        lambda _on: _WAS_BAD & (nw.col("days_past_due") > 0),
    ),
    (
        Limit.CURE_AFTER_MONTHS,
        AssetClass.SUBSTANDARD,
        lambda months: _WAS_BAD & (nw.col("months_observed") < months),
    ),
)
"""What keeps a firm's debt non-performing though nothing else does any more."""

TOGETHER_CLAUSES: Sequence[Clause] = (
    (
        Limit.DEBTOR_NON_PERFORMING,
        AssetClass.SPECIAL_MENTION,
        lambda _on: _IS_FIRM & (nw.col("debtor_worst_rank") >= NON_PERFORMING.rank),
    ),
)

DEBTOR_CLAUSES = (*SHARE_CLAUSES, *TOGETHER_CLAUSES)
"""What a firm's debts decide together; never those of retail debtors."""


def classified(loans: FrameT, *, limits: Mapping[Limit, int]) -> FrameT:
    """The loans, each with ``class_rank`` (``AssetClass.rank``), ``clause`` and ``stage`` besides.

    In: loan_id, debtor_id, currency, owed_minor, days_past_due, is_retail, diverted_use,
    credit_impaired, expected_loss_bps (the share of a credit-impaired loan that is expected lost;
    0 where nobody has said), elsewhere_bps (the share of the debtor's debts at all banks more than
    90 days overdue, as recorded), rebuts_stage_2, rebuts_stage_3, rank_before (of the class it was
    in till now), months_observed (whole months since nothing but CURE_AFTER_MONTHS has kept it
    non-performing). ``limits``: the thresholds in
    force (``RulePack.limits``). All debts of a debtor must be there: they stand together. Nothing
    is collected.
    """
    rank, clause = _worst([*OVERDUE_CLAUSES, *FACT_CLAUSES], limits)
    own = loans.with_columns(class_rank=rank, clause=clause)
    held_back = _at_least(
        _at_least(_with_shares(own, limits), SHARE_CLAUSES, limits), CURE_CLAUSES, limits
    )
    classed = _at_least(
        held_back.with_columns(debtor_worst_rank=nw.col("class_rank").max().over("debtor_id")),
        TOGETHER_CLAUSES,
        limits,
    )
    is_overdue_clause = nw.col("clause").is_in([str(limit) for limit, *_ in OVERDUE_CLAUSES])
    is_bad_otherwise = (nw.col("class_rank") >= NON_PERFORMING.rank) & ~is_overdue_clause
    return classed.with_columns(
        stage=stage(
            days_past_due=nw.col("days_past_due"),
            is_impaired=is_bad_otherwise | _IMPAIRED,
            over_days=(limits[Limit.STAGE_2_OVER_DAYS], limits[Limit.STAGE_3_OVER_DAYS]),
        )
    ).select(*loans.collect_schema().names(), "class_rank", "clause", "stage")


def _at_least(loans: FrameT, clauses: Sequence[Clause], limits: Mapping[Limit, int]) -> FrameT:
    """The loans no better than these clauses allow; a clause that says no worse is not named."""
    rank, clause = _worst(clauses, limits)
    is_worse = rank > nw.col("class_rank")
    return loans.with_columns(
        class_rank=nw.when(is_worse).then(rank).otherwise("class_rank"),
        clause=nw.when(is_worse).then(clause).otherwise("clause"),
    )


def _with_shares(loans: FrameT, limits: Mapping[Limit, int]) -> FrameT:
    """Whether more of what a debtor owes is non-performing than the limit.

    Debts in different currencies are not added up: each currency's share is held to the limit,
    and one above it is enough. Whole amounts are above the share or above its floor alike.
    """
    is_bad = nw.col("class_rank") >= NON_PERFORMING.rank
    share_bps = limits.get(Limit.DEBTOR_OVER_SHARE_BPS, 10_000)
    in_currency = loans.with_columns(
        bad_minor=nw.when(is_bad).then("owed_minor").otherwise(nw.lit(0))
    ).with_columns(
        debtor_owed_minor=nw.col("owed_minor").sum().over("debtor_id", "currency"),
        debtor_bad_minor=nw.col("bad_minor").sum().over("debtor_id", "currency"),
    )
    limit_minor = share_down(nw.col("debtor_owed_minor"), share_bps, whole=10_000)
    is_over = nw.col("debtor_bad_minor") > limit_minor
    return in_currency.with_columns(
        over_share=nw.when(is_over).then(nw.lit(1)).otherwise(nw.lit(0))
    ).with_columns(debtor_over_share=nw.col("over_share").max().over("debtor_id"))


def _worst(clauses: Sequence[Clause], limits: Mapping[Limit, int]) -> tuple[nw.Expr, nw.Expr]:
    """Rank and name of the worst clause that holds, the earlier of equals; normal where none."""
    rank, name = nw.lit(AssetClass.NORMAL.rank), nw.lit(NO_CLAUSE)
    worst_first = sorted(clauses, key=lambda clause: -clause[1].rank)
    for limit, asset_class, holds in reversed(worst_first):
        if limit in limits:
            is_so = holds(limits[limit])
            rank = nw.when(is_so).then(nw.lit(asset_class.rank)).otherwise(rank)
            name = nw.when(is_so).then(nw.lit(str(limit))).otherwise(name)
    return rank, name
