"""Claims looked for among millions: by what indexes can find, a page at a time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db.models import QuerySet

from tallystick.book.trade.models import Claim
from tallystick.rules.refusal import Refusal


class SupplierMissing(Refusal):
    """Claims left out for a reason were asked for without naming whose."""

    def __init__(self) -> None:
        super().__init__(
            "Why a claim is left out depends on the other claims of its supplier. "
            "Name a supplier to look for a reason."
        )


@dataclass(frozen=True, slots=True)
class ClaimsWanted:
    """What claims are looked for; what is None or empty does not matter.

    Dates and amounts include both ends; amounts are of the face, in minor units. ``reason`` is one
    of ``rules.eligibility.REASONS``, ``counted`` for those that count, or another of
    ``collateral.reasons``; it is asked of one supplier's open claims.
    """

    supplier_id: int | None = None
    obligor_id: int | None = None
    currency: str = ""
    stage: str = ""
    status: str = ""
    reason: str = ""
    due_from_date: date | None = None
    due_to_date: date | None = None
    min_face_minor: int | None = None
    max_face_minor: int | None = None
    code_prefix: str = ""


COUNTED = "counted"
"""Asked for as a reason: the claims that none keeps from counting."""


def claims_wanted(
    claims: QuerySet[Claim], wanted: ClaimsWanted, *, reasons: Mapping[int, str] | None = None
) -> QuerySet[Claim]:
    """Those of ``claims`` that are wanted.

    ``reasons``: the supplier's, as ``collateral.reasons.reasons_of_supplier`` tells them; needed
    where a reason is wanted. Raises SupplierMissing.
    """
    equal = {
        "supplier_id": wanted.supplier_id,
        "obligor_id": wanted.obligor_id,
        "currency": wanted.currency or None,
        "stage": wanted.stage or None,
        "status": wanted.status or None,
        "due_date__gte": wanted.due_from_date,
        "due_date__lte": wanted.due_to_date,
        "face_minor__gte": wanted.min_face_minor,
        "face_minor__lte": wanted.max_face_minor,
        "code__startswith": wanted.code_prefix or None,
    }
    found = claims.filter(**{name: value for name, value in equal.items() if value is not None})
    if not wanted.reason:
        return found
    if wanted.reason == "closed":
        return found.filter(status="closed")
    if reasons is None:
        raise SupplierMissing
    reason = "" if wanted.reason == COUNTED else wanted.reason
    return found.filter(pk__in=[claim_id for claim_id, why in reasons.items() if why == reason])
