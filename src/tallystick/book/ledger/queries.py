"""Questions about the books: balances, statements, trial balances.

Each takes two dates: ``on``, the day it is about (value dates up to and including it count), and
``known_on``, the day on which it would have been asked (booking dates up to and including it).
Sealed days are read from their totals, later ones from their postings, in one statement and so
from one moment: the cost grows with unsealed postings and with back-dating, not with history.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection

from tallystick.book.ledger import labels
from tallystick.book.ledger.labels import LabelledAccount
from tallystick.rules.journal import Side


@dataclass(frozen=True, slots=True)
class Balance:
    """Totals of an account in minor units of its currency."""

    debit_minor: int
    credit_minor: int

    @property
    def net_minor(self) -> int:
        """Debits less credits: above zero on the debit side."""
        return self.debit_minor - self.credit_minor


@dataclass(frozen=True, slots=True)
class TrialBalanceLine:
    """One account and its totals."""

    account: LabelledAccount
    balance: Balance


@dataclass(frozen=True, slots=True)
class StatementLine:
    """One posting to an account, and the account's net balance after it."""

    entry_id: int
    line: int
    event: str
    reference: str
    value_date: date
    booking_date: date
    side: Side
    amount_minor: int
    net_minor: int

    @property
    def signed_minor(self) -> int:
        """The amount, below zero on the credit side."""
        return self.side * self.amount_minor


@dataclass(frozen=True, slots=True)
class Statement:
    """An account from ``opening`` (all that counts before its first line) to its last line."""

    opening: Balance
    lines: list[StatementLine]


# Account by account, so that each part is one range of an index and one plain sum. A day that was
# booked by ``on`` counts whole, by its one total, but for what was dated forward; a day booked
# later, only with what was dated back.
_BALANCES = """
    SELECT account.id,
        coalesce(sealed.debit_minor, 0) + coalesce(unsealed.debit_minor, 0),
        coalesce(sealed.credit_minor, 0) + coalesce(unsealed.credit_minor, 0)
    FROM ledger_account AS account
    CROSS JOIN LATERAL (
        SELECT sum(debit_minor) AS debit_minor, sum(credit_minor) AS credit_minor FROM (
            SELECT debit_minor, credit_minor FROM ledger_daytotal
            WHERE account_id = account.id AND booking_date <= least(%(known_on)s, %(on)s)
            UNION ALL
            SELECT debit_minor, credit_minor FROM ledger_rollup
            WHERE account_id = account.id AND value_date > booking_date
              AND value_date <= %(on)s AND booking_date <= least(%(known_on)s, %(on)s)
            UNION ALL
            SELECT debit_minor, credit_minor FROM ledger_rollup
            WHERE account_id = account.id AND booking_date > %(on)s
              AND booking_date <= %(known_on)s AND value_date <= %(on)s
        ) AS part
    ) AS sealed
    CROSS JOIN LATERAL (
        SELECT coalesce(max(date), '-infinity') AS last_date FROM ledger_seal
        WHERE legal_entity_id = account.legal_entity_id
    ) AS seal
    CROSS JOIN LATERAL (
        SELECT sum(amount_minor) FILTER (WHERE side = 1) AS debit_minor,
            sum(amount_minor) FILTER (WHERE side = -1) AS credit_minor
        FROM ledger_posting
        WHERE account_id = account.id AND booking_date > seal.last_date
          AND booking_date <= %(known_on)s AND value_date <= %(on)s
    ) AS unsealed
    WHERE account.id = ANY (%(accounts)s)
"""


def balances(account_ids: Collection[int], *, on: date, known_on: date) -> dict[int, Balance]:
    """The balance of each account; one without postings has zero on both sides."""
    with connection.cursor() as cursor:
        cursor.execute(_BALANCES, {"accounts": list(account_ids), "on": on, "known_on": known_on})
        found = {
            account_id: Balance(int(debit_minor), int(credit_minor))
            for account_id, debit_minor, credit_minor in cursor.fetchall()
        }
    return {account_id: found.get(account_id, Balance(0, 0)) for account_id in account_ids}


def trial_balance(legal_entity_id: int, *, on: date, known_on: date) -> list[TrialBalanceLine]:
    """Every account of a legal entity that has postings, by currency and label.

    By booking date alone, whatever the value date: ``on=date.max``. Debits and credits of each
    currency come to the same total whichever dates are asked.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account_id, sum(debit_minor), sum(credit_minor) FROM ("
            "    SELECT account_id, debit_minor, credit_minor"
            "    FROM ledger_rollup JOIN ledger_account AS account ON account.id = account_id"
            "    WHERE account.legal_entity_id = %(legal_entity)s"
            "      AND booking_date <= %(known_on)s AND value_date <= %(on)s"
            "    UNION ALL"
            "    SELECT posting.account_id,"
            "        CASE posting.side WHEN 1 THEN posting.amount_minor ELSE 0 END,"
            "        CASE posting.side WHEN -1 THEN posting.amount_minor ELSE 0 END"
            "    FROM ledger_entry AS entry"
            "    JOIN ledger_posting AS posting ON posting.entry_id = entry.id"
            "    WHERE entry.legal_entity_id = %(legal_entity)s"
            "      AND entry.booking_date > (SELECT coalesce(max(date), '-infinity')"
            "          FROM ledger_seal WHERE legal_entity_id = %(legal_entity)s)"
            "      AND entry.booking_date <= %(known_on)s AND entry.value_date <= %(on)s"
            ") AS total GROUP BY account_id",
            {"legal_entity": legal_entity_id, "on": on, "known_on": known_on},
        )
        totals = {
            account_id: Balance(int(debit_minor), int(credit_minor))
            for account_id, debit_minor, credit_minor in cursor.fetchall()
        }
    lines = [
        TrialBalanceLine(account, totals[account.account_id]) for account in labels.labelled(totals)
    ]
    return sorted(lines, key=lambda line: (line.account.currency, line.account.label))


def statement(account_id: int, *, from_date: date, on: date, known_on: date) -> Statement:
    """Postings with value dates ``from_date`` to ``on``, both included, with a running balance.

    In the order of value date, entry and line.
    """
    before_date = from_date - timedelta(days=1)
    opening = balances([account_id], on=before_date, known_on=known_on)[account_id]
    with connection.cursor() as cursor:
        # The roll-ups say in which sealed days something was booked with such value dates.
        cursor.execute(
            "WITH seal AS (SELECT coalesce(max(date), '-infinity') AS last_date"
            "     FROM ledger_seal WHERE legal_entity_id ="
            "         (SELECT legal_entity_id FROM ledger_account WHERE id = %(account)s)),"
            " line AS (SELECT posting.* FROM ("
            "         SELECT DISTINCT booking_date FROM ledger_rollup"
            "         WHERE account_id = %(account)s AND booking_date <= %(known_on)s"
            "           AND value_date BETWEEN %(from)s AND %(on)s) AS day"
            "     JOIN ledger_posting AS posting ON posting.account_id = %(account)s"
            "         AND posting.booking_date = day.booking_date"
            "         AND posting.value_date BETWEEN %(from)s AND %(on)s"
            "     UNION ALL"
            "     SELECT posting.* FROM seal JOIN ledger_posting AS posting"
            "         ON posting.account_id = %(account)s"
            "         AND posting.booking_date > seal.last_date"
            "         AND posting.booking_date <= %(known_on)s"
            "         AND posting.value_date BETWEEN %(from)s AND %(on)s)"
            " SELECT entry.id, line.line, entry.event, entry.reference, line.value_date,"
            "     line.booking_date, line.side, line.amount_minor,"
            "     sum(line.side * line.amount_minor) OVER ("
            "         ORDER BY line.value_date, entry.id, line.line)"
            " FROM line JOIN ledger_entry AS entry ON entry.id = line.entry_id"
            " ORDER BY line.value_date, entry.id, line.line",
            {"account": account_id, "from": from_date, "on": on, "known_on": known_on},
        )
        lines = [
            StatementLine(*fields, Side(side), amount_minor, opening.net_minor + int(running))
            for *fields, side, amount_minor, running in cursor.fetchall()
        ]
    return Statement(opening, lines)
