"""Questions about the shares of a loan: who holds which since when, and how they changed hands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from django.db.models import OuterRef, Subquery

from tallystick.book.financing.models import Loan
from tallystick.book.funding.models import Participation, ShareTransfer
from tallystick.book.servicing.loans import UnknownLoan
from tallystick.book.servicing.models import STILL_IN_FORCE, Position
from tallystick.rules.loan_shares import parted


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
    principal = Position.objects.filter(loan=OuterRef("loan"), superseded_date=STILL_IN_FORCE)
    rows = list(
        Participation.objects.filter(loan__code=loan, superseded_date=None)
        .select_related("funder", "loan__book")
        .annotate(principal_minor=Subquery(principal.values("principal_minor")))
        .order_by("from_date", "id")
    )
    if not rows and not Loan.objects.filter(code=loan).exists():
        raise UnknownLoan(loan)
    parts = _parts([row for row in rows if row.to_date is None])
    return [
        HeldShare(
            row.funder.code,
            row.funder.name,
            row.share_ppm,
            row.from_date,
            row.to_date,
            None if row.to_date else parts[row.funder_id],
        )
        for row in rows
    ]


def _parts(open_rows: Sequence[Any]) -> dict[int, int]:
    """Each funder's part of what is outstanding; the lender of record has the rest."""
    if not open_rows:
        return {}
    lender_id = open_rows[0].loan.book.funder_id
    principal_minor = open_rows[0].principal_minor or 0
    parts = parted(
        principal_minor,
        {row.funder_id: row.share_ppm for row in open_rows if row.funder_id != lender_id},
    )
    return {**parts, lender_id: principal_minor - sum(parts.values())}


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
