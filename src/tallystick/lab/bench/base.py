"""How fast the borrowing base is: a whole book from a file, a batch, and one supplier.

The whole book is compared with the least that anybody could do with the same file: a scan,
filter and sum of the same columns, written by hand in Polars and run by the same engine in the
same process. The claims are drawn by hashing row numbers: the same on every machine with the same
version of Polars.
"""

import multiprocessing
import resource
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl

from tallystick.lab.bench.figures import Figure, median_seconds, seconds
from tallystick.rules.frames import STAGES
from tallystick.rules.pool_terms import Terms
from tallystick.rules.receivables import borrowing_base

ON = date(2026, 6, 30)
OBLIGORS_OF_A_SUPPLIER = 12
ROWS_AT_ONCE = 2_000_000
RUNS = 3

TERMS = Terms(
    advance_rate_bps={"order": 5_000, "receipt": 6_500, "invoice": 7_500, "settlement": 8_000},
    max_days_past_due=60,
    max_tenor_days=180,
    min_days_to_due=3,
    cross_ageing_share_bps=5_000,
    concentration_limit_bps=4_000,
    dilution_window_days=90,
    dilution_stress_bps=15_000,
)


def measure(*, claims: int, suppliers: int) -> list[Figure]:
    """Measure the base of ``claims`` claims of ``suppliers`` suppliers, and of smaller frames."""
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        _in_a_process(_write_claims, folder, claims, suppliers)
        by_hand, ours, peak_bytes = _in_a_process(_whole_book, folder)
    batch_size = min(1_000, suppliers)
    batch = claims_of(0, batch_size * max(1, claims // suppliers), suppliers=batch_size)
    single = claims_of(0, 5_000, suppliers=1)
    return [
        Figure(f"{claims:,} claims, scan, filter and sum by hand", by_hand, "s"),
        Figure(f"{claims:,} claims, the borrowing base", ours, "s"),
        Figure("ratio of the two", ours / by_hand, "×", bound=5),
        Figure("most memory held", peak_bytes / 2**30, "GiB", bound=6),
        Figure(f"claims a second, of {suppliers:,} suppliers", claims / ours, "/s"),
        Figure(
            f"{batch_size:,} changed suppliers, {len(batch):,} claims in memory",
            median_seconds(lambda: _base(batch), runs=7) * 1_000,
            "ms",
            bound=250,
        ),
        Figure(
            f"one supplier, {len(single):,} claims in memory",
            median_seconds(lambda: _base(single), runs=15) * 1_000,
            "ms",
            bound=25,
        ),
    ]


def claims_of(first: int, rows: int, *, suppliers: int) -> pl.DataFrame:
    """Rows ``first`` up to ``first + rows`` of an endless, always equal list of valid claims."""
    number = pl.col("number")
    supplier = number % suppliers
    days_ago = _drawn("issue", below=200)
    face_minor = 10_000 + _drawn("face", below=5_000_000)
    status = _drawn("status", below=100)
    return (
        pl.select(number=pl.int_range(first, first + rows, dtype=pl.Int64))
        .with_columns(
            supplier_id=pl.format("S{}", supplier),
            obligor_id=pl.format(
                "O{}", supplier * 7 + _drawn("obligor", below=OBLIGORS_OF_A_SUPPLIER)
            ),
            issue_date=pl.lit(ON) - pl.duration(days=days_ago),
            tenor_days=30 + _drawn("tenor", below=4) * 30,
            face_minor=face_minor,
            stage=pl.lit(pl.Series(STAGES)).gather(_drawn("stage", below=len(STAGES))),
        )
        .select(
            pl.format("C{}", number).alias("claim_id"),
            "supplier_id",
            "obligor_id",
            pl.lit("CNY").alias("currency"),
            "stage",
            pl.when(status < 90)
            .then(pl.lit("open"))
            .when(status < 93)
            .then(pl.lit("disputed"))
            .when(status < 95)
            .then(pl.lit("assigned_elsewhere"))
            .otherwise(pl.lit("closed"))
            .alias("status"),
            "face_minor",
            pl.when(status >= 95).then("face_minor").otherwise(0).alias("paid_minor"),
            pl.when(status < 10)
            .then(pl.col("face_minor") // 20)
            .otherwise(0)
            .cast(pl.Int64)
            .alias("diluted_minor"),
            "issue_date",
            (pl.col("issue_date") + pl.duration(days="tenor_days")).alias("due_date"),
        )
    )


def by_hand(claims: pl.LazyFrame) -> pl.LazyFrame:
    """The least one could do: what is open and not long overdue, by supplier, obligor and stage."""
    outstanding = pl.col("face_minor") - pl.col("paid_minor") - pl.col("diluted_minor")
    not_overdue = pl.col("due_date") >= pl.lit(ON) - pl.duration(days=TERMS.max_days_past_due)
    in_window = pl.col("issue_date") > pl.lit(ON) - pl.duration(days=TERMS.dilution_window_days)
    return (
        claims.filter((pl.col("status") == "open") & not_overdue)
        .group_by("supplier_id", "currency", "obligor_id", "stage")
        .agg(
            outstanding.sum().alias("outstanding_minor"),
            pl.col("diluted_minor").filter(in_window).sum().alias("window_diluted_minor"),
        )
    )


def _drawn(what: str, *, below: int) -> pl.Expr:
    seed = sum(what.encode())
    return (pl.col("number").hash(seed) % below).cast(pl.Int64)


def _base(claims: pl.DataFrame) -> Any:
    return borrowing_base(nw.from_native(claims), terms=TERMS, on=ON)


def _write_claims(folder: str, claims: int, suppliers: int) -> None:
    for first in range(0, claims, ROWS_AT_ONCE):
        rows = min(ROWS_AT_ONCE, claims - first)
        part = claims_of(first, rows, suppliers=suppliers)
        part.write_parquet(Path(folder, f"{first:012}.parquet"), compression="lz4")


def _whole_book(folder: str) -> tuple[float, float, int]:
    """Seconds by hand, seconds of the base, and the most memory this process held."""

    def scanned() -> pl.LazyFrame:
        return pl.scan_parquet(Path(folder, "*.parquet"))

    def hand() -> pl.DataFrame:
        return by_hand(scanned()).collect(engine="streaming")

    def ours() -> pl.DataFrame:
        base = borrowing_base(nw.from_native(scanned()), terms=TERMS, on=ON)
        return base.to_native().collect(engine="streaming")

    hand()  # the file is in the page cache for both
    runs = [(seconds(hand), seconds(ours)) for _ in range(RUNS)]
    peak_bytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return min(run[0] for run in runs), min(run[1] for run in runs), peak_bytes


def _in_a_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """Run it in a process of its own, so that the memory of one step is not another's."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=1, mp_context=spawn) as pool:
        return pool.submit(work, *arguments).result()
