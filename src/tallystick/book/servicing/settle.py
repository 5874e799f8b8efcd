"""Take settlements: claims are paid and closed, the facility's loans are swept, the rest goes on.

Everything a receipt does is one transaction: cash in the bank, its claims paid, what its
facilities' loans owe met bucket by bucket, the rest ordered to be paid out to the suppliers, and
what names no claim of ours in suspense with a work item. Many receipts are taken at once; a
receipt is known by the bank's reference, whatever batch it comes in.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from hashlib import sha256

from django.db import transaction

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.pools import hold_suppliers
from tallystick.book.parties.business_date import open_day
from tallystick.book.sales_credit.shares import keep_shares, lock_advances, settlements_of
from tallystick.book.servicing.allocation import lock_facilities
from tallystick.book.servicing.distribution import distribute
from tallystick.book.servicing.receipts import (
    Receipt,
    ReceiptConflict,
    check_receipt,
    keep_receipts,
    kept_contents,
)
from tallystick.book.servicing.recording import Cash, record_cash
from tallystick.book.servicing.remittance import NamedClaim, Remitted, remit, suppliers_of
from tallystick.book.servicing.settled import Settled, settled_receipts
from tallystick.book.servicing.supplier_accounts import recovered_first
from tallystick.rules.refusal import Refusal


def settle_many(
    receipts: Sequence[Receipt], *, legal_entity_id: int, caller: Caller
) -> list[Settled | Refusal]:
    """Take receipts of cash in one transaction; answers each of them in the order given.

    A claim is paid up to what is outstanding on it and closed when that is all. The cash sweeps
    the live loans of the facility that the claim's pool secures: what they owe at the value date,
    bucket by bucket in the programme's order. The rest is ordered to be paid out to the supplier.
    Cash that names no claim, another currency's claim or more than is outstanding waits in
    suspense, with a work item.

    A receipt told again is answered as the first time. One that cannot be taken is answered by
    its refusal (InvalidReceipt, UnknownCurrency, ReceiptConflict), and the others are taken.
    """
    with transaction.atomic():
        business_date = open_day(legal_entity_id)
        new, refusals = _sorted_out(receipts, legal_entity_id, business_date)
        if new:
            with once(
                caller,
                key=_batch_key(new, legal_entity_id),
                kind="settle",
                request={"legal_entity_id": legal_entity_id, "receipts": sorted(new)},
            ) as act:
                if act.earlier is None:
                    _take(new, legal_entity_id, business_date, act.act_id)
                    act.answer({"receipts": sorted(new)})
            refusals |= _overtaken(receipts, legal_entity_id)
        settled = settled_receipts(legal_entity_id, {each.bank_reference for each in receipts})
    return [
        refusals.get(place) or settled[receipt.bank_reference]
        for place, receipt in enumerate(receipts)
    ]


def settle(receipt: Receipt, *, legal_entity_id: int, caller: Caller) -> Settled:
    """Take one receipt; see ``settle_many``. Raises what that answers as a refusal."""
    (outcome,) = settle_many([receipt], legal_entity_id=legal_entity_id, caller=caller)
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def settle_under_key(
    receipt: Receipt, *, legal_entity_id: int, caller: Caller, key: str
) -> Settled:
    """Take one receipt for a caller who names the request: repeating ``key`` returns the answer.

    Raises KeyConflict, and what ``settle`` raises; a refusal leaves the key free.
    """
    request = {
        "legal_entity_id": legal_entity_id,
        "bank_reference": receipt.bank_reference,
        "content_sha256": receipt.content_sha256.hex(),
    }
    with once(caller, key=key, kind="take_receipt", request=request) as act:
        if act.earlier is None:
            settled = settle(receipt, legal_entity_id=legal_entity_id, caller=caller)
            act.answer(settled.as_json())
    return Settled.from_json(act.earlier or act.given or {})


def _sorted_out(
    receipts: Sequence[Receipt], legal_entity_id: int, business_date: date
) -> tuple[dict[str, Receipt], dict[int, Refusal]]:
    """The receipts to be taken now, by reference, and the refusals by place in the batch."""
    kept = _contents(receipts, legal_entity_id)
    new: dict[str, Receipt] = {}
    refusals: dict[int, Refusal] = {}
    for place, receipt in enumerate(receipts):
        reference = receipt.bank_reference
        try:
            check_receipt(receipt, business_date=business_date)
        except Refusal as refusal:
            refusals[place] = refusal
            continue
        if reference not in kept:
            new.setdefault(reference, receipt)
        earlier = kept[reference] if reference in kept else new[reference].content_sha256
        if earlier != receipt.content_sha256:
            refusals[place] = ReceiptConflict(reference)
    return new, refusals


def _overtaken(receipts: Sequence[Receipt], legal_entity_id: int) -> dict[int, Refusal]:
    """Conflicts with receipts that another transaction wrote while this one waited for it."""
    kept = _contents(receipts, legal_entity_id)
    return {
        place: ReceiptConflict(receipt.bank_reference)
        for place, receipt in enumerate(receipts)
        if kept.get(receipt.bank_reference, receipt.content_sha256) != receipt.content_sha256
    }


def _contents(receipts: Iterable[Receipt], legal_entity_id: int) -> dict[str, bytes]:
    return kept_contents(
        {receipt.bank_reference for receipt in receipts}, legal_entity_id=legal_entity_id
    )


def _batch_key(receipts: Mapping[str, Receipt], legal_entity_id: int) -> str:
    """The natural key of these receipts together: whose they are, and all that they say."""
    content = sha256(f"{legal_entity_id}".encode())
    for reference in sorted(receipts):
        content.update(sha256(reference.encode()).digest())
        content.update(receipts[reference].content_sha256)
    return f"settle:{content.hexdigest()}"


def _take(
    receipts: Mapping[str, Receipt], legal_entity_id: int, business_date: date, act_id: int
) -> None:
    receipt_ids = keep_receipts(
        list(receipts.values()),
        legal_entity_id=legal_entity_id,
        booking_date=business_date,
        act_id=act_id,
    )
    taken = {receipt_id: receipts[reference] for reference, receipt_id in receipt_ids.items()}
    named = [
        NamedClaim(receipt_id, receipt.value_date, receipt.currency, code, amount_minor)
        for receipt_id, receipt in taken.items()
        for code, amount_minor in receipt.lines
    ]
    suppliers = suppliers_of(line.code for line in named)
    facilities = lock_facilities(legal_entity_id, supplier_ids=suppliers)
    advances = lock_advances(legal_entity_id, suppliers)
    hold_suppliers(suppliers)
    remitted = remit(
        named, legal_entity_id=legal_entity_id, booking_date=business_date, act_id=act_id
    )
    lines, loans = distribute(remitted, facilities, business_date)
    remitted_of: dict[int, list[Remitted]] = {receipt_id: [] for receipt_id in taken}
    for line in remitted:
        remitted_of[line.receipt_id].append(line)
    lines = recovered_first(
        lines,
        {receipt_id: receipt.currency for receipt_id, receipt in taken.items()},
        legal_entity_id=legal_entity_id,
    )
    shares = keep_shares(
        settlements_of(
            lines,
            {
                receipt_id: (receipt.bank_reference, receipt.value_date, receipt.currency)
                for receipt_id, receipt in taken.items()
            },
        ),
        lines,
        advances,
        booking_date=business_date,
        act_id=act_id,
    )
    record_cash(
        [_cash(key, receipt, remitted_of[key]) for key, receipt in taken.items()],
        shares.lines,
        loans=loans,
        shares=shares,
        legal_entity_id=legal_entity_id,
        booking_date=business_date,
        act_id=act_id,
    )


def _cash(receipt_id: int, receipt: Receipt, remitted: Sequence[Remitted]) -> Cash:
    """The receipt's cash; what paid no claim stands in suspense."""
    because = [line.because for line in remitted if line.because]
    if receipt.amount_minor > sum(amount_minor for _, amount_minor in receipt.lines):
        because.append("a part of the cash names no claim")
    return Cash(
        receipt_id,
        receipt.bank_reference,
        receipt.currency,
        receipt.amount_minor,
        receipt.value_date,
        receipt.amount_minor - sum(line.applied_minor for line in remitted),
        because,
    )
