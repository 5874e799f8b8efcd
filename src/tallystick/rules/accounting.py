"""The accounting policy: one function per business event, naming its postings.

Account names are those of ``rules.chart``. Loans are carried at amortised cost: principal,
interest, penalty and fees receivable apart, each in the loan's book (legal entity × programme ×
funder × currency × class).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from tallystick.rules.journal import AccountName, JournalEntry, Posting, credit, debit


@dataclass(frozen=True, slots=True)
class Booking:
    """What every entry of a loan says besides its postings."""

    legal_entity_id: int
    currency: str
    reference: str
    value_date: date
    booking_date: date

    def entry(
        self, event: str, *postings: Posting, reverses: int | None = None
    ) -> JournalEntry:
        return JournalEntry(
            legal_entity_id=self.legal_entity_id,
            currency=self.currency,
            event=event,
            reference=self.reference,
            value_date=self.value_date,
            booking_date=self.booking_date,
            postings=postings,
            reverses=reverses,
        )


def drawdown_committed(booking: Booking, *, book: int, amount_minor: int) -> JournalEntry:
    """A payout was ordered: memorandum until the bank has answered."""
    return booking.entry(
        "drawdown_committed",
        debit(AccountName("committed_drawdowns", book=book), amount_minor),
        credit(AccountName("committed_drawdowns_contra", book=book), amount_minor),
    )


def commitment_ended(
    booking: Booking, *, book: int, amount_minor: int, commitment_entry: int
) -> JournalEntry:
    """The bank has answered: the memorandum is taken back by a linked entry."""
    return booking.entry(
        "commitment_ended",
        debit(AccountName("committed_drawdowns_contra", book=book), amount_minor),
        credit(AccountName("committed_drawdowns", book=book), amount_minor),
        reverses=commitment_entry,
    )


def loan_disbursed(booking: Booking, *, book: int, amount_minor: int) -> JournalEntry:
    """The bank has paid: cash left, a loan to the supplier appears."""
    return booking.entry(
        "loan_disbursed",
        debit(AccountName("loan_principal", book=book), amount_minor),
        credit(AccountName("bank"), amount_minor),
    )


def cash_received(booking: Booking, *, amount_minor: int) -> JournalEntry:
    """Cash arrived; until it is allocated it stands in settlement clearing."""
    return booking.entry(
        "cash_received",
        debit(AccountName("bank"), amount_minor),
        credit(AccountName("settlement_clearing"), amount_minor),
    )


RECEIVABLE_OF = {
    "fees": "fee_receivable",
    "penalty": "penalty_receivable",
    "interest": "interest_receivable",
    "principal": "loan_principal",
}
"""Account relieved when money meets each kind of debt."""


def receipt_allocated(
    booking: Booking,
    *,
    loans: Mapping[int, Mapping[str, int]],
    credit_to_party: Mapping[int, int],
    payable_to_party: Mapping[int, int],
    suspense_minor: int,
) -> JournalEntry:
    """Cash in clearing met debts of loans, became a supplier's money, or waits in suspense.

    ``loans``: book → kind of debt (``RECEIVABLE_OF``) → amount. ``credit_to_party``: money kept
    for a supplier because a loan was over-paid. ``payable_to_party``: the rest of a settlement,
    to be paid out. ``suspense_minor``: named no claim of ours.
    """
    credits = [
        credit(AccountName(RECEIVABLE_OF[kind], book=book), amount_minor)
        for book, by_kind in loans.items()
        for kind, amount_minor in by_kind.items()
        if amount_minor
    ]
    credits += [
        credit(AccountName("supplier_credit", party=party), amount_minor)
        for party, amount_minor in credit_to_party.items()
        if amount_minor
    ]
    credits += [
        credit(AccountName("payable_to_supplier", party=party), amount_minor)
        for party, amount_minor in payable_to_party.items()
        if amount_minor
    ]
    if suspense_minor:
        credits.append(credit(AccountName("settlement_suspense"), suspense_minor))
    total_minor = sum(posting.amount_minor for posting in credits)
    return booking.entry(
        "receipt_allocated", debit(AccountName("settlement_clearing"), total_minor), *credits
    )


def allocation_corrected(
    booking: Booking, *, book: int, party: int, changes_minor: Mapping[str, int]
) -> JournalEntry | None:
    """A refold after a back-dated event lets earlier cash meet other debts: the net difference.

    ``changes_minor``: how much more (or less) of the cash already received now meets each kind of
    debt (``RECEIVABLE_OF``) or is the supplier's ``credit``. Cash did not move, so the changes sum
    to zero; what interest has accrued since is the next close's matter. None when nothing changed.
    """
    postings = []
    for kind, change_minor in changes_minor.items():
        if kind == "credit":
            account = AccountName("supplier_credit", party=party)
        else:
            account = AccountName(RECEIVABLE_OF[kind], book=book)
        if change_minor > 0:
            postings.append(credit(account, change_minor))
        elif change_minor < 0:
            postings.append(debit(account, -change_minor))
    return booking.entry("allocation_corrected", *postings) if postings else None


def fee_charged(booking: Booking, *, book: int, amount_minor: int) -> JournalEntry:
    return booking.entry(
        "fee_charged",
        debit(AccountName("fee_receivable", book=book), amount_minor),
        credit(AccountName("fee_income", book=book), amount_minor),
    )


def accrued(booking: Booking, *, kind: str, book: int, change_minor: int) -> JournalEntry:
    """One book's accrual of a day: what its loans' rounded running totals have come to less what
    the ledger holds. ``kind`` is ``interest`` or ``penalty``. A negative change (a back-dated
    repayment took more off than the night put on) is booked the other way round.
    """
    receivable = AccountName(f"{kind}_receivable", book=book)
    income = AccountName(f"{kind}_income", book=book)
    amount_minor = abs(change_minor)
    if change_minor > 0:
        return booking.entry(
            f"{kind}_accrued", debit(receivable, amount_minor), credit(income, amount_minor)
        )
    return booking.entry(
        f"{kind}_accrued", debit(income, amount_minor), credit(receivable, amount_minor)
    )


def paid_to_supplier(booking: Booking, *, party: int, amount_minor: int) -> JournalEntry:
    """The bank has paid the rest of a settlement or a refund to the supplier."""
    return booking.entry(
        "paid_to_supplier",
        debit(AccountName("payable_to_supplier", party=party), amount_minor),
        credit(AccountName("bank"), amount_minor),
    )


def capital_paid_in(booking: Booking, *, amount_minor: int) -> JournalEntry:
    """The owner funds the legal entity: the first source of money for loans."""
    return booking.entry(
        "capital_paid_in",
        debit(AccountName("bank"), amount_minor),
        credit(AccountName("capital"), amount_minor),
    )
