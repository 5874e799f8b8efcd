"""Money in whole minor units: rounding by name, splitting to the last unit, reading and writing."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.money import (
    MINOR_DIGITS,
    FinerThanMinorUnit,
    NotAnAmount,
    NothingToAllocateBy,
    Rounding,
    UnknownCurrency,
    allocate,
    minor_digits,
    minor_from_text,
    rounded,
    rounded_decimal,
    text_from_minor,
)

units = st.integers(min_value=-(10**18), max_value=10**18)


@pytest.mark.parametrize(
    ("numerator", "half_up", "half_even", "up", "down"),
    [
        pytest.param(4, 0, 0, 1, 0, id="four tenths"),
        pytest.param(5, 1, 0, 1, 0, id="a half: to the even neighbour is zero"),
        pytest.param(15, 2, 2, 2, 1, id="one and a half: to the even neighbour is two"),
        pytest.param(25, 3, 2, 3, 2, id="two and a half: to the even neighbour is two"),
        pytest.param(26, 3, 3, 3, 2, id="a little above two and a half"),
        pytest.param(30, 3, 3, 3, 3, id="three is three in every way"),
        pytest.param(-5, -1, 0, -1, 0, id="minus a half: half-up is away from zero"),
        pytest.param(-15, -2, -2, -2, -1, id="minus one and a half"),
        pytest.param(-14, -1, -1, -2, -1, id="minus one and four tenths"),
    ],
)
def test_tenths_are_rounded_as_the_name_says(numerator, half_up, half_even, up, down):
    assert rounded(numerator, 10, Rounding.HALF_UP) == half_up
    assert rounded(numerator, 10, Rounding.HALF_EVEN) == half_even
    assert rounded(numerator, 10, Rounding.UP) == up
    assert rounded(numerator, 10, Rounding.DOWN) == down


@given(numerator=st.integers(0, 10**30), denominator=st.integers(1, 10**15))
def test_half_up_of_positive_numbers_is_the_formula_that_sql_uses(numerator, denominator):
    formula = (2 * numerator + denominator) // (2 * denominator)

    assert rounded(numerator, denominator, Rounding.HALF_UP) == formula


@given(numerator=units, denominator=st.integers(1, 10**9), rounding=st.sampled_from(Rounding))
def test_rounding_is_symmetric_about_zero_and_never_a_whole_unit_off(
    numerator, denominator, rounding
):
    whole = rounded(numerator, denominator, rounding)

    assert rounded(-numerator, denominator, rounding) == -whole
    assert abs(whole - Fraction(numerator, denominator)) < 1


def test_decimals_keep_their_digits_beyond_the_context_precision():
    long = Decimal("12345678901234567890123456789012345.675")

    assert rounded_decimal(long, Rounding.HALF_UP, digits=2) == Decimal(
        "12345678901234567890123456789012345.68"
    )
    assert str(rounded_decimal(Decimal("-1.0622867"), Rounding.DOWN, digits=1)) == "-1.0"
    assert rounded_decimal(Decimal(155), Rounding.HALF_EVEN, digits=-1) == 160


@pytest.mark.parametrize(
    ("total", "weights", "shares"),
    [
        pytest.param(100, [1, 1, 1], [34, 33, 33], id="a tie goes to the earlier"),
        pytest.param(15, [80, 8, 12], [12, 1, 2], id="the left-over unit goes where most was lost"),
        pytest.param(5, [0, 7, 3], [0, 4, 1], id="no weight, no share"),
        pytest.param(1, [Decimal("0.33"), Decimal("0.66")], [0, 1], id="decimal weights"),
        pytest.param(2, [Fraction(1, 3), Fraction(2, 3)], [1, 1], id="weights of thirds"),
        pytest.param(0, [1, 2], [0, 0], id="nothing is split into nothings"),
        pytest.param(-5, [7, 3], [-4, -1], id="a reversal mirrors the split of 5 into 4 and 1"),
    ],
)
def test_an_amount_is_split_by_largest_remainder(total, weights, shares):
    assert allocate(total, weights) == shares


@given(
    total=units,
    weights=st.lists(st.integers(0, 10**12), min_size=1, max_size=12).filter(any),
)
def test_a_split_hands_out_every_unit_and_is_never_a_unit_off(total, weights):
    shares = allocate(total, weights)

    assert sum(shares) == total
    assert allocate(-total, weights) == [-share for share in shares]
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(total * weight, sum(weights))) < 1


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_weights_that_name_no_recipient_are_refused(weights):
    with pytest.raises(NothingToAllocateBy, match="one of them above zero"):
        allocate(100, weights)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        ("1234.50", "CNY", 123450),
        ("1,234.5", "CNY", 123450),
        ("-0.05", "CNY", -5),
        ("1234", "JPY", 1234),
        ("1.005", "KWD", 1005),
        ("12.3400", "USD", 1234),
    ],
)
def test_an_amount_is_read_in_major_units(text, currency, minor):
    assert minor_from_text(text, currency) == minor


@pytest.mark.parametrize(
    "text", ["", "1.", ".5", "1e5", "NaN", "12,34.00", "１２", "1 000", "+-1", "9" * 5000, "0x1F"]
)
def test_text_that_is_no_amount_is_refused(text):
    with pytest.raises(NotAnAmount, match="is not an amount in CNY"):
        minor_from_text(text, "CNY")


def test_nothing_is_rounded_while_reading():
    with pytest.raises(FinerThanMinorUnit, match="Round the amount to 2 digits"):
        minor_from_text("1.005", "CNY")


@given(minor=units, currency=st.sampled_from(sorted(MINOR_DIGITS)), thousands=st.booleans())
def test_what_is_written_reads_back(minor, currency, thousands):
    assert minor_from_text(text_from_minor(minor, currency, thousands=thousands), currency) == minor


def test_amounts_are_written_with_all_digits_of_their_currency():
    assert text_from_minor(123450, "CNY") == "1234.50"
    assert text_from_minor(123456789, "CNY", thousands=True) == "1,234,567.89"
    assert text_from_minor(-5, "KWD") == "-0.005"
    assert text_from_minor(5, "JPY") == "5"


def test_an_unknown_currency_is_refused_by_name():
    assert [minor_digits(code) for code in ("CNY", "JPY", "KWD", "CLF")] == [2, 0, 3, 4]
    with pytest.raises(UnknownCurrency, match="'cny' is unknown"):
        minor_digits("cny")
