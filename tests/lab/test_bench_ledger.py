"""The ledger's benchmark measures what it says, on books that stay sound."""

import pytest

from tallystick.book.ledger.checks import ledger_checks
from tallystick.book.ledger.models import Entry
from tallystick.lab.bench import ledger


def test_the_benchmark_names_a_figure_and_a_ratio_for_each_claim(database, monkeypatch):
    monkeypatch.setattr(ledger, "SINGLE_ROUNDS", 1)
    monkeypatch.setattr(ledger, "CONNECTIONS", (1, 2))
    monkeypatch.setattr(ledger, "QUESTIONS", 3)

    figures = ledger.measure(
        database.url, bulk_entries=20, round_seconds=0.05, days=3, postings_a_day=100
    )

    bounds = {figure.what: figure.bound for figure in figures if figure.bound is not None}
    assert bounds == {
        "bulk: post_many": 150_000,
        "bulk: ratio of the two": 0.35,
        "single: ratio of the two at 1 connection": 0.6,
        "single: ratio of the two at 2 connections": 0.6,
        "balance now of 400 postings, 100 unsealed": 5,
        "balance, slowest of 3 past (on, known_on)": 20,
    }
    assert all(figure.measured > 0 for figure in figures)
    by_name = {figure.what: figure.measured for figure in figures}
    assert by_name["bulk: ratio of the two"] == pytest.approx(
        by_name["bulk: post_many"] / by_name["bulk: COPY without triggers"]
    )
    # Six rounds of bulk, three sealed days of 2 entries, an open day of 100, and the single ones.
    assert Entry.objects.filter(legal_entity__code="BULK").count() == 6 * 20
    assert Entry.objects.filter(legal_entity__code="LARGE").count() == 3 * 2 + 100
    assert Entry.objects.filter(legal_entity__code="SINGLES").count() > 10
    assert [finding for check in ledger_checks() for finding in check.run()] == []
