"""What a viewer reaches: every face reads the book's objects through these.

Another firm's object is answered like one that does not exist, so that nobody learns of it.
"""

from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from tallystick.book.access.permissions import May
from tallystick.book.access.viewer import Viewer
from tallystick.book.acts.models import Act
from tallystick.book.collateral.models import Pool
from tallystick.book.collections.models import Case
from tallystick.book.financing.models import Decision, Facility, Loan, ProgrammeLimit
from tallystick.book.funding.models import FundingLine
from tallystick.book.impairment.models import Fact
from tallystick.book.ledger.models import Account, Entry, ManualJournal
from tallystick.book.parties.models import LegalEntity, Party, User
from tallystick.book.payments.models import BankAnswer, CashReceipt, PaymentOrder
from tallystick.book.proposals.models import Proposal
from tallystick.book.sales_credit.models import Advance, LossProposal, SalesLine
from tallystick.book.statements import fetched
from tallystick.book.trade.models import Claim, Document
from tallystick.book.watch.models import Verification, WorkItem
from tallystick.rules.refusal import Refusal

Row = TypeVar("Row", bound=Model)


class NotThere(Refusal):
    """There is no such object, or none that the viewer reaches."""

    def __init__(self, what: str, code: str) -> None:
        self.what = what
        self.code = code
        super().__init__(f"There is no {what} {code!r} here. Check its code.")


def facilities(viewer: Viewer) -> QuerySet[Facility]:
    return _own(viewer, Facility.objects.all(), "supplier_id")


def loans(viewer: Viewer) -> QuerySet[Loan]:
    return _own(viewer, Loan.objects.all(), "facility__supplier_id")


def advances(viewer: Viewer) -> QuerySet[Advance]:
    """Advances out of sales."""
    return _own(viewer, Advance.objects.all(), "line__merchant_id")


def sales_lines(viewer: Viewer) -> QuerySet[SalesLine]:
    """Lines out of sales."""
    return _own(viewer, SalesLine.objects.all(), "merchant_id")


def decisions(viewer: Viewer) -> QuerySet[Decision]:
    return _own(viewer, Decision.objects.all(), "facility__supplier_id")


def pools(viewer: Viewer) -> QuerySet[Pool]:
    return _own(viewer, Pool.objects.all(), "supplier_id")


def claims(viewer: Viewer) -> QuerySet[Claim]:
    return _own(viewer, Claim.objects.all(), "supplier_id")


def documents(viewer: Viewer) -> QuerySet[Document]:
    return _own(viewer, Document.objects.all(), "supplier_id")


def payment_orders(viewer: Viewer) -> QuerySet[PaymentOrder]:
    return _own(viewer, PaymentOrder.objects.all(), "beneficiary_id")


def parties(viewer: Viewer) -> QuerySet[Party]:
    return _own(viewer, Party.objects.all(), "id")


def cases(viewer: Viewer) -> QuerySet[WorkItem]:
    """What firms have disputed; the house's other work items are not among them."""
    return _own(viewer, WorkItem.objects.filter(party__isnull=False), "party_id")


def late_payers(viewer: Viewer) -> QuerySet[Case]:
    """Cases of firms that pay late: all of them for the house, a firm's own for the firm.

    Who of ours works on its case, and until when letters are held back, a firm does not see.
    """
    rows = _own(viewer, Case.objects.all(), "party_id")
    return rows if viewer.party_id is None else rows.defer("assignee", "paused_until_date")


def entities(viewer: Viewer) -> QuerySet[LegalEntity]:
    return _house(viewer, LegalEntity.objects.all())


def receipts(viewer: Viewer) -> QuerySet[CashReceipt]:
    return _house(viewer, CashReceipt.objects.all())


def bank_answers(viewer: Viewer) -> QuerySet[BankAnswer]:
    return _house(viewer, BankAnswer.objects.all())


def accounts(viewer: Viewer) -> QuerySet[Account]:
    return _house(viewer, Account.objects.all())


def entries(viewer: Viewer) -> QuerySet[Entry]:
    return _house(viewer, Entry.objects.all())


def manual_journals(viewer: Viewer) -> QuerySet[ManualJournal]:
    return _house(viewer, ManualJournal.objects.all())


def facts(viewer: Viewer) -> QuerySet[Fact]:
    return _house(viewer, Fact.objects.all())


def proposals(viewer: Viewer) -> QuerySet[Proposal]:
    return _house(viewer, Proposal.objects.all())


def loss_proposals(viewer: Viewer) -> QuerySet[LossProposal]:
    return _house(viewer, LossProposal.objects.all())


def programme_limits(viewer: Viewer) -> QuerySet[ProgrammeLimit]:
    return _house(viewer, ProgrammeLimit.objects.all())


def funding_lines(viewer: Viewer) -> QuerySet[FundingLine]:
    return _house(viewer, FundingLine.objects.all())


def verifications(viewer: Viewer) -> QuerySet[Verification]:
    return _house(viewer, Verification.objects.all())


def users(viewer: Viewer) -> QuerySet[User]:
    return _house(viewer, User.objects.all(), May.MANAGE_USERS)


def acts(viewer: Viewer) -> QuerySet[Act]:
    return _house(viewer, Act.objects.all(), May.SEE_AUDIT)


def work_items(viewer: Viewer) -> QuerySet[WorkItem]:
    return _house(viewer, WorkItem.objects.all())


def work_item(viewer: Viewer, number: int) -> WorkItem:
    """The work item by its number. Raises NotThere."""
    return by_number(work_items(viewer), "work item", number)


def late_payer(viewer: Viewer, number: int) -> Case:
    """The case of a late payer by its number. Raises NotThere."""
    rows = late_payers(viewer).select_related("party", "legal_entity", "assignee")
    return by_number(rows, "case", number)


def decision(viewer: Viewer, number: int) -> Decision:
    """The decision by its number. Raises NotThere."""
    return by_number(decisions(viewer).select_related("facility__supplier"), "decision", number)


def entity(viewer: Viewer, code: str) -> LegalEntity:
    """The legal entity by its code; the first one without a code. Raises NotThere."""
    ours = entities(viewer).select_related("party").order_by("code")
    found = (ours.filter(code=code) if code else ours).first()
    if found is None:
        raise NotThere("legal entity", code[:80])
    return found


def by_number(rows: QuerySet[Row], what: str, number: int) -> Any:
    """The one of ``rows`` with that number. Raises NotThere."""
    found = rows.filter(pk=number).first() if number < 2**63 else None
    if found is None:
        raise NotThere(what, str(number)[:80])
    return found


def facility(viewer: Viewer, code: str) -> Facility:
    """The facility by its code. Raises NotThere."""
    return _one(facilities(viewer).select_related("supplier", "pool"), "facility", code)


def currency_of_facility(viewer: Viewer, code: str) -> str:
    """As ``facility``, for those who draw on it and need no more of it. Raises NotThere.

    A statement of its own: a drawdown is short, and Django's model would be a tenth of it.
    """
    found = []
    if viewer.may(May.SEE_HOUSE if viewer.party_id is None else May.SEE_OWN):
        found = fetched(
            "SELECT currency FROM financing_facility"
            " WHERE code = %s AND supplier_id = coalesce(%s::bigint, supplier_id)",
            [code, viewer.party_id],
        )
    if not found:
        raise NotThere("facility", code[:80])
    return str(found[0][0])


def loan(viewer: Viewer, code: str) -> Loan:
    """The loan by its code. Raises NotThere."""
    return _one(loans(viewer).select_related("facility"), "loan", code)


def advance(viewer: Viewer, code: str) -> Advance:
    """The advance out of sales by its code. Raises NotThere."""
    rows = advances(viewer).select_related("line__merchant", "line__legal_entity")
    return _one(rows, "advance", code)


def sales_line(viewer: Viewer, code: str) -> SalesLine:
    """The line out of sales by its code. Raises NotThere."""
    rows = sales_lines(viewer).select_related("merchant", "programme", "legal_entity")
    return _one(rows, "line out of sales", code)


def claim(viewer: Viewer, code: str) -> Claim:
    """The claim by its code. Raises NotThere."""
    return _one(claims(viewer), "claim", code)


def party(viewer: Viewer, code: str) -> Party:
    """The firm by its code. Raises NotThere."""
    return _one(parties(viewer), "firm", code)


def _own(viewer: Viewer, rows: QuerySet[Row], firm: str) -> QuerySet[Row]:
    """All rows for the house; those of its own firm for a firm; none for anybody else."""
    if viewer.party_id is not None:
        return rows.filter(**{firm: viewer.party_id}) if viewer.may(May.SEE_OWN) else rows.none()
    return rows if viewer.may(May.SEE_HOUSE) else rows.none()


def _house(viewer: Viewer, rows: QuerySet[Row], act: May = May.SEE_HOUSE) -> QuerySet[Row]:
    """What only the house reads: all rows for those of its people who may, none for others."""
    return rows if viewer.party_id is None and viewer.may(act) else rows.none()


def _one(rows: QuerySet[Row], what: str, code: str) -> Any:
    found = rows.filter(code=code).first()
    if found is None:
        raise NotThere(what, code[:80])
    return found
