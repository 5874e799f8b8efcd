"""Figures as a person reads them."""

from datetime import date

import pytest
from django.utils import translation
from django.utils.html import strip_tags

from tallystick.faces.portal.templatetags import figures


@pytest.mark.parametrize(
    ("amount_minor", "currency", "told"),
    [
        (128_450_000, "CNY", "¥ 1,284,500.00"),
        (-1_260_000, "CNY", "−¥ 12,600.00"),
        (1_500, "JPY", "JP¥ 1,500"),
        (5, "KWD", "KWD 0.005"),
    ],
)
def test_an_amount_has_its_sign_its_currency_and_all_its_digits(amount_minor, currency, told):
    assert strip_tags(figures.money(amount_minor, currency)) == told


def test_a_change_shows_that_it_is_one():
    assert strip_tags(figures.money(8_230_000, "CNY", signed=True)) == "+¥ 82,300.00"


@pytest.mark.parametrize(("language", "told"), [("en", "¥ 91.42 m"), ("zh-hans", "¥ 9,142.00 万")])
def test_a_large_amount_is_short_in_the_readers_own_steps(language, told):
    with translation.override(language):
        assert strip_tags(figures.short_money(9_142_000_000, "CNY")) == told


@pytest.mark.parametrize(("language", "told"), [("en", "5 Feb 2026"), ("zh-hans", "2026年2月5日")])
def test_a_date_is_told_as_the_reader_tells_it(language, told):
    with translation.override(language):
        assert figures.day(date(2026, 2, 5)) == told


def test_a_rate_has_as_many_digits_as_it_has():
    assert figures.rate_percent(90_000_000) == "9 %"
    assert figures.rate_percent(87_650_000) == "8.765 %"
    assert figures.bps_percent(7_550) == "75.5 %"
