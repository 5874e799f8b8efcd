"""The worked example of docs/products/receivables-pool/notes.md, held to the code.

Source: computed by hand in the notes; every figure here stands in that page.
"""

from datetime import date

import narwhals as nw
import polars as pl
import pytest

from tallystick.rules.receivables import Terms, borrowing_base

ON = date(2026, 3, 31)
TERMS = Terms(
    advance_rate_bps={"order": 5_000, "receipt": 6_500, "invoice": 7_500, "settlement": 8_000},
    max_days_past_due=30,
    max_tenor_days=120,
    min_days_to_due=5,
    cross_ageing_share_bps=5_000,
    concentration_limit_bps=6_000,
    dilution_window_days=90,
    dilution_stress_bps=15_000,
)
CLAIMS = """
C1  settlement  MALL   open       400000.00       0.00  20000.00  2026-02-10  2026-04-20
C2  invoice     MALL   open       300000.00       0.00      0.00  2026-03-01  2026-05-10
C3  receipt     NORTH  open       200000.00       0.00      0.00  2026-03-10  2026-05-20
C4  order       NORTH  open       150000.00       0.00      0.00  2026-03-20  2026-06-01
C5  invoice     EAST   open       100000.00       0.00      0.00  2026-01-05  2026-02-20
C6  invoice     EAST   open        60000.00       0.00      0.00  2026-03-05  2026-05-05
C7  invoice     MALL   open        50000.00       0.00      0.00  2026-02-01  2026-04-02
C8  invoice     NORTH  disputed    40000.00       0.00      0.00  2026-03-15  2026-05-15
C9  settlement  MALL   closed     500000.00  490000.00  10000.00  2026-01-15  2026-03-20
"""


def minor(amount: str) -> int:
    """CNY as written in the notes, in fen."""
    return int(amount.replace(",", "").replace(".", ""))


def claims() -> nw.DataFrame[pl.DataFrame]:
    rows = [line.split() for line in CLAIMS.strip().splitlines()]
    return nw.from_native(
        pl.DataFrame(
            [
                {
                    "claim_id": code,
                    "supplier_id": "S1",
                    "obligor_id": obligor,
                    "currency": "CNY",
                    "stage": stage,
                    "status": status,
                    "face_minor": minor(face),
                    "paid_minor": minor(paid),
                    "diluted_minor": minor(diluted),
                    "issue_date": date.fromisoformat(issue),
                    "due_date": date.fromisoformat(due),
                }
                for code, stage, obligor, status, face, paid, diluted, issue, due in rows
            ]
        )
    )


@pytest.fixture(scope="module")
def base() -> dict[str, int]:
    [row] = borrowing_base(claims(), terms=TERMS, on=ON).rows(named=True)
    return row


@pytest.mark.parametrize(
    ("column", "amount"),
    [
        ("outstanding_minor", "1,280,000.00"),
        ("ineligible_past_due_minor", "100,000.00"),
        ("ineligible_cross_aged_minor", "60,000.00"),
        ("ineligible_too_near_minor", "50,000.00"),
        ("ineligible_disputed_minor", "40,000.00"),
        ("ineligible_closed_minor", "0.00"),
        ("eligible_minor", "1,030,000.00"),
        ("lendable_minor", "734,000.00"),
        ("excess_concentration_minor", "88,600.00"),
        ("gross_base_minor", "645,400.00"),
        ("dilution_reserve_minor", "16,135.65"),
        ("base_minor", "629,264.35"),
        ("cover_minor", "651,201.83"),
    ],
)
def test_the_base_of_the_notes(base, column, amount):
    assert base[column] == minor(amount)


def test_the_dilution_of_the_notes(base):
    assert base["dilution_ppm"] == 16_667
