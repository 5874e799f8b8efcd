"""Amounts, rates, shares and dates as a person reads them, in the language of the page."""

from datetime import date
from decimal import Decimal

from django import template
from django.utils import formats
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from tallystick.faces.portal import advance_words, loan_words, words
from tallystick.rules.money import minor_digits, text_from_minor

register = template.Library()

SYMBOLS = {"CNY": "¥", "USD": "$", "EUR": "€", "GBP": "£", "BRL": "R$", "JPY": "JP¥", "HKD": "HK$"}
MINUS = "−"


@register.simple_tag
def money(amount_minor: int, currency: str, *, signed: bool = False) -> SafeString:
    """¥ 1,284,500.00; below zero with a minus sign, ``signed`` also with a plus."""
    sign = MINUS if amount_minor < 0 else "+" if signed and amount_minor > 0 else ""
    text = text_from_minor(abs(amount_minor), currency, thousands=True)
    return format_html(
        '<span class="num">{}{} {}</span>', sign, SYMBOLS.get(currency, currency), text
    )


@register.simple_tag
def short_money(amount_minor: int, currency: str) -> SafeString:
    """A large amount in a few digits: ¥ 91.42 m, and 9,142 万 in Chinese."""
    chinese = (get_language() or "").startswith("zh")
    whole = Decimal(amount_minor).scaleb(-minor_digits(currency))
    steps = (
        ((Decimal(10**8), "亿"), (Decimal(10**4), "万"))
        if chinese
        else ((Decimal(10**9), "bn"), (Decimal(10**6), "m"), (Decimal(10**3), "k"))
    )
    for step, word in steps:
        if abs(whole) >= step:
            text = f"{whole / step:,.2f} {word}"
            break
    else:
        text = f"{whole:,.2f}"
    return format_html(
        '<span class="num">{} {}</span>',
        SYMBOLS.get(currency, currency),
        text.replace("-", MINUS),
    )


@register.filter
def rate_percent(annual_rate_ppb: int) -> str:
    """9 % out of parts per billion a year, with as many digits as it has."""
    percent = Decimal(annual_rate_ppb).scaleb(-7).normalize()
    return f"{percent:f} %"


@register.filter
def reference_rate(name: str) -> str:
    """LPR-1Y, as the trade writes it, for the series ``lpr_1y``."""
    return name.upper().replace("_", "-")


@register.filter
def bps_percent(bps: int) -> str:
    """75 % out of basis points."""
    return f"{(Decimal(bps) / 100).normalize():f} %"


@register.filter
def ppm_percent(ppm: int) -> str:
    """0.62 % out of parts per million, to the hundredth below."""
    return f"{(Decimal(ppm // 100) / 100).normalize():f} %"


@register.filter
def fraction_percent(fraction: str) -> str:
    """9 % out of 0.09."""
    return f"{(Decimal(fraction) * 100).normalize():f} %"


@register.filter
def bps_length(bps: int) -> int:
    """The length of a bar of a hundred; what is there at all is at least one long."""
    return max(1 if bps > 0 else 0, min(100, bps // 100))


@register.filter
def iso_day(text: str) -> str:
    """The day of an ISO date, as ``day`` writes it."""
    return day(date.fromisoformat(text))


@register.filter
def day(value: date | None) -> str:
    """22 Nov 2026, or 2026年11月22日."""
    if value is None:
        return "—"
    chinese = (get_language() or "").startswith("zh")
    return formats.date_format(value, "Y年n月j日" if chinese else "j M Y")


@register.filter
def count(value: int) -> str:
    """12,345."""
    return f"{value:,}"


@register.filter
def named(code: str, group: str) -> str:
    """The word for a code of ``words.WORDS``: ``{{ loan.status|named:"loan_status" }}``."""
    return words.named(group, code)


@register.filter
def actor(name: str) -> str:
    """Who acted: ``{{ act.actor|actor }}``."""
    return words.actor_named(name)


@register.filter
def loan_term(name: str) -> str:
    """A term of a loan's figure: ``{{ term.name|loan_term }}``."""
    return loan_words.term_told(name)


@register.filter
def advance_term(name: str) -> str:
    """A term of an advance's figure: ``{{ term.name|advance_term }}``."""
    return advance_words.term_told(name)


@register.simple_tag
def state(code: str, group: str) -> SafeString:
    """The word for a code as a mark: ``{% state loan.status "loan_status" %}``."""
    look = words.look_of(group, code)
    return format_html(
        '<span class="state {}" data-mark="{}">{}</span>',
        look,
        words.MARKS[look],
        words.named(group, code),
    )
