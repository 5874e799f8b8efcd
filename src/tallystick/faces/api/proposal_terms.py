"""What can be proposed, as machines write it: one model for each kind, told apart by ``kind``."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from tallystick.book.proposals.propose import MAX_DAYS_EXTENDED
from tallystick.book.proposals.terms import Terms, terms_of
from tallystick.faces.api.values import MAX_AMOUNT_MINOR, AmountMinor, Code, Day

MAX_RATE_PPB = 10_000_000_000

RatePpb = Annotated[
    int,
    Field(strict=True, ge=0, le=MAX_RATE_PPB, description="A year, in parts per billion."),
]
ValueDate = Annotated[
    Day | None, Field(description="From when it counts; left out: the day of the approval.")
]
SharePpm = Annotated[
    int, Field(strict=True, ge=1, le=1_000_000, description="Of the loan, in parts per million.")
]
Price = Annotated[
    int | None,
    Field(strict=True, ge=0, le=MAX_AMOUNT_MINOR, description="Minor units; left out: at par."),
]
Number = Annotated[int, Field(strict=True, ge=1, le=2**63 - 1)]


class AskedTerms(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: str

    def terms(self) -> Terms:
        """What is asked for, as the book knows it."""
        content: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        return terms_of(content.pop("kind"), content)


class ExtensionIn(AskedTerms):
    """The loan falls due so many days later: relief for a firm in hardship."""

    kind: Literal["extension"]
    days: Annotated[int, Field(strict=True, ge=1, le=MAX_DAYS_EXTENDED)]
    value_date: ValueDate = None


class DueMoveIn(AskedTerms):
    """The loan, not due yet, falls due on another day."""

    kind: Literal["due_move"]
    to_date: Day
    value_date: ValueDate = None


class ReAgingIn(AskedTerms):
    """All that is outstanding is planned anew, to fall due by a day."""

    kind: Literal["re_aging"]
    to_date: Day
    value_date: ValueDate = None


class InterestPauseIn(AskedTerms):
    """No interest runs from one day to another, both included."""

    kind: Literal["interest_pause"]
    from_date: Day
    to_date: Day


class RateChangeIn(AskedTerms):
    kind: Literal["rate_change"]
    annual_rate_ppb: RatePpb
    value_date: ValueDate = None


class WaiverIn(AskedTerms):
    """A part of a charge that is owed is asked for no more."""

    kind: Literal["waiver"]
    waives: Literal["fees", "penalty", "interest"]
    amount_minor: AmountMinor
    value_date: ValueDate = None


class RestructuringIn(AskedTerms):
    """All that is outstanding bears another rate and falls due by a day."""

    kind: Literal["restructuring"]
    annual_rate_ppb: RatePpb
    to_date: Day
    value_date: ValueDate = None


class ChargeOffIn(AskedTerms):
    """All that the loan owes leaves the books as a loss."""

    kind: Literal["charge_off"]
    value_date: ValueDate = None


class ShareSaleIn(AskedTerms):
    """A share of the loan goes to a funder (a firm's code)."""

    kind: Literal["share_sale"]
    funder: Code
    share_ppm: SharePpm
    price_minor: Price = None
    value_date: ValueDate = None


class ShareBuyBackIn(AskedTerms):
    """The lender buys a share back from a funder."""

    kind: Literal["share_buy_back"]
    funder: Code
    share_ppm: SharePpm
    price_minor: Price = None
    value_date: ValueDate = None


class ShareReversalIn(AskedTerms):
    """A sale or buy-back of a share, by its number, is taken back."""

    kind: Literal["share_reversal"]
    transfer: Number


class EventReversalIn(AskedTerms):
    """An event of the loan, by its number in the loan's statement, is taken back."""

    kind: Literal["event_reversal"]
    event: Number


class ChargeBackIn(AskedTerms):
    """The payer's bank has taken money back that the loan had received."""

    kind: Literal["charge_back"]
    amount_minor: AmountMinor
    value_date: ValueDate = None


OnLoan = Annotated[
    ExtensionIn
    | DueMoveIn
    | ReAgingIn
    | InterestPauseIn
    | RateChangeIn
    | WaiverIn
    | RestructuringIn
    | ChargeOffIn
    | ShareSaleIn
    | ShareBuyBackIn
    | ShareReversalIn
    | EventReversalIn
    | ChargeBackIn,
    Field(discriminator="kind"),
]
"""Every kind but a refund, which is about a supplier's credit and no loan."""
