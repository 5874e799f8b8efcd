"""The accounting policy of advances out of sales: one function per business event.

An advance is carried at its principal outstanding. A fixed fee is receivable from the payout on and
deferred; cash takes both principal and fee off what is receivable (how much of each, the effective
rate says), and the night moves what has been earned out of deferral into income. At a daily rate
nothing is deferred: the night books the interest of the day as receivable and as income.
"""

from collections.abc import Mapping

from tallystick.rules.accounting import ADVANCE_ACCOUNT_OF, Booking
from tallystick.rules.journal import AccountName, JournalEntry, Posting, credit, debit
from tallystick.rules.sales_share import SalesShareState

KINDS = (*ADVANCE_ACCOUNT_OF, "credit")


def advance_disbursed(
    booking: Booking, *, book: int, amount_minor: int, fee_minor: int
) -> JournalEntry:
    """The bank has paid: cash left, an advance appears, and a fixed fee that is to be earned."""
    fee = (
        (
            debit(AccountName("advance_fee_receivable", book=book), fee_minor),
            credit(AccountName("deferred_advance_fee", book=book), fee_minor),
        )
        if fee_minor
        else ()
    )
    return booking.entry(
        "advance_disbursed",
        debit(AccountName("advance_principal", book=book), amount_minor),
        credit(AccountName("bank"), amount_minor),
        *fee,
    )


def credited(state: SalesShareState | None) -> dict[str, int]:
    """What an advance's events have credited in all to each account (``ADVANCE_ACCOUNT_OF``) and to
    the merchant's ``credit``, but for what the nights have booked; below zero: debited.

    The sum is the money that has come in. A fee that was adjusted or will not be earned leaves
    both what is receivable and what is deferred.
    """
    if state is None:
        return dict.fromkeys(KINDS, 0)
    unearned_minor = state.fee_cancelled_minor
    if state.terms.fee_minor is not None:
        unearned_minor += state.terms.fee_minor - state.fee_minor
    return {
        "principal": state.principal_repaid_minor + state.principal_lost_minor,
        "fee": state.fee_collected_minor + state.interest_lost_minor + unearned_minor,
        "deferred": -unearned_minor,
        "recovery": state.recovered_minor,
        "loss": -(state.principal_lost_minor + state.interest_lost_minor),
        "credit": state.credit_minor,
    }


def advance_changed(
    booking: Booking, event: str, *, book: int, party: int, changes_minor: Mapping[str, int]
) -> JournalEntry | None:
    """What an event moved besides the cash it was booked with: the net difference by account.

    ``changes_minor``: by how much more (or less) each account of ``credited`` is now credited. They
    sum to zero. None where nothing changed.
    """
    postings: list[Posting] = []
    for kind, change_minor in changes_minor.items():
        account = (
            AccountName("supplier_credit", party=party)
            if kind == "credit"
            else AccountName(ADVANCE_ACCOUNT_OF[kind], book=book)
        )
        if change_minor > 0:
            postings.append(credit(account, change_minor))
        elif change_minor < 0:
            postings.append(debit(account, -change_minor))
    return booking.entry(event, *postings) if postings else None


def advance_fee_earned(booking: Booking, *, book: int, change_minor: int) -> JournalEntry:
    """A night moves what of the fees has been earned by cash into income; back where below zero."""
    return _to_income(booking, "advance_fee_earned", "deferred_advance_fee", book, change_minor)


def advance_interest_accrued(booking: Booking, *, book: int, change_minor: int) -> JournalEntry:
    """A night books the interest of advances at a daily rate."""
    return _to_income(
        booking, "advance_interest_accrued", "advance_fee_receivable", book, change_minor
    )


def advance_book_changed(
    booking: Booking, *, from_book: int, to_book: int, balances_minor: Mapping[str, int]
) -> JournalEntry:
    """Advances leave one book for another and take along what they owe, by kind.

    ``balances_minor``: principal, fee and deferred, as ``ADVANCE_ACCOUNT_OF`` names them; what is
    deferred stands in credit.
    """
    postings = []
    for kind, amount_minor in balances_minor.items():
        if amount_minor:
            debited, credited_account = (
                AccountName(ADVANCE_ACCOUNT_OF[kind], book=book) for book in (to_book, from_book)
            )
            if kind == "deferred":
                debited, credited_account = credited_account, debited
            postings += [debit(debited, amount_minor), credit(credited_account, amount_minor)]
    return booking.entry("book_changed", *postings)


def _to_income(
    booking: Booking, event: str, account: str, book: int, change_minor: int
) -> JournalEntry:
    debited, credited_account = (
        AccountName(account, book=book),
        AccountName("advance_fee_income", book=book),
    )
    if change_minor < 0:
        debited, credited_account = credited_account, debited
    amount_minor = abs(change_minor)
    return booking.entry(
        event, debit(debited, amount_minor), credit(credited_account, amount_minor)
    )
