"""Questions about the shares of a loan: who holds which since when, and how they changed hands."""

from dataclasses import dataclass
from datetime import date

from tallystick.book.financing.models import Loan
from tallystick.book.funding.models import Participation, ShareTransfer
from tallystick.book.servicing.loans import UnknownLoan
from tallystick.book.servicing.positions import positions_of
from tallystick.book.servicing.shares import transfers_of
from tallystick.rules.loan_shares import parted, shares_after


@dataclass(frozen=True, slots=True)
class HeldShare:
    """A funder's share of a loan from one day until before another; ``to_date`` None: still.

    ``principal_minor`` is its part of what is outstanding now; None where the share has ended.
    """

    funder: str
    funder_name: str
    share_ppm: int
    from_date: date
    to_date: date | None
    principal_minor: int | None


@dataclass(frozen=True, slots=True)
class TransferMade:
    """A sale of a share, or below zero a buy-back, as it was agreed; amounts are minor units."""

    number: int
    funder: str
    share_ppm: int
    value_date: date
    booking_date: date
    par_minor: int
    price_minor: int
    reversed_date: date | None


def held_shares(loan: str) -> list[HeldShare]:
    """Who has held which share of ``loan`` (its code), the oldest first. Raises UnknownLoan."""
    found = Loan.objects.filter(code=loan).select_related("book").first()
    if found is None:
        raise UnknownLoan(loan)
    position = positions_of([found.pk])[found.pk].position
    principal_minor = position.principal_minor if position else 0
    parts = parted(principal_minor, shares_after(transfers_of([found.pk]).get(found.pk, ())))
    own_minor = principal_minor - sum(parts.values())
    return [
        HeldShare(
            row.funder.code,
            row.funder.name,
            row.share_ppm,
            row.from_date,
            row.to_date,
            None if row.to_date else parts.get(row.funder_id, own_minor),
        )
        for row in Participation.objects.filter(loan=found.pk, superseded_date=None)
        .select_related("funder")
        .order_by("from_date", "id")
    ]


def transfers_made(loan: str) -> list[TransferMade]:
    """How shares of ``loan`` (its code) changed hands, in the order of recording."""
    return [
        TransferMade(
            row.pk,
            row.holder.code,
            row.share_ppm,
            row.value_date,
            row.booking_date,
            row.par_minor,
            row.par_minor + row.premium_minor,
            row.reversed_date,
        )
        for row in ShareTransfer.objects.filter(loan__code=loan)
        .select_related("holder")
        .order_by("id")
    ]
