"""Entries by hand: one person proposes, another approves, and only then is anything booked."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.db.models.functions import Now

from tallystick.book.acts.once import Caller, once
from tallystick.book.acts.reasons import refuse_unreasoned
from tallystick.book.ledger.models import ManualJournal
from tallystick.book.ledger.post import post
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import Role, User
from tallystick.book.parties.two_people import refuse_unless, to_decide
from tallystick.rules.chart import Kind, line_of
from tallystick.rules.journal import AccountName, JournalEntry, Posting, Side
from tallystick.rules.money import minor_digits
from tallystick.rules.refusal import Refusal

EVENT = "manual_journal"
MAX_REFERENCE_LENGTH = 100
MAKERS = (Role.OPERATOR, Role.TREASURY)
CHECKERS = (Role.APPROVER,)


class ReferenceUnusable(Refusal):
    """The reference of an entry is empty or too long."""

    def __init__(self, reference: str) -> None:
        self.reference = reference
        super().__init__(
            f"{reference[:40]!r} cannot be the reference of an entry. Name the object it is "
            f"about in 1 to {MAX_REFERENCE_LENGTH} printable characters, such as loan:JBB-1-7."
        )


class MemorandumMixed(Refusal):
    """Memorandum accounts are booked against each other, never against the others."""

    def __init__(self, names: Sequence[str]) -> None:
        super().__init__(
            f"{', '.join(names)} are memorandum accounts and others in one entry. "
            "Propose two entries: one with memorandum accounts only, one without."
        )


def propose(
    *,
    caller: Caller,
    key: str,
    maker: User,
    legal_entity_id: int,
    currency: str,
    reference: str,
    value_date: date,
    postings: Sequence[Posting],
) -> int:
    """Put an entry up for approval; returns the manual journal's id. Nothing is booked yet.

    ``caller.reason`` says why. Repeating ``key`` returns the first answer.

    Raises RoleMissing, ReasonMissing, ReferenceUnusable, MemorandumMixed, UnbalancedEntry,
    UnknownAccount, UnknownCurrency, KeyConflict.
    """
    refuse_unless(maker, MAKERS, "propose a manual journal")
    refuse_unreasoned(caller, "propose a manual journal")
    _check_memorandum(postings)
    minor_digits(currency)
    if not 1 <= len(reference) <= MAX_REFERENCE_LENGTH or not reference.isprintable():
        raise ReferenceUnusable(reference)
    proposal = {
        "currency": currency,
        "reference": reference,
        "value_date": value_date.isoformat(),
        "postings": [
            {
                "name": posting.account.name,
                "book": posting.account.book,
                "party": posting.account.party,
                "side": int(posting.side),
                "amount_minor": posting.amount_minor,
            }
            for posting in postings
        ],
    }
    request = {"legal_entity": legal_entity_id, "maker": maker.pk, "proposal": proposal}
    with once(caller, key=key, kind="propose_manual_journal", request=request) as act:
        if act.earlier is None:
            # Refused now rather than when somebody wants to approve it.
            _entry(legal_entity_id, proposal, booking_date=open_day(legal_entity_id))
            journal = ManualJournal.objects.create(
                legal_entity_id=legal_entity_id,
                proposal=proposal,
                reason=caller.reason,
                maker=maker,
            )
            act.answer({"manual_journal": journal.pk})
    return (act.earlier or act.given)["manual_journal"]


def approve(journal_id: int, *, caller: Caller, key: str, checker: User) -> int:
    """Book a proposed entry in the open business day; returns the entry's id.

    Repeating ``key`` returns the first answer.

    Raises NothingProposed, RoleMissing, CheckedByMaker, AlreadyDecided, KeyConflict.
    """
    request = {"manual_journal": journal_id, "checker": checker.pk}
    with once(caller, key=key, kind="approve_manual_journal", request=request) as act:
        if act.earlier is None:
            journal = _to_decide(journal_id, checker)
            booking_date = open_day(journal.legal_entity_id)
            entry_id = post(
                _entry(journal.legal_entity_id, journal.proposal, booking_date=booking_date),
                act_id=act.act_id,
            )
            _decide(journal, checker, approved=True, reason=caller.reason, entry_id=entry_id)
            act.answer({"entry": entry_id})
    return (act.earlier or act.given)["entry"]


def reject(journal_id: int, *, caller: Caller, key: str, checker: User) -> None:
    """Decline a proposed entry; ``caller.reason`` says why. Nothing is booked.

    Raises NothingProposed, RoleMissing, CheckedByMaker, AlreadyDecided, ReasonMissing,
    KeyConflict.
    """
    refuse_unreasoned(caller, "reject a manual journal")
    request = {"manual_journal": journal_id, "checker": checker.pk}
    with once(caller, key=key, kind="reject_manual_journal", request=request) as act:
        if act.earlier is None:
            journal = _to_decide(journal_id, checker)
            _decide(journal, checker, approved=False, reason=caller.reason, entry_id=None)
            act.answer({"rejected": journal_id})


def _to_decide(journal_id: int, checker: User) -> ManualJournal:
    return to_decide(
        ManualJournal.objects.all(),
        journal_id,
        what="manual journal",
        checker=checker,
        roles=CHECKERS,
    )


def _decide(
    journal: ManualJournal, checker: User, *, approved: bool, reason: str, entry_id: int | None
) -> None:
    ManualJournal.objects.filter(pk=journal.pk).update(
        checker=checker,
        decided_at=Now(),
        approved=approved,
        decision_reason=reason,
        entry_id=entry_id,
    )


def _entry(legal_entity_id: int, proposal: dict[str, Any], *, booking_date: date) -> JournalEntry:
    return JournalEntry(
        legal_entity_id=legal_entity_id,
        currency=proposal["currency"],
        event=EVENT,
        reference=proposal["reference"],
        value_date=date.fromisoformat(proposal["value_date"]),
        booking_date=booking_date,
        postings=tuple(
            Posting(
                AccountName(line["name"], book=line["book"], party=line["party"]),
                Side(line["side"]),
                line["amount_minor"],
            )
            for line in proposal["postings"]
        ),
    )


def _check_memorandum(postings: Sequence[Posting]) -> None:
    kinds = {line_of(posting.account).kind for posting in postings}
    if Kind.MEMORANDUM in kinds and len(kinds) > 1:
        raise MemorandumMixed(sorted({posting.account.name for posting in postings}))
