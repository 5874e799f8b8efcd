"""Facts about loans, advances and debtors: one person proposes, another decides; then they count.

A fact counts in the closes of the days from its own date on that follow its approval: days that
are closed stay as they were classed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from tallystick.book.acts.once import Caller, once
from tallystick.book.acts.reasons import refuse_unreasoned
from tallystick.book.financing.models import Facility, Loan
from tallystick.book.impairment.models import Fact, FactKind
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import Party, Role, User
from tallystick.book.parties.two_people import NothingProposed, refuse_unless, to_decide
from tallystick.book.sales_credit.models import Advance, SalesLine
from tallystick.rules.refusal import Refusal

MAKERS = (Role.RISK_OFFICER, Role.OPERATOR)
CHECKERS = (Role.APPROVER,)

OF_LOANS = frozenset(FactKind) - {FactKind.OVERDUE_ELSEWHERE, FactKind.RETAIL_DEBTOR}
"""Kinds that are recorded of a loan."""

OF_ADVANCES = OF_LOANS - {FactKind.DELINQUENCY_PAUSED}
"""Kinds that are recorded of an advance out of sales, which has no due date to pause."""

OF_DEBTORS = frozenset(
    {FactKind.CREDIT_IMPAIRED, FactKind.OVERDUE_ELSEWHERE, FactKind.RETAIL_DEBTOR}
)
"""Kinds that are recorded of a debtor, and count for all of its debts."""

WITH_SHARE: Mapping[FactKind, str] = {
    FactKind.CREDIT_IMPAIRED: "the share expected to be lost, if it is known",
    FactKind.OVERDUE_ELSEWHERE: "the share of its debts at all banks that is 90 days overdue",
}


class NotAFact(Refusal):
    """What is proposed is not something that can be recorded so."""


class FactEndedAlready(Refusal):
    """A fact ends once, and only where it held."""

    def __init__(self, fact_id: int) -> None:
        super().__init__(
            f"Fact {fact_id} does not hold any more, or never did. Name one that was approved and "
            "has not ended."
        )


@dataclass(frozen=True, slots=True)
class NewFact:
    """What is to be recorded, of a loan, an advance or a debtor (their codes; one of the three).

    ``from_date`` may lie in the past; ``to_date`` is the first day on which it no longer holds.
    ``share_bps``: see WITH_SHARE.
    """

    kind: FactKind
    loan: str | None
    debtor: str | None
    from_date: date
    to_date: date | None = None
    share_bps: int | None = None
    advance: str | None = None


def propose_fact(
    fact: NewFact, *, legal_entity_id: int, maker: User, caller: Caller, key: str
) -> int:
    """Put a fact up for approval; returns its number. It counts for nothing yet.

    ``caller.reason`` says what it rests on. Repeating ``key`` returns the first answer.

    Raises RoleMissing, ReasonMissing, NotAFact, KeyConflict.
    """
    refuse_unless(maker, MAKERS, "propose a fact")
    refuse_unreasoned(caller, "propose a fact")
    request = {
        "legal_entity": legal_entity_id,
        "maker": maker.pk,
        "kind": str(fact.kind),
        "loan": fact.loan,
        "debtor": fact.debtor,
        "advance": fact.advance,
        "from_date": fact.from_date,
        "to_date": fact.to_date,
        "share_bps": fact.share_bps,
    }
    with once(caller, key=key, kind="propose_fact", request=request) as act:
        if act.earlier is None:
            business_date = open_day(legal_entity_id)
            _refuse_unclear(fact, business_date)
            proposed = Fact.objects.create(
                legal_entity_id=legal_entity_id,
                kind=fact.kind,
                loan=_loan(fact.loan, legal_entity_id),
                advance=_advance(fact.advance, legal_entity_id),
                party=_debtor(fact.debtor, legal_entity_id),
                share_bps=fact.share_bps,
                from_date=fact.from_date,
                to_date=fact.to_date,
                reason=caller.reason,
                maker=maker,
            )
            act.answer({"fact": proposed.pk})
    return int((act.earlier or act.given or {})["fact"])


def propose_end(fact_id: int, *, from_date: date, maker: User, caller: Caller, key: str) -> int:
    """Propose that a fact no longer holds from a day on; returns the number of the proposal.

    Raises RoleMissing, ReasonMissing, NothingProposed, FactEndedAlready, NotAFact, KeyConflict.
    """
    refuse_unless(maker, MAKERS, "propose the end of a fact")
    refuse_unreasoned(caller, "propose the end of a fact")
    request = {"fact": fact_id, "from_date": from_date, "maker": maker.pk}
    with once(caller, key=key, kind="propose_fact_end", request=request) as act:
        if act.earlier is None:
            ended = Fact.objects.filter(pk=fact_id).first()
            if ended is None:
                raise NothingProposed("fact", fact_id)
            if ended.approved is not True or ended.ends_id or ended.ended_by.filter(approved=True):
                raise FactEndedAlready(fact_id)
            if from_date < ended.from_date or from_date > open_day(ended.legal_entity_id):
                raise NotAFact(
                    f"Fact {fact_id} holds from {ended.from_date}; it cannot end on {from_date}. "
                    "Name a day from then to the open business day."
                )
            proposed = Fact.objects.create(
                legal_entity_id=ended.legal_entity_id,
                kind=ended.kind,
                loan_id=ended.loan_id,
                advance_id=ended.advance_id,
                party_id=ended.party_id,
                from_date=from_date,
                ends=ended,
                reason=caller.reason,
                maker=maker,
            )
            act.answer({"fact": proposed.pk})
    return int((act.earlier or act.given or {})["fact"])


def approve_fact(fact_id: int, *, checker: User, caller: Caller, key: str) -> date:
    """Let a proposed fact count from the close of the open business day on; returns that day.

    Raises NothingProposed, RoleMissing, CheckedByMaker, AlreadyDecided, FactEndedAlready,
    KeyConflict.
    """
    request = {"fact": fact_id, "checker": checker.pk}
    with once(caller, key=key, kind="approve_fact", request=request) as act:
        if act.earlier is None:
            fact = _to_decide(fact_id, checker)
            booking_date = open_day(fact.legal_entity_id)
            _decide(fact, checker, caller.reason, booking_date=booking_date)
            act.answer({"booking_date": booking_date.isoformat()})
    return date.fromisoformat((act.earlier or act.given or {})["booking_date"])


def reject_fact(fact_id: int, *, checker: User, caller: Caller, key: str) -> None:
    """Decline a proposed fact; ``caller.reason`` says why.

    Raises NothingProposed, RoleMissing, CheckedByMaker, AlreadyDecided, ReasonMissing,
    KeyConflict.
    """
    refuse_unreasoned(caller, "reject a fact")
    request = {"fact": fact_id, "checker": checker.pk}
    with once(caller, key=key, kind="reject_fact", request=request) as act:
        if act.earlier is None:
            fact = _to_decide(fact_id, checker)
            _decide(fact, checker, caller.reason, booking_date=None)
            act.answer({"rejected": fact_id})


def kind_called(name: str) -> FactKind:
    """The kind of that name. Raises NotAFact."""
    try:
        return FactKind(name)
    except ValueError:
        raise NotAFact(
            f"{name!r} is not recorded. What is: {', '.join(FactKind.values)}."
        ) from None


def business_date_of(fact_id: int) -> date:
    """The open business day of the legal entity whose fact it is. Raises NothingProposed."""
    fact = Fact.objects.filter(pk=fact_id).select_related("legal_entity").first()
    if fact is None:
        raise NothingProposed("fact", fact_id)
    return fact.legal_entity.business_date


def open_facts(legal_entity_id: int) -> list[Fact]:
    """The facts that wait for an approver or have been approved and not ended, oldest first."""
    facts = Fact.objects.filter(legal_entity=legal_entity_id).exclude(approved=False)
    over = Fact.objects.filter(approved=True, ends__isnull=False)
    return list(
        facts.exclude(pk__in=over.values("ends"))
        .exclude(pk__in=over.values("pk"))
        .select_related("loan", "advance", "party", "maker", "checker")
        .order_by("pk")
    )


FACTS_ON = """
    SELECT fact.* FROM impairment_fact AS fact
    WHERE fact.legal_entity_id = %(legal_entity_id)s AND fact.approved AND fact.ends_id IS NULL
      AND fact.booking_date <= %(day)s AND fact.from_date <= %(day)s
      AND (fact.to_date IS NULL OR fact.to_date > %(day)s)
      AND NOT EXISTS (
        SELECT FROM impairment_fact AS ending
        WHERE ending.ends_id = fact.id AND ending.approved
          AND ending.booking_date <= %(day)s AND ending.from_date <= %(day)s)
"""
"""The facts that count in a day's close, as known then."""


def _refuse_unclear(fact: NewFact, business_date: date) -> None:
    kinds = (
        ("a loan", fact.loan, OF_LOANS),
        ("an advance", fact.advance, OF_ADVANCES),
        ("a debtor", fact.debtor, OF_DEBTORS),
    )
    about = [(what, allowed) for what, code, allowed in kinds if code is not None]
    if len(about) != 1:
        raise NotAFact("A fact is about a loan, an advance or a debtor. Name one of the three.")
    ((what, allowed),) = about
    if fact.kind not in allowed:
        raise NotAFact(
            f"{fact.kind} is not recorded of {what}. "
            f"What is: {', '.join(sorted(str(kind) for kind in allowed))}."
        )
    if fact.share_bps is not None and fact.kind not in WITH_SHARE:
        raise NotAFact(f"{fact.kind} has no share. Leave it out.")
    if fact.share_bps is not None and not 0 <= fact.share_bps <= 10_000:
        raise NotAFact(f"A share of {fact.share_bps} basis points is none. Give 0 to 10000.")
    if fact.kind is FactKind.OVERDUE_ELSEWHERE and fact.share_bps is None:
        raise NotAFact(f"{fact.kind} needs {WITH_SHARE[fact.kind]}, in basis points.")
    if fact.from_date > business_date:
        raise NotAFact(
            f"{fact.from_date} has not come: the open business day is {business_date}. "
            "Propose it when that day has come."
        )
    if fact.to_date is not None and fact.to_date <= fact.from_date:
        raise NotAFact(f"It would end on {fact.to_date}, before it begins. Name a later day.")
    if fact.kind is FactKind.DELINQUENCY_PAUSED and fact.to_date is None:
        raise NotAFact("A pause has an end. Name the first day that counts again.")


def _loan(code: str | None, legal_entity_id: int) -> Loan | None:
    if code is None:
        return None
    loan = Loan.objects.filter(code=code, facility__legal_entity=legal_entity_id).first()
    if loan is None:
        raise NotAFact(f"This legal entity has no loan {code!r}. Name one of its loans.")
    return loan


def _advance(code: str | None, legal_entity_id: int) -> Advance | None:
    if code is None:
        return None
    advance = Advance.objects.filter(code=code, line__legal_entity=legal_entity_id).first()
    if advance is None:
        raise NotAFact(f"This legal entity has no advance {code!r}. Name one of its advances.")
    return advance


def _debtor(code: str | None, legal_entity_id: int) -> Party | None:
    if code is None:
        return None
    party = Party.objects.filter(code=code).first()
    facilities = Facility.objects.filter(legal_entity=legal_entity_id, supplier=party)
    lines = SalesLine.objects.filter(legal_entity=legal_entity_id, merchant=party)
    if party is None or not (facilities.exists() or lines.exists()):
        raise NotAFact(f"{code!r} has no facility here. Name a firm that has one.")
    return party


def _to_decide(fact_id: int, checker: User) -> Fact:
    return to_decide(Fact.objects.all(), fact_id, what="fact", checker=checker, roles=CHECKERS)


def _decide(fact: Fact, checker: User, reason: str, *, booking_date: date | None) -> None:
    try:
        with transaction.atomic():
            Fact.objects.filter(pk=fact.pk).update(
                checker=checker,
                decided_at=Now(),
                approved=booking_date is not None,
                decision_reason=reason,
                booking_date=booking_date,
            )
    except IntegrityError as error:
        # Two ends of one fact were proposed, and the other was approved first.
        raise FactEndedAlready(fact.ends_id or fact.pk) from error
