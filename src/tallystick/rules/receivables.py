"""Receivables as collateral: eligibility, lendable value, concentration, dilution, borrowing base.

Every rule takes frames and gives a frame, of whatever engine they came in, and collects nothing:
it serves one changed supplier and the whole book. Amounts are integer minor units; ``_e4`` marks
minor units × 10,000, in which advance rates in basis points lose nothing. The clauses are those of
``docs/products/receivables-pool/specification.md``.

Totals stay within 64 bits as long as Σ face × 10,000 < 2⁶³ for a supplier and currency. Whether
that holds is a column of the result, computed so that it cannot wrap itself; where it does not
hold there is no base, and ``refuse_inexact`` names the supplier. (PySpark in its ANSI mode may stop
at the overflow itself, before there is a result.)
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import narwhals as nw
from narwhals.typing import FrameT

from tallystick.rules.eligibility import (
    OWN_REASONS,
    REASONS,
    outstanding_minor,
    own_reason,
    past_due,
)
from tallystick.rules.pool_terms import Terms
from tallystick.rules.refusal import Refusal
from tallystick.rules.shares import floor_of, parts_per_million_up, share_down, share_up

SUPPLIER = ("supplier_id", "currency")
OBLIGOR = ("supplier_id", "currency", "obligor_id")


def ineligible_minor(reason: str) -> str:
    """The column with the sum of what ``reason`` excludes."""
    return f"ineligible_{reason}_minor"


BASE_AMOUNTS = (
    "outstanding_minor",
    *map(ineligible_minor, REASONS),
    "eligible_minor",
    "lendable_minor",
    "excess_concentration_minor",
    "gross_base_minor",
    "dilution_ppm",
    "dilution_reserve_minor",
    "base_minor",
    "cover_minor",
)

MAX_INT64 = 2**63 - 1
MAX_FACE_MINOR = MAX_INT64 // 10_000
"""Largest Σ face of one supplier and currency: Σ face × 10,000 is below 2⁶³."""
MAX_LENDABLE_E4 = MAX_FACE_MINOR * 10_000

# Faces are summed a second time in units of 2³², which cannot wrap below 2³² claims. Where that
# sum is under the bound, the one in minor units is below 2⁶², did not wrap, and can be trusted.
FACE_UNIT = 2**32
MAX_FACE_UNITS = 2**29


class BeyondExactArithmetic(Refusal):
    """Σ face × 10,000 of a supplier and currency reaches 2⁶³, where 64 bits stop being exact."""

    def __init__(self, suppliers: Sequence[tuple[str, str]]) -> None:
        self.suppliers = tuple(suppliers)
        named = ", ".join(f"{supplier} in {currency}" for supplier, currency in suppliers[:10])
        more = f" and {len(suppliers) - 10} more" if len(suppliers) > 10 else ""
        super().__init__(
            f"The faces of {named}{more} sum to more than {MAX_FACE_MINOR} minor units, "
            "beyond which a base is no longer exact. "
            "Look for a face in the wrong unit, or split the claims over several pools."
        )


def borrowing_base(
    claims: FrameT,
    *,
    terms: Terms,
    on: date,
    related: FrameT | None = None,
    concentration_overrides: FrameT | None = None,
) -> FrameT:
    """What can be lent against each supplier's claims in each currency, with all its parts.

    In: a valid claims frame (``frames``); related: supplier_id, obligor_id;
    concentration_overrides: obligor_id, limit_bps from 0 to 10,000, an obligor once. All of one
    engine. Out, a row for every supplier and currency of the claims, in no order: supplier_id,
    currency, outstanding_minor, one ineligible_<reason>_minor for each of REASONS,
    eligible_minor, lendable_minor, excess_concentration_minor, gross_base_minor, dilution_ppm,
    dilution_reserve_minor, base_minor, cover_minor, is_exact. Where not is_exact, base and cover
    are null and no amount can be trusted: pass the collected frame to ``refuse_inexact``.

    gross base = floor(Σ counted / 10,000); reserve = ceil(gross × stressed / 10⁶), stressed =
    ceil(dilution_ppm × ``dilution_stress_bps`` / 10,000); base = max(0, gross − reserve); cover
    is the base with ``min_days_to_due`` off.
    """
    by_obligor = summed_by_obligor(claims, terms=terms, on=on)
    accepted = barred_by_obligor(by_obligor, terms=terms, related=related)
    counted = counted_by_obligor(
        accepted, limit_bps=terms.concentration_limit_bps, overrides=concentration_overrides
    )
    return reserved_by_supplier(counted, dilution_stress_bps=terms.dilution_stress_bps)


def refuse_inexact(base: nw.DataFrame[Any]) -> None:
    """Raise BeyondExactArithmetic where a collected borrowing base is not exact."""
    beyond = base.filter(~nw.col("is_exact")).select(*SUPPLIER).sort(*SUPPLIER)
    if len(beyond):
        raise BeyondExactArithmetic(beyond.rows())


def claims_with_reasons(
    claims: FrameT, *, terms: Terms, on: date, related: FrameT | None = None
) -> FrameT:
    """Each claim with outstanding_minor and the reason why it is not eligible, "" where it is.

    In: as for ``borrowing_base``, whose sums by reason these are. Out: in no order.
    """
    by_obligor = barred_by_obligor(
        summed_by_obligor(claims, terms=terms, on=on), terms=terms, related=related
    )
    own = nw.col("reason")
    return (
        claims.with_columns(outstanding_minor=outstanding_minor(), reason=own_reason(terms, on=on))
        .join(
            by_obligor.select(*OBLIGOR, "is_related", "is_cross_aged"), on=list(OBLIGOR), how="left"
        )
        .with_columns(
            reason=nw.when(own != "")
            .then(own)
            .when("is_related")
            .then(nw.lit("related"))
            .when("is_cross_aged")
            .then(nw.lit("cross_aged"))
            .otherwise(nw.lit(""))
        )
        .drop("is_related", "is_cross_aged")
    )


def summed_by_obligor(claims: FrameT, *, terms: Terms, on: date) -> FrameT:
    """The claims of each supplier, currency and obligor in sums: one pass over the claims.

    Out: the keys; face_minor and face_units (of 2³² minor units) of all claims;
    outstanding_minor; overdue_minor, the part of it past due whatever its status;
    window_face_minor and window_diluted_minor; one ineligible_<reason>_minor for each reason of
    the claim's own; eligible_minor, what none of these excludes; lendable_e4 of the eligible, and
    cover_lendable_e4 of the eligible and the too near.
    """
    outstanding, face, reason = nw.col("outstanding_minor"), nw.col("face_minor"), nw.col("reason")
    lendable_e4 = outstanding.clip(upper_bound=MAX_FACE_MINOR) * advance_rate_bps(terms)
    in_window = in_dilution_window(terms, on=on)
    parts_minor: dict[str, nw.Expr] = {
        "overdue_minor": only_where(past_due(terms, on=on), outstanding),
        "window_face_minor": only_where(in_window, face),
        "window_diluted_minor": only_where(in_window, nw.col("diluted_minor")),
        "eligible_minor": only_where(reason == "", outstanding),
    } | {ineligible_minor(own): only_where(reason == own, outstanding) for own in OWN_REASONS}
    lendable_parts_e4 = {
        "lendable_e4": only_where(reason == "", lendable_e4),
        "cover_lendable_e4": only_where(reason.is_in(["", "too_near"]), lendable_e4),
    }
    amounts_minor = ["outstanding_minor", *parts_minor]
    return (
        claims.with_columns(outstanding_minor=outstanding_minor(), reason=own_reason(terms, on=on))
        .select(
            *OBLIGOR,
            "face_minor",
            "outstanding_minor",
            face_units=face // FACE_UNIT,
            **parts_minor,
            **lendable_parts_e4,
        )
        .group_by(*OBLIGOR)
        .agg(nw.col("face_minor", "face_units", *amounts_minor, *lendable_parts_e4).sum())
        .with_columns(
            bounded("face_minor", "face_units", at=MAX_INT64),
            bounded(*amounts_minor, at=MAX_FACE_MINOR),
            bounded(*lendable_parts_e4, at=MAX_LENDABLE_E4),
        )
    )


def advance_rate_bps(terms: Terms) -> nw.Expr:
    """The rate of the claim's stage, in basis points."""
    rate_bps = terms.advance_rate_bps
    return (
        nw.when(nw.col("stage") == "order")
        .then(rate_bps["order"])
        .when(nw.col("stage") == "receipt")
        .then(rate_bps["receipt"])
        .when(nw.col("stage") == "invoice")
        .then(rate_bps["invoice"])
        .otherwise(rate_bps["settlement"])
    )


def in_dilution_window(terms: Terms, *, on: date) -> nw.Expr:
    """Issued in the ``dilution_window_days`` that end with ``on``, whatever became of it."""
    issued = nw.col("issue_date") <= on
    if terms.dilution_window_days > (on - date.min).days:
        return issued
    return issued & (nw.col("issue_date") > on - timedelta(days=terms.dilution_window_days))


def only_where(condition: nw.Expr, amount: nw.Expr) -> nw.Expr:
    """The amount where the condition holds, else 0."""
    return nw.when(condition).then(amount).otherwise(0)


def bounded(*sums: str, at: int) -> nw.Expr:
    """Sums as 64-bit integers again: DuckDB makes them decimals of 38 digits."""
    return nw.col(*sums).clip(upper_bound=at).cast(nw.Int64)


def barred_by_obligor(by_obligor: FrameT, *, terms: Terms, related: FrameT | None) -> FrameT:
    """Exclude what is still eligible where the obligor is related, else where it is cross-aged.

    Cross-aged: overdue × 10,000 > ``cross_ageing_share_bps`` × outstanding, both of all claims of
    that supplier, currency and obligor whatever their status.

    In: as ``summed_by_obligor`` gives; related: supplier_id, obligor_id. Out: the same columns
    and is_related, is_cross_aged, and the amounts that these exclude.
    """
    overdue, outstanding = nw.col("overdue_minor"), nw.col("outstanding_minor")
    cross_aged = overdue * 10_000 > outstanding * terms.cross_ageing_share_bps
    is_related, is_cross_aged = nw.col("is_related"), nw.col("is_cross_aged")
    accepted = ~is_related & ~is_cross_aged
    eligible = nw.col("eligible_minor")
    return (
        marked_related(by_obligor, related=related)
        .with_columns(is_cross_aged=cross_aged & ~is_related)
        .with_columns(
            ineligible_related_minor=only_where(is_related, eligible),
            ineligible_cross_aged_minor=only_where(is_cross_aged, eligible),
            eligible_minor=only_where(accepted, eligible),
            lendable_e4=only_where(accepted, nw.col("lendable_e4")),
            cover_lendable_e4=only_where(accepted, nw.col("cover_lendable_e4")),
        )
    )


def marked_related(frame: FrameT, *, related: FrameT | None) -> FrameT:
    """The frame with is_related: the obligor is in the supplier's related set."""
    if related is None:
        return frame.with_columns(is_related=nw.lit(False))
    # Grouped: a pair that is named twice must not double the obligor.
    pairs = related.group_by("supplier_id", "obligor_id").agg(times_named=nw.len())
    return (
        frame.join(pairs, on=["supplier_id", "obligor_id"], how="left")
        .with_columns(is_related=~nw.col("times_named").is_null())
        .drop("times_named")
    )


def counted_by_obligor(by_obligor: FrameT, *, limit_bps: int, overrides: FrameT | None) -> FrameT:
    """Each obligor's lendable value, counted up to its share of the pool.

    counted = min(lendable, floor(limit_bps × L / 10,000)), where L is the sum of lendable over
    the supplier's obligors, taken once, before any cap; an override replaces the limit. The same
    for cover, on its own L.

    In: supplier_id, currency, obligor_id, lendable_e4, cover_lendable_e4;
    overrides: obligor_id, limit_bps. Out: the same and counted_e4, cover_counted_e4.
    """
    limited = with_limit(by_obligor, limit_bps=limit_bps, overrides=overrides)
    pooled = limited.with_columns(
        pool_e4=nw.col("lendable_e4").sum().over(*SUPPLIER),
        cover_pool_e4=nw.col("cover_lendable_e4").sum().over(*SUPPLIER),
    ).with_columns(bounded("pool_e4", "cover_pool_e4", at=MAX_LENDABLE_E4))
    cap_e4 = share_down(nw.col("pool_e4"), nw.col("limit_bps"), whole=10_000)
    cover_cap_e4 = share_down(nw.col("cover_pool_e4"), nw.col("limit_bps"), whole=10_000)
    return pooled.with_columns(
        counted_e4=nw.min_horizontal(nw.col("lendable_e4"), cap_e4),
        cover_counted_e4=nw.min_horizontal(nw.col("cover_lendable_e4"), cover_cap_e4),
    )


def with_limit(by_obligor: FrameT, *, limit_bps: int, overrides: FrameT | None) -> FrameT:
    """The frame with limit_bps: the obligor's override, else the common limit."""
    common_bps = nw.lit(limit_bps, nw.Int64)
    if overrides is None:
        return by_obligor.with_columns(limit_bps=common_bps)
    limits = overrides.select("obligor_id", nw.col("limit_bps").cast(nw.Int64))
    return by_obligor.join(limits, on="obligor_id", how="left").with_columns(
        limit_bps=nw.coalesce(nw.col("limit_bps"), common_bps)
    )


def reserved_by_supplier(by_obligor: FrameT, *, dilution_stress_bps: int) -> FrameT:
    """The borrowing base out of the obligors' counted values, as ``borrowing_base`` gives it."""
    amounts_minor = [
        "outstanding_minor",
        *(ineligible_minor(reason) for reason in REASONS),
        "eligible_minor",
        "window_face_minor",
        "window_diluted_minor",
    ]
    values_e4 = ["lendable_e4", "counted_e4", "cover_counted_e4"]
    gross, cover_gross = nw.col("gross_base_minor"), nw.col("cover_gross_minor")
    is_exact = (nw.col("face_units") < MAX_FACE_UNITS) & (nw.col("face_minor") <= MAX_FACE_MINOR)
    window_face = nw.col("window_face_minor").clip(lower_bound=1)  # no claims, no dilution
    stressed_ppm = nw.col("stressed_ppm")
    reserve, cover_reserve = nw.col("dilution_reserve_minor"), nw.col("cover_reserve_minor")
    parts = (
        by_obligor.group_by(*SUPPLIER)
        .agg(nw.col("face_minor", "face_units", *amounts_minor, *values_e4).sum())
        .with_columns(
            bounded(*amounts_minor, at=MAX_FACE_MINOR), bounded(*values_e4, at=MAX_LENDABLE_E4)
        )
        .with_columns(
            lendable_minor=floor_of(nw.col("lendable_e4"), 10_000),
            gross_base_minor=floor_of(nw.col("counted_e4"), 10_000),
            cover_gross_minor=floor_of(nw.col("cover_counted_e4"), 10_000),
            dilution_ppm=parts_per_million_up(nw.col("window_diluted_minor"), window_face),
        )
        .with_columns(
            stressed_ppm=share_up(nw.col("dilution_ppm"), dilution_stress_bps, whole=10_000)
        )
        .with_columns(
            excess_concentration_minor=nw.col("lendable_minor") - gross,
            dilution_reserve_minor=share_up(gross, stressed_ppm, whole=1_000_000),
            cover_reserve_minor=share_up(cover_gross, stressed_ppm, whole=1_000_000),
        )
        .with_columns(
            base_minor=nw.when(is_exact).then((gross - reserve).clip(lower_bound=0)),
            cover_minor=nw.when(is_exact).then((cover_gross - cover_reserve).clip(lower_bound=0)),
            is_exact=is_exact,
        )
    )
    return parts.select(*SUPPLIER, *BASE_AMOUNTS, "is_exact")
