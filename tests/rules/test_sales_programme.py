"""Programmes of advances out of sales: every term with its source, no price above the law's."""

from datetime import date
from importlib import resources

import pytest

from tallystick.rules.programme import InvalidProgramme
from tallystick.rules.sales_programme import read_sales_programmes, stored_sales_programme

TEXT = (resources.files("tallystick.programmes") / "sales_share" / "market.toml").read_text()
ON = date(2026, 9, 1)


def read(text: str = TEXT):
    return read_sales_programmes(text, file="market.toml", defined_on=ON)


def test_the_programmes_of_the_package_are_within_the_law_and_can_be_stored():
    for programme in read():
        assert stored_sales_programme(programme.code, programme.content) == programme


def test_a_fee_costs_the_more_a_year_the_faster_sales_repay_it():
    fixed, daily = read()

    # 5 % that comes back evenly over 180 days is outstanding for about 90 of them.
    assert fixed.apr_percent_at(360) < fixed.apr_percent_at(180) < fixed.apr_percent_at(90)
    assert 20 < fixed.apr_percent_at(180) < 24
    # A rate of 0.05 % a day costs the same at any pace: 1.0005 to the power of 365.
    assert daily.apr_percent_at(30) == daily.apr_percent_at(300)
    assert str(daily.apr_percent_at(30)) == "20.02"


@pytest.mark.parametrize(
    ("written", "instead", "remedy"),
    [
        pytest.param("fee_bps = 500", "fee_bps = 900", "above the 24.00 %", id="fee too high"),
        pytest.param(
            "min_expected_days = 180",
            "min_expected_days = 60",
            "above the 24.00 %",
            id="fee too high for so fast a pace",
        ),
        pytest.param(
            'daily_rate = "0.0005"',
            'daily_rate = "0.0007"',
            "above the 24.00 %",
            id="rate too high",
        ),
        pytest.param(
            "min_expected_days = 180",
            "min_expected_days = 400",
            "the least pace takes 360 days",
            id="faster than the least pace allows",
        ),
        pytest.param('minimum_share = "1/6"', 'minimum_share = "7/6"', "part", id="above one"),
        pytest.param("fee_bps = 500\n", "", "fee_bps, or daily_rate", id="no price"),
        pytest.param("share_bps = 1_000", "share_bps = 0", "Give a whole number", id="no share"),
        pytest.param('window_days = "illustrative"\n', "", "It is missing", id="no source"),
    ],
)
def test_what_cannot_be_is_refused_when_it_is_defined(written, instead, remedy):
    assert written in TEXT

    with pytest.raises(InvalidProgramme, match=remedy):
        read(TEXT.replace(written, instead, 1))
