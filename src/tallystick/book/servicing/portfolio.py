"""Loans looked for among a million: by status, lateness, due date, facility or supplier."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from django.db.models import QuerySet

from tallystick.book.financing.models import Loan
from tallystick.book.servicing.delinquency import BUCKETS
from tallystick.book.servicing.models import STILL_IN_FORCE, Position

PAST_DUE_BUCKETS = (
    *(f"{before + 1}-{last}" for before, last in pairwise(BUCKETS)),
    f"{BUCKETS[-1] + 1}+",
)
"""Days past due from–to, as the day's close counts them."""


@dataclass(frozen=True, slots=True)
class LoansWanted:
    """What loans are looked for; what is None or empty does not matter.

    Dates include both ends. ``past_due`` is one of PAST_DUE_BUCKETS and asks for live loans.
    """

    facility_id: int | None = None
    supplier_id: int | None = None
    status: str = ""
    past_due: str = ""
    due_from_date: date | None = None
    due_to_date: date | None = None
    code_prefix: str = ""


def loans_wanted(loans: QuerySet[Loan], wanted: LoansWanted, *, on: date) -> QuerySet[Loan]:
    """Those of ``loans`` that are wanted; ``on`` is the day that lateness is counted to."""
    equal = {
        "facility_id": wanted.facility_id,
        "facility__supplier_id": wanted.supplier_id,
        "status": wanted.status or None,
        "due_date__gte": wanted.due_from_date,
        "due_date__lte": wanted.due_to_date,
        "code__startswith": wanted.code_prefix or None,
    }
    found = loans.filter(**{name: value for name, value in equal.items() if value is not None})
    if wanted.past_due:
        place = PAST_DUE_BUCKETS.index(wanted.past_due)
        found = found.filter(status="live", due_date__lte=on - timedelta(days=BUCKETS[place] + 1))
        if place + 1 < len(BUCKETS):
            found = found.filter(due_date__gte=on - timedelta(days=BUCKETS[place + 1]))
    return found


def principal_of(loan_ids: Collection[int]) -> dict[int, int]:
    """Principal outstanding by loan id; nothing for a loan that has not been paid out."""
    return dict(
        Position.objects.filter(
            loan_id__in=list(loan_ids), superseded_date=STILL_IN_FORCE
        ).values_list("loan_id", "principal_minor")
    )
