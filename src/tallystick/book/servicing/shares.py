"""Shares of loans that were sold: what they come to, and what the ledger gets of it.

A loan's events say what came in, a loan's transfers say whose it is (``rules.loan_shares``). After
anything that touches a loan with shares sold, what both come to now is held against what the
ledger has booked for them, and the difference is one entry: whether cash came in order, or late
and from before a transfer, or an event was taken back. Charges that arise belong to the holders
too: the night takes their part out of income, for whole books.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple, TypeVar

from django.db import connection

from tallystick.book.ledger.post import post_many
from tallystick.book.ledger.queries import balances as ledger_balances
from tallystick.book.servicing.accrual import FEES_OWED, INTEREST_OWED, PENALTY_OWED
from tallystick.book.servicing.history import loan_events
from tallystick.book.servicing.positions import LoanPosition
from tallystick.rules.accounting import SOLD_OF, Booking, ShareEvent, shared, shares_moved
from tallystick.rules.journal import JournalEntry
from tallystick.rules.loan_balances import Balances, balances
from tallystick.rules.loan_events import LoanEvent
from tallystick.rules.loan_shares import (
    Passed,
    Transfer,
    in_order,
    owed_by_kind,
    parted,
    passed_on,
    shares_after,
    sold_part,
)
from tallystick.rules.loan_steps import position_of

Transfers = Mapping[int, Sequence[Transfer]]
"""The transfers of shares that stand, in order, by loan id; only loans that have any."""

DAY = timedelta(days=1)

Key = TypeVar("Key", int, str)


def transfers_of(loan_ids: Iterable[int], *, known_on: date = date.max) -> Transfers:
    """The transfers of these loans that stood as known on a day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT loan_id, id, holder_id, share_ppm, value_date, premium_minor"
            " FROM funding_sharetransfer WHERE loan_id = ANY(%s) AND booking_date <= %s"
            " AND (reversed_date IS NULL OR reversed_date > %s)",
            [list(loan_ids), known_on, known_on],
        )
        rows = cursor.fetchall()
    found: dict[int, list[Transfer]] = defaultdict(list)
    for loan_id, *columns in rows:
        found[loan_id].append(Transfer(*columns))
    return {loan_id: in_order(transfers) for loan_id, transfers in found.items()}


def loans_sold(legal_entity_id: int, *, known_on: date = date.max) -> Transfers:
    """As ``transfers_of``, of every loan of a legal entity."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT transfer.loan_id FROM funding_sharetransfer AS transfer"
            " JOIN financing_loan AS loan ON loan.id = transfer.loan_id"
            " JOIN financing_facility AS facility ON facility.id = loan.facility_id"
            " WHERE facility.legal_entity_id = %s",
            [legal_entity_id],
        )
        loan_ids = [loan_id for (loan_id,) in cursor.fetchall()]
    return transfers_of(loan_ids, known_on=known_on) if loan_ids else {}


def owed_at_start(loan: LoanPosition, events: Sequence[LoanEvent], day: date) -> Balances:
    """What the loan owed at the start of a day: nothing that counts from that day has happened."""
    return balances(position_of(loan.terms, events, on=day - DAY, known_on=date.max), day)


def passed_on_of(
    loan: LoanPosition, events: Sequence[LoanEvent], transfers: Sequence[Transfer]
) -> Passed:
    """What the loan's transfers and its life since have come to by now."""
    assert loan.position is not None
    return passed_on(
        transfers,
        [owed_at_start(loan, events, each.value_date) for each in transfers],
        balances(loan.position, loan.position.stands_from_date),
    )


class Touched(NamedTuple):
    """A loan with shares sold, what touched it as of which day, and which act did."""

    loan: LoanPosition
    value_date: date
    act_id: int


def settle_shares(
    touched: Sequence[Touched],
    transfers: Transfers,
    *,
    event: ShareEvent = ShareEvent.PASSED_ON,
    booking_date: date,
) -> None:
    """Book, for each loan, what its shares come to less what the ledger has booked for them.

    Nothing where nothing differs. ``transfers`` are those of the loans that stand now, or none.
    """
    if not touched:
        return
    events = loan_events([each.loan.loan_id for each in touched])
    booked = booked_for([each.loan for each in touched])
    by_act: dict[int, list[JournalEntry]] = defaultdict(list)
    for each in touched:
        loan = each.loan
        passed = passed_on_of(loan, events[loan.loan_id], transfers.get(loan.loan_id, ()))
        held = booked[loan.loan_id]
        entry = shares_moved(
            share_booking(loan, each.value_date, booking_date),
            event=event,
            book=loan.book_id,
            debits_minor=_less(passed.debits_minor, held.debits_minor),
            holders_minor=_less(passed.holders_minor, held.holders_minor),
        )
        if entry is not None:
            by_act[each.act_id].append(entry)
    for act_id, entries in by_act.items():
        post_many(entries, act_id=act_id)


def share_booking(loan: LoanPosition, value_date: date, booking_date: date) -> Booking:
    """What every entry of a loan's shares says besides its postings."""
    return Booking(
        loan.legal_entity_id, loan.currency, f"loan:{loan.code}", value_date, booking_date
    )


class Booked(NamedTuple):
    """What the ledger has booked for a loan's shares: by account of its books, and by holder."""

    debits_minor: dict[str, int]
    holders_minor: dict[int, int]


def booked_for(loans: Sequence[LoanPosition]) -> dict[int, Booked]:
    """What the ledger holds of each loan's shares, whatever books it has been in; by loan id."""
    booked = {loan.loan_id: Booked(defaultdict(int), defaultdict(int)) for loan in loans}
    by_reference = {f"loan:{loan.code}": booked[loan.loan_id] for loan in loans}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry.reference, account.name, account.party_id,"
            "       sum(posting.side * posting.amount_minor)::bigint"
            " FROM ledger_entry AS entry"
            " JOIN ledger_posting AS posting ON posting.entry_id = entry.id"
            " JOIN ledger_account AS account ON account.id = posting.account_id"
            " WHERE entry.reference = ANY(%s) AND entry.event = ANY(%s)"
            " GROUP BY 1, 2, 3",
            [list(by_reference), [str(event) for event in ShareEvent]],
        )
        for reference, name, party_id, debit_minor in cursor.fetchall():
            held = by_reference[reference]
            if party_id is None:
                held.debits_minor[name] = debit_minor
            else:
                held.holders_minor[party_id] = -debit_minor
    return booked


def _less(target: Mapping[Key, int], held: Mapping[Key, int]) -> dict[Key, int]:
    return {key: target.get(key, 0) - held.get(key, 0) for key in dict.fromkeys((*target, *held))}


def sold_balances(owed: Balances, transfers: Sequence[Transfer]) -> dict[str, int]:
    """What of everything that a loan owes belongs to those who bought shares, by kind of debt."""
    shares = shares_after(transfers)
    return {kind: sold_part(minor, shares) for kind, minor in owed_by_kind(owed).items()}


class PrincipalMoved(NamedTuple):
    """Principal of a loan and who held which share of it, before something happened and after."""

    facility_id: int
    before_minor: int
    shares_before: Mapping[int, int]
    after_minor: int
    shares_after: Mapping[int, int]


def lines_moved(moves: Sequence[PrincipalMoved]) -> dict[int, int]:
    """By how much more the holders' part of principal draws on each funding line, by its id.

    What they hold is not drawn on the lender's own line, and is on a line of theirs in the same
    programme where they have one.
    """
    if not moves:
        return {}
    changes: dict[tuple[int, int], int] = defaultdict(int)
    for move in moves:
        for shares, minor, sign in (
            (move.shares_before, move.before_minor, -1),
            (move.shares_after, move.after_minor, 1),
        ):
            for holder, part_minor in parted(minor, shares).items():
                changes[move.facility_id, holder] += sign * part_minor
    lines = _funding_lines({facility_id for facility_id, _ in changes})
    moved: dict[int, int] = defaultdict(int)
    for (facility_id, holder), minor in changes.items():
        own_line, by_funder = lines[facility_id]
        moved[own_line] -= minor
        if holder in by_funder:
            moved[by_funder[holder]] += minor
    return {line_id: minor for line_id, minor in moved.items() if minor}


def _funding_lines(facility_ids: Iterable[int]) -> dict[int, tuple[int, dict[int, int]]]:
    """Of each facility its own line, and those of other funders in its programme by party id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT facility.id, own.id, other.funder_id, other.id"
            " FROM financing_facility AS facility"
            " JOIN funding_fundingline AS own ON own.id = facility.funding_line_id"
            " LEFT JOIN funding_fundingline AS other"
            "   ON other.legal_entity_id = own.legal_entity_id AND other.id <> own.id"
            "  AND other.programme = own.programme AND other.currency = own.currency"
            " WHERE facility.id = ANY(%s)",
            [list(facility_ids)],
        )
        lines: dict[int, tuple[int, dict[int, int]]] = {}
        for facility_id, own_id, funder_id, other_id in cursor.fetchall():
            _, by_funder = lines.setdefault(facility_id, (own_id, {}))
            if funder_id is not None:
                by_funder[funder_id] = other_id
    return lines


def owed_to_holders(legal_entity_id: int, *, day: date) -> dict[tuple[int, str], int]:
    """What of charges owed after the night of ``day`` belongs to holders, by book and kind."""
    transfers = loans_sold(legal_entity_id, known_on=day)
    if not transfers:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT held.loan_id, held.book_id, ({INTEREST_OWED})::bigint,"
            f" ({PENALTY_OWED})::bigint, ({FEES_OWED})::bigint FROM servicing_position AS held"
            " WHERE held.loan_id = ANY(%(loan_ids)s) AND NOT held.settled"
            "   AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s",
            {"loan_ids": list(transfers), "day": day, "until": day + DAY},
        )
        rows = cursor.fetchall()
    theirs: dict[tuple[int, str], int] = defaultdict(int)
    for loan_id, book_id, *owed_minor in rows:
        shares = shares_after(transfers[loan_id])
        for kind, minor in zip(("interest", "penalty", "fees"), owed_minor, strict=True):
            theirs[book_id, kind] += sold_part(minor, shares)
    return theirs


def share_night(legal_entity_id: int, *, day: date, act_id: int) -> None:
    """Take out of income, for the night of ``day``, what belongs to those who bought shares.

    By book, what belongs to them of what its loans owe now less what the ledger holds. Part of
    the transaction that books the night.
    """
    changes = dict(owed_to_holders(legal_entity_id, day=day))
    kind_of = {SOLD_OF[kind]: kind for kind in ("interest", "penalty", "fees")}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, book_id, name, currency FROM ledger_account"
            " WHERE legal_entity_id = %s AND name = ANY(%s)",
            [legal_entity_id, list(kind_of)],
        )
        accounts = {row[0]: row[1:] for row in cursor.fetchall()}
        cursor.execute(
            "SELECT id, currency FROM ledger_book WHERE id = ANY(%s)",
            [[book_id for book_id, _ in changes]],
        )
        currency_of = dict(cursor.fetchall())
    if not accounts and not changes:
        return
    found = ledger_balances(list(accounts), on=day, known_on=day)
    for account_id, (book_id, name, currency) in accounts.items():
        key = (book_id, kind_of[name])
        changes[key] = changes.get(key, 0) + found[account_id].net_minor
        currency_of[book_id] = currency
    post_many(
        [
            shared(
                Booking(legal_entity_id, currency_of[book_id], f"night:{day}", day, day),
                kind=kind,
                book=book_id,
                change_minor=change_minor,
            )
            for (book_id, kind), change_minor in sorted(changes.items())
            if change_minor
        ],
        act_id=act_id,
    )
