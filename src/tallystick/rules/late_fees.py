"""Whether a fee for a due date missed still stands, once more is known of the days before it.

A late fee is charged by what was known on its day. Cash, or time that was given, may be told of
later with an earlier value date; the fee then stands only if the due date would have been missed
all the same.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from tallystick.rules.loan_balances import missed_dues
from tallystick.rules.loan_events import Charge, EventKind, LoanEvent, events_in_force, standing
from tallystick.rules.loan_steps import position_after
from tallystick.rules.loan_terms import LoanTerms


@dataclass(frozen=True, slots=True)
class LateFee:
    """A fee for a due date of a loan: the latest that was charged for it.

    ``stands``: no event has taken it back.
    """

    event_id: int
    value_date: date
    due_date: date
    amount_minor: int
    stands: bool


def judged_again(
    terms: LoanTerms, events: Sequence[LoanEvent], fees: Sequence[LateFee], *, known_on: date
) -> tuple[list[LateFee], list[LateFee]]:
    """The fees that no longer stand, and those taken back that should stand again.

    A fee that was waived is left as it is: who waived it has decided. One is taken for waived
    where fees were waived on the loan after it was charged. Raises what ``position_after`` raises.
    """
    undone: list[LateFee] = []
    due_again: list[LateFee] = []
    for fee in sorted(fees, key=lambda each: (each.value_date, each.event_id)):
        before = {each.event_id for each in undone}
        is_deserved = _was_missed(terms, events, fee, without=before, known_on=known_on)
        if fee.stands and not is_deserved and not _is_waived(events, fee):
            undone.append(fee)
        elif not fee.stands and is_deserved:
            due_again.append(fee)
    return undone, due_again


def _was_missed(
    terms: LoanTerms,
    events: Sequence[LoanEvent],
    fee: LateFee,
    *,
    without: Collection[int],
    known_on: date,
) -> bool:
    """Whether anything of the due date was unpaid as the day of the fee began, or on that day."""
    in_force = events_in_force(events, start=terms.start, on=fee.value_date, known_on=known_on)
    others = [each for each in in_force if each.event_id not in {*without, fee.event_id}]
    before = [each for each in others if each.value_date < fee.value_date]
    return any(
        fee.due_date in missed_dues(position_after(terms, each), fee.value_date)
        for each in (before, others)
    )


def _is_waived(events: Sequence[LoanEvent], fee: LateFee) -> bool:
    return any(
        each.kind is EventKind.WAIVED
        and each.waives is Charge.FEES
        and each.event_id > fee.event_id
        for each in standing(events)
    )
