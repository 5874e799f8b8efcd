"""A promise to pay, so much by a day: kept by the cash that came, broken when the day passed."""

from datetime import date
from enum import StrEnum

from tallystick.rules.refusal import Refusal

MAX_DAYS_AHEAD = 90
"""Who needs longer asks for an extension."""


class Outcome(StrEnum):
    """What has become of a promise."""

    RUNNING = "running"
    KEPT = "kept"
    BROKEN = "broken"


class UnusablePromise(Refusal):
    """A promise of nothing, for a day that is past, or for one too far ahead."""


def check_promise(amount_minor: int, *, promised_date: date, on: date) -> None:
    """Refuse a promise made ``on`` a day that could not be kept or is none.

    Raises UnusablePromise.
    """
    if not 0 < amount_minor < 2**63:
        raise UnusablePromise(
            f"{amount_minor} minor units cannot be promised. Give an amount above zero."
        )
    days_ahead = (promised_date - on).days
    if not 0 <= days_ahead <= MAX_DAYS_AHEAD:
        raise UnusablePromise(
            f"Payment on {promised_date} cannot be promised on {on}. Choose a day from {on} on, at "
            f"most {MAX_DAYS_AHEAD} days ahead; who needs longer asks for an extension."
        )


def outcome(amount_minor: int, *, received_minor: int, promised_date: date, on: date) -> Outcome:
    """What has become of the promise when day ``on`` is over.

    ``received_minor``: cash with a value date from the day of the promise to ``promised_date``
    that met debts in the promise's currency. Kept as soon as it comes to the amount; broken once
    the promised day is over without it. A kept promise stays kept, a broken one broken.
    """
    if received_minor >= amount_minor:
        return Outcome.KEPT
    return Outcome.BROKEN if on >= promised_date else Outcome.RUNNING
