"""What the ledger gets when a refold lets cash received earlier meet other debts.

One net difference by account, booked in the open day with the value date kept; never a storm of
reversals. Cash did not move, and what interest has come to since is the next close's matter.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from tallystick.book.ledger.post import post_many
from tallystick.book.servicing.changes import Change, NewLoanEvent
from tallystick.book.servicing.supplier_accounts import let_be_due, tell_of_credit
from tallystick.rules.accounting import ACCOUNT_OF, Booking, allocation_corrected
from tallystick.rules.journal import JournalEntry
from tallystick.rules.loan_position import Position, fees_met, interest_met, penalty_met


def post_corrections(
    changes: Mapping[int, Change], events: Iterable[NewLoanEvent], booking_date: date
) -> None:
    """Post each loan's net difference; there is none where the events came in order."""
    by_loan: dict[int, list[NewLoanEvent]] = defaultdict(list)
    for event in events:
        by_loan[event.loan_id].append(event)
    corrected = {
        loan_id: correction
        for loan_id, change in changes.items()
        if (correction := _correction(change, by_loan[loan_id], booking_date))
    }
    by_act: dict[int, list[JournalEntry]] = defaultdict(list)
    for loan_id, correction in corrected.items():
        by_act[by_loan[loan_id][0].act_id].append(correction)
    for act_id, entries in by_act.items():
        post_many(entries, act_id=act_id)
    _look_after_credit([changes[loan_id] for loan_id in corrected], by_loan, booking_date)


def _look_after_credit(
    corrected: Sequence[Change], by_loan: Mapping[int, Sequence[NewLoanEvent]], booking_date: date
) -> None:
    """Credit that arises in a refold is told of; credit that is gone already is due again."""
    for change in corrected:
        loan = change.after
        more_minor = _credit_minor(loan.position) - _credit_minor(change.before.position)
        party = (loan.supplier_id, loan.currency)
        if more_minor > 0:
            tell_of_credit(
                loan.legal_entity_id, {party}, because=f"loan:{loan.code}", on=booking_date
            )
        elif more_minor < 0:
            let_be_due(
                loan.legal_entity_id,
                {party},
                reference=f"loan:{loan.code}",
                booking_date=booking_date,
                act_id=by_loan[loan.loan_id][0].act_id,
            )


def _correction(
    change: Change, events: Sequence[NewLoanEvent], booking_date: date
) -> JournalEntry | None:
    """What the fold now credits to each account, less what the events' own entries did."""
    changes_minor = credited(change.after.position)
    for kind, minor in credited(change.before.position).items():
        changes_minor[kind] -= minor
    for event in events:
        for kind, minor in event.booked.items():
            changes_minor[kind] -= minor
    if not any(changes_minor.values()):
        return None
    loan = change.after
    return allocation_corrected(
        Booking(
            legal_entity_id=loan.legal_entity_id,
            currency=loan.currency,
            reference=f"loan:{loan.code}",
            value_date=min(event.value_date for event in events),
            booking_date=booking_date,
        ),
        book=loan.book_id,
        party=loan.supplier_id,
        changes_minor=changes_minor,
    )


def credited(position: Position | None) -> dict[str, int]:
    """What a loan's events have credited in all to each account, but for what has arisen.

    By ``accounting.ACCOUNT_OF`` and the supplier's ``credit``; what they debited is below zero.
    The sum is the money that has come in.
    """
    if position is None:
        return dict.fromkeys((*ACCOUNT_OF, "credit"), 0)
    waived_minor = (
        position.fees_waived_minor + position.penalty_waived_minor + position.interest_waived_minor
    )
    return {
        "fees": fees_met(position),
        "penalty": penalty_met(position),
        "interest": interest_met(position),
        "principal": position.principal_repaid_minor + position.principal_charged_off_minor,
        "recovery": position.recovered_minor,
        "loss": -position.charged_off_minor,
        "waiver": -waived_minor,
        "credit": position.credit_minor,
    }


def _credit_minor(position: Position | None) -> int:
    return 0 if position is None else position.credit_minor
