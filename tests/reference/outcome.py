"""What comes of checking one reference case, and how cases are read."""

from calendar import month_abbr
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Any

Case = dict[str, Any]

MONTHS = list(month_abbr)


class Result(StrEnum):
    PASSED = "passed"
    FAILED = "failed"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Outcome:
    result: Result
    detail: str = ""


PASSED = Outcome(Result.PASSED)


class MalformedCaseError(Exception):
    """The case does not have the form its family is written in."""


def failed(detail: str) -> Outcome:
    return Outcome(Result.FAILED, detail)


def unsupported(detail: str) -> Outcome:
    return Outcome(Result.UNSUPPORTED, detail)


def all_of(faults: Iterable[str | None]) -> Outcome:
    """Passed when no fault is left, else failed with every one of them."""
    found = [fault for fault in faults if fault]
    return failed("; ".join(found)) if found else PASSED


def all_compared(faults: list[str | None]) -> Outcome:
    """As ``all_of``; where nothing at all was compared, nothing has passed."""
    return all_of(faults) if faults else failed("nothing is checked")


def differs(what: str, actual: object, expected: object) -> str | None:
    return None if actual == expected else f"{what}: {actual}, expected {expected}"


def is_off(what: str, actual: Fraction, expected: object, tolerance: object) -> str | None:
    """The fault of a number further from its expectation than the tolerance (inclusive)."""
    wanted = number(expected)
    if abs(actual - wanted) <= number(tolerance):
        return None
    return f"{what}: {float(actual)!r}, expected {expected} within {tolerance}"


def field(case: Case, name: str) -> Any:
    try:
        return case[name]
    except KeyError:
        raise MalformedCaseError(f"{name!r} is missing") from None


def stated(case: Case) -> Case:
    """What a case states: null stands for what its source does not say."""
    if not isinstance(case, dict):
        raise MalformedCaseError(f"{type(case).__name__} instead of an object")
    return {name: value for name, value in case.items() if value is not None}


def day(value: object) -> date:
    """A date: ``2026-01-31``, also with a time of day, ``31 January 2026``, or [2026, 1, 31]."""
    if isinstance(value, list):
        value = "-".join(f"{part:02}" if isinstance(part, int) else str(part) for part in value)
    text = str(value).strip()
    words = text.split()
    try:
        if len(words) == 3 and words[1][:3].title() in MONTHS:
            return date(int(words[2]), MONTHS.index(words[1][:3].title()), int(words[0]))
        return date.fromisoformat(text.partition("T")[0])
    except ValueError:
        raise MalformedCaseError(f"{value!r} is not a date") from None


def optional_day(case: Case, name: str) -> date | None:
    return None if case.get(name) is None else day(case[name])


def number(value: object) -> Fraction:
    """A number written as an integer, decimal, per cent, or quotient such as ``0.1/12``."""
    if isinstance(value, bool):
        raise MalformedCaseError(f"{value!r} is not a number")
    numerator, _, denominator = str(value).replace(",", "").strip().partition("/")
    try:
        if numerator.endswith("%"):
            return Fraction(numerator[:-1]) / 100
        return Fraction(numerator) / Fraction(denominator or 1)
    except (ValueError, ZeroDivisionError):
        raise MalformedCaseError(f"{value!r} is not a number") from None


def decimal(value: object) -> Decimal:
    exact = number(value)
    return Decimal(exact.numerator) / Decimal(exact.denominator)


def whole(value: object) -> int:
    exact = number(value)
    if exact.denominator != 1:
        raise MalformedCaseError(f"{value!r} is not a whole number")
    return exact.numerator
