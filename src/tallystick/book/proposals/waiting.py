"""Questions about proposals: what waits for a second person, and what was proposed for a firm."""

from datetime import date

from django.db.models import QuerySet

from tallystick.book.proposals.models import Proposal


def waiting(legal_entity_id: int) -> QuerySet[Proposal]:
    """The proposals of a legal entity that nobody has decided on, the oldest first."""
    return (
        Proposal.objects.filter(legal_entity=legal_entity_id, approved=None)
        .select_related("loan__facility__supplier", "maker")
        .order_by("id")
    )


def proposed_for(
    supplier_id: int, *, legal_entity_id: int, from_date: date, to_date: date
) -> QuerySet[Proposal]:
    """What was proposed for a supplier's loans on business days of a period, the latest first."""
    return (
        Proposal.objects.filter(
            loan__facility__supplier=supplier_id,
            legal_entity=legal_entity_id,
            proposed_date__range=(from_date, to_date),
        )
        .select_related("loan", "maker", "checker")
        .order_by("-id")
    )
