"""The audit trail by what it is about, and what an act has caused."""

from collections.abc import Iterable

from django.db.models import QuerySet

from tallystick.book.acts.models import Act, OutboxMessage
from tallystick.book.financing.models import Decision
from tallystick.book.ledger.models import Entry
from tallystick.book.parties.models import LegalEntity
from tallystick.book.payments.models import CashReceipt, PaymentOrder
from tallystick.book.trade.models import Claim, ClaimEvent

MOST_ACTS_ABOUT = 1_000
"""Of one object, from each place that names it; the latest."""

_PREFIXES = ("", "loan:", "receipt:", "payment:", "supplier:", "pool:", "facility:")


def acts_about(code: str) -> set[int]:
    """The acts that touched the object of that code, as far as other rows tell.

    A loan, receipt, payment order, facility, claim or supplier: found by what the acts left in
    the ledger, among payments, decisions and claims. Each is one look-up by an index.
    """
    found: set[int] = set()
    for rows in _rows_about(code):
        found.update(rows.values_list("act_id", flat=True)[:MOST_ACTS_ABOUT])
    found.update(Act.objects.filter(owner="system", key=code).values_list("id", flat=True)[:1])
    found.update(Claim.objects.filter(code=code).values_list("document__act_id", flat=True))
    return found


def entries_of(act_id: int, *, limit: int) -> list[Entry]:
    """The journal entries that an act caused, in order."""
    return list(Entry.objects.filter(act=act_id).order_by("id")[:limit])


def messages_of(act_id: int, *, limit: int) -> list[OutboxMessage]:
    """The messages that an act sent out, in order."""
    return list(OutboxMessage.objects.filter(act=act_id).order_by("id")[:limit])


def _rows_about(code: str) -> Iterable[QuerySet]:
    yield Entry.objects.filter(
        reference__in=[f"{prefix}{code}" for prefix in _PREFIXES], act__isnull=False
    ).order_by("-id")
    yield PaymentOrder.objects.filter(end_to_end_id=code[:35])
    yield PaymentOrder.objects.filter(loan__code=code)
    yield Decision.objects.filter(facility__code=code).order_by("-id")
    yield CashReceipt.objects.filter(
        legal_entity__in=LegalEntity.objects.all(), bank_reference=code
    )
    yield ClaimEvent.objects.filter(claim__code=code).order_by("-id")
