"""What is agreed about a loan of instalments whose interest is scheduled.

Such a loan owes what its table says: principal and interest of each instalment on its due date,
and charges. Receipts are allocated to instalments. Where the terms say so, the table is
calculated again when money comes early or late; otherwise it stays as it was made.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tallystick.rules.money import minor_digits
from tallystick.rules.refusal import Refusal
from tallystick.rules.schedule import ScheduleTerms


class Part(StrEnum):
    """What an instalment is made of."""

    PENALTY = "penalty"
    FEE = "fee"
    INTEREST = "interest"
    PRINCIPAL = "principal"


class Axis(StrEnum):
    """Which way a receipt runs through instalments that are equally due."""

    BY_INSTALMENT = "by_instalment"
    """All parts of the oldest instalment, then of the next (horizontal)."""
    BY_PART = "by_part"
    """The first part of all instalments, then the next part (vertical)."""


class Ahead(StrEnum):
    """Which instalments a receipt pays before they are due."""

    NEXT = "next"
    """The next ones, in order."""
    LAST = "last"
    """The last ones, backwards."""
    ALL_EQUALLY = "all_equally"
    """All of them, in equal shares."""


class ChargeDue(StrEnum):
    """When a fee or penalty counts as due."""

    WITH_INSTALMENT = "with_instalment"
    """When the instalment it belongs to is due."""
    OWN_DATE = "own_date"
    """On its own date, so that it is paid before what is not due yet."""


@dataclass(frozen=True, slots=True)
class AllocationOrder:
    """In which order a receipt pays: past due, then due that day, then not due yet.

    Each of the three names every part once.
    """

    past_due: tuple[Part, ...]
    due: tuple[Part, ...]
    in_advance: tuple[Part, ...]
    axis: Axis = Axis.BY_INSTALMENT
    ahead: Ahead = Ahead.NEXT
    charge_due: ChargeDue = ChargeDue.WITH_INSTALMENT

    def __post_init__(self) -> None:
        for name in ("past_due", "due", "in_advance"):
            order = getattr(self, name)
            if sorted(order) != sorted(Part):
                raise InvalidInstalmentTerms(
                    f"{name} is {', '.join(order) or 'empty'}: name each of {', '.join(Part)} once."
                )


class Rest(StrEnum):
    """Until when what is overdue bears interest, as known on a day."""

    DAY = "day"
    """Until that day."""
    PERIOD = "period"
    """Until the end of the period that the day is in."""


class Reach(StrEnum):
    """Which periods are calculated again."""

    EVERY_PERIOD = "every_period"
    RUNNING_PERIOD = "running_period"
    """The one that the day is in, and those after it; what fell due before stays as it was."""


class Advance(StrEnum):
    """What a receipt does that comes before the due date."""

    LESS_INTEREST = "less_interest"
    """Its principal bears no interest from its day; the instalment stays, the last one shrinks."""
    LOWER_INSTALMENT = "lower_instalment"
    """All of it bears no interest from its day; beyond the instalment it repays principal, and
    the instalments that follow are calculated anew over the same periods."""


@dataclass(frozen=True, slots=True)
class Recalculation:
    """How the table follows money that comes early or late."""

    rest: Rest = Rest.DAY
    reach: Reach = Reach.EVERY_PERIOD
    advance: Advance = Advance.LESS_INTEREST
    interest_on_interest: bool = False
    """Interest past due bears interest too."""


class Joining(StrEnum):
    """Which instalments repay a later payout."""

    DUE_THAT_DAY = "due_that_day"
    """Those due on its day and after it, made anew."""
    NEXT = "next"
    """Those due after its day, made anew."""
    WHOLE_LIFE = "whole_life"
    """All: the instalment is that of all payouts together, from the first due date on."""


class Begins(StrEnum):
    """From which day due dates are counted."""

    PAYOUT = "payout"
    """The day of the first payout."""
    AGREED_DAY = "agreed_day"
    """The start agreed, even if money is paid out later; it bears interest from its payout."""


class ReceiptKind(StrEnum):
    """Where the money of a receipt comes from."""

    REPAYMENT = "repayment"
    DOWN_PAYMENT = "down_payment"
    MERCHANT_REFUND = "merchant_refund"
    """The seller gives the buyer's money back."""
    PAYOUT_REFUND = "payout_refund"
    """The payout itself comes back."""
    GOODWILL = "goodwill"
    """The lender forgoes it: an expense of its own, no money."""
    INTEREST_WAIVER = "interest_waiver"
    """The lender forgoes interest."""
    CHARGE_ADJUSTMENT = "charge_adjustment"
    """A charge is given back."""
    RECOVERY = "recovery"
    """Money on a loan that was charged off."""


class InvalidInstalmentTerms(Refusal):
    """The terms contradict themselves."""


_STANDARD = (Part.PENALTY, Part.FEE, Part.INTEREST, Part.PRINCIPAL)

STANDARD_ORDER = AllocationOrder(_STANDARD, _STANDARD, _STANDARD)


@dataclass(frozen=True, slots=True)
class InstalmentTerms:
    """One loan of instalments as agreed.

    ``plan`` is made from what was agreed: its principal and start hold until money is paid out.
    ``orders`` are the allocation orders of single kinds of receipt, ``order`` that of the others.
    With ``pays_down_at_once`` the down payment is kept back from the payout.

    Raises InvalidInstalmentTerms and UnknownCurrency.
    """

    currency: str
    plan: ScheduleTerms
    order: AllocationOrder = STANDARD_ORDER
    orders: Mapping[ReceiptKind, AllocationOrder] = field(default_factory=dict)
    recalculation: Recalculation | None = None
    joining: Joining = Joining.DUE_THAT_DAY
    begins: Begins = Begins.PAYOUT
    pays_down_at_once: bool = False

    def __post_init__(self) -> None:
        minor_digits(self.currency)
        if self.plan.frequency is None or self.plan.number_of_periods is None:
            raise InvalidInstalmentTerms(
                "A loan of instalments needs a frequency and number_of_periods: give both, or "
                "service a bullet as a loan of daily interest."
            )

    def order_of(self, kind: ReceiptKind) -> AllocationOrder:
        """In which order a receipt of this kind pays."""
        return self.orders.get(kind, self.order)
