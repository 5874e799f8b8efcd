"""A share of each settlement repays the merchant's advances before the rest is paid out.

The hook of the receipts' way through the book: ``keep_shares`` takes the lines of settlements that
would be paid out and parts the shares from them; ``record_shares`` records what was kept, beside
the loans' events.

The share is of everything that was settled to the merchant in a receipt, whatever part of it a
receivables facility has swept before; it is kept out of what is left, and no more than is owed.
What is kept follows from the running total of all sales, rounded, so that a settlement in parts
brings the same as the whole.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from tallystick.book.sales_credit.events import NOT_NUMBERED_YET, NewAdvanceEvent, record_events
from tallystick.book.sales_credit.lines import lock_lines
from tallystick.book.sales_credit.positions import AdvanceRow, advances_of, events_of, folded
from tallystick.book.servicing.lines import RESIDUAL, Line
from tallystick.rules.money import rounded
from tallystick.rules.sales_events import BASIS_POINTS, SalesEvent, SalesEventKind
from tallystick.rules.sales_share import SalesShareState


class Settlement(NamedTuple):
    """What a receipt settled to one merchant: sales, before anything is kept of them."""

    receipt_id: int
    bank_reference: str
    value_date: date
    currency: str
    merchant_id: int
    sales_minor: int


class Shares(NamedTuple):
    """What was kept of settlements: the receipts' lines with it, and the advances' events."""

    lines: list[Line]
    advances: dict[int, AdvanceRow]
    events: list[NewAdvanceEvent]


def lock_advances(legal_entity_id: int, merchant_ids: Iterable[int]) -> dict[int, AdvanceRow]:
    """The live advances of these merchants, their lines locked; most merchants have none."""
    lines = lock_lines(legal_entity_id, merchant_ids=merchant_ids)
    return advances_of([line.line_id for line in lines], status="live") if lines else {}


def keep_shares(
    settlements: Sequence[Settlement],
    lines: Sequence[Line],
    advances: Mapping[int, AdvanceRow],
    *,
    booking_date: date,
    act_id: int,
) -> Shares:
    """``lines`` with the shares of ``advances`` parted from what would be paid out."""
    kept = Shares(list(lines), dict(advances), [])
    if not advances:
        return kept
    known = events_of(advances)
    for settlement in sorted(settlements, key=lambda each: (each.value_date, each.receipt_id)):
        for advance in advances.values():
            if (
                advance.merchant_id != settlement.merchant_id
                or advance.currency != settlement.currency
                or advance.terms.start > settlement.value_date
            ):
                continue
            left_minor = sum(line.amount_minor for line in kept.lines if _is_left(line, settlement))
            event = _kept_event(
                advance, settlement, known[advance.advance_id], left_minor, booking_date, act_id
            )
            if event is None:
                continue
            known[advance.advance_id].append(
                event.numbered(NOT_NUMBERED_YET + len(kept.events), booking_date)
            )
            kept.events.append(event)
            _part(kept.lines, settlement, advance, event.booked)
    return kept


def record_shares(shares: Shares, *, booking_date: date) -> None:
    """Record what was kept; the entries of the receipts have booked it."""
    record_events(shares.advances, shares.events, booking_date=booking_date)


def split(before: SalesShareState, after: SalesShareState, cash_minor: int) -> dict[str, int]:
    """Which accounts cash is booked to: as the fold moved, fee first, in parts not below zero."""
    parts = {}
    for kind, moved_minor in (
        ("fee", after.fee_collected_minor - before.fee_collected_minor),
        ("principal", after.principal_repaid_minor - before.principal_repaid_minor),
    ):
        parts[kind] = min(max(0, moved_minor), cash_minor)
        cash_minor -= parts[kind]
    parts["principal"] += cash_minor
    return {kind: minor for kind, minor in parts.items() if minor}


def _kept_event(
    advance: AdvanceRow,
    settlement: Settlement,
    known: Sequence[SalesEvent],
    left_minor: int,
    booking_date: date,
    act_id: int,
) -> NewAdvanceEvent | None:
    """What of the settlement is kept for the advance; None where nothing is owed any more."""
    before = folded(advance, known, on=booking_date)
    if not before.outstanding_minor:
        return None
    then = folded(advance, known, on=settlement.value_date, known_on=booking_date)
    total_bps = before.sales_bps + settlement.sales_minor * then.share_bps
    share_minor = rounded(total_bps, BASIS_POINTS, advance.terms.rounding) - before.share_kept_minor
    event = NewAdvanceEvent(
        advance_id=advance.advance_id,
        kind=SalesEventKind.SETTLEMENT,
        value_date=settlement.value_date,
        reference=f"receipt:{settlement.bank_reference}",
        act_id=act_id,
        amount_minor=settlement.sales_minor,
        kept_minor=min(share_minor, left_minor, before.outstanding_minor),
    )
    after = folded(
        advance, [*known, event.numbered(2 * NOT_NUMBERED_YET, booking_date)], on=booking_date
    )
    return event._replace(booked=split(before, after, event.kept_minor or 0))


def _is_left(line: Line, settlement: Settlement) -> bool:
    return (
        line.bucket == RESIDUAL
        and line.receipt_id == settlement.receipt_id
        and line.supplier_id == settlement.merchant_id
    )


def _part(
    lines: list[Line], settlement: Settlement, advance: AdvanceRow, booked: Mapping[str, int]
) -> None:
    """Take what was kept off the lines that would be paid out, and add lines to the advance."""
    to_take_minor = sum(booked.values())
    for place, line in enumerate(lines):
        if to_take_minor and _is_left(line, settlement):
            taken_minor = min(to_take_minor, line.amount_minor)
            lines[place] = line._replace(amount_minor=line.amount_minor - taken_minor)
            to_take_minor -= taken_minor
    lines[:] = [line for line in lines if line.amount_minor]
    lines += [
        Line(
            settlement.receipt_id,
            settlement.merchant_id,
            None,
            None,
            kind,
            minor,
            advance.advance_id,
        )
        for kind, minor in booked.items()
    ]


def settlements_of(
    lines: Iterable[Line],
    receipts: Mapping[int, tuple[str, date, str]],
) -> list[Settlement]:
    """What receipts settled to each supplier: all of their lines, whatever they met.

    ``receipts``: bank reference, value date and currency of each, by row id.
    """
    sales_minor: dict[tuple[int, int], int] = defaultdict(int)
    for line in lines:
        sales_minor[line.receipt_id, line.supplier_id] += line.amount_minor
    return [
        Settlement(receipt_id, *receipts[receipt_id], merchant_id, minor)
        for (receipt_id, merchant_id), minor in sales_minor.items()
    ]
