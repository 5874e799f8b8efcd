"""Why a drawdown is refused: one class per reason, each with the decision's numbers."""

from tallystick.rules.limits import Decision, DrawdownInputs
from tallystick.rules.refusal import Refusal


class UnknownFacility(Refusal):
    """No facility has this code."""

    def __init__(self, facility: str) -> None:
        self.facility = facility
        super().__init__(f"There is no facility {facility!r}. Name one that has been opened.")


class DrawdownRefused(Refusal):
    """A rule did not pass. ``decision`` holds every rule's verdict and what was read.

    The message gives every reason with its remedy, so that one round of corrections is enough;
    the class is that of the first.
    """

    def __init__(self, facility: str, decision: Decision) -> None:
        self.facility = facility
        self.decision = decision
        self.available_minor = decision.inputs.available_minor
        self.limit_minor = decision.inputs.limit_minor
        self.binding = binding_limit(decision.inputs)
        super().__init__(
            f"Drawdown on {facility}: {' '.join(decision.reasons)} Available now: "
            f"{self.available_minor} {decision.inputs.currency} minor units under a limit of "
            f"{self.limit_minor}; what binds is the {self.binding}."
        )


class DrawdownExceedsAvailability(DrawdownRefused):
    """More was asked for than base and limits leave. ``binding`` names what is tightest."""


class DrawdownNotDatedToday(DrawdownRefused):
    """The request is not dated on the open business day."""


class FacilityFrozen(DrawdownRefused):
    """The facility is frozen, for the reason in the message."""


class FacilityExpired(DrawdownRefused):
    """The last day on which the facility may be drawn has passed."""


class TenorNotOffered(DrawdownRefused):
    """The tenor is shorter or longer than the programme offers."""


class AmountNotOffered(DrawdownRefused):
    """The amount is not above zero, or below the programme's smallest draw."""


class NoSecurityInterest(DrawdownRefused):
    """No registered security interest covers the pool."""


_CLASS_OF_RULE: dict[str, type[DrawdownRefused]] = {
    "amount_is_positive": AmountNotOffered,
    "facility_is_not_frozen": FacilityFrozen,
    "facility_has_not_expired": FacilityExpired,
    "dated_on_the_open_business_date": DrawdownNotDatedToday,
    "tenor_is_long_enough": TenorNotOffered,
    "tenor_is_short_enough": TenorNotOffered,
    "amount_reaches_the_minimum": AmountNotOffered,
    "amount_is_available": DrawdownExceedsAvailability,
    "programme_has_headroom": DrawdownExceedsAvailability,
    "funder_has_headroom": DrawdownExceedsAvailability,
    "security_interest_is_in_force": NoSecurityInterest,
}


def refusal_of(facility: str, decision: Decision) -> DrawdownRefused:
    """The refusal of a request that ``decision`` does not grant."""
    rule = next(verdict.rule for verdict in decision.verdicts if not verdict.passed)
    return _CLASS_OF_RULE[rule](facility, decision)


def binding_limit(inputs: DrawdownInputs) -> str:
    """Which of base and limits leaves least to draw; of equals the first named here."""
    room_minor = {
        "base": inputs.base_minor - inputs.drawn_minor,
        "facility limit": inputs.facility_limit_minor - inputs.drawn_minor,
        "programme cap per supplier": inputs.programme_cap_per_supplier_minor - inputs.drawn_minor,
        "programme headroom": inputs.programme_headroom_minor,
        "funder headroom": inputs.funder_headroom_minor,
    }
    return min(room_minor, key=lambda name: room_minor[name])
