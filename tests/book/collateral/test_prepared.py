"""A prepared plan gives what the rule gives, on whatever day and whatever it was run on before."""

from dataclasses import asdict
from datetime import date

import narwhals as nw
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from tests.rules.pools import ON, pools

from tallystick.book.collateral.prepared import (
    CLAIM_COLUMNS,
    OVERRIDE_COLUMNS,
    RELATED_COLUMNS,
    base_of,
)
from tallystick.rules.receivables import borrowing_base

# Firms are numbers here, as they are in the book.
NUMBERS = {"S1": 1, "S2": 2, "O1": 11, "O2": 12, "O3": 13, "O4": 14}
EARLIEST, LATEST = date(1990, 1, 1), date(2090, 1, 1)


@settings(max_examples=40, deadline=None)
@given(
    pool=pools(min_claims=1),
    on=st.dates(EARLIEST, LATEST),
    later=st.dates(EARLIEST, LATEST),
)
def test_a_prepared_plan_gives_what_the_rule_gives_on_any_day(pool, on, later):
    claims = pl.DataFrame(
        [
            {
                **asdict(claim),
                "supplier_id": NUMBERS[claim.supplier_id],
                "obligor_id": NUMBERS[claim.obligor_id],
                "issue_date": claim.issue_date + (on - ON),
                "due_date": claim.due_date + (on - ON),
            }
            for claim in pool.claims
        ],
        schema_overrides=CLAIM_COLUMNS,
    ).select(*CLAIM_COLUMNS)
    related = pl.DataFrame(
        [
            (NUMBERS[supplier], NUMBERS[obligor])
            for supplier, obligors in pool.related.items()
            for obligor in obligors
        ],
        schema=RELATED_COLUMNS,
        orient="row",
    )
    overrides = pl.DataFrame(
        [(NUMBERS[obligor], limit_bps) for obligor, limit_bps in pool.override_bps.items()],
        schema=OVERRIDE_COLUMNS,
        orient="row",
    )

    def ruled(day):
        base = borrowing_base(
            nw.from_native(claims.lazy()),
            terms=pool.terms,
            on=day,
            related=nw.from_native(related.lazy()),
            concentration_overrides=nw.from_native(overrides.lazy()),
        )
        return base.collect().to_native().sort("supplier_id", "currency")

    # The same claims on two days: the second run must not see anything of the first.
    for day in (on, later, on):
        given_base = base_of(claims, terms=pool.terms, on=day, related=related, overrides=overrides)
        assert_frame_equal(given_base.sort("supplier_id", "currency"), ruled(day))
