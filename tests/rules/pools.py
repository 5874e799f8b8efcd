"""Pools of claims for tests: random ones, and the same claims as a frame of each engine."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

import duckdb
import narwhals as nw
import polars as pl
from hypothesis import strategies as st
from tests.rules.oracle_receivables import Claim, Pool

from tallystick.rules.eligibility import REASONS
from tallystick.rules.frames import CLAIMS, STAGES, STATUSES
from tallystick.rules.pool_terms import Terms
from tallystick.rules.receivables import MAX_FACE_MINOR, borrowing_base, ineligible_minor

ON = date(2026, 6, 30)

Engine = Callable[[pl.DataFrame], Any]

ENGINES: Mapping[str, Engine] = {
    "Polars": lambda frame: frame,
    "Polars streaming": lambda frame: frame.lazy(),
    "PyArrow": lambda frame: frame.to_arrow(),
    # One connection for all frames of a question, as they are joined.
    "DuckDB": lambda frame: duckdb.from_arrow(frame.to_arrow()),
}


def claims_table(claims: Sequence[Claim]) -> pl.DataFrame:
    schema = {
        name: pl.String
        if isinstance(kind, nw.String)
        else pl.Date
        if isinstance(kind, nw.Date)
        else pl.Int64
        for name, kind in CLAIMS.items()
    }
    return pl.DataFrame([asdict(claim) for claim in claims], schema=schema)


def related_table(pool: Pool) -> pl.DataFrame:
    pairs = [
        (supplier, obligor) for supplier, obligors in pool.related.items() for obligor in obligors
    ]
    return pl.DataFrame(
        pairs, schema={"supplier_id": pl.String, "obligor_id": pl.String}, orient="row"
    )


def override_table(pool: Pool) -> pl.DataFrame:
    return pl.DataFrame(
        list(pool.override_bps.items()),
        schema={"obligor_id": pl.String, "limit_bps": pl.Int64},
        orient="row",
    )


def collected(frame: Any) -> list[dict[str, Any]]:
    """Rows of a Narwhals frame of any engine."""
    if isinstance(frame, nw.LazyFrame):
        is_polars = frame.implementation.is_polars()
        frame = (
            nw.from_native(frame.to_native().collect(engine="streaming"))
            if is_polars
            else frame.collect()
        )
    return frame.rows(named=True)


def base_on(engine: Engine, pool: Pool) -> list[dict[str, Any]]:
    """The borrowing base as an engine computes it, in the order and form it is printed in."""
    rows = collected(
        borrowing_base(
            nw.from_native(engine(claims_table(pool.claims))),
            terms=pool.terms,
            on=pool.on,
            related=nw.from_native(engine(related_table(pool))),
            concentration_overrides=nw.from_native(engine(override_table(pool))),
        )
    )
    assert all(row["is_exact"] for row in rows)
    return [
        printed(row) for row in sorted(rows, key=lambda row: (row["supplier_id"], row["currency"]))
    ]


def printed(row: Mapping[str, Any]) -> dict[str, Any]:
    by_reason = {reason: row[ineligible_minor(reason)] for reason in REASONS}
    return {
        "supplier_id": row["supplier_id"],
        "currency": row["currency"],
        "outstanding_minor": row["outstanding_minor"],
        "ineligible": {reason: minor for reason, minor in by_reason.items() if minor},
        **{
            name: row[name]
            for name in (
                "eligible_minor",
                "lendable_minor",
                "excess_concentration_minor",
                "gross_base_minor",
                "dilution_ppm",
                "dilution_reserve_minor",
                "base_minor",
                "cover_minor",
            )
        },
    }


basis_points = st.sampled_from([0, 1, 2_500, 3_333, 5_000, 9_999, 10_000]) | st.integers(0, 10_000)
days = st.sampled_from([0, 1, 30, 60, 4_000_000]) | st.integers(0, 200)

all_terms = st.builds(
    Terms,
    advance_rate_bps=st.fixed_dictionaries(dict.fromkeys(STAGES, basis_points)),
    max_days_past_due=days,
    max_tenor_days=days,
    min_days_to_due=days,
    cross_ageing_share_bps=basis_points,
    concentration_limit_bps=basis_points,
    dilution_window_days=days,
    dilution_stress_bps=st.integers(0, 30_000) | st.just(10_000_000),
)

OBLIGORS = ("O1", "O2", "O3", "O4")


@st.composite
def pools(draw: st.DrawFn, *, min_claims: int = 0, max_claims: int = 12) -> Pool:
    """Valid pools whose faces sum to anything from nothing to the largest exact total."""
    count = draw(st.integers(min_claims, max_claims))
    largest = draw(st.sampled_from([3, 1_000, 10_000_000, MAX_FACE_MINOR // max(1, count)]))
    claims = [draw(claim(f"C{number}", largest)) for number in range(count)]
    return Pool(
        claims=claims,
        terms=draw(all_terms),
        on=ON,
        related=draw(
            st.dictionaries(
                st.sampled_from(["S1", "S2"]),
                st.lists(st.sampled_from(OBLIGORS), max_size=2),
                max_size=2,
            )
        ),
        override_bps=draw(st.dictionaries(st.sampled_from(OBLIGORS), basis_points, max_size=2)),
    )


@st.composite
def claim(draw: st.DrawFn, claim_id: str, largest_minor: int) -> Claim:
    face = draw(st.integers(0, largest_minor) | st.just(largest_minor))
    paid = draw(st.just(0) | st.integers(0, face))
    diluted = draw(st.just(0) | st.integers(0, face - paid) | st.just(face - paid))
    issued = ON - timedelta(days=draw(st.integers(0, 200)))
    return Claim(
        claim_id=claim_id,
        supplier_id=draw(st.sampled_from(["S1", "S1", "S2"])),
        obligor_id=draw(st.sampled_from(OBLIGORS)),
        currency=draw(st.sampled_from(["CNY", "CNY", "CNY", "JPY"])),
        stage=draw(st.sampled_from(STAGES)),
        status=draw(st.sampled_from(["open"] * 4 + list(STATUSES))),
        face_minor=face,
        paid_minor=paid,
        diluted_minor=diluted,
        issue_date=issued,
        due_date=issued + timedelta(days=draw(st.integers(0, 200))),
    )
