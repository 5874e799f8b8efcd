"""The waterfall as horizontal bars: where each begins and how wide it is."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.translation import gettext as _

from tallystick.book.financing.offers import Offer
from tallystick.faces.portal import words
from tallystick.rules import availability_steps as steps
from tallystick.rules.availability_steps import Step

FULL_WIDTH = 1_000
SLIVER = 2
"""A part too small to be seen is drawn this wide, so that no step looks like none."""


class Bar(NamedTuple):
    """One step: its words and figures, and its bar in units of which the chart is FULL_WIDTH."""

    name: str
    label: str
    change_minor: int
    level_minor: int
    is_total: bool
    reason: str
    x: int
    width: int


def bars(offer: Offer) -> list[Bar]:
    """The steps of an offer, each with the bar that it takes off or leaves."""
    lowest = min(0, *(step.level_minor for step in offer.steps))
    span_minor = max(1, max(step.level_minor for step in offer.steps) - lowest)

    def scaled(amount_minor: int) -> int:
        return (amount_minor - lowest) * FULL_WIDTH // span_minor

    drawn = []
    for step in offer.steps:
        start_minor = 0 if step.is_total else step.level_minor - step.change_minor
        low, high = sorted((scaled(start_minor), scaled(step.level_minor)))
        width = max(SLIVER, high - low)
        drawn.append(
            Bar(
                step.name,
                label_of(step),
                step.change_minor,
                step.level_minor,
                step.is_total,
                step.reason,
                min(low, FULL_WIDTH - width),
                width,
            )
        )
    return drawn


def label_of(step: Step) -> str:
    """What a step is called."""
    if step.reason:
        return words.named("reason", step.reason)
    return {
        steps.CLAIMS: _("Your claims"),
        steps.NOT_ADVANCED: _("Part of a claim that is not lent"),
        steps.CONCENTRATION: _("Too much owed by one customer"),
        steps.DILUTION: _("Kept back for returns and credit notes"),
        steps.BASE: _("Borrowing base"),
        steps.LIMITS: _("Above the limits"),
        steps.DRAWN: _("Drawn already"),
        steps.SHORTFALL: _("Drawn above what is allowed now"),
        steps.BLOCKED: _("Not to be drawn at the moment"),
        steps.AVAILABLE: _("You can draw now"),
    }[step.name]


def changed_labels() -> dict[str, str]:
    """What the changes since the day before are called."""
    return {
        "documents": _("New documents"),
        "cancelled": _("Cancelled orders"),
        "paid": _("Paid by your customers"),
        "diluted": _("Returns and credit notes"),
        "other_claims": _("Other changes of claims"),
        "left_out": _("Claims that count again, or no longer"),
        "not_advanced": _("Part of claims that is not lent"),
        "concentration": _("Too much owed by one customer"),
        "dilution_reserve": _("Kept back for returns and credit notes"),
        "limits": _("Above the limits"),
        "drawn": _("Draws"),
        "repaid": _("Repayments"),
    }


def shown(names: Sequence[steps.Change]) -> list[tuple[str, int]]:
    """Changes with their words."""
    labels = changed_labels()
    return [(labels[change.name], change.amount_minor) for change in names]
