"""How a receipt is spread over instalments and their parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from tallystick.rules.instalment_rows import Row
from tallystick.rules.instalment_terms import Ahead, AllocationOrder, Axis, ChargeDue, Part
from tallystick.rules.money import allocate

Limit = Callable[[Row, Part], int]
"""At most what a receipt can pay to a part of an instalment: what is outstanding of it, unless the
part can take the place of another."""


@dataclass(frozen=True, slots=True)
class Share:
    """What of a receipt went to one part of one instalment."""

    row: Row
    part: Part
    amount_minor: int


def spread(
    amount_minor: int, rows: Sequence[Row], order: AllocationOrder, *, on: date, limit: Limit
) -> tuple[list[Share], int]:
    """Pay ``rows`` from a receipt of the day; the shares, and what found nothing to pay.

    ``rows`` are in the order in which they fall due. What is past due is paid first, then what is
    due on the day, then what is not due yet; a charge that counts on its own date is paid, where
    its instalment is not due yet, before the rest of that instalment.
    """
    purse = _Purse(amount_minor, on, limit)
    past_due = [row for row in rows if row.due_date < on]
    due = [row for row in rows if row.due_date == on]
    ahead = [row for row in rows if row.due_date > on]
    _pay(purse, past_due, order.past_due, order.axis)
    _pay(purse, due, order.due, order.axis)
    if order.ahead is Ahead.ALL_EQUALLY:
        _pay_equally(purse, ahead, order)
    else:
        _pay_ahead(purse, ahead if order.ahead is Ahead.NEXT else ahead[::-1], order)
    return purse.shares, purse.left_minor


class _Purse:
    """What is left of a receipt, and where the rest went."""

    def __init__(self, amount_minor: int, on: date, limit: Limit) -> None:
        self.left_minor = amount_minor
        self.on = on
        self.limit = limit
        self.shares: list[Share] = []

    def pay(self, row: Row, part: Part, most_minor: int | None = None) -> int:
        paid_minor = max(0, min(self.left_minor, self.limit(row, part)))
        if most_minor is not None:
            paid_minor = min(paid_minor, most_minor)
        if paid_minor:
            row.pay(part, paid_minor, self.on)
            self.left_minor -= paid_minor
            self.shares.append(Share(row, part, paid_minor))
        return paid_minor


def _pay(purse: _Purse, rows: Sequence[Row], parts: Sequence[Part], axis: Axis) -> None:
    if axis is Axis.BY_INSTALMENT:
        pairs = [(row, part) for row in rows for part in parts]
    else:
        pairs = [(row, part) for part in parts for row in rows]
    for row, part in pairs:
        purse.pay(row, part)


def _pay_ahead(purse: _Purse, rows: Sequence[Row], order: AllocationOrder) -> None:
    if order.charge_due is ChargeDue.WITH_INSTALMENT:
        _pay(purse, rows, order.in_advance, order.axis)
        return
    for row in rows:
        for part in order.due:
            purse.pay(row, part, row.due_of(part, purse.on, order.charge_due))
        _pay(purse, [row], order.in_advance, Axis.BY_INSTALMENT)


def _pay_equally(purse: _Purse, rows: Sequence[Row], order: AllocationOrder) -> None:
    """Equal shares to all that are still open, again for what the small ones leave."""
    while purse.left_minor:
        still_open = [row for row in rows if _payable(purse, row)]
        if not still_open:
            return
        shares_minor = allocate(purse.left_minor, [1] * len(still_open))
        for row, share_minor in zip(still_open, shares_minor, strict=True):
            for part in order.in_advance:
                share_minor -= purse.pay(row, part, share_minor)


def _payable(purse: _Purse, row: Row) -> bool:
    return any(purse.limit(row, part) > 0 for part in Part)
