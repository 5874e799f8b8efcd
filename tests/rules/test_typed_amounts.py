"""What people type as an amount is understood, or answered with what to type instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.money import UnknownCurrency, text_from_minor
from tallystick.rules.trade_documents import MAX_AMOUNT_MINOR
from tallystick.rules.typed_amounts import (
    AmbiguousTypedAmount,
    HiddenCharacterTyped,
    NegativeTypedAmount,
    NotATypedAmount,
    NothingTyped,
    OtherCurrencyTyped,
    OverlongTypedAmount,
    TooLargeTypedAmount,
    TooManyDecimalsTyped,
    UnreadableTypedAmount,
    minor_from_typed,
)


@pytest.mark.parametrize(
    ("text", "currency", "minor"),
    [
        pytest.param("1000", "CNY", 100_000, id="plain digits"),
        pytest.param(" 1000.5 ", "CNY", 100_050, id="one decimal, spaces around"),
        pytest.param("1,000.50", "CNY", 100_050, id="thousands separator"),
        pytest.param("1 000 000.50", "CNY", 100_000_050, id="spaces between thousands"),
        pytest.param("1\u00a0000", "CNY", 100_000, id="no-break space between thousands"),
        pytest.param("１０００", "CNY", 100_000, id="full-width digits"),
        pytest.param("１，０００．５０", "CNY", 100_050, id="full-width punctuation"),
        pytest.param("1000万", "CNY", 1_000_000_000, id="ten thousands"),
        pytest.param("1.5 亿", "CNY", 15_000_000_000, id="hundred millions"),
        pytest.param("1.23456万元", "CNY", 1_234_560, id="decimals of ten thousand"),
        pytest.param("¥1,000", "CNY", 100_000, id="yuan sign"),
        pytest.param("￥１０００元", "CNY", 100_000, id="sign on both sides, full width"),
        pytest.param("CNY 1000", "CNY", 100_000, id="code before"),
        pytest.param("1000 rmb", "CNY", 100_000, id="name after"),
        pytest.param("¥1,000", "JPY", 1_000, id="yen sign, no decimals"),
        pytest.param("$5.10", "USD", 510, id="dollar sign"),
        pytest.param("1.250", "KWD", 1_250, id="three decimals where the currency has three"),
        pytest.param("0", "CNY", 0, id="zero is for the act to decide on"),
    ],
)
def test_a_typed_amount_is_understood(text, currency, minor):
    assert minor_from_typed(text, currency) == minor


@pytest.mark.parametrize(
    ("text", "refusal", "says"),
    [
        pytest.param("", NothingTyped, "No amount", id="empty"),
        pytest.param(" \u3000", NothingTyped, "No amount", id="only spaces"),
        pytest.param("1" * 41, OverlongTypedAmount, "at most 40", id="overlong"),
        pytest.param("1" * 10_000_000, OverlongTypedAmount, "10,000,000", id="ten million"),
        pytest.param("1.000,50", AmbiguousTypedAmount, "without separators", id="comma decimals"),
        pytest.param("1,00", AmbiguousTypedAmount, "without separators", id="two after the comma"),
        pytest.param("1,0000", AmbiguousTypedAmount, "three digits", id="groups of four"),
        pytest.param("1.000.000", AmbiguousTypedAmount, "more than one way", id="two points"),
        pytest.param("1'000", AmbiguousTypedAmount, "more than one way", id="apostrophe"),
        pytest.param("1.000", TooManyDecimalsTyped, "Type 1.00 if", id="one, or one thousand"),
        pytest.param("12.345", TooManyDecimalsTyped, "has 2 decimals", id="a tenth of a cent"),
        pytest.param("1.2345678万", TooManyDecimalsTyped, "decimals", id="finer than a cent"),
        pytest.param("-5", NegativeTypedAmount, "below zero", id="minus"),
        pytest.param("－５", NegativeTypedAmount, "below zero", id="full-width minus"),
        pytest.param("(5.00)", NegativeTypedAmount, "below zero", id="brackets of accountants"),
        pytest.param("¥-5", NegativeTypedAmount, "below zero", id="minus after the sign"),
        pytest.param("$5", OtherCurrencyTyped, "not the currency", id="another sign"),
        pytest.param("5 usd", OtherCurrencyTyped, "USD", id="another code"),
        pytest.param("1\u200b000", HiddenCharacterTyped, "U\\+200B", id="zero-width space"),
        pytest.param("\u202e1000", HiddenCharacterTyped, "U\\+202E", id="right-to-left override"),
        pytest.param("9" * 40, TooLargeTypedAmount, "Type at most", id="beyond the books"),
        pytest.param("9000亿亿", NotATypedAmount, "in digits", id="multiplied twice"),
        pytest.param("一千", NotATypedAmount, "in digits", id="numerals"),
        pytest.param("٣", NotATypedAmount, "in digits", id="digits of another script"),
        pytest.param("1e3", NotATypedAmount, "in digits", id="exponent"),
        pytest.param("NaN", NotATypedAmount, "in digits", id="not a number"),
        pytest.param("=1+1", NotATypedAmount, "in digits", id="formula"),
        pytest.param("CNY", NotATypedAmount, "in digits", id="a code alone"),
    ],
)
def test_what_cannot_be_understood_is_answered_with_what_to_type(text, refusal, says):
    with pytest.raises(refusal, match=says) as raised:
        minor_from_typed(text, "CNY")

    assert raised.value.currency == "CNY"
    assert raised.value.remedy


def test_an_unknown_currency_is_refused():
    with pytest.raises(UnknownCurrency):
        minor_from_typed("1", "YUAN")


@given(st.integers(0, MAX_AMOUNT_MINOR), st.sampled_from(["CNY", "JPY", "KWD"]), st.booleans())
def test_an_amount_as_it_is_shown_can_be_typed(minor, currency, thousands):
    shown = text_from_minor(minor, currency, thousands=thousands)

    assert minor_from_typed(f"{shown} {currency}", currency) == minor


@given(st.text("0123456789０５.,，。 '-+()万亿¥$元CNYUSDe\u200b\u202e", max_size=45))
def test_any_text_is_an_amount_or_a_refusal(text):
    try:
        minor = minor_from_typed(text, "CNY")
    except UnreadableTypedAmount:
        return
    assert 0 <= minor <= MAX_AMOUNT_MINOR
