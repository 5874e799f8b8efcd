"""The accounting policy: one function per business event, naming its postings.

Account names are those of ``rules.chart``. Loans are carried at amortised cost: principal,
interest, penalty and fees receivable apart, each in the loan's book (legal entity × programme ×
funder × currency × class).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from tallystick.rules.journal import AccountName, JournalEntry, Posting, Side, credit, debit


@dataclass(frozen=True, slots=True)
class Booking:
    """What every entry of a loan says besides its postings."""

    legal_entity_id: int
    currency: str
    reference: str
    value_date: date
    booking_date: date

    def entry(self, event: str, *postings: Posting, reverses: int | None = None) -> JournalEntry:
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
    "recovery": "recovery_income",
}
"""Account credited when money meets each kind of debt; a recovery meets what is charged off."""

SOLD_OF = {
    "fees": "fees_sold",
    "penalty": "penalty_sold",
    "interest": "interest_sold",
    "principal": "principal_sold",
}
"""Account that takes off each kind of debt what belongs to those who bought shares of it."""

ACCOUNT_OF = {**RECEIVABLE_OF, "loss": "loan_loss", "waiver": "waivers"}
"""Accounts of a loan's book that its events move, by what they hold."""

ADVANCE_ACCOUNT_OF = {
    "principal": "advance_principal",
    "fee": "advance_fee_receivable",
    "deferred": "deferred_advance_fee",
    "recovery": "recovery_income",
    "loss": "loan_loss",
}
"""Likewise of an advance out of sales (``sales_accounting``)."""


@dataclass(frozen=True, slots=True)
class Allocation:
    """What cash came to. All amounts are minor units; parts of nothing are left out.

    ``loans``: book → kind of debt (``RECEIVABLE_OF``) → amount. By party: ``credit`` is kept for
    a supplier whose loans it over-paid, ``payable`` is the rest of a settlement, to be paid out,
    and ``recovered`` meets what the supplier owes since earlier cash of his was taken back.
    ``suspense_minor`` named no claim of ours. ``advances``: as ``loans``, of advances out of sales
    (``ADVANCE_ACCOUNT_OF``).
    """

    loans: Mapping[int, Mapping[str, int]]
    credit: Mapping[int, int]
    payable: Mapping[int, int]
    recovered: Mapping[int, int]
    suspense_minor: int
    advances: Mapping[int, Mapping[str, int]] = field(default_factory=dict)

    def credits(self) -> list[Posting]:
        postings = [
            credit(AccountName(account_of[kind], book=book), amount_minor)
            for owing, account_of in (
                (self.loans, RECEIVABLE_OF),
                (self.advances, ADVANCE_ACCOUNT_OF),
            )
            for book, by_kind in owing.items()
            for kind, amount_minor in by_kind.items()
            if amount_minor
        ]
        for name, by_party in (
            ("supplier_credit", self.credit),
            ("payable_to_supplier", self.payable),
            ("due_from_supplier", self.recovered),
        ):
            postings += [
                credit(AccountName(name, party=party), amount_minor)
                for party, amount_minor in by_party.items()
                if amount_minor
            ]
        if self.suspense_minor:
            postings.append(credit(AccountName("settlement_suspense"), self.suspense_minor))
        return postings


def receipt_allocated(booking: Booking, allocation: Allocation) -> JournalEntry:
    """Cash in clearing met debts of loans, became a supplier's money, or waits in suspense."""
    return _out_of(booking, "receipt_allocated", "settlement_clearing", allocation)


def suspense_applied(booking: Booking, allocation: Allocation) -> JournalEntry:
    """Cash that waited in suspense has found its claims."""
    return _out_of(booking, "suspense_applied", "settlement_suspense", allocation)


def _out_of(booking: Booking, event: str, account: str, allocation: Allocation) -> JournalEntry:
    credits = allocation.credits()
    total_minor = sum(posting.amount_minor for posting in credits)
    return booking.entry(event, debit(AccountName(account), total_minor), *credits)


def allocation_corrected(
    booking: Booking, *, book: int, party: int, changes_minor: Mapping[str, int]
) -> JournalEntry | None:
    """A refold after a back-dated event lets earlier cash meet other debts: the net difference.

    ``changes_minor``: by how much more (or less) each account of the loan's book (``ACCOUNT_OF``)
    and the supplier's ``credit`` are now credited. Cash did not move, so the changes sum to zero;
    what interest has accrued since is the next close's matter. None when nothing changed.
    """
    postings = []
    for kind, change_minor in changes_minor.items():
        if kind == "credit":
            account = AccountName("supplier_credit", party=party)
        else:
            account = AccountName(ACCOUNT_OF[kind], book=book)
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


def charge_waived(booking: Booking, *, kind: str, book: int, amount_minor: int) -> JournalEntry:
    """Fees, penalty or interest (``kind``) that will not be asked for, though it was earned."""
    return booking.entry(
        "charge_waived",
        debit(AccountName("waivers", book=book), amount_minor),
        credit(AccountName(RECEIVABLE_OF[kind], book=book), amount_minor),
    )


def loan_charged_off(booking: Booking, *, book: int, owed_minor: Mapping[str, int]) -> JournalEntry:
    """All that a loan owes, by kind of debt, leaves the books as a loss."""
    credits = [
        credit(AccountName(RECEIVABLE_OF[kind], book=book), amount_minor)
        for kind, amount_minor in owed_minor.items()
        if amount_minor
    ]
    total_minor = sum(posting.amount_minor for posting in credits)
    return booking.entry(
        "loan_charged_off", debit(AccountName("loan_loss", book=book), total_minor), *credits
    )


def charged_back(
    booking: Booking, *, book: int, party: int, taken_minor: Mapping[str, int]
) -> JournalEntry:
    """The payer's bank took money back: what it had met is owed again.

    ``taken_minor``: by kind of debt, or of the supplier's ``credit``.
    """
    debits = [
        debit(
            AccountName("supplier_credit", party=party)
            if kind == "credit"
            else AccountName(RECEIVABLE_OF[kind], book=book),
            amount_minor,
        )
        for kind, amount_minor in taken_minor.items()
        if amount_minor
    ]
    total_minor = sum(posting.amount_minor for posting in debits)
    return booking.entry("charged_back", *debits, credit(AccountName("bank"), total_minor))


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


def suspended(booking: Booking, *, kind: str, book: int, change_minor: int) -> JournalEntry:
    """What a non-performing book has accrued is kept out of income.

    ``kind``: interest, penalty, or advance_fee (the interest of advances at a daily rate).

    ``change_minor``: what its loans have in suspense now less what the ledger holds. Below zero it
    comes back to income: it was paid, or the loans perform again.
    """
    income = AccountName(f"{kind}_income", book=book)
    suspense = AccountName(f"{kind}_in_suspense", book=book)
    return _moved(booking, f"{kind}_suspended", income, suspense, change_minor)


def allowance_moved(booking: Booking, *, book: int, change_minor: int) -> JournalEntry:
    """The allowance for a book's expected loss grows, or is released where it is below zero."""
    expense = AccountName("impairment_loss", book=book)
    allowance = AccountName("loss_allowance", book=book)
    return _moved(booking, "allowance_moved", expense, allowance, change_minor)


def reserve_moved(booking: Booking, *, change_minor: int) -> JournalEntry:
    """What the law's reserve asks for beyond expected loss grows, or falls where below zero."""
    expense, reserve = AccountName("reserve_charge"), AccountName("loss_reserve")
    return _moved(booking, "reserve_moved", expense, reserve, change_minor)


def _moved(
    booking: Booking, event: str, debited: AccountName, credited: AccountName, change_minor: int
) -> JournalEntry:
    """A change, the other way round where it is below zero."""
    if change_minor < 0:
        debited, credited = credited, debited
    amount_minor = abs(change_minor)
    return booking.entry(event, debit(debited, amount_minor), credit(credited, amount_minor))


def book_changed(
    booking: Booking,
    *,
    from_book: int,
    to_book: int,
    balances_minor: Mapping[str, int],
    sold_minor: Mapping[str, int],
) -> JournalEntry:
    """A loan leaves one book for another and takes along what it owes, by kind of debt.

    ``sold_minor`` is what of that belongs to those who bought shares of it.
    """
    postings = []
    for accounts, by_kind, to_side in (
        (RECEIVABLE_OF, balances_minor, Side.DEBIT),
        (SOLD_OF, sold_minor, Side.CREDIT),
    ):
        for kind, amount_minor in by_kind.items():
            if amount_minor:
                to_account = AccountName(accounts[kind], book=to_book)
                from_account = AccountName(accounts[kind], book=from_book)
                postings.append(Posting(to_account, to_side, amount_minor))
                postings.append(Posting(from_account, Side(-to_side), amount_minor))
    return booking.entry("book_changed", *postings)


class ShareEvent(StrEnum):
    """Why a loan's holders have more or less of it, or of the money that came in."""

    SOLD = "share_sold"
    BOUGHT_BACK = "share_bought_back"
    REVERSED = "share_transfer_reversed"
    PASSED_ON = "share_passed_on"


def shares_moved(
    booking: Booking,
    *,
    event: ShareEvent,
    book: int,
    debits_minor: Mapping[str, int],
    holders_minor: Mapping[int, int],
) -> JournalEntry | None:
    """What shares of a loan have come to less what was booked for them: the net difference.

    The whole loan stays in its accounts. ``debits_minor``: by account of the book (``SOLD_OF``,
    ``loan_loss``, ``waivers``, ``recovery_income``, ``share_sale_gain``) by how much more it is
    debited, and credited below zero; ``holders_minor``: by party by how much more it is owed.
    None where nothing changes.
    """
    changes = [(AccountName(name, book=book), minor) for name, minor in debits_minor.items()]
    changes += [
        (AccountName("payable_to_funder", party=party), -minor)
        for party, minor in holders_minor.items()
    ]
    postings = [
        (debit if minor > 0 else credit)(account, abs(minor)) for account, minor in changes if minor
    ]
    return booking.entry(event, *postings) if postings else None


def shared(booking: Booking, *, kind: str, book: int, change_minor: int) -> JournalEntry:
    """Interest, penalty or fees (``kind``) of a book that belong to holders are no income of ours.

    ``change_minor``: what belongs to them of what its loans owe now less what the ledger holds.
    """
    income = AccountName("fee_income" if kind == "fees" else f"{kind}_income", book=book)
    return _moved(
        booking, f"{kind}_shared", income, AccountName(SOLD_OF[kind], book=book), change_minor
    )


def funder_paid_in(booking: Booking, *, party: int, amount_minor: int) -> JournalEntry:
    """Money of a funder has arrived: what it owes for shares that it bought."""
    return booking.entry(
        "funder_paid_in",
        debit(AccountName("bank"), amount_minor),
        credit(AccountName("payable_to_funder", party=party), amount_minor),
    )


def paid_to_funder(booking: Booking, *, party: int, amount_minor: int) -> JournalEntry:
    """The bank has paid a funder what came in for its shares."""
    return booking.entry(
        "paid_to_funder",
        debit(AccountName("payable_to_funder", party=party), amount_minor),
        credit(AccountName("bank"), amount_minor),
    )


def credit_refunded(booking: Booking, *, party: int, amount_minor: int) -> JournalEntry:
    """A supplier's credit is to be paid out to him."""
    return booking.entry(
        "credit_refunded",
        debit(AccountName("supplier_credit", party=party), amount_minor),
        credit(AccountName("payable_to_supplier", party=party), amount_minor),
    )


def recovery_due(booking: Booking, *, party: int, account: str, amount_minor: int) -> JournalEntry:
    """Money that had left, or is on its way, turns out not to have been the supplier's.

    ``account`` (``supplier_credit`` or ``payable_to_supplier``) lacks it; the supplier owes it.
    """
    return booking.entry(
        "recovery_due",
        debit(AccountName("due_from_supplier", party=party), amount_minor),
        credit(AccountName(account, party=party), amount_minor),
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
