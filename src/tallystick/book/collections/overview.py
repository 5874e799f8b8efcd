"""Questions about cases: the list with what is past due, and everything that happened in one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet, Sum

from tallystick.book.collections.collect import standings
from tallystick.book.collections.ladders import ladder_of
from tallystick.book.collections.models import Case, Message, Note, PromiseToPay
from tallystick.book.collections.past_due import LateLoan, late_loans
from tallystick.book.parties.models import LegalEntity
from tallystick.book.payments.models import CashReceipt
from tallystick.book.proposals.models import Proposal
from tallystick.book.proposals.waiting import proposed_for
from tallystick.rules.dunning import Ladder, Next, bucket_of, by_bucket


@dataclass(frozen=True, slots=True)
class CaseOn:
    """A case as it stands on a day. Amounts are minor units by currency and bucket."""

    case: Case
    late: tuple[LateLoan, ...]
    next: Next

    @property
    def days_past_due(self) -> int:
        return max((loan.days_past_due for loan in self.late), default=0)

    @property
    def bucket(self) -> str:
        return bucket_of(self.days_past_due)

    @property
    def amounts(self) -> dict[str, int]:
        """What is past due in all, by currency."""
        return {
            currency: sum(buckets.values())
            for currency, buckets in by_bucket(loan.as_past_due for loan in self.late).items()
        }


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of a case's story: what it is, when, and the row that tells the rest.

    ``kind``: note, message, promise, promise_decided, proposal, proposal_decided or receipt.
    """

    kind: str
    date: date
    at: datetime | None
    row: Note | Message | PromiseToPay | Proposal | CashReceipt


def cases_on(cases: QuerySet[Case], entity: LegalEntity, *, on: date) -> list[CaseOn]:
    """These open cases of a legal entity with what is past due and the next step of each."""
    rows = list(
        cases.filter(legal_entity=entity, closed_date=None).select_related("party", "assignee")
    )
    late = late_loans(entity.pk, {case.party_id for case in rows}, on=on)
    ladder = ladder_of(entity.pk, on=on)
    return _cases_on(rows, late, ladder, on)


def case_on(case: Case, *, on: date) -> CaseOn:
    """One case ``on`` the open day, also one that has ended."""
    late = late_loans(case.legal_entity_id, [case.party_id], on=on)
    (found,) = _cases_on([case], late, ladder_of(case.legal_entity_id, on=on), on)
    return found


def story(case: Case, *, most: int = 500) -> list[Happened]:
    """What happened in a case, the latest first: at most so many lines of each kind."""
    promises = list(PromiseToPay.objects.filter(case=case).order_by("-id")[:most])
    proposals = list(proposals_of(case)[:most])
    lines = chain(
        (
            Happened("note", row.date, row.at, row)
            for row in Note.objects.filter(case=case).order_by("-id")[:most]
        ),
        (
            Happened("message", row.date, row.sent_at, row)
            for row in Message.objects.filter(case=case).order_by("-id")[:most]
        ),
        (Happened("promise", row.made_date, row.at, row) for row in promises),
        (
            Happened("promise_decided", row.decided_date, None, row)
            for row in promises
            if row.decided_date is not None
        ),
        (Happened("proposal", row.proposed_date, row.proposed_at, row) for row in proposals),
        (
            Happened("proposal_decided", row.decided_date, row.decided_at, row)
            for row in proposals
            if row.decided_date is not None
        ),
        (Happened("receipt", row.booking_date, None, row) for row in receipts_of(case)[:most]),
    )
    zone = ZoneInfo(case.legal_entity.time_zone)

    def place(line: Happened) -> tuple[date, datetime]:
        # What the night decided has no moment of its own: it closes its day.
        return line.date, line.at or datetime.combine(line.date, time.max, zone)

    return sorted(lines, key=place, reverse=True)


def receipts_of(case: Case) -> QuerySet[CashReceipt]:
    """Cash that met the firm's debts while the case was open, with how much did (``met_minor``)."""
    last_date = case.closed_date or date.max
    return (
        CashReceipt.objects.filter(
            Q(settlementline__loan__facility__supplier=case.party_id)
            | Q(settlementline__advance__line__merchant=case.party_id),
            legal_entity=case.legal_entity_id,
            booking_date__gte=case.opened_date,
            booking_date__lte=last_date,
        )
        .annotate(met_minor=Sum("settlementline__amount_minor"))
        .order_by("-id")
    )


def proposals_of(case: Case) -> QuerySet[Proposal]:
    """What was proposed for the firm's loans while the case was open, the latest first."""
    return proposed_for(
        case.party_id,
        legal_entity_id=case.legal_entity_id,
        from_date=case.opened_date,
        to_date=case.closed_date or date.max,
    )


def promises_made(cases: Collection[Case]) -> dict[int, tuple[int, int]]:
    """How many promises of each case were kept, and how many broken."""
    counted = (
        PromiseToPay.objects.filter(case__in=cases)
        .values(number=F("case_id"))
        .annotate(
            kept=Count("pk", filter=Q(outcome="kept")),
            broken=Count("pk", filter=Q(outcome="broken")),
        )
    )
    return {row["number"]: (row["kept"], row["broken"]) for row in counted}


def ageing(cases: Sequence[CaseOn]) -> dict[str, dict[str, int]]:
    """What is past due in these cases by currency and bucket; every bucket is there."""
    return by_bucket(loan.as_past_due for case in cases for loan in case.late)


def _cases_on(
    cases: Sequence[Case], late: Mapping[int, Sequence[LateLoan]], ladder: Ladder, on: date
) -> list[CaseOn]:
    past_due = {party: [loan.as_past_due for loan in loans] for party, loans in late.items()}
    return [
        CaseOn(each.case, tuple(late.get(each.case.party_id, ())), each.next)
        for each in standings(cases, past_due, ladder, on=on)
    ]
