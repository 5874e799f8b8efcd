"""Values as the API reads them: exact, bounded, and nothing that the book could not store."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field

MAX_AMOUNT_MINOR = 2**63 - 1

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _storable(text: str) -> str:
    if _UNSTORABLE.search(text):
        raise ValueError("holds a character that cannot be stored; take it out")
    return text


def _day(value: Any) -> Any:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("write the day as YYYY-MM-DD")
    if not isinstance(value, (str, date)):
        raise ValueError("write the day as text, YYYY-MM-DD")
    return value


Text = Annotated[str, AfterValidator(_storable)]
Code = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_storable)]
Day = Annotated[date, BeforeValidator(_day)]
Currency = Annotated[str, Field(pattern="^[A-Z]{3}$", description="ISO 4217 code.")]
AmountMinor = Annotated[
    int,
    Field(
        strict=True,
        ge=1,
        le=MAX_AMOUNT_MINOR,
        description="In minor units of the currency: 123450 is CNY 1,234.50.",
    ),
]
Minor = Annotated[int, Field(description="In minor units of the currency.")]
