"""What is told about loans, and what it changes."""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from tallystick.book.servicing.positions import LoanPosition
from tallystick.rules.loan_events import Charge, EventKind


class NewLoanEvent(NamedTuple):
    """One thing that happened to a loan; the fields are those of ``rules.loan_events.LoanEvent``.

    ``reference`` says where it comes from, such as ``receipt:REF``; ``act_id`` which act tells of
    it. ``booked`` is what that act's own entry credits, by ``accounting.ACCOUNT_OF`` or the
    supplier's ``credit``, and debits below zero. It sums to the amount of a receipt, to minus that
    amount when the receipt is reversed, and to zero where no money moves. (A named tuple, because
    a day's settlements make thousands of them.)
    """

    loan_id: int
    kind: EventKind
    value_date: date
    reference: str
    act_id: int
    amount_minor: int | None = None
    annual_rate_ppb: int | None = None
    reverses: int | None = None
    days: int | None = None
    due_date: date | None = None
    to_date: date | None = None
    waives: Charge | None = None
    booked: Mapping[str, int] = MappingProxyType({})


class Change(NamedTuple):
    """A loan before and after what was recorded."""

    before: LoanPosition
    after: LoanPosition
