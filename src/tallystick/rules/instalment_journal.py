"""What the movements of a loan of instalments book.

Every movement is one balanced set of postings. Money passes through ``settlement_clearing``.
Interest and charges have been accrued when they are paid, so that receipts settle receivables.
What the lender forgoes is an expense where it is principal, and income given back where it is
interest or charges; a charge waived is taken off the income. After a charge-off what comes in is no
longer a repayment: money of the borrower is a recovery, and money that the seller gives back lowers
the loss.
"""

from collections.abc import Callable

from tallystick.rules.instalment_events import InstalmentEventKind
from tallystick.rules.instalment_loan import Movement
from tallystick.rules.instalment_terms import Part, ReceiptKind
from tallystick.rules.journal import AccountName, Posting, credit, debit

_RECEIVABLE = {
    Part.PRINCIPAL: "loan_principal",
    Part.INTEREST: "interest_receivable",
    Part.FEE: "fee_receivable",
    Part.PENALTY: "penalty_receivable",
}
_WRITTEN_TO = {
    Part.PRINCIPAL: "loan_loss",
    Part.INTEREST: "interest_income",
    Part.FEE: "fee_income",
    Part.PENALTY: "penalty_income",
}
_FORGONE = (ReceiptKind.GOODWILL, ReceiptKind.INTEREST_WAIVER)
_GIVEN_BACK = (ReceiptKind.MERCHANT_REFUND, ReceiptKind.PAYOUT_REFUND)


def postings_of(movement: Movement, *, book: int, party: int) -> tuple[Posting, ...]:
    """The postings of one movement; ``book`` is its loan book and ``party`` the borrower."""
    clearing = AccountName("settlement_clearing")
    borrower = AccountName("supplier_credit", party=party)
    match movement.kind:
        case InstalmentEventKind.DISBURSED if movement.receipt is None:
            return (
                debit(AccountName("loan_principal", book=book), movement.amount_minor),
                credit(clearing, movement.amount_minor),
            )
        case InstalmentEventKind.CHARGED_BACK | InstalmentEventKind.CREDIT_REFUNDED:
            owed_again_minor = movement.parts_minor[Part.PRINCIPAL]
            return (
                *_if_any(debit, borrower, -movement.credit_minor),
                *_if_any(debit, AccountName("loan_principal", book=book), owed_again_minor),
                credit(clearing, movement.amount_minor),
            )
        case InstalmentEventKind.CHARGED_OFF | InstalmentEventKind.CHARGE_WAIVED:
            return _taken_off(movement, book)
        case _:
            return _received(movement, book, clearing, borrower)


def _received(
    movement: Movement, book: int, clearing: AccountName, borrower: AccountName
) -> tuple[Posting, ...]:
    if movement.after_charge_off and movement.receipt not in _GIVEN_BACK:
        recovered_minor = sum(movement.parts_minor.values())
        settled = _if_any(credit, AccountName("recovery_income", book=book), recovered_minor)
    else:
        accounts = _WRITTEN_TO if movement.after_charge_off else _RECEIVABLE
        settled = tuple(
            posting
            for part, amount_minor in movement.parts_minor.items()
            for posting in _if_any(credit, AccountName(accounts[part], book=book), amount_minor)
        )
    source: tuple[Posting, ...] = (debit(clearing, movement.amount_minor),)
    if movement.receipt in _FORGONE:
        source = _forgone(movement, book)
    return (*source, *settled, *_if_any(credit, borrower, movement.credit_minor))


def _forgone(movement: Movement, book: int) -> tuple[Posting, ...]:
    given_minor = {**movement.parts_minor}
    given_minor[Part.PRINCIPAL] += movement.credit_minor
    accounts = {**_WRITTEN_TO, Part.PRINCIPAL: "waivers"}
    return tuple(
        posting
        for part, amount_minor in given_minor.items()
        for posting in _if_any(debit, AccountName(accounts[part], book=book), amount_minor)
    )


def _taken_off(movement: Movement, book: int) -> tuple[Posting, ...]:
    postings: list[Posting] = []
    for part, amount_minor in movement.parts_minor.items():
        if amount_minor:
            postings.append(debit(AccountName(_WRITTEN_TO[part], book=book), amount_minor))
            postings.append(credit(AccountName(_RECEIVABLE[part], book=book), amount_minor))
    return tuple(postings)


def _if_any(
    side: Callable[[AccountName, int], Posting], account: AccountName, amount_minor: int
) -> tuple[Posting, ...]:
    return (side(account, amount_minor),) if amount_minor > 0 else ()
