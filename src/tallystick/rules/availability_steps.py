"""Why a supplier can draw what it can: from its claims to the available amount, step by step.

    claims − left out by each reason                    = eligible
           − not advanced − excess concentration        = gross base
           − dilution reserve                           = borrowing base
           − above the limits − drawn − blocked         = available

The steps add up to the available amount exactly, whatever the figures are.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from tallystick.rules.eligibility import REASONS
from tallystick.rules.limits import DrawdownInputs
from tallystick.rules.receivables import ineligible_minor

CLAIMS = "claims"
LEFT_OUT = "left_out"
NOT_ADVANCED = "not_advanced"
CONCENTRATION = "concentration"
DILUTION = "dilution"
BASE = "base"
LIMITS = "limits"
DRAWN = "drawn"
SHORTFALL = "shortfall"
BLOCKED = "blocked"
AVAILABLE = "available"
TOTALS = frozenset({CLAIMS, BASE, AVAILABLE})
"""Steps that stand for what has been reached, not for what is taken away."""


@dataclass(frozen=True, slots=True)
class Step:
    """One bar of the waterfall, in minor units.

    ``change_minor`` is what the step adds (claims) or takes away (below zero), and for the
    totals that come later zero; ``level_minor`` is what is left after it. ``reason`` names one of
    ``rules.eligibility.REASONS`` where the step leaves claims out.
    """

    name: str
    change_minor: int
    level_minor: int
    reason: str = ""

    @property
    def is_total(self) -> bool:
        return self.name in TOTALS


def steps_to_available(
    base: Mapping[str, int], inputs: DrawdownInputs, *, blocked: bool
) -> tuple[Step, ...]:
    """The waterfall of one facility. ``base``: the amounts of ``borrowing_base`` by name.

    ``inputs`` are what a drawdown would read; its base is ``base["base_minor"]``. ``blocked``:
    something other than amounts keeps anything from being drawn, such as a freeze. Steps that
    change nothing are left out, the totals never.
    """
    eligible_minor, lendable_minor = base["eligible_minor"], base["lendable_minor"]
    base_minor, drawn_minor = base["base_minor"], inputs.drawn_minor
    capped_minor = min(base_minor, inputs.limit_minor)
    available_minor = max(0, capped_minor - drawn_minor)
    changes = [
        (CLAIMS, base["outstanding_minor"], ""),
        *((LEFT_OUT, -base[ineligible_minor(reason)], reason) for reason in REASONS),
        (NOT_ADVANCED, lendable_minor - eligible_minor, ""),
        (CONCENTRATION, -base["excess_concentration_minor"], ""),
        (DILUTION, base_minor - base["gross_base_minor"], ""),
        (BASE, 0, ""),
        (LIMITS, capped_minor - base_minor, ""),
        (DRAWN, -drawn_minor, ""),
        # More is drawn than base and limits carry: nothing can be drawn, but no one is asked
        # for a negative amount.
        (SHORTFALL, max(0, drawn_minor - capped_minor), ""),
        (BLOCKED, -available_minor if blocked else 0, ""),
        (AVAILABLE, 0, ""),
    ]
    return _steps(change for change in changes if change[1] or change[0] in TOTALS)


def _steps(changes: Iterable[tuple[str, int, str]]) -> tuple[Step, ...]:
    kept = list(changes)
    levels = accumulate(change_minor for _, change_minor, _ in kept)
    return tuple(
        Step(name, change_minor, level_minor, reason)
        for (name, change_minor, reason), level_minor in zip(kept, levels, strict=True)
    )


@dataclass(frozen=True, slots=True)
class Facts:
    """What was booked in a pool and its facility between two bases; minor units, zero or more.

    ``documents_minor`` is the change of face by new documents, less what they took over from
    earlier ones, and may be below zero.
    """

    documents_minor: int
    cancelled_minor: int
    paid_minor: int
    diluted_minor: int
    drawn_minor: int
    repaid_minor: int


@dataclass(frozen=True, slots=True)
class Change:
    """One reason why the available amount differs, in minor units: above zero is more."""

    name: str
    amount_minor: int


def changes_between(
    before: Mapping[str, int], after: Mapping[str, int], *, facts: Facts, inputs: DrawdownInputs
) -> tuple[Change, ...]:
    """Why what base and limits leave has moved from ``before`` to ``after``; parts that are zero
    are left out.

    ``before`` and ``after`` are amounts of ``borrowing_base``; limits are today's on both sides,
    so that the parts sum to min(base, limit) − drawn, after less before, exactly. What no fact
    explains (a claim that moved between pools, a payout that the bank rejected) is ``other``.
    """

    def moved(name: str) -> int:
        return after[name] - before[name]

    ceiling_minor = min(inputs.facility_limit_minor, inputs.programme_cap_per_supplier_minor)
    by_facts = {
        "documents": facts.documents_minor,
        "cancelled": -facts.cancelled_minor,
        "paid": -facts.paid_minor,
        "diluted": -facts.diluted_minor,
    }
    left_out_minor = moved("eligible_minor") - moved("outstanding_minor")
    reserve_minor = moved("base_minor") - moved("gross_base_minor")
    above_limit_minor = min(0, ceiling_minor - after["base_minor"]) - min(
        0, ceiling_minor - before["base_minor"]
    )
    parts = {
        **by_facts,
        "other_claims": moved("outstanding_minor") - sum(by_facts.values()),
        "left_out": left_out_minor,
        "not_advanced": moved("lendable_minor") - moved("eligible_minor"),
        "concentration": -moved("excess_concentration_minor"),
        "dilution_reserve": reserve_minor,
        "limits": above_limit_minor,
        "drawn": -facts.drawn_minor,
        "repaid": facts.repaid_minor,
    }
    return tuple(Change(name, amount_minor) for name, amount_minor in parts.items() if amount_minor)
