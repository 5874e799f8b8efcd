"""In which order money meets a loan's debts: of a receipt, a recovery, and money that goes back.

By part, a bucket of all instalments is paid before the next bucket. By instalment, all buckets of
the oldest instalment are paid before the next instalment:

    an instalment's interest  = accrued by its due date, less what earlier instalments hold of it
    an instalment's principal = planned by its due date, likewise

Fees and penalty belong to the oldest instalment of the plan, so that it never depends on what has
been paid where they stand. To the last one belongs all interest since; before its due date, what
falls due by none is paid last. A loan with one due date is paid alike either way.
"""

from collections.abc import Mapping, Sequence

from tallystick.rules.instalment_terms import Axis
from tallystick.rules.loan_events import EventKind
from tallystick.rules.loan_position import (
    FEES,
    INTEREST,
    PENALTY,
    PRINCIPAL_DUE,
    PRINCIPAL_NOT_DUE,
    Accrual,
    Position,
    interest_met,
    owed_by_bucket,
    owed_in_order,
    past_due_minor,
    pays_in_order,
)
from tallystick.rules.loan_terms import Bucket, Debt, LoanTerms
from tallystick.rules.waterfall import Bucket as Ranked
from tallystick.rules.waterfall import Claim, pay


def order_of(terms: LoanTerms, kind: EventKind) -> tuple[Bucket, ...]:
    """In which order money that comes in by an event of ``kind`` meets what the loan owes."""
    return terms.kind_orders.of(kind, usual=terms.receipt_order)


def paid_by_receipt(
    position: Position, accrual: Accrual, amount_minor: int, kind: EventKind
) -> tuple[list[int], int]:
    """What a receipt pays, in the order of ``Bucket``, and what of it finds no debt."""
    order = position.pays_in_order
    if kind is not EventKind.RECEIVED:
        order = pays_in_order(order_of(position.terms, kind))
    paid = [0, 0, 0, 0, 0]
    for owed in _in_turn(position, accrual):
        for place in order:
            if amount_minor <= owed[place]:
                paid[place] += amount_minor
                return paid, 0
            paid[place] += owed[place]
            amount_minor -= owed[place]
    return paid, amount_minor


def by_instalment(
    owed: Mapping[Bucket, int], then: Position, *, interest_met_minor: int
) -> list[dict[Bucket, int]]:
    """``owed`` parted by instalment, oldest first; the parts sum to it.

    ``then`` is the loan with all due dates of the day passed. ``interest_met_minor`` of its
    interest is owed no more.
    """
    last = len(then.dues) - 1
    parts: list[dict[Bucket, int]] = []
    interest_before = principal_before = 0
    for place, accrued_minor in enumerate(then.interest_at_due_minor):
        interest_by_then = min(owed[INTEREST], max(0, accrued_minor - interest_met_minor))
        if place == last:
            interest_by_then = owed[INTEREST]
        principal_by_then = min(owed[PRINCIPAL_DUE], past_due_minor(then, by=place))
        parts.append(
            _part(
                interest_minor=interest_by_then - interest_before,
                due_minor=principal_by_then - principal_before,
                not_due_minor=0,
            )
        )
        interest_before, principal_before = interest_by_then, principal_by_then
    parts.append(
        _part(
            interest_minor=owed[INTEREST] - interest_before,
            due_minor=owed[PRINCIPAL_DUE] - principal_before,
            not_due_minor=owed[PRINCIPAL_NOT_DUE],
        )
    )
    parts[0] |= {FEES: owed[FEES], PENALTY: owed[PENALTY]}
    return parts


def recovered_of_each(position: Position) -> dict[Debt, int]:
    """How much of each debt that was charged off has been recovered; the sum is what was."""
    if not position.recovered_minor:
        return dict.fromkeys(Debt, 0)
    lost_minor = {
        Debt.FEES: position.fees_charged_off_minor,
        Debt.PENALTY: position.penalty_charged_off_minor,
        Debt.INTEREST: position.interest_charged_off_minor,
        Debt.PRINCIPAL: position.principal_charged_off_minor,
    }
    order = order_of(position.terms, EventKind.RECOVERED)
    payout = pay(
        position.recovered_minor,
        [Ranked(debt, [Claim(debt, lost_minor[debt])]) for debt in debts_in(order)],
    )
    return dict.fromkeys(Debt, 0) | {Debt(paid.bucket): paid.amount_minor for paid in payout.paid}


def debts_in(order: Sequence[Bucket]) -> list[Debt]:
    """An order of buckets as one of debts; principal stands where what is due of it does."""
    return [
        Debt.PRINCIPAL if bucket is PRINCIPAL_DUE else Debt(bucket)
        for bucket in order
        if bucket is not PRINCIPAL_NOT_DUE
    ]


def _in_turn(position: Position, accrual: Accrual) -> Sequence[Sequence[int]]:
    """What is paid whole before the next of them: each in the order of ``Bucket``."""
    if len(position.dues) == 1 or position.terms.axis is Axis.BY_PART:
        return (owed_in_order(position, accrual),)
    parts = by_instalment(
        owed_by_bucket(position, accrual), position, interest_met_minor=interest_met(position)
    )
    return [tuple(part.values()) for part in parts]


def _part(*, interest_minor: int, due_minor: int, not_due_minor: int) -> dict[Bucket, int]:
    return {
        FEES: 0,
        PENALTY: 0,
        INTEREST: interest_minor,
        PRINCIPAL_DUE: due_minor,
        PRINCIPAL_NOT_DUE: not_due_minor,
    }
