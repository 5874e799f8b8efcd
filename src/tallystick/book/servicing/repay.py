"""A supplier repays early, out of its own cash."""

from dataclasses import dataclass
from datetime import date

from tallystick.book.acts.once import Caller, once
from tallystick.book.financing.models import Facility, Loan
from tallystick.book.parties.business_date import open_day
from tallystick.book.servicing.allocation import Share, allocate, lock_facilities
from tallystick.book.servicing.lines import CREDIT, Line
from tallystick.book.servicing.positions import live_positions
from tallystick.book.servicing.receipts import Receipt, check_receipt, keep_receipts
from tallystick.book.servicing.recording import Cash, record_cash
from tallystick.book.servicing.settled import Settled, settled_receipts
from tallystick.book.servicing.supplier_accounts import recovered_first
from tallystick.rules.loan_events import EventKind
from tallystick.rules.refusal import Refusal
from tallystick.rules.settlement_terms import Sweep


class NothingToRepay(Refusal):
    """No loan of that code is live, nor any of a facility of that code."""

    def __init__(self, target: str) -> None:
        self.target = target
        super().__init__(
            f"{target!r} is no facility with live loans, and no live loan: there is nothing to "
            "repay. Name a facility, or one of its loans that has been paid out and not settled."
        )


@dataclass(frozen=True, slots=True)
class Repayable:
    """A facility, and the one loan of it that is meant, if only one is."""

    facility_id: int
    loan_id: int | None
    supplier: str
    currency: str
    legal_entity_id: int


def repay(
    target: str, amount_minor: int, *, value_date: date | None, caller: Caller, key: str
) -> Settled:
    """Take cash of the supplier for a facility's loans, or for one loan, by their code.

    The cash sweeps what is owed at ``value_date`` (the open business day where None) in the
    programme's order for such repayments, principal not yet due included: early repayment is
    free. What finds no debt is kept as the supplier's credit, and told of. Repeating ``key``
    returns the first answer.

    Raises NothingToRepay, InvalidReceipt, KeyConflict.
    """
    found = what_to_repay(target)
    request = {"target": target, "amount_minor": amount_minor, "value_date": value_date}
    with once(caller, key=key, kind="repay", request=request) as act:
        if act.earlier is None:
            reference = f"repay:{act.act_id}"
            _take(found, target, reference, amount_minor, value_date, act.act_id)
            act.answer({"bank_reference": reference})
        reference = (act.earlier or act.given)["bank_reference"]
        return settled_receipts(found.legal_entity_id, [reference])[reference]


def what_to_repay(code: str) -> Repayable:
    """The facility or loan with this code. Raises NothingToRepay."""
    loan = (
        Loan.objects.filter(code=code)
        .values_list(
            "facility_id",
            "id",
            "facility__supplier__code",
            "currency",
            "facility__legal_entity_id",
        )
        .first()
    )
    if loan is not None:
        return Repayable(*loan)
    facility = (
        Facility.objects.filter(code=code)
        .values_list("id", "supplier__code", "currency", "legal_entity_id")
        .first()
    )
    if facility is None:
        raise NothingToRepay(code)
    facility_id, *others = facility
    return Repayable(facility_id, None, *others)


def _take(
    target: Repayable,
    code: str,
    reference: str,
    amount_minor: int,
    value_date: date | None,
    act_id: int,
) -> None:
    business_date = open_day(target.legal_entity_id)
    receipt = Receipt(
        reference, target.supplier, target.currency, amount_minor, value_date or business_date
    )
    check_receipt(receipt, business_date=business_date)
    kept = keep_receipts(
        [receipt],
        legal_entity_id=target.legal_entity_id,
        booking_date=business_date,
        act_id=act_id,
    )
    receipt_id = kept[reference]
    facilities = lock_facilities(target.legal_entity_id, facility_ids=[target.facility_id])
    loans = live_positions([target.facility_id])
    if not loans or (target.loan_id is not None and target.loan_id not in loans):
        raise NothingToRepay(code)
    share = Share(
        receipt_id,
        target.facility_id,
        target.loan_id,
        amount_minor,
        receipt.value_date,
        Sweep.ALL,
        kind=EventKind.REPAID,
    )
    lines = [
        Line(
            receipt_id,
            facilities[target.facility_id].supplier_id,
            target.facility_id,
            each.loan_id,
            each.bucket or CREDIT,
            each.amount_minor,
        )
        for each in allocate(
            [share],
            facilities=facilities,
            covers_minor={},
            loans=loans,
            booking_date=business_date,
        )
    ]
    record_cash(
        [
            Cash(
                receipt_id,
                reference,
                target.currency,
                amount_minor,
                receipt.value_date,
                0,
                (),
                kind=EventKind.REPAID,
            )
        ],
        recovered_first(
            lines, {receipt_id: target.currency}, legal_entity_id=target.legal_entity_id
        ),
        loans=loans,
        legal_entity_id=target.legal_entity_id,
        booking_date=business_date,
        act_id=act_id,
    )
