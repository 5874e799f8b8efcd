"""The same rules on PySpark: ./tally test -m spark (needs the ``spark`` extra and Java 17).

Spark divides in floating point and, in its ANSI mode, stops at an overflow; the first is why
``rules.shares`` looks as it does. Beyond exact arithmetic it may therefore end with its own
ARITHMETIC_OVERFLOW instead of our refusal: never with a number.
"""

import random
from collections.abc import Iterator
from fractions import Fraction
from math import ceil, floor

import narwhals as nw
import polars as pl
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from tests.rules import oracle_receivables as oracle
from tests.rules.pools import Engine, base_on, claims_table, collected, pools, related_table

from tallystick.rules.receivables import MAX_FACE_MINOR, claims_with_reasons
from tallystick.rules.shares import floor_of, parts_per_million_up, share_down, share_up

pytestmark = [
    pytest.mark.spark,
    pytest.mark.filterwarnings("ignore"),  # PySpark's own, of its dependencies
]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    pyspark_sql = pytest.importorskip("pyspark.sql", reason="the 'spark' extra is not installed")
    session = (
        pyspark_sql.SparkSession.builder.master("local[2]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "2")
        .getOrCreate()
    )
    session.sparkContext.setLogLevel("ERROR")
    yield lambda frame: session.createDataFrame(frame.to_arrow())
    session.stop()


@settings(
    max_examples=8, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(pool=pools(min_claims=1, max_claims=25))
def test_the_borrowing_base_agrees_with_the_definition_read_aloud(engine, pool):
    assert base_on(engine, pool) == oracle.borrowing_base(pool)


@settings(
    max_examples=4, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
)
@given(pool=pools(min_claims=1, max_claims=25))
def test_the_reason_of_each_claim_agrees_with_the_definition_read_aloud(engine, pool):
    rows = collected(
        claims_with_reasons(
            nw.from_native(engine(claims_table(pool.claims))),
            terms=pool.terms,
            on=pool.on,
            related=nw.from_native(engine(related_table(pool))),
        )
    )

    assert {row["claim_id"]: row["reason"] for row in rows} == {
        claim.claim_id: oracle.reason(claim, pool) for claim in pool.claims
    }


def test_shares_and_quotients_of_totals_are_exact(engine):
    rng = random.Random(20260630)
    wholes = [rng.randint(1, MAX_FACE_MINOR) for _ in range(5_000)] + [MAX_FACE_MINOR] * 100
    values = [
        {
            "key": key,
            # Just under a multiple: where a quotient in floating point is most likely wrong.
            "total_e4": max(0, whole * 10_000 - rng.randint(0, 2)),
            "limit": rng.randint(0, 10_000),
            "stressed": rng.randint(0, 10**9),
            "part": rng.choice([whole, whole - 1, rng.randint(0, whole), whole // 1_000]),
            "whole": whole,
        }
        for key, whole in enumerate(wholes)
    ]

    answers = collected(
        nw.from_native(engine(pl.DataFrame(values))).select(
            "key",
            floor=floor_of(nw.col("total_e4"), 10_000),
            down=share_down(nw.col("total_e4"), nw.col("limit"), whole=10_000),
            up=share_up(nw.col("whole"), nw.col("stressed"), whole=1_000_000),
            ppm=parts_per_million_up(nw.col("part"), nw.col("whole")),
        )
    )

    assert sorted(answers, key=lambda row: row["key"]) == [
        {
            "key": value["key"],
            "floor": value["total_e4"] // 10_000,
            "down": floor(Fraction(value["total_e4"] * value["limit"], 10_000)),
            "up": ceil(Fraction(value["whole"] * value["stressed"], 1_000_000)),
            "ppm": ceil(Fraction(value["part"] * 1_000_000, value["whole"])),
        }
        for value in values
    ]
