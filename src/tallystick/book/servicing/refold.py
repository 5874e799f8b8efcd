"""Every loan folded anew from its events, and held against what is stored of it.

Independent of how positions were moved: what the platform keeps up event by event is recomputed
from nothing, some thousand loans at a time.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import NamedTuple

from django.db import connection

from tallystick.book.financing.models import PAID_OUT, Loan
from tallystick.book.ledger.queries import balances
from tallystick.book.servicing.history import loan_events
from tallystick.book.servicing.positions import LoanPosition, positions_of
from tallystick.book.watch.findings import Finding
from tallystick.rules.loan_events import LoanEvent
from tallystick.rules.loan_position import (
    Position,
    fees_met,
    interest_met,
    penalty_met,
    running_interest,
    running_penalty,
)
from tallystick.rules.loan_steps import position_of
from tallystick.rules.loan_turns import standing_on

LOANS_AT_A_TIME = 5_000
LOANS_NAMED = 10
"""With one difference of the ledger, at most."""


POSITIONS = "loans: positions are the fold of their events"
LEDGER = "ledger: receivables are the sum of the loans"


def refolded() -> Iterator[Finding]:
    """Positions that are not the fold of their loan's events, and receivables of the ledger that
    are not the sum of the loans, with the loans of the book that are stored otherwise.

    Principal and fees are compared as they stand now; interest and penalty as of the last night
    booked, which is when the ledger holds them whole.
    """
    nights = _last_nights()
    books_then = _books_on(nights)
    sums_minor: dict[_Receivable, int] = defaultdict(int)
    strayed: dict[_Receivable, list[_Strayed]] = defaultdict(list)
    for loan, events in _loans_with_events():
        now = position_of(loan.terms, events, on=date.max, known_on=date.max)
        now = standing_on(now, loan.booking_date)
        night = nights.get(loan.legal_entity_id, date.min)
        was_then_as_now = now.accrued_to <= night and all(
            event.booking_date <= night for event in events
        )
        book_then = books_then.get(loan.loan_id)
        then = now if was_then_as_now or not book_then else _known_on(loan, events, night)
        owed_minor = _owed_now(now, loan.book_id) | _owed_then(then, night, book_then)
        for receivable, minor in owed_minor.items():
            sums_minor[receivable] += minor
        if now != loan.position:
            yield Finding(POSITIONS, f"loan {loan.code}", *_differing(now, loan.position))
            stored_minor = _owed_now(loan.position, loan.book_id)
            if was_then_as_now:
                stored_minor |= _owed_then(loan.position, night, book_then)
            for receivable, minor in stored_minor.items():
                if difference := minor - owed_minor[receivable]:
                    strayed[receivable].append(_Strayed(loan.code, difference))
    yield from _differences(sums_minor, strayed, nights)


class _Receivable(NamedTuple):
    account: str
    book_id: int


class _Strayed(NamedTuple):
    """A loan of which more is stored than its events come to, or less; minor units."""

    code: str
    difference_minor: int

    def __str__(self) -> str:
        return f"loan {self.code} {self.difference_minor:+}"


def _loans_with_events() -> Iterator[tuple[LoanPosition, list[LoanEvent]]]:
    last_id = 0
    while True:
        loan_ids = list(
            Loan.objects.filter(id__gt=last_id, status__in=PAID_OUT)
            .order_by("id")
            .values_list("id", flat=True)[:LOANS_AT_A_TIME]
        )
        if not loan_ids:
            return
        events = loan_events(loan_ids)
        for loan in positions_of(loan_ids).values():
            if loan.position is not None:
                yield loan, events[loan.loan_id]
        last_id = loan_ids[-1]


def _differing(folded: Position, stored: Position) -> tuple[str, str]:
    expected, found = asdict(folded), asdict(stored)
    fields = [name for name in expected if expected[name] != found[name]]
    return (
        ", ".join(f"{name} {expected[name]}" for name in fields),
        ", ".join(f"{name} {found[name]}" for name in fields),
    )


def _last_nights() -> dict[int, date]:
    """The last day of which each legal entity has booked the night."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT legal_entity_id, max(date) FROM servicing_daystep"
            " WHERE step = 'accrual' GROUP BY 1"
        )
        return dict(cursor.fetchall())


def _books_on(nights: dict[int, date]) -> dict[int, int]:
    """The book of each loan on its legal entity's last night: it may have moved since."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT held.loan_id, held.book_id"
            " FROM unnest(%s::bigint[], %s::date[]) AS night (legal_entity_id, date)"
            " JOIN ledger_book AS book ON book.legal_entity_id = night.legal_entity_id"
            " JOIN servicing_position AS held ON held.book_id = book.id"
            "   AND held.booking_date <= night.date AND held.superseded_date > night.date",
            [list(nights), list(nights.values())],
        )
        return dict(cursor.fetchall())


def _known_on(loan: LoanPosition, events: list[LoanEvent], night: date) -> Position:
    return position_of(loan.terms, events, on=night, known_on=night)


def _owed_now(position: Position, book_id: int) -> dict[_Receivable, int]:
    return {
        _Receivable("loan_principal", book_id): position.principal_minor,
        _Receivable("fee_receivable", book_id): position.fees_charged_minor - fees_met(position),
    }


def _owed_then(position: Position, night: date, book_id: int | None) -> dict[_Receivable, int]:
    """What the night has booked of a loan; nothing where it came later."""
    if book_id is None:
        return {}
    until = night + timedelta(days=1)
    return {
        _Receivable("interest_receivable", book_id): running_interest(position, until)
        - interest_met(position),
        _Receivable("penalty_receivable", book_id): running_penalty(position, until)
        - penalty_met(position),
    }


def _differences(
    sums_minor: Mapping[_Receivable, int],
    strayed: Mapping[_Receivable, Sequence[_Strayed]],
    nights: Mapping[int, date],
) -> Iterator[Finding]:
    held_minor = dict.fromkeys(sums_minor, 0)
    for legal_entity_id, accounts in _accounts().items():
        night = nights.get(legal_entity_id, date.min)
        for names, known_on in (
            (("loan_principal", "fee_receivable"), date.max),
            (("interest_receivable", "penalty_receivable"), night),
        ):
            asked = [key for key, receivable in accounts.items() if receivable.account in names]
            found = balances(asked, on=date.max, known_on=known_on)
            held_minor |= {accounts[key]: found[key].net_minor for key in asked}
    for receivable, minor in held_minor.items():
        expected_minor = sums_minor.get(receivable, 0)
        if minor != expected_minor:
            yield Finding(
                LEDGER,
                f"{receivable.account} of book {receivable.book_id}",
                str(expected_minor),
                f"{minor}, a difference of {minor - expected_minor}; "
                + _blamed(strayed.get(receivable, ())),
            )


def _blamed(strayed: Sequence[_Strayed]) -> str:
    """Which loans the difference may come from: the largest first."""
    if not strayed:
        return "each of its loans is stored as its events say"
    by_size = sorted(strayed, key=lambda each: -abs(each.difference_minor))
    named = ", ".join(str(each) for each in by_size[:LOANS_NAMED])
    more = len(strayed) - LOANS_NAMED
    return f"stored otherwise: {named}" + (f" and {more} more" if more > 0 else "")


def _accounts() -> dict[int, dict[int, _Receivable]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT legal_entity_id, id, name, book_id FROM ledger_account"
            " WHERE book_id IS NOT NULL ORDER BY id"
        )
        accounts: dict[int, dict[int, _Receivable]] = defaultdict(dict)
        for legal_entity_id, account_id, name, book_id in cursor.fetchall():
            accounts[legal_entity_id][account_id] = _Receivable(name, book_id)
    return accounts
