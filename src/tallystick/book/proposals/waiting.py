"""Questions about proposals: what waits for a second person, and what was proposed for whom."""

from datetime import date

from django.db.models import QuerySet

from tallystick.book.proposals.models import Proposal, ProposalState


def waiting(legal_entity_id: int) -> QuerySet[Proposal]:
    """The proposals of a legal entity that nobody has decided on, the oldest first."""
    return (
        Proposal.objects.filter(legal_entity=legal_entity_id, approved=None)
        .select_related("loan", "supplier", "maker")
        .order_by("id")
    )


def in_state(proposals: QuerySet[Proposal], state: ProposalState) -> QuerySet[Proposal]:
    """Those of ``proposals`` that are in this state."""
    match state:
        case ProposalState.WAITING:
            return proposals.filter(approved=None)
        case ProposalState.APPROVED:
            return proposals.filter(approved=True)
        case ProposalState.REJECTED:
            return proposals.filter(approved=False, checker__isnull=False)
        case ProposalState.WITHDRAWN:
            return proposals.filter(approved=False, checker=None)


def proposed_for(
    supplier_id: int, *, legal_entity_id: int, from_date: date, to_date: date
) -> QuerySet[Proposal]:
    """What was proposed for a supplier on business days of a period, the latest first."""
    return (
        Proposal.objects.filter(
            supplier=supplier_id,
            legal_entity=legal_entity_id,
            proposed_date__range=(from_date, to_date),
        )
        .select_related("loan", "supplier", "maker", "checker")
        .order_by("-id")
    )
