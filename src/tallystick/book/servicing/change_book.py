"""A loan moves to another book: another class, or another funder's."""

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.ledger.models import Book
from tallystick.book.ledger.post import post
from tallystick.book.parties.business_date import open_day
from tallystick.book.servicing.live_loan import legal_entity_of, locked_live_loan
from tallystick.book.servicing.positions import LoanPosition
from tallystick.book.servicing.shares import sold_balances, transfers_of
from tallystick.book.servicing.store_positions import store
from tallystick.rules.accounting import Booking, book_changed
from tallystick.rules.loan_balances import balances
from tallystick.rules.refusal import Refusal


class NotABookOfTheLoan(Refusal):
    """The book is another legal entity's, in another currency, or the one it is in."""

    def __init__(self, loan: str, book_id: int) -> None:
        self.loan = loan
        self.book_id = book_id
        super().__init__(
            f"Loan {loan} cannot move to book {book_id}: choose another book of the same legal "
            "entity, programme and currency than the one it is in."
        )


def change_book(loan: str, book_id: int, *, caller: Caller, key: str) -> None:
    """Move ``loan`` (its code) to ``book_id`` with all that it owes, in one entry of the open day.

    What it owes in interest and penalty is what has run up to the open day: the nights before it
    belong to the old book. Repeating ``key`` changes nothing.

    Raises NotALiveLoan, NotABookOfTheLoan, KeyConflict.
    """
    legal_entity_id = legal_entity_of(loan)
    with once(
        caller, key=key, kind="change_book", request={"loan": loan, "book_id": book_id}
    ) as act:
        if act.earlier is not None:
            return
        business_date = open_day(legal_entity_id)
        moving = locked_live_loan(loan, legal_entity_id)
        _refuse_other_books(moving, book_id)
        owed = balances(moving.position, business_date)
        post(
            book_changed(
                Booking(
                    legal_entity_id,
                    moving.currency,
                    f"loan:{loan}",
                    business_date,
                    business_date,
                ),
                from_book=moving.book_id,
                to_book=book_id,
                balances_minor={
                    "fees": owed.fees_due_minor,
                    "penalty": owed.penalty_due_minor,
                    "interest": owed.interest_due_minor,
                    "principal": owed.principal_minor,
                },
                sold_minor=sold_balances(
                    owed, transfers_of([moving.loan_id]).get(moving.loan_id, ())
                ),
            ),
            act_id=act.act_id,
        )
        store([moving._replace(book_id=book_id)], booking_date=business_date)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE financing_loan SET book_id = %s WHERE id = %s", [book_id, moving.loan_id]
            )
        act.answer({})


def _refuse_other_books(loan: LoanPosition, book_id: int) -> None:
    old, new = (Book.objects.filter(pk=key).first() for key in (loan.book_id, book_id))
    same = ("legal_entity_id", "programme", "currency")
    if new is None or old == new or any(getattr(old, f) != getattr(new, f) for f in same):
        raise NotABookOfTheLoan(loan.code, book_id)
