"""The ledger a page at a time: totals by name of the chart, accounts, statements, entries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache

from django.db import connection

from tallystick.book.ledger.labels import LabelledAccount, labelled
from tallystick.book.ledger.models import Seal
from tallystick.book.ledger.queries import Balance, StatementLine, balances
from tallystick.rules.journal import Side


@dataclass(frozen=True, slots=True)
class ChartTotal:
    """All accounts of one name and currency together; ``accounts`` counts those ever opened."""

    name: str
    currency: str
    accounts: int
    balance: Balance


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a statement ended; the next one begins after it."""

    booking_date: date
    entry_id: int
    line: int


@dataclass(frozen=True, slots=True)
class StatementPage:
    """Postings in the order in which they were booked; ``next_place`` is None on the last page."""

    opening_minor: int
    lines: list[StatementLine]
    next_place: Place | None

    @property
    def closing_minor(self) -> int:
        return self.lines[-1].net_minor if self.lines else self.opening_minor


@dataclass(frozen=True, slots=True)
class PostedLine:
    """One line of an entry with its account."""

    account: LabelledAccount
    side: Side
    amount_minor: int


def chart_totals(legal_entity_id: int, *, on: date, known_on: date) -> list[ChartTotal]:
    """The trial balance by name of the chart and currency; see ``queries.trial_balance``.

    What was sealed never changes: its totals are remembered under its last seal, and only what
    was booked since is added up anew.
    """
    sealed_through, seal = _last_seal(legal_entity_id, known_on)
    totals: dict[tuple[str, str], list[int]] = defaultdict(lambda: [0, 0])
    sealed = _sealed(legal_entity_id, on, sealed_through, seal) if sealed_through else ()
    for parts in (sealed, _unsealed(legal_entity_id, on, known_on, sealed_through)):
        for name, currency, debit_minor, credit_minor in parts:
            totals[currency, name][0] += int(debit_minor)
            totals[currency, name][1] += int(credit_minor)
    opened = _opened(legal_entity_id)
    return [
        ChartTotal(name, currency, opened[name, currency], Balance(debit_minor, credit_minor))
        for (currency, name), (debit_minor, credit_minor) in sorted(totals.items())
    ]


def _last_seal(legal_entity_id: int, known_on: date) -> tuple[date | None, bytes]:
    row = (
        Seal.objects.filter(legal_entity=legal_entity_id, date__lte=known_on)
        .order_by("-date")
        .values_list("date", "seal_hash")
        .first()
    )
    return (None, b"") if row is None else (row[0], bytes(row[1]))


@lru_cache(maxsize=200)
def _sealed(
    legal_entity_id: int,
    on: date,
    sealed_through: date,
    seal: bytes,  # noqa: ARG001 - names the history that is remembered, whatever the database
) -> Sequence[tuple[str, str, int, int]]:
    """Day totals, and roll-ups where a value date lies after the day of booking, or that day
    after ``on``.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH part AS ("
            "     SELECT account_id, debit_minor, credit_minor FROM ledger_daytotal"
            "     WHERE booking_date <= least(%(known_on)s, %(on)s)"
            "     UNION ALL"
            "     SELECT account_id, debit_minor, credit_minor FROM ledger_rollup"
            "     WHERE value_date > booking_date AND value_date <= %(on)s"
            "       AND booking_date <= least(%(known_on)s, %(on)s)"
            "     UNION ALL"
            "     SELECT account_id, debit_minor, credit_minor FROM ledger_rollup"
            "     WHERE booking_date > %(on)s AND booking_date <= %(known_on)s"
            "       AND value_date <= %(on)s"
            " ), total AS ("
            "     SELECT account_id, sum(debit_minor) AS debit_minor,"
            "         sum(credit_minor) AS credit_minor FROM part GROUP BY account_id)"
            " SELECT account.name, account.currency, sum(debit_minor), sum(credit_minor)"
            " FROM total JOIN ledger_account AS account ON account.id = total.account_id"
            " WHERE account.legal_entity_id = %(entity)s GROUP BY account.name, account.currency",
            {"entity": legal_entity_id, "on": on, "known_on": sealed_through},
        )
        return tuple(cursor.fetchall())


def _unsealed(
    legal_entity_id: int, on: date, known_on: date, sealed_through: date | None
) -> Sequence[tuple[str, str, int, int]]:
    """Postings booked since the seal that was found, also if another was written meanwhile."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account.name, account.currency,"
            "     coalesce(sum(posting.amount_minor) FILTER (WHERE posting.side = 1), 0),"
            "     coalesce(sum(posting.amount_minor) FILTER (WHERE posting.side = -1), 0)"
            " FROM ledger_entry AS entry"
            " JOIN ledger_posting AS posting ON posting.entry_id = entry.id"
            " JOIN ledger_account AS account ON account.id = posting.account_id"
            " WHERE entry.legal_entity_id = %s AND entry.booking_date > %s"
            "   AND entry.booking_date <= %s AND entry.value_date <= %s"
            " GROUP BY account.name, account.currency",
            [legal_entity_id, sealed_through or date.min, known_on, on],
        )
        return cursor.fetchall()


def _opened(legal_entity_id: int) -> dict[tuple[str, str], int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT name, currency, count(*) FROM ledger_account WHERE legal_entity_id = %s"
            " GROUP BY name, currency",
            [legal_entity_id],
        )
        return {(name, currency): count for name, currency, count in cursor.fetchall()}


def statement_page(
    account_id: int, *, from_date: date, to_date: date, after: Place | None = None, limit: int
) -> StatementPage:
    """Postings booked from ``from_date`` to ``to_date``, both included, with a running balance.

    In the order of booking date, entry and line, from after ``after``. The opening balance is all
    that was booked before, whatever its value date.
    """
    begins_on = after.booking_date if after else from_date
    opening_minor = _booked_before(account_id, begins_on)
    if after:
        opening_minor += _booked_in(account_id, after)
    place = after or Place(from_date, 0, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry.id, posting.line, entry.event, entry.reference, posting.value_date,"
            "     posting.booking_date, posting.side, posting.amount_minor"
            " FROM (SELECT * FROM ledger_posting"
            "     WHERE account_id = %(account)s AND booking_date BETWEEN %(begins)s AND %(to)s"
            "       AND (booking_date, entry_id, line) > (%(begins)s, %(entry)s, %(line)s)"
            "     ORDER BY booking_date, entry_id, line LIMIT %(limit)s) AS posting"
            " JOIN ledger_entry AS entry ON entry.id = posting.entry_id"
            " ORDER BY posting.booking_date, posting.entry_id, posting.line",
            {
                "account": account_id,
                "begins": begins_on,
                "to": to_date,
                "entry": place.entry_id,
                "line": place.line,
                "limit": limit + 1,
            },
        )
        rows = cursor.fetchall()
    net_minor = opening_minor
    lines = []
    for *fields, side, amount_minor in rows[:limit]:
        net_minor += side * amount_minor
        lines.append(StatementLine(*fields, Side(side), amount_minor, net_minor))
    last = lines[-1] if len(rows) > limit else None
    return StatementPage(
        opening_minor, lines, last and Place(last.booking_date, last.entry_id, last.line)
    )


def posted_lines(entry_ids: Iterable[int]) -> dict[int, list[PostedLine]]:
    """The lines of entries, in their order, by the entry's id."""
    asked = list(entry_ids)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT entry_id, account_id, side, amount_minor FROM ledger_posting"
            " WHERE entry_id = ANY (%s) ORDER BY entry_id, line",
            [asked],
        )
        rows = cursor.fetchall()
    accounts = {each.account_id: each for each in labelled({row[1] for row in rows})}
    lines: dict[int, list[PostedLine]] = {entry_id: [] for entry_id in asked}
    for entry_id, account_id, side, amount_minor in rows:
        lines[entry_id].append(PostedLine(accounts[account_id], Side(side), amount_minor))
    return lines


def _booked_before(account_id: int, day: date) -> int:
    if day == date.min:
        return 0
    before = balances([account_id], on=date.max, known_on=day - timedelta(days=1))
    return before[account_id].net_minor


def _booked_in(account_id: int, through: Place) -> int:
    """What was booked on the day of ``through``, up to it and with it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(side * amount_minor), 0) FROM ledger_posting"
            " WHERE account_id = %s AND booking_date = %s AND (entry_id, line) <= (%s, %s)",
            [account_id, through.booking_date, through.entry_id, through.line],
        )
        (net_minor,) = cursor.fetchone()
    return int(net_minor)
