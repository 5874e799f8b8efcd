"""The benchmark of late events measures what it says, on a loan of a tenth of the size."""

from tallystick.lab.bench import refold


def test_the_benchmark_dates_receipts_back_and_finds_the_position_to_be_the_fold(
    database, monkeypatch
):
    monkeypatch.setattr(refold, "EVENTS", 100)
    monkeypatch.setattr(refold, "DUES", 30)
    monkeypatch.setattr(refold, "ACCRUAL_DAYS", 60)
    with database.connect() as owner:
        figures = refold.measure(owner)

    assert [figure.bound for figure in figures] == [50, 100, 100, 0]
    assert all(figure.measured > 0 for figure in figures[:-1])
    assert figures[-1].measured == 0
