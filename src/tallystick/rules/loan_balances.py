"""What a loan owes on a day, told in full from its position."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from tallystick.rules.loan_position import (
    FEES,
    INTEREST,
    PENALTY,
    PRINCIPAL_DUE,
    Position,
    accrual_to,
    interest_met,
    owed_by_bucket,
    past_due_minor,
    penalty_met,
)
from tallystick.rules.loan_terms import Debt
from tallystick.rules.loan_turns import pass_dues
from tallystick.rules.receipt_orders import recovered_of_each
from tallystick.rules.refusal import Refusal


@dataclass(frozen=True, slots=True)
class Balances:
    """What a loan owes on a day, and how it came to that. Amounts are minor units.

    ``interest_accrued_minor`` is the rounded running total since the first payout, and
    ``interest_due_minor`` the part of it not yet received: what a receipt of that day would pay
    as interest. ``principal_due_minor`` is the part of the principal whose due date has come.
    ``past_due_since_date`` is the oldest due date before ``on`` of which anything is unpaid; of an
    instalment, its principal by plan and the interest accrued by its due date; from the last due
    date on, anything owed at all. ``due_date`` is the last due date as it is agreed by that day.
    """

    on: date
    disbursed_minor: int
    principal_repaid_minor: int
    principal_minor: int
    principal_due_minor: int
    principal_charged_off_minor: int
    interest_accrued_minor: int
    interest_received_minor: int
    interest_waived_minor: int
    interest_charged_off_minor: int
    interest_due_minor: int
    penalty_accrued_minor: int
    penalty_received_minor: int
    penalty_waived_minor: int
    penalty_charged_off_minor: int
    penalty_due_minor: int
    fees_charged_minor: int
    fees_received_minor: int
    fees_waived_minor: int
    fees_charged_off_minor: int
    fees_due_minor: int
    recovered_minor: int
    principal_recovered_minor: int
    interest_recovered_minor: int
    penalty_recovered_minor: int
    fees_recovered_minor: int
    credit_minor: int
    charged_off_date: date | None
    due_date: date
    past_due_since_date: date | None

    @property
    def days_past_due(self) -> int:
        """Days since the oldest unpaid due date; zero where nothing is past due."""
        return (self.on - self.past_due_since_date).days if self.past_due_since_date else 0

    @property
    def charged_off_minor(self) -> int:
        """Everything that was charged off, of whatever kind of debt."""
        return (
            self.principal_charged_off_minor
            + self.interest_charged_off_minor
            + self.penalty_charged_off_minor
            + self.fees_charged_off_minor
        )

    @property
    def owed_minor(self) -> int:
        """Everything that would have to be paid to settle the loan on that day."""
        return (
            self.fees_due_minor
            + self.penalty_due_minor
            + self.interest_due_minor
            + self.principal_minor
        )


class AskedTooEarly(Refusal):
    """The day asked about lies before the loan's start, or before the position's last event."""


def balances(position: Position, on: date) -> Balances:
    """What the loan owes ``on`` a day when nothing has happened since the position's last event.

    Raises AskedTooEarly for a day before that event.
    """
    if on < position.stands_from_date:
        raise AskedTooEarly(
            f"The position stands from {position.stands_from_date} and cannot say what "
            f"stood on {on}: ask for that day or a later one, or fold the events up to {on}."
        )
    position = replace(position)
    pass_dues(position, on)
    owed = owed_by_bucket(position, accrual_to(position, on))
    interest_due_minor = owed[INTEREST]
    penalty_due_minor = owed[PENALTY]
    recovered = recovered_of_each(position)
    return Balances(
        on=on,
        disbursed_minor=position.disbursed_minor,
        principal_repaid_minor=position.principal_repaid_minor,
        principal_minor=position.principal_minor,
        principal_due_minor=owed[PRINCIPAL_DUE],
        principal_charged_off_minor=position.principal_charged_off_minor,
        interest_accrued_minor=interest_met(position) + interest_due_minor,
        interest_received_minor=position.interest_received_minor,
        interest_waived_minor=position.interest_waived_minor,
        interest_charged_off_minor=position.interest_charged_off_minor,
        interest_due_minor=interest_due_minor,
        penalty_accrued_minor=penalty_met(position) + penalty_due_minor,
        penalty_received_minor=position.penalty_received_minor,
        penalty_waived_minor=position.penalty_waived_minor,
        penalty_charged_off_minor=position.penalty_charged_off_minor,
        penalty_due_minor=penalty_due_minor,
        fees_charged_minor=position.fees_charged_minor,
        fees_received_minor=position.fees_received_minor,
        fees_waived_minor=position.fees_waived_minor,
        fees_charged_off_minor=position.fees_charged_off_minor,
        fees_due_minor=owed[FEES],
        recovered_minor=position.recovered_minor,
        principal_recovered_minor=recovered[Debt.PRINCIPAL],
        interest_recovered_minor=recovered[Debt.INTEREST],
        penalty_recovered_minor=recovered[Debt.PENALTY],
        fees_recovered_minor=recovered[Debt.FEES],
        credit_minor=position.credit_minor,
        charged_off_date=position.charged_off_date,
        due_date=position.dues[-1].due_date,
        past_due_since_date=_past_due_since(position, on, owed_minor=sum(owed.values())),
    )


def missed_dues(position: Position, on: date) -> list[date]:
    """Due dates before ``on`` of which anything is unpaid, oldest first; as ``balances`` counts.

    ``on`` is not before the position's last event.
    """
    position = replace(position)
    pass_dues(position, on)
    owed = owed_by_bucket(position, accrual_to(position, on))
    return list(_missed(position, on, owed_minor=sum(owed.values())))


def _past_due_since(position: Position, on: date, *, owed_minor: int) -> date | None:
    return next(_missed(position, on, owed_minor=owed_minor), None)


def _missed(position: Position, on: date, *, owed_minor: int) -> Iterator[date]:
    last = len(position.dues) - 1
    met_minor = interest_met(position)
    for index, interest_minor in enumerate(position.interest_at_due_minor):
        due_date = position.dues[index].due_date
        if due_date == on:
            break
        if (
            past_due_minor(position, by=index)
            or interest_minor > met_minor
            or (index == last and owed_minor)
        ):
            yield due_date
