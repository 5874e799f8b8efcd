"""A firm disputes a figure: a case for a person to look at, which changes nothing by itself."""

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.models import Pool
from tallystick.book.financing.models import Loan
from tallystick.book.parties.business_date import open_day
from tallystick.book.trade.models import Claim
from tallystick.book.watch.models import WorkItem
from tallystick.rules.hidden_characters import name_as_written
from tallystick.rules.refusal import Refusal

KIND = "figure_disputed"
MAX_SAYS_LENGTH = 2_000


class ClaimFigure(StrEnum):
    """What of a claim can be disputed."""

    FACE = "face"
    PAID = "paid"
    DILUTED = "diluted"
    DUE_DATE = "due_date"
    STANDING = "standing"


class LoanFigure(StrEnum):
    """What of a loan can be disputed."""

    PRINCIPAL = "principal"
    INTEREST = "interest"
    PENALTY = "penalty"
    FEES = "fees"
    REPAYMENTS = "repayments"
    DUE_DATE = "due_date"


class CaseUnsaid(Refusal):
    """A case says too little or too much to be worked on."""

    def __init__(self, length: int) -> None:
        self.length = length
        super().__init__(
            f"What is wrong was told in {length:,} characters. Say it in 1 to {MAX_SAYS_LENGTH:,}."
        )


class CaseOpenAlready(Refusal):
    """Somebody of the firm has raised the same figure, and the case is still open."""

    def __init__(self, case_id: int) -> None:
        self.case_id = case_id
        super().__init__(
            f"Case {case_id} about this figure is open already. Wait for its answer, which will "
            "stand with the case."
        )


class NotACaseSubject(Refusal):
    """A claim whose firm has no facility here has nobody to look at its case."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        super().__init__(
            f"{subject} belongs to no facility, so that nobody would see the case. "
            "Have the claim assigned to a pool first."
        )


@dataclass(frozen=True, slots=True)
class Dispute:
    """What a firm says is wrong: a figure as it stands, in its words.

    ``stands``: the figure as it was shown, in minor units or as a date. ``should_be_minor``: what
    the firm says it is, where it says so.
    """

    figure: ClaimFigure | LoanFigure
    stands: int | date | str
    should_be_minor: int | None
    says: str


def dispute_claim(claim: Claim, dispute: Dispute, *, caller: Caller, key: str) -> int:
    """Raise a case about a claim's figure; the number of the case. Repeating ``key`` answers it.

    Raises CaseUnsaid, NotAName, CaseOpenAlready, NotACaseSubject, KeyConflict.
    """
    legal_entity_id = _legal_entity_of(claim)
    return _raise(
        legal_entity_id,
        subject=f"claim:{claim.pk}:{dispute.figure}",
        about={"claim": claim.code, "claim_number": claim.pk, "currency": claim.currency},
        party_id=claim.supplier_id,
        dispute=dispute,
        caller=caller,
        key=key,
    )


def dispute_loan(loan: Loan, dispute: Dispute, *, caller: Caller, key: str) -> int:
    """Raise a case about a loan's figure; the number of the case. Repeating ``key`` answers it.

    Raises CaseUnsaid, NotAName, CaseOpenAlready, KeyConflict.
    """
    return _raise(
        loan.facility.legal_entity_id,
        subject=f"loan:{loan.code}:{dispute.figure}",
        about={"loan": loan.code, "currency": loan.currency},
        party_id=loan.facility.supplier_id,
        dispute=dispute,
        caller=caller,
        key=key,
    )


def said(text: str) -> str:
    """What a person wrote, line by line, without what would change how it is read.

    Raises CaseUnsaid, NotAName.
    """
    if not 1 <= len(text.strip()) <= MAX_SAYS_LENGTH:
        raise CaseUnsaid(len(text.strip()))
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\t", " ").split("\n")
    return "\n".join(name_as_written(line) for line in lines).strip()


def _raise(
    legal_entity_id: int,
    *,
    subject: str,
    about: Mapping[str, Any],
    party_id: int,
    dispute: Dispute,
    caller: Caller,
    key: str,
) -> int:
    says = said(dispute.says)
    stands = dispute.stands.isoformat() if isinstance(dispute.stands, date) else dispute.stands
    details = {
        **about,
        "figure": str(dispute.figure),
        "stands": stands,
        "should_be_minor": dispute.should_be_minor,
        "says": says,
        "raised_by": caller.actor,
    }
    request = {"subject": subject, "should_be_minor": dispute.should_be_minor, "says": says}
    with once(caller, key=key, kind="raise_case", request=request) as act:
        if act.earlier is None:
            business_date = open_day(legal_entity_id)
            case_id = _opened(legal_entity_id, subject, details, party_id, business_date)
            if case_id is None:
                raise CaseOpenAlready(_open_case(legal_entity_id, subject))
            act.answer({"case": case_id})
    return int((act.earlier or act.given or {})["case"])


def _opened(
    legal_entity_id: int, subject: str, details: Mapping[str, Any], party_id: int, on: date
) -> int | None:
    """The new case's number; None where one about the same figure is open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO watch_workitem (legal_entity_id, kind, subject, party_id, details,"
            " opened_date, closed_by, resolution) VALUES (%s, %s, %s, %s, %s::jsonb, %s, '', '')"
            " ON CONFLICT (legal_entity_id, kind, subject) WHERE closed_at IS NULL DO NOTHING"
            " RETURNING id",
            [legal_entity_id, KIND, subject, party_id, json.dumps(details), on],
        )
        row = cursor.fetchone()
    return None if row is None else int(row[0])


def _open_case(legal_entity_id: int, subject: str) -> int:
    return (
        WorkItem.objects.filter(
            legal_entity=legal_entity_id, kind=KIND, subject=subject, closed_at=None
        )
        .values_list("id", flat=True)
        .get()
    )


def _legal_entity_of(claim: Claim) -> int:
    """The house that holds the claim's pool, or another pool of its supplier."""
    pools = Pool.objects.filter(supplier=claim.supplier_id).order_by("id")
    own = pools.filter(pk=claim.pool_id) if claim.pool_id else pools
    legal_entity_id = own.values_list("legal_entity_id", flat=True).first()
    if legal_entity_id is None:
        raise NotACaseSubject(claim.code)
    return legal_entity_id
