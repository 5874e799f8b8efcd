"""Every figure of an advance out of sales as a sum of named terms."""

from fractions import Fraction

from tallystick.rules.loan_explanation import Figure, Term
from tallystick.rules.sales_events import SalesEventKind
from tallystick.rules.sales_share import SalesShareState

_CAME_IN = {
    SalesEventKind.SETTLEMENT: "kept of a settlement",
    SalesEventKind.RECEIVED: "paid by the merchant",
    SalesEventKind.REFUNDED: "paid back to the merchant",
}


def explained_advance(state: SalesShareState) -> tuple[Figure, ...]:
    """The figures of ``state``, from what has come in to what is owed, each as its terms."""
    terms = state.terms
    lost_minor = state.principal_lost_minor + state.interest_lost_minor
    at_fee = terms.fee_minor is not None
    fee = (
        (
            ("fixed fee agreed", terms.fee_minor or 0),
            ("taken off it since", state.fee_minor - (terms.fee_minor or 0)),
        )
        if at_fee
        else (("interest so far, at the daily rate", state.fee_minor),)
    )
    return (
        _figure(
            "collected_minor",
            state.collected_minor,
            *(
                (f"{_CAME_IN[movement.kind]} on {movement.value_date}", movement.applied_minor)
                for movement in state.movements
                if movement.kind in _CAME_IN
            ),
        ),
        _figure("fee_minor", state.fee_minor, *fee),
        _figure(
            "fee_left_minor",
            state.fee_left_minor,
            ("fee or interest", state.fee_minor),
            ("earned", -state.fee_earned_minor),
            ("cancelled by the charge-off", -state.fee_cancelled_minor),
        ),
        _figure(
            "principal_minor",
            state.principal_minor,
            ("paid out", terms.advance_minor),
            ("has come in", -state.collected_minor),
            ("of it fee or interest", state.fee_collected_minor),
            ("charged off", -state.principal_lost_minor),
        ),
        _figure(
            "outstanding_minor",
            state.outstanding_minor,
            ("paid out", terms.advance_minor),
            ("fee or interest", state.fee_minor),
            ("has come in", -state.collected_minor),
            ("charged off", -lost_minor),
            ("fee cancelled by the charge-off", -state.fee_cancelled_minor),
        ),
        _figure(
            "expected_minor",
            state.expected_minor,
            ("has come in", state.collected_minor),
            ("more was expected by now", state.expected_minor - state.collected_minor),
        ),
    )


def _figure(name: str, value: int, *terms: tuple[str, int]) -> Figure:
    return Figure(name, value, tuple(Term(told, Fraction(minor)) for told, minor in terms if minor))
