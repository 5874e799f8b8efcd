"""Money still comes in for a loan that was charged off."""

from datetime import date

from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.business_date import open_day
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.lines import CREDIT, RECOVERY, Line
from tallystick.book.servicing.positions import LoanPosition, positions_of
from tallystick.book.servicing.receipts import Receipt, check_receipt, keep_receipts
from tallystick.book.servicing.recording import Cash, record_cash
from tallystick.book.servicing.repay import Repayable, what_to_repay
from tallystick.book.servicing.settled import Settled, settled_receipts
from tallystick.book.servicing.supplier_accounts import recovered_first
from tallystick.rules.refusal import Refusal


class NothingToRecover(Refusal):
    """The code names no loan that was charged off."""

    def __init__(self, loan: str, status: str) -> None:
        self.loan = loan
        super().__init__(
            f"Nothing can be recovered on {loan!r}: it is {status or 'not a loan'}. Name a loan "
            "that was charged off; money for one that is live is a repayment."
        )


def recover(
    loan: str, amount_minor: int, *, value_date: date | None, caller: Caller, key: str
) -> Settled:
    """Take cash for ``loan`` (its code), which was charged off, as recovery income.

    Cash that arrived before the charge-off meets what was owed then, and less was charged off. What
    is above all that was charged off is the supplier's credit. Repeating ``key`` returns the first
    answer.

    Raises NothingToRecover, NothingToRepay, InvalidReceipt, KeyConflict.
    """
    found = what_to_repay(loan)
    if found.loan_id is None:
        raise NothingToRecover(loan, "")
    request = {"loan": loan, "amount_minor": amount_minor, "value_date": value_date}
    with once(caller, key=key, kind="recover", request=request) as act:
        if act.earlier is None:
            reference = f"recover:{act.act_id}"
            _take(found, loan, reference, amount_minor, value_date, act.act_id)
            act.answer({"bank_reference": reference})
        reference = (act.earlier or act.given)["bank_reference"]
        return settled_receipts(found.legal_entity_id, [reference])[reference]


def _take(
    found: Repayable,
    code: str,
    reference: str,
    amount_minor: int,
    value_date: date | None,
    act_id: int,
) -> None:
    business_date = open_day(found.legal_entity_id)
    receipt = Receipt(
        reference, found.supplier, found.currency, amount_minor, value_date or business_date
    )
    check_receipt(receipt, business_date=business_date)
    (receipt_id,) = keep_receipts(
        [receipt],
        legal_entity_id=found.legal_entity_id,
        booking_date=business_date,
        act_id=act_id,
    ).values()
    lock_facilities(found.legal_entity_id, facility_ids=[found.facility_id])
    assert found.loan_id is not None
    loan = positions_of([found.loan_id])[found.loan_id]
    if loan.status != "charged_off":
        raise NothingToRecover(code, loan.status)
    record_cash(
        [Cash(receipt_id, reference, found.currency, amount_minor, receipt.value_date, 0, ())],
        recovered_first(
            recovery_lines(loan, receipt_id, amount_minor),
            {receipt_id: found.currency},
            legal_entity_id=found.legal_entity_id,
        ),
        loans={loan.loan_id: loan},
        legal_entity_id=found.legal_entity_id,
        booking_date=business_date,
        act_id=act_id,
    )


def recovery_lines(loan: LoanPosition, receipt_id: int, amount_minor: int) -> list[Line]:
    """Where cash for a loan that was charged off goes: what is above its loss is credit."""
    assert loan.position is not None
    missing_minor = loan.position.charged_off_minor - loan.position.recovered_minor
    recovered_minor = min(amount_minor, missing_minor)
    parts = (
        (loan.loan_id, RECOVERY, recovered_minor),
        (None, CREDIT, amount_minor - recovered_minor),
    )
    return [
        Line(receipt_id, loan.supplier_id, loan.facility_id, loan_id, bucket, minor)
        for loan_id, bucket, minor in parts
        if minor
    ]
