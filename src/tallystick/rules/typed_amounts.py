"""Amounts as people type them: understood where one reading is possible, else asked again."""

import re
from typing import ClassVar

from tallystick.rules.hidden_characters import hidden_character
from tallystick.rules.money import MINOR_DIGITS, minor_digits, text_from_minor
from tallystick.rules.refusal import Refusal
from tallystick.rules.trade_documents import MAX_AMOUNT_MINOR

MAX_TYPED_CHARACTERS = 40

_MULTIPLIERS = {"万": 10**4, "萬": 10**4, "亿": 10**8, "億": 10**8}
_SIGNS = {
    "CNY": ("人民币", "RMB", "CN¥", "¥", "元", "圆"),
    "JPY": ("日元", "日圆", "JP¥", "¥", "円"),
    "USD": ("美元", "US$", "$"),
    "HKD": ("港元", "港币", "HK$", "$"),
    "SGD": ("S$", "$"),
    "AUD": ("A$", "$"),
    "CAD": ("C$", "$"),
    "TWD": ("新台币", "NT$", "$"),
    "EUR": ("欧元", "€"),
    "GBP": ("英镑", "£"),
    "KRW": ("韩元", "₩"),
    "INR": ("₹",),
    "BRL": ("R$",),
}
"""How a currency is written beside its code, longer signs before shorter ones."""

# Full-width forms stand in Unicode in the order of ASCII.
_NARROW = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)} | {
    ord("\u3000"): " ",
    ord("￥"): "¥",
    ord("￡"): "£",
    ord("￦"): "₩",
    # Spaces that some languages write between thousands, and keyboards between number and sign.
    ord("\u00a0"): " ",
    ord("\u2009"): " ",
    ord("\u202f"): " ",
    ord("−"): "-",
    ord("–"): "-",
}
_NUMBER = re.compile(
    r"(?P<whole>[0-9]+|[0-9]{1,3}(?:,[0-9]{3})+|[0-9]{1,3}(?: [0-9]{3})+)"
    r"(?:\.(?P<fraction>[0-9]+))?"
    r"(?: ?(?P<multiplier>[万萬亿億]))?"
)
_NEGATIVE = re.compile(r"-.*[0-9]|.*[0-9].*-$|\(.*[0-9].*\)$")
_SEPARATED = re.compile(r"[0-9][0-9.,' ]*[0-9]")


class UnreadableTypedAmount(Refusal):
    """What was typed is no amount that can be taken; says what was understood and what to type."""

    reason: ClassVar[str]
    """A word for faces that phrase the refusal in their reader's language."""

    def __init__(self, text: str, currency: str, *, understood: str, remedy: str) -> None:
        self.text = text[:MAX_TYPED_CHARACTERS]
        self.currency = currency
        self.understood = understood
        self.remedy = remedy
        super().__init__(f"{understood} {remedy}")


class NothingTyped(UnreadableTypedAmount):
    """The field is empty."""

    reason = "empty"


class OverlongTypedAmount(UnreadableTypedAmount):
    """More characters than any amount has."""

    reason = "overlong"


class HiddenCharacterTyped(UnreadableTypedAmount):
    """A character that cannot be seen came along, as when text is pasted."""

    reason = "hidden_character"


class NegativeTypedAmount(UnreadableTypedAmount):
    """An amount below zero."""

    reason = "negative"


class OtherCurrencyTyped(UnreadableTypedAmount):
    """The sign or code of another currency than the one asked for."""

    reason = "other_currency"


class AmbiguousTypedAmount(UnreadableTypedAmount):
    """Separators that can be read in two ways, or in none that is certain."""

    reason = "ambiguous"


class TooManyDecimalsTyped(UnreadableTypedAmount):
    """Finer than the smallest unit of the currency."""

    reason = "too_many_decimals"


class TooLargeTypedAmount(UnreadableTypedAmount):
    """More than the books can hold in one place."""

    reason = "too_large"


class NotATypedAmount(UnreadableTypedAmount):
    """Something else than a number."""

    reason = "not_a_number"


def minor_from_typed(text: str, currency: str) -> int:
    """The minor units of an amount typed by a person in major units of ``currency``.

    Understood are ``1000.5``, ``1,000.50``, ``1 000.50``, full-width digits and punctuation
    (``１，０００．５０``), the currency's sign or code on either side (``¥ 1000``, ``1000 CNY``,
    ``1000元``), and ``万`` and ``亿`` for ten thousand and a hundred million (``1.5万``).
    Commas and spaces separate thousands, a point the decimals; what could be read otherwise is
    refused, and nothing is rounded. Zero is an amount: the act it is typed for decides on it.

    Raises UnreadableTypedAmount (one subclass a reason) and UnknownCurrency.
    """
    digits = minor_digits(currency)
    example = text_from_minor(123_456 * 10**digits // 100, currency)
    if len(text) > MAX_TYPED_CHARACTERS:
        raise OverlongTypedAmount(
            text,
            currency,
            understood=f"{len(text):,} characters are too many for an amount.",
            remedy=f"Type at most {MAX_TYPED_CHARACTERS}, for example {example}.",
        )
    narrow = text.translate(_NARROW).strip(" \t\r\n")
    if not narrow:
        raise NothingTyped(
            text,
            currency,
            understood="No amount was typed.",
            remedy=f"Type one in {currency}, for example {example}.",
        )
    if hidden := hidden_character(narrow):
        raise HiddenCharacterTyped(
            text,
            currency,
            understood=f"The amount holds a character that cannot be seen, {hidden}.",
            remedy=f"Clear the field and type the digits, for example {example}.",
        )
    number = _without_sign(narrow, text, currency)
    match = _NUMBER.fullmatch(number)
    if match is None:
        raise _unread(number, text, currency, example=example)
    return _minor(match, text, currency, digits=digits)


def _without_sign(narrow: str, text: str, currency: str) -> str:
    """The number, without its currency on either side. Raises OtherCurrencyTyped."""
    own = (currency, *_SIGNS.get(currency, ()))
    number = narrow
    for sign in own:
        if number.upper().startswith(sign) and len(number) > len(sign):
            number = number[len(sign) :].lstrip(" ")
            break
    for sign in own:
        if number.upper().endswith(sign) and len(number) > len(sign):
            number = number[: -len(sign)].rstrip(" ")
            break
    if named := re.search(r"[A-Za-z]{3}|[¥$€£₩₹]", number):
        other = named[0].upper()
        if other not in own and (other in _ALL_SIGNS or other in MINOR_DIGITS):
            raise OtherCurrencyTyped(
                text,
                currency,
                understood=f"{other} is not the currency of this amount, {currency}.",
                remedy=f"Type the amount in {currency}, in digits.",
            )
    return number


_ALL_SIGNS = frozenset(sign for signs in _SIGNS.values() for sign in signs)


def _unread(number: str, text: str, currency: str, *, example: str) -> UnreadableTypedAmount:
    """Why a text is no number that can be taken."""
    if _NEGATIVE.match(number):
        return NegativeTypedAmount(
            text,
            currency,
            understood=f"{number} is below zero.",
            remedy=f"Type the amount without a sign, for example {example}.",
        )
    if _SEPARATED.fullmatch(number):
        return AmbiguousTypedAmount(
            text,
            currency,
            understood=f"{number} can be read in more than one way: here a comma separates "
            "thousands, three digits each, and a point the decimals.",
            remedy="Type the digits without separators and a point before decimals, "
            f"for example {example}.",
        )
    return NotATypedAmount(
        text,
        currency,
        understood=f"{number} is not an amount.",
        remedy=f"Type it in digits, for example {example}; 万 and 亿 after the number are "
        "understood.",
    )


def _minor(match: re.Match[str], text: str, currency: str, *, digits: int) -> int:
    multiplier = _MULTIPLIERS.get(match["multiplier"] or "", 1)
    fraction = match["fraction"] or ""
    scale: int = 10**digits
    divisor: int = 10 ** len(fraction)
    scaled = int(re.sub("[, ]", "", match["whole"]) + fraction) * multiplier * scale
    minor, finer = divmod(scaled, divisor)
    # Zeros too many are refused as well: who types 1.000 may mean one thousand.
    if finer or (multiplier == 1 and len(fraction) > digits):
        decimals = {0: "no decimals", 1: "one decimal"}.get(digits, f"{digits} decimals")
        raise TooManyDecimalsTyped(
            text,
            currency,
            understood=f"{match[0]} has more decimals than {currency}, which has {decimals}.",
            remedy=f"Type {text_from_minor(minor, currency)} if that is meant; thousands are "
            "separated by a comma, or not at all.",
        )
    if minor > MAX_AMOUNT_MINOR:
        raise TooLargeTypedAmount(
            text,
            currency,
            understood=f"{match[0]} is more than any amount here.",
            remedy=f"Type at most {text_from_minor(MAX_AMOUNT_MINOR, currency, thousands=True)}.",
        )
    return minor
