"""The worked example of docs/products/instalment-credit/notes.md, held to the code.

Source: the instalment computed from the formula in the notes, in fractions; the rows by adding up.
"""

from datetime import date
from fractions import Fraction
from itertools import pairwise

import pytest

from tallystick.book.calendars import china
from tallystick.book.financing.programmes import preset
from tallystick.rules.pricing import price_of_instalments
from tallystick.rules.repayment import Agreed, instalments

DRAWN = date(2026, 1, 12)
AMOUNT_MINOR = 12_000_000
TABLE = """
2026-02-12  31   1,426.85  19,391.48  20,818.33  100,608.52
2026-03-12  28   1,080.51  19,737.82  20,818.33   80,870.70
2026-04-13  32     992.60  19,825.73  20,818.33   61,044.97
2026-05-12  29     679.02  20,139.31  20,818.33   40,905.66
2026-06-12  31     486.39  20,331.94  20,818.33   20,573.72
2026-07-13  31     244.63  20,573.72  20,818.35        0.00
"""


def minor(amount: str) -> int:
    """CNY as written in the notes, in fen."""
    return int(amount.replace(",", "").replace(".", ""))


def table() -> list[tuple[date, int, int, int, int, int]]:
    rows = [line.split() for line in TABLE.strip().splitlines()]
    return [(date.fromisoformat(due), int(days), *map(minor, rest)) for due, days, *rest in rows]


@pytest.fixture(scope="module")
def agreed() -> Agreed:
    terms = preset("jd.jingxiaodai")
    assert terms.price.annual_rate is not None
    return instalments(
        terms.repayment,
        amount_minor=AMOUNT_MINOR,
        annual_rate=terms.price.annual_rate,
        day_count=terms.price.day_count,
        drawn_date=DRAWN,
        tenor_days=180,
        max_tenor_days=terms.drawdown.max_tenor_days,
        calendar=china(),
        adjustment=terms.drawdown.due_date_adjustment,
    )


def test_the_instalments_of_the_preset_are_those_of_the_notes(agreed):
    days = [
        (due - before).days for before, due in pairwise([DRAWN, *(r.due_date for r in agreed.rows)])
    ]

    assert [
        (
            row.due_date,
            nights,
            row.interest_minor,
            row.principal_minor,
            row.interest_minor + row.principal_minor,
            row.balance_minor,
        )
        for row, nights in zip(agreed.rows, days, strict=True)
    ] == table()


def test_the_level_instalment_is_the_amount_over_its_discounted_payments(agreed):
    factor, annuity = Fraction(1), Fraction(0)
    for _, days, *_ in table():
        factor /= 1 + Fraction(14, 100) * days / 365
        annuity += factor

    assert agreed.plan.level_minor == round(AMOUNT_MINOR / annuity) == 20_818_33


def test_the_table_of_the_notes_adds_up_by_itself():
    left_minor, interest_to_date = AMOUNT_MINOR, Fraction(0)
    for _, days, interest_minor, principal_minor, paid_minor, after_minor in table():
        before = interest_to_date
        interest_to_date += Fraction(14, 100) * left_minor * days / 365
        assert interest_minor == round(interest_to_date) - round(before)
        assert paid_minor == interest_minor + principal_minor
        left_minor -= principal_minor
        assert left_minor == after_minor


def test_the_offer_tells_interest_and_the_rate_of_all_charges(agreed):
    price = price_of_instalments(AMOUNT_MINOR, agreed.rows, drawn_date=DRAWN, fees_minor=0)

    assert price.interest_minor == 4_910_00
    # Worth nothing at 14.93 % compounded a year: the payments discounted come to the amount.
    worth = sum(row[4] / 1.1493 ** ((row[0] - DRAWN).days / 365) for row in table())
    assert worth == pytest.approx(AMOUNT_MINOR, rel=5e-5)
    assert str(price.apr_percent_estimate) == "14.93"
