"""The nightly step: cases opened and closed, promises decided, the next letters made ready.

Everything is as of the day that is open now, whose morning the letters go out in; promises are
decided for the day that closes. The step costs what is past due and the cases that are open,
whatever the size of the book.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection
from django.db.models import Exists, OuterRef

from tallystick.book.collections.ladders import accounts_of, ladder_of
from tallystick.book.collections.letters import NewMessage, make_ready
from tallystick.book.collections.models import (
    Case,
    CaseEnd,
    Message,
    Note,
    NoteKind,
    PromiseToPay,
)
from tallystick.book.collections.past_due import LateLoan, how_late, late_loans, parties_late
from tallystick.book.collections.promise import decide_promises
from tallystick.book.financing.models import LoanStatus
from tallystick.book.sales_credit.models import AdvanceEvent, AdvanceStatus
from tallystick.book.servicing.models import LoanEvent
from tallystick.rules.dunning import Ladder, Next, PastDue, Sent, Standing, next_action
from tallystick.rules.loan_events import EventKind
from tallystick.rules.promises import Outcome
from tallystick.rules.sales_events import SalesEventKind

AUTHOR = "close of day"


@dataclass(frozen=True, slots=True)
class CaseStanding:
    """A case with where its party stands, and what the ladder says of it."""

    case: Case
    standing: Standing
    next: Next


def collect(legal_entity_id: int, *, day: date, act_id: int) -> dict[str, Any]:
    """Carry the collections of a legal entity over from ``day`` to the next; returns counts.

    Part of the caller's transaction.
    """
    on = day + timedelta(days=1)
    ladder = ladder_of(legal_entity_id, on=on)
    passed = parties_late(legal_entity_id, max_days_past_due=ladder.max_days_past_due, on=on)
    opened = _open_cases(legal_entity_id, passed, on, act_id)
    cases = list(
        Case.objects.select_for_update(no_key=True)
        .filter(legal_entity=legal_entity_id, closed_date=None)
        .order_by("id")
    )
    late = how_late(legal_entity_id, {case.party_id for case in cases}, on=on)
    decided = decide_promises(cases, day=day)
    closed = _close_cases([case for case in cases if case.party_id not in late], on, act_id)
    still = [case for case in cases if case.party_id in late]
    due = [each for each in standings(still, late, ladder, on=on) if each.next.step is not None]
    # What is owed is worked out for those who are written to, and for nobody else.
    loans = late_loans(legal_entity_id, {each.case.party_id for each in due}, on=on)
    letters = make_ready(
        [_message(each, loans[each.case.party_id]) for each in due if each.case.party_id in loans],
        legal_entity_id=legal_entity_id,
        accounts=accounts_of(legal_entity_id),
        on=on,
        act_id=act_id,
    )
    return {
        "opened": opened,
        "closed": closed,
        "open": len(still),
        "promises": decided,
        "messages": letters,
    }


def standings(
    cases: Sequence[Case], past_due: Mapping[int, Sequence[PastDue]], ladder: Ladder, *, on: date
) -> list[CaseStanding]:
    """Where the parties of these cases stand ``on`` a day, and the next action of each.

    ``past_due``: by party.
    """
    ids = [case.pk for case in cases]
    sent: dict[int, list[Sent]] = defaultdict(list)
    for message in Message.objects.filter(case__in=ids).order_by("id"):
        sent[message.case_id].append(Sent(message.step, message.min_days_past_due, message.date))
    promised: dict[int, list[date]] = defaultdict(list)
    for case_id, promised_date in PromiseToPay.objects.filter(
        case__in=ids, outcome=Outcome.RUNNING
    ).values_list("case_id", "promised_date"):
        promised[case_id].append(promised_date)
    found = []
    for case in cases:
        standing = Standing(
            past_due=tuple(past_due.get(case.party_id, ())),
            sent=tuple(sent[case.pk]),
            promised_dates=tuple(promised[case.pk]),
            paused_until_date=case.paused_until_date,
        )
        found.append(CaseStanding(case, standing, next_action(ladder, standing, on)))
    return found


# Of two closes at work on one entity the second waits: the step holds the lock of the close.
_OPENED = """
    INSERT INTO collections_case (legal_entity_id, party_id, opened_date, "end", act_id)
    SELECT %s, party_id, %s, '', %s
    FROM unnest(%s::bigint[]) WITH ORDINALITY AS late (party_id, place) ORDER BY place
    ON CONFLICT (legal_entity_id, party_id) WHERE closed_date IS NULL DO NOTHING
    RETURNING id
"""


def _open_cases(legal_entity_id: int, passed: set[int], on: date, act_id: int) -> int:
    """A case for each firm that has passed the threshold and has none."""
    parties = sorted(passed)
    if not parties:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(_OPENED, [legal_entity_id, on, act_id, parties])
        opened = [case_id for (case_id,) in cursor.fetchall()]
    _note(opened, NoteKind.OPENED, on, act_id)
    return len(opened)


def _close_cases(cured: Sequence[Case], on: date, act_id: int) -> int:
    """Nothing of these is past due any more: it was paid, or written off."""
    if not cured:
        return 0
    ids = [case.pk for case in cured]
    charged_off = LoanEvent.objects.filter(
        kind=EventKind.CHARGED_OFF,
        loan__status=LoanStatus.CHARGED_OFF,
        loan__facility__supplier=OuterRef("party_id"),
        loan__facility__legal_entity=OuterRef("legal_entity_id"),
        booking_date__gte=OuterRef("opened_date"),
    )
    advances_charged_off = AdvanceEvent.objects.filter(
        kind=SalesEventKind.CHARGED_OFF,
        advance__status=AdvanceStatus.CHARGED_OFF,
        advance__line__merchant=OuterRef("party_id"),
        advance__line__legal_entity=OuterRef("legal_entity_id"),
        booking_date__gte=OuterRef("opened_date"),
    )
    written_off = set(
        Case.objects.filter(
            Exists(charged_off) | Exists(advances_charged_off), pk__in=ids
        ).values_list("id", flat=True)
    )
    for end, of_this_end in (
        (CaseEnd.WRITTEN_OFF, [case_id for case_id in ids if case_id in written_off]),
        (CaseEnd.CURED, [case_id for case_id in ids if case_id not in written_off]),
    ):
        Case.objects.filter(pk__in=of_this_end).update(closed_date=on, end=end)
        _note(of_this_end, NoteKind.CLOSED, on, act_id, text=str(end))
    return len(ids)


def _note(
    case_ids: Iterable[int], kind: NoteKind, on: date, act_id: int, *, text: str = ""
) -> None:
    Note.objects.bulk_create(
        Note(case_id=case_id, kind=kind, text=text, date=on, author=AUTHOR, act_id=act_id)
        for case_id in case_ids
    )


def _message(each: CaseStanding, late: Sequence[LateLoan]) -> NewMessage:
    assert each.next.step is not None
    return NewMessage(each.case, each.next.step, each.next.clause, tuple(late))
