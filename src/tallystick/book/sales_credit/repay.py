"""A merchant pays an advance out of its own cash; or pays after it was charged off."""

from datetime import date

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.pools import hold_suppliers
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import Party
from tallystick.book.sales_credit.events import NOT_NUMBERED_YET, NewAdvanceEvent
from tallystick.book.sales_credit.lines import lock_lines
from tallystick.book.sales_credit.positions import (
    AdvanceRow,
    advance_called,
    advances_with,
    events_of,
    folded,
)
from tallystick.book.sales_credit.shares import Shares, split
from tallystick.book.servicing.lines import CREDIT, Line
from tallystick.book.servicing.receipts import Receipt, check_receipt, keep_receipts
from tallystick.book.servicing.recording import Cash, record_cash
from tallystick.book.servicing.settled import Settled, settled_receipts
from tallystick.book.servicing.supplier_accounts import recovered_first
from tallystick.rules.refusal import Refusal
from tallystick.rules.sales_events import SalesEventKind


class UnknownAdvance(Refusal):
    """No advance has this code."""

    def __init__(self, advance: str) -> None:
        self.advance = advance
        super().__init__(
            f"There is no advance out of sales {advance[:80]!r}. Name one by the code that its "
            "request was answered with."
        )


class AdvanceTakesNoPayment(Refusal):
    """The advance is not in a state in which it takes such a payment."""

    def __init__(self, advance: str, status: str, takes: str) -> None:
        self.advance = advance
        super().__init__(
            f"Advance {advance} is {status.replace('_', ' ')}. A repayment is for one that is "
            f"live, a recovery for one that was charged off; {takes}."
        )


def known_advance(code: str) -> AdvanceRow:
    """The advance of that code, not locked. Raises UnknownAdvance."""
    advance = advance_called(code)
    if advance is None:
        raise UnknownAdvance(code)
    return advance


def repay_advance(
    advance: str, amount_minor: int, *, value_date: date | None, caller: Caller, key: str
) -> Settled:
    """Take cash of the merchant for ``advance`` (its code), beside what its sales bring.

    As of ``value_date``, the open business day where None. What is above what is owed is kept as
    the merchant's credit, and told of. A fixed fee stays as agreed: paying early earns it sooner.
    Repeating ``key`` returns the first answer.

    Raises UnknownAdvance, AdvanceTakesNoPayment, InvalidReceipt, KeyConflict.
    """
    return _paid("repay_advance", advance, amount_minor, value_date, caller, key)


def recover_advance(
    advance: str, amount_minor: int, *, value_date: date | None, caller: Caller, key: str
) -> Settled:
    """Take cash for ``advance`` (its code), which was charged off, as recovery income.

    Cash that arrived before the charge-off meets what was owed then, and less was lost. What is
    above all that was owed is the merchant's credit. Repeating ``key`` returns the first answer.

    Raises UnknownAdvance, AdvanceTakesNoPayment, InvalidReceipt, KeyConflict.
    """
    return _paid("recover_advance", advance, amount_minor, value_date, caller, key)


def _paid(
    kind: str, code: str, amount_minor: int, value_date: date | None, caller: Caller, key: str
) -> Settled:
    found = known_advance(code)
    request = {"advance": code, "amount_minor": amount_minor, "value_date": value_date}
    with once(caller, key=key, kind=kind, request=request) as act:
        if act.earlier is None:
            reference = f"{kind.replace('_', '-')}:{act.act_id}"
            _take(found, kind, reference, amount_minor, value_date, act.act_id)
            act.answer({"bank_reference": reference})
        reference = (act.earlier or act.given or {})["bank_reference"]
        return settled_receipts(found.legal_entity_id, [reference])[reference]


def _take(
    found: AdvanceRow,
    kind: str,
    reference: str,
    amount_minor: int,
    value_date: date | None,
    act_id: int,
) -> None:
    business_date = open_day(found.legal_entity_id)
    merchant = Party.objects.get(pk=found.merchant_id).code
    receipt = Receipt(
        reference, merchant, found.currency, amount_minor, value_date or business_date
    )
    check_receipt(receipt, business_date=business_date)
    (receipt_id,) = keep_receipts(
        [receipt], legal_entity_id=found.legal_entity_id, booking_date=business_date, act_id=act_id
    ).values()
    advance = locked_advance(found)
    wanted = "live" if kind == "repay_advance" else "charged_off"
    if advance.status != wanted:
        raise AdvanceTakesNoPayment(
            advance.code, advance.status, "money that is nobody's debt is taken as a receipt"
        )
    lines, shares = advance_takes(
        advance,
        receipt_id,
        reference,
        amount_minor,
        value_date=receipt.value_date,
        booking_date=business_date,
        act_id=act_id,
    )
    record_cash(
        [Cash(receipt_id, reference, advance.currency, amount_minor, receipt.value_date, 0, ())],
        recovered_first(
            lines, {receipt_id: advance.currency}, legal_entity_id=advance.legal_entity_id
        ),
        loans={},
        shares=shares,
        legal_entity_id=advance.legal_entity_id,
        booking_date=business_date,
        act_id=act_id,
    )


def locked_advance(found: AdvanceRow) -> AdvanceRow:
    """The advance as it stands, its line locked and its merchant held."""
    lock_lines(found.legal_entity_id, line_ids=[found.line_id])
    hold_suppliers([found.merchant_id])
    return advances_with([found.advance_id])[found.advance_id]


def advance_takes(
    advance: AdvanceRow,
    receipt_id: int,
    bank_reference: str,
    amount_minor: int,
    *,
    value_date: date,
    booking_date: date,
    act_id: int,
) -> tuple[list[Line], Shares]:
    """The lines of cash for an advance under lock, and what it took of it.

    It takes no more than is owed, or may be recovered; the rest is the merchant's credit.
    """
    event = _event(
        advance,
        amount_minor,
        value_date=value_date,
        reference=f"receipt:{bank_reference}",
        booking_date=booking_date,
        act_id=act_id,
    )
    to_advance_minor = sum(event.booked.values())
    lines = [
        Line(receipt_id, advance.merchant_id, None, None, bucket, minor, advance.advance_id)
        for bucket, minor in event.booked.items()
    ]
    if amount_minor > to_advance_minor:
        over_minor = amount_minor - to_advance_minor
        lines.append(Line(receipt_id, advance.merchant_id, None, None, CREDIT, over_minor))
    events = [event] if to_advance_minor else []
    return lines, Shares(lines, {advance.advance_id: advance}, events)


def _event(
    advance: AdvanceRow,
    amount_minor: int,
    *,
    value_date: date,
    reference: str,
    booking_date: date,
    act_id: int,
) -> NewAdvanceEvent:
    """What of the cash the advance takes, and the accounts it is booked to."""
    known = events_of([advance.advance_id])[advance.advance_id]
    before = folded(advance, known, on=booking_date)
    is_after_loss = before.charged_off_date is not None and value_date >= before.charged_off_date
    owed_minor = before.outstanding_minor or before.lost_minor - before.recovered_minor
    event = NewAdvanceEvent(
        advance_id=advance.advance_id,
        kind=SalesEventKind.RECOVERED if is_after_loss else SalesEventKind.RECEIVED,
        value_date=value_date,
        reference=reference,
        act_id=act_id,
        amount_minor=min(amount_minor, owed_minor),
    )
    if not event.amount_minor:
        return event
    if is_after_loss:
        return event._replace(booked={"recovery": event.amount_minor})
    after = folded(
        advance, [*known, event.numbered(NOT_NUMBERED_YET, booking_date)], on=booking_date
    )
    return event._replace(booked=split(before, after, event.amount_minor))
