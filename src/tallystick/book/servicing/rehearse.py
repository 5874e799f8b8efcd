"""What an act would change of a loan: found by doing it, and taking it back before anybody sees.

There is no second way to compute it that could differ from the act.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

from django.db import transaction

from tallystick.book.financing.models import Loan
from tallystick.book.servicing.loans import UnknownLoan, loan_on, timeline_of
from tallystick.book.servicing.positions import positions_of
from tallystick.rules.loan_balances import Balances

Reading = TypeVar("Reading")


class Standing(NamedTuple):
    """A loan in the open business day.

    ``to_come_minor``: all that is paid from now on if everything is paid on the day it falls due.
    """

    status: str
    currency: str
    annual_rate_ppb: int
    owed: Balances
    to_come_minor: int


class Rehearsal(NamedTuple):
    """A loan as it stands, and as it would stand."""

    before: Standing
    after: Standing


def rehearsed(loan: str, act: Callable[[], object]) -> Rehearsal:
    """The loan (its code) before and after ``act``, of which nothing is kept.

    Raises UnknownLoan, and what ``act`` raises.
    """
    return Rehearsal(*before_and_after(lambda: _standing(loan), act))


def before_and_after(
    read: Callable[[], Reading], act: Callable[[], object]
) -> tuple[Reading, Reading]:
    """What ``read`` answers before and after ``act``, of which nothing is kept.

    Locks that the act takes are held until the caller's transaction ends, or until this returns.
    Raises what either of them raises.
    """
    before = read()
    with transaction.atomic():
        act()
        after = read()
        transaction.set_rollback(True)
    return before, after


def _standing(code: str) -> Standing:
    loan_id = Loan.objects.filter(code=code).values_list("id", flat=True).first()
    if loan_id is None:
        raise UnknownLoan(code)
    held = positions_of([loan_id])[loan_id]
    return Standing(
        held.status,
        held.currency,
        held.position.rate_ppb if held.position else 0,
        loan_on(code).state.balances,
        sum(flow.amount_minor for flow in timeline_of(code).flows if flow.is_projected),
    )
