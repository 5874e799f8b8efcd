"""Events by which a lender comes off worse: money that goes back, waivers, the charge-off."""

from tallystick.rules.loan_events import Charge, LoanEvent
from tallystick.rules.loan_moves import Movement, Trace, amount_of, close_days
from tallystick.rules.loan_position import (
    FEES,
    INTEREST,
    PENALTY,
    Position,
    accrual_to,
    owed_by_bucket,
)
from tallystick.rules.loan_terms import Debt
from tallystick.rules.refusal import Refusal


class TakenBackAboveReceived(Refusal):
    """More money would go back than has come in."""


def give_back(position: Position, event: LoanEvent, trace: Trace | None) -> Movement | None:
    """Money goes back, to the payer's bank or to the supplier: credit first, then what it paid.

    Which of the debts that were paid is owed again first is said by the terms.

    Raises TakenBackAboveReceived.
    """
    amount_minor = amount_of(event)
    received_minor = (
        position.credit_minor
        + position.principal_repaid_minor
        + position.interest_received_minor
        + position.penalty_received_minor
        + position.fees_received_minor
    )
    if amount_minor > received_minor:
        raise TakenBackAboveReceived(
            f"Event {event.event_id} ({event.kind}) takes back {amount_minor}; by "
            f"{event.value_date} the loan has received {received_minor} "
            f"({position.terms.currency} minor units). Give no more than that, or a later day."
        )
    accrual = accrual_to(position, event.value_date)
    credit_minor = min(position.credit_minor, amount_minor)
    taken_minor = _owed_again(position, amount_minor - credit_minor)
    principal_minor = taken_minor[Debt.PRINCIPAL]
    interest_minor = taken_minor[Debt.INTEREST]
    penalty_minor = taken_minor[Debt.PENALTY]
    fees_minor = taken_minor[Debt.FEES]
    if principal_minor:
        close_days(position, accrual, trace)
    position.credit_minor -= credit_minor
    position.principal_repaid_minor -= principal_minor
    position.principal_minor += principal_minor
    position.interest_received_minor -= interest_minor
    position.penalty_received_minor -= penalty_minor
    position.fees_received_minor -= fees_minor
    return Movement(
        event.event_id,
        event.kind,
        event.value_date,
        -amount_minor,
        fees_minor=-fees_minor,
        penalty_minor=-penalty_minor,
        interest_minor=-interest_minor,
        principal_minor=-principal_minor,
        credit_minor=-credit_minor,
    )


def _owed_again(position: Position, amount_minor: int) -> dict[Debt, int]:
    """What is taken of each debt that was paid; together they hold the amount."""
    paid_minor = {
        Debt.PRINCIPAL: position.principal_repaid_minor,
        Debt.INTEREST: position.interest_received_minor,
        Debt.PENALTY: position.penalty_received_minor,
        Debt.FEES: position.fees_received_minor,
    }
    taken_minor = {}
    for debt in position.terms.kind_orders.charged_back:
        taken_minor[debt] = min(paid_minor[debt], amount_minor)
        amount_minor -= taken_minor[debt]
    return taken_minor


def waive(position: Position, event: LoanEvent, _trace: Trace | None) -> Movement | None:
    """Of what is still owed of a charge, at most the amount; more than is owed lapses."""
    owed = owed_by_bucket(position, accrual_to(position, event.value_date))
    amount_minor = amount_of(event)
    movement = Movement(event.event_id, event.kind, event.value_date, amount_minor)
    match event.waives:
        case Charge.FEES:
            waived_minor = min(owed[FEES], amount_minor)
            position.fees_waived_minor += waived_minor
            return movement._replace(fees_minor=waived_minor)
        case Charge.PENALTY:
            waived_minor = min(owed[PENALTY], amount_minor)
            position.penalty_waived_minor += waived_minor
            return movement._replace(penalty_minor=waived_minor)
        case _:
            waived_minor = min(owed[INTEREST], amount_minor)
            position.interest_waived_minor += waived_minor
            return movement._replace(interest_minor=waived_minor)


def charge_off(position: Position, event: LoanEvent, trace: Trace | None) -> Movement | None:
    """Everything owed leaves the books; where nothing is owed, nothing happens."""
    accrual = accrual_to(position, event.value_date)
    owed = owed_by_bucket(position, accrual)
    principal_minor = position.principal_minor
    if not any(owed.values()):
        return None
    close_days(position, accrual, trace)
    position.fees_charged_off_minor = owed[FEES]
    position.penalty_charged_off_minor = owed[PENALTY]
    position.interest_charged_off_minor = owed[INTEREST]
    position.principal_charged_off_minor = principal_minor
    position.principal_minor = 0
    position.charged_off_date = event.value_date
    return Movement(
        event.event_id,
        event.kind,
        event.value_date,
        sum(owed.values()),
        fees_minor=owed[FEES],
        penalty_minor=owed[PENALTY],
        interest_minor=owed[INTEREST],
        principal_minor=principal_minor,
    )
