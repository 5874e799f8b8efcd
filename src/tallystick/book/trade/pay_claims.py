"""Cash meets claims, and leaves them again when it is taken back."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.db import connection

from tallystick.book.collateral.pools import hold_suppliers
from tallystick.book.trade.events import NewEvent
from tallystick.book.trade.models import ClaimEventKind
from tallystick.book.trade.reductions import book_reductions, held_claims, suppliers_of
from tallystick.rules.refusal import Refusal


@dataclass(frozen=True, slots=True)
class ClaimPayment:
    """``amount_minor`` (above zero, in the claim's currency) of cash that names a claim."""

    claim_id: int
    amount_minor: int


class NotPaidThatMuch(Refusal):
    """More is to be taken back than was paid."""

    def __init__(self, *, claim: str, asked_minor: int, paid_minor: int, value_date: date) -> None:
        self.claim = claim
        self.asked_minor = asked_minor
        self.paid_minor = paid_minor
        self.value_date = value_date
        super().__init__(
            f"Of claim {claim} {asked_minor} minor units are to be taken back with value date "
            f"{value_date}, but {paid_minor} were paid on it that day and not yet taken back. "
            "Reverse a payment with its own value date and no more than its own amount."
        )


def pay_claims(
    lines: Sequence[ClaimPayment], *, value_date: date, booking_date: date, act_id: int
) -> list[int]:
    """Pay claims up to what is outstanding on each; answers for each line what was too much.

    Part of the caller's transaction, in which it comes after the locks of facilities and before
    any other lock of pools: it locks the suppliers' pools before it reads a claim, so that no
    drawdown commits on a base that this payment lowers. A claim of which nothing is outstanding
    any longer is closed. Lines that name one claim are paid one after the other.

    Raises UnknownClaim.
    """
    pools = hold_suppliers(suppliers_of(line.claim_id for line in lines))
    claims = held_claims(line.claim_id for line in lines)
    outstanding_minor = {key: claim.outstanding_minor for key, claim in claims.items()}
    excess_minor, payments = [], []
    for line in lines:
        paid_minor = min(line.amount_minor, outstanding_minor[line.claim_id])
        outstanding_minor[line.claim_id] -= paid_minor
        excess_minor.append(line.amount_minor - paid_minor)
        if paid_minor:
            payments.append(
                NewEvent(line.claim_id, ClaimEventKind.PAID, value_date, paid_minor=paid_minor)
            )
    book_reductions(payments, claims, pools=pools, booking_date=booking_date, act_id=act_id)
    return excess_minor


def reverse_payments(
    lines: Sequence[ClaimPayment], *, value_date: date, booking_date: date, act_id: int
) -> None:
    """Take payments back, as if they had never been; their claims are outstanding again.

    ``value_date`` is that of the payment taken back, and each line's amount what it had paid of
    the claim, without what was too much. Part of the caller's transaction, like ``pay_claims``.

    Raises UnknownClaim, NotPaidThatMuch.
    """
    pools = hold_suppliers(suppliers_of(line.claim_id for line in lines))
    claims = held_claims(line.claim_id for line in lines)
    day_of = {key: max(value_date, claim.issue_date) for key, claim in claims.items()}
    asked_minor: dict[int, int] = defaultdict(int)
    for line in lines:
        asked_minor[line.claim_id] += line.amount_minor
    paid_minor = _paid_on(day_of)
    for claim_id, amount_minor in asked_minor.items():
        if amount_minor > paid_minor.get(claim_id, 0):
            raise NotPaidThatMuch(
                claim=claims[claim_id].code,
                asked_minor=amount_minor,
                paid_minor=paid_minor.get(claim_id, 0),
                value_date=value_date,
            )
    reversals = [
        NewEvent(
            line.claim_id,
            ClaimEventKind.PAYMENT_REVERSED,
            value_date,
            paid_minor=-line.amount_minor,
        )
        for line in lines
    ]
    book_reductions(reversals, claims, pools=pools, booking_date=booking_date, act_id=act_id)


def _paid_on(day_of: dict[int, date]) -> dict[int, int]:
    """What was paid on each claim with a value date, less what was taken back of it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT claim_id, sum(paid_minor)::bigint"
            " FROM trade_claimevent"
            " JOIN unnest(%s::bigint[], %s::date[]) AS asked (claim_id, value_date)"
            "   USING (claim_id, value_date)"
            " WHERE kind IN ('paid', 'payment_reversed') GROUP BY claim_id",
            [list(day_of), list(day_of.values())],
        )
        return dict(cursor.fetchall())
