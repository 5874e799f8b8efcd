"""The real sets, held to the facts that their publishers state; they lie beside the checkout.

Sources: the counts and sums published with each set (CUMCM 2020 problem C, attachments 1 and 2;
IBM sample of receivables; Olist, orders of 2017).
"""

import os
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from tallystick.book.trade.imports.mapping import preset
from tallystick.book.trade.imports.tables import read_and_convert
from tallystick.lab.run_replay import prepare_replay
from tallystick.lab.sets import find_set

BESIDE = Path(__file__).parents[3] / "shared" / "data"
DATA = os.environ.get("TALLY_DATA") or (str(BESIDE) if BESIDE.is_dir() else None)

pytestmark = pytest.mark.skipif(
    DATA is None and os.environ.get("CI") != "true", reason="TALLY_DATA names no data"
)


def converted(name):
    paths = find_set(name, data=None, environment_data=DATA)
    return {
        path.name: outcome
        for path, outcome in read_and_convert(paths, preset(name), max_bytes=10**9)
    }


@pytest.mark.parametrize(
    ("file", "documents", "credit_notes", "dropped", "net_minor"),
    [
        # valid rows; negative rows less those cancelled too; cancelled; sum of the valid rows
        ("invoices_out_credit.parquet", 97_657, 3_587 - 34, 7_903, 743_516_894_258),
        ("invoices_out_nocredit.parquet", 303_280, 5_697 - 115, 27_555, 1_669_233_288_311),
    ],
)
def test_sales_invoices_of_small_firms(file, documents, credit_notes, dropped, net_minor):
    outcome = converted("cumcm2020c")[file]
    by_kind = {
        kind: (count, minor)
        for kind, count, minor in outcome.documents.group_by("kind")
        .agg(count=pl.len(), minor=pl.sum("amount_minor"))
        .iter_rows()
    }

    assert outcome.refusals == []
    assert outcome.documents.height == documents
    assert by_kind["credit_note"][0] == credit_notes
    assert sum(outcome.dropped.values()) == dropped
    assert by_kind["invoice"][1] - by_kind["credit_note"][1] == net_minor


def test_receivables_with_their_settlement_dates():
    outcome = converted("ibm_ar")["invoices.parquet"]

    assert outcome.refusals == []
    assert outcome.documents.height == 1_845
    assert outcome.documents["amount_minor"].sum() == 11_051_782
    assert outcome.documents["disputed_date"].count() == 419


def test_delivered_items_of_a_marketplace():
    outcome = converted("olist")["order_items.parquet"]

    assert outcome.refusals == []
    # Of 11,252 items those of undelivered orders, and of one delivered without a date, are out.
    assert outcome.documents.height + sum(outcome.dropped.values()) == 11_252
    assert outcome.dropped["no order_delivered_customer_date"] == 1


def test_a_month_of_real_receivables_is_financed_and_the_books_agree(database):
    run = prepare_replay(
        "ibm_ar",
        find_set("ibm_ar", data=None, environment_data=DATA),
        draw_share_ppm=800_000,
        lateness_seed=1,
        from_date=None,
        to_date=date(2012, 1, 31),
    )
    summary = run.walk(on_day=lambda _day: None)

    assert run.verify() == []
    assert summary.draws > 0
    assert summary.last.drawn_minor == 0
    assert summary.last.outstanding_minor == 0
