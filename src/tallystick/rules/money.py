"""Money as whole minor units of a currency: rounding, splitting, reading and writing amounts."""

import re
from collections.abc import Sequence
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from math import lcm

from tallystick.rules.refusal import Refusal

# ISO 4217 list one, currencies and funds by number of digits after the decimal mark. ANG and BGN,
# withdrawn in 2025 and 2026, stay while documents in them are still about.
_CURRENCIES_BY_MINOR_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    2: (
        "AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BOV BRL BSD BTN BWP "
        "BYN BZD CAD CDF CHE CHF CHW CNY COP COU CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD "
        "FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR IRR JMD KES KGS KHR KPW KYD "
        "KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MXV MYR MZN NAD "
        "NGN NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP "
        "SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TOP TRY TTD TWD TZS UAH USD USN UYU UZS VED "
        "VES WST XCD XCG YER ZAR ZMW ZWG"
    ),
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
MINOR_DIGITS = {
    currency: digits
    for digits, currencies in _CURRENCIES_BY_MINOR_DIGITS.items()
    for currency in currencies.split()
}

_AMOUNT = re.compile(r"(-?)([0-9]+|[0-9]{1,3}(?:,[0-9]{3})+)(?:\.([0-9]+))?")
_MAX_AMOUNT_CHARACTERS = 40


class Rounding(StrEnum):
    """How a fraction becomes a whole number; every rounding in the house has one of these names."""

    HALF_UP = "half_up"
    """To the nearest; halves away from zero."""
    HALF_EVEN = "half_even"
    """To the nearest; halves to the even neighbour."""
    UP = "up"
    """Away from zero."""
    DOWN = "down"
    """Towards zero."""


# Names of their own: schedules round a million times a second.
_HALF_UP, _HALF_EVEN, _UP, _DOWN = Rounding


def rounded(numerator: int, denominator: int, rounding: Rounding) -> int:
    """The whole number for ``numerator / denominator``, exact for integers of any size.

    Raises ValueError when ``denominator`` is not above zero.
    """
    if denominator <= 0:
        raise ValueError(f"denominator {denominator} must be above zero")
    quotient, remainder = divmod(abs(numerator), denominator)
    if rounding is _HALF_UP:
        away_from_zero = 2 * remainder >= denominator
    elif rounding is _HALF_EVEN:
        away_from_zero = 2 * remainder + quotient % 2 > denominator
    else:
        away_from_zero = rounding is _UP and remainder > 0
    magnitude = quotient + away_from_zero
    return -magnitude if numerator < 0 else magnitude


def rounded_decimal(value: Decimal, rounding: Rounding, *, digits: int = 0) -> Decimal:
    """``value`` with ``digits`` digits after the decimal mark; negative digits round to tens.

    Independent of the decimal context. Raises ValueError when ``value`` is not finite.
    """
    if not value.is_finite():
        raise ValueError(f"{value} cannot be rounded: it is not a finite number")
    numerator, denominator = value.as_integer_ratio()
    scale = 10 ** abs(digits)
    if digits < 0:
        whole = rounded(numerator, denominator * scale, rounding)
    else:
        whole = rounded(numerator * scale, denominator, rounding)
    # From text, because arithmetic would round to the context's precision.
    return Decimal(f"{whole}e{-digits}")


class NothingToAllocateBy(Refusal):
    """The weights of a split say nothing about who gets what."""

    def __init__(self, weights: Sequence[int | Decimal | Fraction]) -> None:
        self.weights = tuple(weights)
        listed = ", ".join(str(weight) for weight in weights) or "none"
        super().__init__(
            f"An amount cannot be allocated by the weights given ({listed}). "
            "Give at least one weight; none below zero and one of them above zero."
        )


def allocate(total_minor: int, weights: Sequence[int | Decimal | Fraction]) -> list[int]:
    """``total_minor`` split in proportion to ``weights``; the parts sum to the total.

    Largest remainder: each part is first rounded towards zero, then the minor units left over go
    one each to the parts that lost most, ties to the earlier. A negative total is split as its
    positive mirror image, so that a reversal takes back exactly what the split gave.

    Raises NothingToAllocateBy when a weight is below zero or all of them are zero.
    """
    shares = [Fraction(weight) for weight in weights]
    if not any(shares) or min(shares) < 0:
        raise NothingToAllocateBy(weights)
    scale = lcm(*(share.denominator for share in shares))
    parts = [int(share * scale) for share in shares]
    whole = sum(parts)

    magnitude = abs(total_minor)
    allocated = [magnitude * part // whole for part in parts]
    lost = [magnitude * part % whole for part in parts]
    left_over = magnitude - sum(allocated)
    for index in sorted(range(len(parts)), key=lambda i: -lost[i])[:left_over]:
        allocated[index] += 1
    return [-share for share in allocated] if total_minor < 0 else allocated


class UnknownCurrency(Refusal):
    """The text is no ISO 4217 currency code."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        super().__init__(
            f"Currency {currency[:_MAX_AMOUNT_CHARACTERS]!r} is unknown. "
            "Use an ISO 4217 code in capital letters, for example CNY, USD or JPY."
        )


def minor_digits(currency: str) -> int:
    """Digits of the minor unit after the decimal mark: 2 for CNY, 0 for JPY, 3 for KWD.

    Source: ISO 4217, list one. Raises UnknownCurrency.
    """
    try:
        return MINOR_DIGITS[currency]
    except KeyError:
        raise UnknownCurrency(currency) from None


class NotAnAmount(Refusal):
    """The text cannot be read as an amount of money."""

    def __init__(self, text: str, currency: str) -> None:
        self.text = text
        self.currency = currency
        super().__init__(
            f"{text[:_MAX_AMOUNT_CHARACTERS]!r} is not an amount in {currency}. "
            "Write digits with at most one point, for example -1234.50 or 1,234.50."
        )


class FinerThanMinorUnit(Refusal):
    """The amount is written with more digits than its currency has."""

    def __init__(self, text: str, currency: str, digits: int) -> None:
        self.text = text
        self.currency = currency
        self.digits = digits
        super().__init__(
            f"{text!r} is finer than the minor unit of {currency}, which has {digits} digits "
            f"after the point. Round the amount to {digits} digits before sending it."
        )


def minor_from_text(text: str, currency: str) -> int:
    """The minor units written as ``1234.50`` or ``1,234.50`` in major units of ``currency``.

    Nothing is rounded: digits beyond the minor unit must be zeros.
    Raises UnknownCurrency, NotAnAmount, FinerThanMinorUnit.
    """
    digits = minor_digits(currency)
    match = _AMOUNT.fullmatch(text) if len(text) <= _MAX_AMOUNT_CHARACTERS else None
    if match is None:
        raise NotAnAmount(text, currency)
    sign, major, fraction = match[1], match[2].replace(",", ""), match[3] or ""
    if fraction[digits:].strip("0"):
        raise FinerThanMinorUnit(text, currency, digits)
    return int(f"{sign}{major}{fraction[:digits]:0<{digits}}")


def text_from_minor(amount_minor: int, currency: str, *, thousands: bool = False) -> str:
    """Major units with all digits of the currency: ``1234.50``, or ``1,234.50``.

    Raises UnknownCurrency.
    """
    digits = minor_digits(currency)
    major, minor = divmod(abs(amount_minor), 10**digits)
    sign = "-" if amount_minor < 0 else ""
    fraction = f".{minor:0{digits}}" if digits else ""
    return f"{sign}{major:,}{fraction}" if thousands else f"{sign}{major}{fraction}"
