"""How fast files are imported: read, checked whole, recorded as documents and claims."""

import resource
import tempfile
from datetime import date
from pathlib import Path

import polars as pl

from tallystick.book.acts.once import Caller
from tallystick.book.parties.open_entity import NewLegalEntity, open_legal_entity
from tallystick.book.trade.imports.import_files import ImportReport, ImportRequest, import_files
from tallystick.book.trade.imports.mapping import parsed
from tallystick.lab.bench.figures import Figure, seconds

CALLER = Caller(owner="system", actor="bench", channel="lab")
OPENED = date(2026, 6, 30)
OBLIGORS_OF_A_SUPPLIER = 12
MAX_BYTES = 2_000_000_000
MAPPING = parsed(
    """
title = "drawn invoices"
kind = "invoice"
currency = "CNY"
[supplier]
column = "supplier"
[obligor]
column = "obligor"
[number]
columns = ["number"]
[issue_date]
column = "issued"
[due_date]
days_after_issue = 60
[amount]
columns = ["gross"]
""",
    name="bench",
)


def measure(*, claims: int, suppliers: int) -> list[Figure]:
    """Import ``claims`` invoices of ``suppliers`` suppliers as CSV, then the same file again."""
    legal_entity_id = open_legal_entity(
        NewLegalEntity("BENCH", "Bench", "Asia/Shanghai", "China", OPENED),
        caller=CALLER,
        key="entity",
    )
    with tempfile.TemporaryDirectory(prefix="tally-bench-") as folder:
        path = Path(folder, "invoices.csv")
        _invoices(claims, suppliers).write_csv(path)
        request = ImportRequest([path], MAPPING, legal_entity_id, max_bytes=MAX_BYTES)
        reports: list[ImportReport] = []
        first = seconds(lambda: reports.append(import_files(request, caller=CALLER)))
        again = seconds(lambda: reports.append(import_files(request, caller=CALLER)))
    assert reports[0].recorded == claims
    assert reports[1].imported_before
    peak_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return [
        Figure(f"{claims:,} invoices imported", first, "s"),
        Figure("validated claims a second", claims / first, "/s", bound=30_000, at_most=False),
        Figure("the same file again, recognised", again, "s"),
        Figure("most memory held", peak_kib / 2**20, "GiB", bound=2),
    ]


def _invoices(claims: int, suppliers: int) -> pl.DataFrame:
    number = pl.int_range(claims)
    return pl.select(
        supplier=pl.format("S{}", number % suppliers),
        obligor=pl.format("B{}", number // suppliers % OBLIGORS_OF_A_SUPPLIER),
        number=pl.format("INV-{}", number),
        issued=pl.lit(OPENED) - pl.duration(days=number % 90),
        gross=pl.format("{}.{}", number % 900 + 100, (number % 90 + 10)),
    )
