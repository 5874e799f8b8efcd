"""A loan written as a JSON file: its terms and what happened to it, for use without a database.

Amounts are whole numbers of minor units; rates are text or numbers, read digit by digit and never
as binary fractions. Events are numbered as they stand in the file, from 1. An event may have an id
of its own, by which a reversal names it; without one it is named by its number. Without a booking
date it is booked on its value date. Without a payout among the events, the principal is paid out
on the loan's first day.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from tallystick.rules.calendars import Period, PeriodUnit
from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_events import (
    FIELDS_OF,
    Charge,
    EventKind,
    InvalidRate,
    Keeps,
    LoanEvent,
    rate_in_ppb,
)
from tallystick.rules.loan_terms import (
    MONTHLY,
    RECEIPT_ORDER,
    Bucket,
    LoanTerms,
    PenaltyBand,
    penalty_of_a_day,
    penalty_of_multiple,
)
from tallystick.rules.money import MINOR_DIGITS, Rounding
from tallystick.rules.refusal import Refusal
from tallystick.rules.schedule import Method

MAX_CASE_BYTES = 16 * 1024 * 1024
SHOWN_CHARACTERS = 80

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_RATE = re.compile(r"-?[0-9]{1,40}(\.[0-9]{1,40})?")
_FREQUENCY = re.compile(r"([1-9][0-9]{0,3})([DWMY])")
_UNITS = {
    "D": PeriodUnit.DAYS,
    "W": PeriodUnit.WEEKS,
    "M": PeriodUnit.MONTHS,
    "Y": PeriodUnit.YEARS,
}

Choice = TypeVar("Choice", bound=StrEnum)


class CaseRefused(Refusal):
    """The file describes no loan that can be calculated; says which field, value and remedy."""


class CurrencyMismatch(CaseRefused):
    """An event is told in another currency than the loan's."""


@dataclass(frozen=True, slots=True)
class LoanCase:
    """A loan's terms and its events, as a file tells them."""

    terms: LoanTerms
    events: tuple[LoanEvent, ...]


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """A refusal of the rules within also says which file described the loan."""
    try:
        yield
    except CaseRefused:
        raise
    except Refusal as refusal:
        raise CaseRefused(f"{path}: {refusal}") from refusal


def read_case(path: Path) -> LoanCase:
    """The loan described in ``path``. Raises CaseRefused."""
    case = _Fields(_content(path), where=str(path))
    with naming(path):
        terms = _terms(case)
        events = _events(case, terms.currency)
        case.refuse_unknown()
    if not any(event.kind is EventKind.DISBURSED for event in events):
        payout = LoanEvent(
            event_id=0,
            kind=EventKind.DISBURSED,
            value_date=terms.start,
            booking_date=terms.start,
            amount_minor=terms.principal_minor,
        )
        events = [payout, *events]
    return LoanCase(terms, tuple(events))


def _terms(case: "_Fields") -> LoanTerms:
    return LoanTerms(
        currency=case.currency("currency"),
        principal_minor=case.whole("principal_minor"),
        annual_rate=case.rate("annual_rate"),
        day_count=case.choice("day_count", DayCount),
        method=case.choice("method", Method),
        start=case.day("start"),
        maturity=case.day("maturity"),
        frequency=case.frequency("frequency") if "frequency" in case else MONTHLY,
        rounding=case.choice("rounding", Rounding) if "rounding" in case else Rounding.HALF_UP,
        penalty_rate=_penalty_rate(case) or Decimal(0),
        penalty_grace_days=(
            case.whole("penalty_grace_days") if "penalty_grace_days" in case else 0
        ),
        receipt_order=(
            case.choices("receipt_order", Bucket) if "receipt_order" in case else RECEIPT_ORDER
        ),
        penalty_bands=_penalty_bands(case),
        revolving=case.yes_or_no("revolving") if "revolving" in case else False,
    )


def _penalty_bands(case: "_Fields") -> tuple[PenaltyBand, ...]:
    bands = []
    if "penalty_bands" not in case:
        return ()
    such_as = '{"days_past_due": 30, "penalty_rate": "0.288"}'
    for fields in case.objects("penalty_bands", each="penalty band", such_as=such_as):
        days_past_due = fields.whole("days_past_due")
        rate = _penalty_rate(fields, case)
        if rate is None:
            fields.refuse("penalty_rate", None, "give the band's rate")
        fields.refuse_unknown()
        bands.append(PenaltyBand(days_past_due, rate))
    return tuple(bands)


def _penalty_rate(fields: "_Fields", case: "_Fields | None" = None) -> Decimal | None:
    """A penalty rate a year, however it is written; None where it is not."""
    loan = case or fields
    written = {
        name: fields.rate(name)
        for name in ("penalty_rate", "penalty_daily_rate", "penalty_multiple")
        if name in fields
    }
    if len(written) > 1:
        fields.refuse(list(written)[1], written.popitem()[1], f"give one of {', '.join(written)}")
    for name, value in written.items():
        if name == "penalty_daily_rate":
            return penalty_of_a_day(value, loan.choice("day_count", DayCount))
        if name == "penalty_multiple":
            return penalty_of_multiple(value, loan.rate("annual_rate"))
        return value
    return None


def _events(case: "_Fields", currency: str) -> list[LoanEvent]:
    written: Sequence[_Fields] = ()
    if "events" in case:
        written = case.objects("events", each="event", such_as='{"kind": "received"}')
    numbers: dict[str, int] = {}
    for number, fields in enumerate(written, start=1):
        name = fields.name("id") if "id" in fields else str(number)
        if name in numbers:
            fields.refuse("id", name, f"event {numbers[name]} is named so already; name it anew")
        numbers[name] = number
    return [
        _event(fields, number, numbers, currency) for number, fields in enumerate(written, start=1)
    ]


def _event(fields: "_Fields", number: int, numbers: Mapping[str, int], currency: str) -> LoanEvent:
    kind = fields.choice("kind", EventKind)
    value_date = fields.day("value_date")
    booking_date = fields.day("booking_date") if "booking_date" in fields else value_date
    if "currency" in fields and (told := fields.currency("currency")) != currency:
        fields.refuse_currency(told, currency)
    needed = FIELDS_OF[kind]
    event = LoanEvent(
        event_id=number,
        kind=kind,
        value_date=value_date,
        booking_date=booking_date,
        amount_minor=fields.whole("amount_minor") if "amount_minor" in needed else None,
        annual_rate=fields.rate("annual_rate") if "annual_rate" in needed else None,
        reverses=_reversed(fields, numbers) if "reverses" in needed else None,
        days=fields.whole("days") if "days" in needed else None,
        due_date=fields.day("due_date") if "due_date" in needed else None,
        to_date=fields.day("to_date") if "to_date" in needed else None,
        waives=fields.choice("waives", Charge) if "waives" in needed else None,
        keeps=fields.choice("keeps", Keeps) if "keeps" in needed else None,
    )
    fields.refuse_unknown()
    return event


def _reversed(fields: "_Fields", numbers: Mapping[str, int]) -> int:
    name = fields.name("reverses")
    if name not in numbers:
        fields.refuse("reverses", name, "name the id of an event in this file")
    return numbers[name]


class _Fields:
    """One JSON object: each field read as what it must be, or refused with what it may be."""

    def __init__(self, content: Mapping[str, Any], *, where: str) -> None:
        self._content = content
        self._where = where
        self._known: set[str] = set()

    def __contains__(self, field: str) -> bool:
        self._known.add(field)
        return field in self._content

    def refuse(self, field: str, value: object, remedy: str) -> NoReturn:
        raise CaseRefused(f"{self._where}: {field} is {_shown(value)}: {remedy}.")

    def refuse_currency(self, told: str, currency: str) -> NoReturn:
        raise CurrencyMismatch(
            f"{self._where}: the event is in {told} and the loan in {currency}: record what it "
            f"came to in {currency}, on the day it was exchanged."
        )

    def refuse_unknown(self) -> None:
        """Refuse a field that nobody asked for: a misspelt one must not pass for an absent one."""
        for field, value in self._content.items():
            if field not in self._known:
                near = get_close_matches(field, self._known, n=1)
                known = near[0] if near else ", ".join(sorted(self._known))
                self.refuse(field, value, f"there is no such field here; known: {known}")

    def currency(self, field: str) -> str:
        value = self._value(field)
        if not isinstance(value, str) or value not in MINOR_DIGITS:
            self.refuse(field, value, 'give an ISO 4217 code in capital letters, such as "CNY"')
        return value

    def whole(self, field: str) -> int:
        value = self._value(field)
        if not isinstance(value, int) or isinstance(value, bool):
            self.refuse(field, value, "give a whole number, without quotes and without a point")
        return value

    def rate(self, field: str) -> Decimal:
        value = self._value(field)
        if isinstance(value, str) and _RATE.fullmatch(value):
            value = Decimal(value)
        if isinstance(value, bool) or not isinstance(value, (int, Decimal)):
            self.refuse(field, value, 'give a fraction of one a year, such as "0.10" for 10 %')
        try:
            rate_in_ppb(Decimal(value), name=field)
        except InvalidRate as refusal:
            raise CaseRefused(f"{self._where}: {refusal}") from refusal
        return Decimal(value)

    def yes_or_no(self, field: str) -> bool:
        value = self._value(field)
        if not isinstance(value, bool):
            self.refuse(field, value, "give true or false")
        return value

    def day(self, field: str) -> date:
        value = self._value(field)
        written = value if isinstance(value, str) and _DATE.fullmatch(value) else ""
        try:
            return date.fromisoformat(written)
        except ValueError:
            self.refuse(field, value, 'give a day that exists, as "YYYY-MM-DD"')

    def choice(self, field: str, choices: type[Choice]) -> Choice:
        return self._chosen(field, self._value(field), choices)

    def choices(self, field: str, choices: type[Choice]) -> tuple[Choice, ...]:
        value = self._value(field)
        if not isinstance(value, list):
            self.refuse(field, value, f"give a list of {', '.join(choices)}")
        return tuple(self._chosen(field, item, choices) for item in value)

    def frequency(self, field: str) -> Period:
        value = self._value(field)
        match = _FREQUENCY.fullmatch(value) if isinstance(value, str) else None
        if match is None:
            self.refuse(field, value, 'give a number of D, W, M or Y, such as "1M" for a month')
        return Period(int(match[1]), _UNITS[match[2]])

    def name(self, field: str) -> str:
        value = self._value(field)
        if isinstance(value, bool) or not isinstance(value, (str, int)):
            self.refuse(field, value, "give text or a whole number")
        return str(value)

    def objects(self, field: str, *, each: str, such_as: str) -> Sequence["_Fields"]:
        value = self._value(field)
        if not isinstance(value, list):
            self.refuse(field, value, f"give a list of {each}s")
        for number, item in enumerate(value, start=1):
            if not isinstance(item, dict):
                self.refuse(f"{each} {number}", item, f"give an object such as {such_as}")
        return [
            _Fields(item, where=f"{self._where}, {each} {number}")
            for number, item in enumerate(value, start=1)
        ]

    def _value(self, field: str) -> Any:
        self._known.add(field)
        if field not in self._content:
            raise CaseRefused(f"{self._where}: {field} is missing: add it.")
        return self._content[field]

    def _chosen(self, field: str, value: object, choices: type[Choice]) -> Choice:
        try:
            return choices(str(value))
        except ValueError:
            near = get_close_matches(str(value), list(choices), n=1)
            proposed = f"did you mean {near[0]}? Possible: " if near else "possible: "
            self.refuse(field, value, proposed + "; ".join(choices))


def _content(path: Path) -> dict[str, Any]:
    """The JSON object in ``path``, numbers with a point as exact decimals."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_CASE_BYTES + 1)
    except OSError as error:
        raise CaseRefused(
            f"{path}: cannot be read ({error.strerror}). Name a file with a loan as JSON."
        ) from error
    if len(content) > MAX_CASE_BYTES:
        raise CaseRefused(
            f"{path}: larger than {MAX_CASE_BYTES} bytes. A case is one loan; split the file."
        )
    try:
        case = json.loads(
            content.decode("utf-8-sig"),
            parse_float=Decimal,
            parse_constant=_no_constant,
            object_pairs_hook=_without_repeats,
        )
    except UnicodeDecodeError as error:
        raise CaseRefused(f"{path}: not UTF-8 text. Save it as UTF-8.") from error
    except json.JSONDecodeError as error:
        raise CaseRefused(
            f"{path}, line {error.lineno}, column {error.colno}: not JSON ({error.msg}). "
            "Correct it there."
        ) from error
    except (ValueError, InvalidOperation, RecursionError) as error:
        # A number of thousands of digits, a field given twice, lists nested a thousand deep.
        raise CaseRefused(f"{path}: not a case ({error}). Correct it.") from error
    if not isinstance(case, dict):
        raise CaseRefused(f'{path}: not a JSON object. Write {{"currency": …}}.')
    return case


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _without_repeats(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"field {repeated} is given twice")
    return fields


def _shown(value: object) -> str:
    """The value as a file would write it, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
