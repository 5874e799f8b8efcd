"""Settlement: cash that belongs to a facility meets what its live loans owe, bucket by bucket.

The order of the buckets is the programme's. The loan with the oldest due date comes first, then
the oldest payout, then the lowest loan id. By part, a bucket waits for the one above it over *all*
loans. By instalment, a loan waits for the one before it, and of one loan an instalment for the
one before it. Either way, what a loan gets of one receipt is what a receipt of that amount pays by
the loan's own order, and the fold of the loan agrees with the waterfall to the minor unit.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import NamedTuple

from tallystick.rules import waterfall
from tallystick.rules.instalment_terms import Axis
from tallystick.rules.loan_position import (
    Position,
    accrual_to,
    fees_met,
    interest_met,
    owed_by_bucket,
    penalty_met,
    running_interest,
    running_penalty,
)
from tallystick.rules.loan_terms import Bucket
from tallystick.rules.loan_turns import pass_dues
from tallystick.rules.receipt_orders import by_instalment


class OwingLoan(NamedTuple):
    """What one loan owes on a value date, by bucket, and its place among the others.

    ``instalments``, oldest first, sum to ``owed_minor``; needed only where a loan that has
    several is paid by instalment.
    """

    loan_id: int
    due_date: date
    disbursed_date: date
    owed_minor: Mapping[Bucket, int]
    instalments: Sequence[Mapping[Bucket, int]] = ()


class LoanPaid(NamedTuple):
    """What one loan received in one bucket; above zero."""

    loan_id: int
    bucket: Bucket
    amount_minor: int


class Swept(NamedTuple):
    """Where a facility's cash went, in the order in which it was paid, and the rest."""

    paid: list[LoanPaid]
    rest_minor: int


def sweep(
    cash_minor: int,
    loans: Iterable[OwingLoan],
    *,
    order: Sequence[Bucket],
    axis: Axis = Axis.BY_PART,
    max_prepaid_minor: int | None,
) -> Swept:
    """Pay ``cash_minor`` into what the loans owe, in ``order``; paid and rest sum to the cash.

    ``max_prepaid_minor``: the most that principal not yet due may get, None for all of it.
    """
    in_turn = sorted(loans, key=lambda loan: (loan.due_date, loan.disbursed_date, loan.loan_id))
    if axis is Axis.BY_PART:
        ranked = [
            _bucket(bucket, ((loan.loan_id, loan.owed_minor) for loan in in_turn))
            for bucket in order
        ]
    else:
        ranked = [
            _bucket(bucket, [(loan.loan_id, part)])
            for loan in in_turn
            for part in loan.instalments or [loan.owed_minor]
            for bucket in order
        ]
    payout = waterfall.pay(cash_minor, _capped(ranked, max_prepaid_minor))
    return Swept(
        [
            LoanPaid(int(paid.claim_id), Bucket(paid.bucket), paid.amount_minor)
            for paid in payout.paid
        ],
        payout.rest_minor,
    )


def _bucket(
    bucket: Bucket, owed_minor: Iterable[tuple[int, Mapping[Bucket, int]]]
) -> waterfall.Bucket:
    return waterfall.Bucket(
        bucket,
        [
            waterfall.Claim(str(loan_id), owed[bucket])
            for loan_id, owed in owed_minor
            if owed[bucket]
        ],
    )


def _capped(
    ranked: Iterable[waterfall.Bucket], max_prepaid_minor: int | None
) -> Iterable[waterfall.Bucket]:
    """Let the buckets of principal not due get so much together.

    One that comes later is reached with cash left only if those before it were paid all they may.
    """
    left_minor = max_prepaid_minor
    for bucket in ranked:
        if left_minor is None or bucket.name != Bucket.PRINCIPAL_NOT_DUE:
            yield bucket
            continue
        yield replace(bucket, cap_minor=left_minor)
        left_minor = max(0, left_minor - sum(claim.due_minor for claim in bucket.claims))


def prepayment_down_to_cover(
    *, drawn_minor: int, principal_due_minor: int, cover_minor: int
) -> int:
    """How much principal not yet due is to be repaid, so that what is drawn is covered.

    max(0, drawn − principal due − cover): principal due leaves what is drawn in any case.
    """
    return max(0, drawn_minor - principal_due_minor - cover_minor)


def owed_on(position: Position, on: date) -> dict[Bucket, int]:
    """What a receipt of that day finds; ``on`` is not before the day the position stands from."""
    position = _with_dues_passed(position, on)
    return owed_by_bucket(position, accrual_to(position, on))


def instalments_owed_on(position: Position, on: date) -> list[dict[Bucket, int]]:
    """As ``owed_on``, parted by instalment."""
    position = _with_dues_passed(position, on)
    owed = owed_by_bucket(position, accrual_to(position, on))
    return by_instalment(owed, position, interest_met_minor=interest_met(position))


def instalments_owed_in_hindsight(
    then: Position, now: Position, on: date
) -> list[dict[Bucket, int]]:
    """As ``owed_in_hindsight``, parted by instalment."""
    return by_instalment(
        owed_in_hindsight(then, now, on),
        _with_dues_passed(then, on),
        interest_met_minor=interest_met(now),
    )


def _with_dues_passed(position: Position, on: date) -> Position:
    passed = len(position.interest_at_due_minor)
    if passed < len(position.dues) and position.dues[passed].due_date <= on:
        position = replace(position)
        pass_dues(position, on)
    return position


def owed_in_hindsight(then: Position, now: Position, on: date) -> dict[Bucket, int]:
    """What a back-dated receipt finds: what the loan owed ``on`` that day and still does.

    ``then`` is the position up to ``on``, ``now`` with everything since. What later cash has
    already met is met: accrued by then less what is met by now, and never below zero.
    """
    due_minor = min(owed_on(then, on)[Bucket.PRINCIPAL_DUE], now.principal_minor)
    principal_minor = min(then.principal_minor, now.principal_minor)
    return {
        Bucket.FEES: max(0, then.fees_charged_minor - fees_met(now)),
        Bucket.PENALTY: max(0, running_penalty(then, on) - penalty_met(now)),
        Bucket.INTEREST: max(0, running_interest(then, on) - interest_met(now)),
        Bucket.PRINCIPAL_DUE: due_minor,
        Bucket.PRINCIPAL_NOT_DUE: principal_minor - due_minor,
    }
