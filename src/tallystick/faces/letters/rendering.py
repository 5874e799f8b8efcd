"""The words of a letter, in the language of its reader.

Each letter is a text of its own in every language, not a sentence put together: the first line is
the subject. Amounts are shown in major units, days as ISO dates.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from django.template import Context, Engine

from tallystick.rules.money import text_from_minor

TEMPLATES = Path(__file__).parent / "templates"
FALLBACK = "en"


class Rendered(NamedTuple):
    subject: str
    body: str


def rendered(letter: str, *, language: str, facts: Mapping[str, Any]) -> Rendered:
    """The letter about ``facts`` (``book.collections.letters``); English where there is no other.

    Names are put in as they are: a letter is plain text, and nothing in it is markup.
    """
    language = language if (TEMPLATES / language).is_dir() else FALLBACK
    template = _engine().get_template(f"{language}/{letter}.txt")
    text = template.render(Context(_told(facts), autoescape=False))
    subject, _, body = text.partition("\n")
    return Rendered(" ".join(subject.split())[:200], body.strip() + "\n")


@cache
def _engine() -> Engine:
    return Engine(dirs=[str(TEMPLATES)], autoescape=False)


def _told(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        **facts,
        "loans": [
            {**loan, "amount": _major(loan["amount_minor"], loan["currency"])}
            for loan in facts["loans"]
        ],
        "totals": [
            {
                "currency": currency,
                "amount": _major(amount_minor, currency),
                "pay_to": facts["pay_to"].get(currency),
            }
            for currency, amount_minor in sorted(facts["total_minor"].items())
        ],
    }


def _major(amount_minor: int, currency: str) -> str:
    return text_from_minor(amount_minor, currency, thousands=True)
