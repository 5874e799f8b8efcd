"""What can be proposed, and how it is written down until somebody decides.

A ``value_date`` says from when it counts; None: from the day of the approval.
"""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from typing import Any

from tallystick.book.proposals.models import ProposalKind
from tallystick.rules.loan_events import Charge


@dataclass(frozen=True, slots=True)
class Extension:
    """The loan falls due so many days later."""

    days: int
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class DueMove:
    """The loan, not due yet, falls due on another day."""

    to_date: date
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class ReAging:
    """All that is outstanding is planned anew, to fall due by ``to_date``."""

    to_date: date
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class InterestPause:
    """No interest runs from one day to another, both included."""

    from_date: date
    to_date: date


@dataclass(frozen=True, slots=True)
class RateChange:
    """Another rate, in parts per billion a year."""

    annual_rate_ppb: int
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class Waiver:
    """A part of a charge that is owed is asked for no more."""

    waives: Charge
    amount_minor: int
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class Restructuring:
    """All that is outstanding bears another rate and falls due by ``to_date``."""

    annual_rate_ppb: int
    to_date: date
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class ChargeOff:
    """All that the loan owes leaves the books as a loss."""

    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class ShareSale:
    """A share, in parts per million, goes to a funder (a firm's code); at par where no price."""

    funder: str
    share_ppm: int
    price_minor: int | None = None
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class ShareBuyBack:
    """The lender buys a share back from a funder; as ``ShareSale``."""

    funder: str
    share_ppm: int
    price_minor: int | None = None
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class ShareReversal:
    """A sale or buy-back of a share, by its number, is taken back as if it had never been."""

    transfer: int


@dataclass(frozen=True, slots=True)
class EventReversal:
    """An event of the loan, by its number, is taken back as if it had never been."""

    event: int


@dataclass(frozen=True, slots=True)
class ChargeBack:
    """The payer's bank has taken money back that the loan had received."""

    amount_minor: int
    value_date: date | None = None


@dataclass(frozen=True, slots=True)
class Refund:
    """Credit of a supplier is paid out to it."""

    currency: str
    amount_minor: int


Terms = (
    Extension
    | DueMove
    | ReAging
    | InterestPause
    | RateChange
    | Waiver
    | Restructuring
    | ChargeOff
    | ShareSale
    | ShareBuyBack
    | ShareReversal
    | EventReversal
    | ChargeBack
    | Refund
)

KIND_OF: Mapping[type[Terms], ProposalKind] = {
    Extension: ProposalKind.EXTENSION,
    DueMove: ProposalKind.DUE_MOVE,
    ReAging: ProposalKind.RE_AGING,
    InterestPause: ProposalKind.INTEREST_PAUSE,
    RateChange: ProposalKind.RATE_CHANGE,
    Waiver: ProposalKind.WAIVER,
    Restructuring: ProposalKind.RESTRUCTURING,
    ChargeOff: ProposalKind.CHARGE_OFF,
    ShareSale: ProposalKind.SHARE_SALE,
    ShareBuyBack: ProposalKind.SHARE_BUY_BACK,
    ShareReversal: ProposalKind.SHARE_REVERSAL,
    EventReversal: ProposalKind.EVENT_REVERSAL,
    ChargeBack: ProposalKind.CHARGE_BACK,
    Refund: ProposalKind.REFUND,
}
_TERMS_OF = {kind: terms for terms, kind in KIND_OF.items()}


def as_content(terms: Terms) -> dict[str, Any]:
    """The terms as they are stored: days as text, and nothing for what was left open."""
    return {
        field.name: value.isoformat() if isinstance(value, date) else value
        for field in fields(terms)
        if (value := getattr(terms, field.name)) is not None
    }


def terms_of(kind: str, content: Mapping[str, Any]) -> Terms:
    """The terms of a stored proposal."""
    read = {
        name: date.fromisoformat(value) if name.endswith("_date") else value
        for name, value in content.items()
    }
    if kind == ProposalKind.WAIVER:
        read["waives"] = Charge(read["waives"])
    return _TERMS_OF[ProposalKind(kind)](**read)
