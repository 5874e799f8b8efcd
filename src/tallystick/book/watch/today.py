"""Where a legal entity stands today, from rows that are there anyway.

Nothing here reads history: limits and facilities hold what is drawn, sealed days their totals,
and the close what it counted. What is not sealed yet is read posting by posting.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db import connection

from tallystick.book.ledger.models import Seal
from tallystick.book.parties.models import LegalEntity
from tallystick.book.servicing.close import STEPS
from tallystick.book.servicing.models import DayStep


@dataclass(frozen=True, slots=True)
class Figures:
    """A legal entity's book in one currency. Amounts are minor units.

    ``past_due_minor`` is the principal of loans more than thirty days past due, out of
    ``counted_minor``, both as the close of ``counted_date`` found them. ``available_minor`` is
    what suppliers can draw by the latest bases, facility by facility, within what programmes and
    funders have left; a cap that a supplier's facilities share is not looked at.
    """

    currency: str
    outstanding_minor: int
    under_way_minor: int
    available_minor: int
    past_due_minor: int
    counted_minor: int
    counted_date: date | None
    drawn_today: int
    drawn_today_minor: int
    cash_minor: int
    lines_free_minor: int

    @property
    def past_due_ppm(self) -> int:
        return self.past_due_minor * 1_000_000 // max(1, self.counted_minor)


@dataclass(frozen=True, slots=True)
class CloseState:
    """How far the latest close has come: its day, and each step with the moment it was done."""

    day: date
    steps: tuple[tuple[str, datetime | None], ...]

    @property
    def is_done(self) -> bool:
        return all(done for _, done in self.steps)


def figures_today(entity: LegalEntity) -> list[Figures]:
    """The entity's figures, by currency."""
    limits = _limits(entity.pk)
    available = _available_minor(entity)
    principal = _principal_minor(entity.pk)
    drawn = _drawn_today(entity)
    cash = _cash_minor(entity.pk)
    counted_date, buckets = _past_due(entity.pk)
    currencies = sorted(limits.keys() | principal.keys() | cash.keys())
    return [
        Figures(
            currency,
            outstanding_minor=principal.get(currency, 0),
            under_way_minor=limits[currency][0] - principal.get(currency, 0),
            available_minor=available.get(currency, 0),
            past_due_minor=sum(
                bucket["principal_minor"]
                for bucket in buckets
                if bucket["currency"] == currency and bucket["days_past_due"] not in ("0", "1-30")
            ),
            counted_minor=sum(
                bucket["principal_minor"] for bucket in buckets if bucket["currency"] == currency
            ),
            counted_date=counted_date,
            drawn_today=drawn[currency][0],
            drawn_today_minor=drawn[currency][1],
            cash_minor=cash.get(currency, 0),
            lines_free_minor=limits[currency][1],
        )
        for currency in currencies
    ]


def last_seal(legal_entity_id: int) -> Seal | None:
    """The seal of the last day that has one."""
    return Seal.objects.filter(legal_entity=legal_entity_id).order_by("-date").first()


def close_state(legal_entity_id: int) -> CloseState | None:
    """The close that ran last or runs now; None where no day was ever closed."""
    last = DayStep.objects.filter(legal_entity=legal_entity_id).order_by("-date").first()
    if last is None:
        return None
    done = dict(
        DayStep.objects.filter(legal_entity=legal_entity_id, date=last.date).values_list(
            "step", "finished_at"
        )
    )
    return CloseState(last.date, tuple((step, done.get(step)) for step in STEPS))


# By the whole key of its index: a firm may have a hundred thousand accounts.
_OF_BOOKS = """
    SELECT book.programme, account.currency, account.id
    FROM ledger_book AS book JOIN ledger_account AS account
      ON account.legal_entity_id = book.legal_entity_id AND account.currency = book.currency
     AND account.name = %(name)s AND coalesce(account.book_id, 0) = book.id
     AND coalesce(account.party_id, 0) = 0
    WHERE book.legal_entity_id = %(entity)s
"""

_PRINCIPAL_BY_DAY = f"""
    WITH account AS MATERIALIZED ({_OF_BOOKS}), seal AS (
        SELECT coalesce(max(date), '-infinity') AS last_date FROM ledger_seal
        WHERE legal_entity_id = %(entity)s
    )
    SELECT currency, programme, greatest(booking_date, %(from)s) AS day, sum(net_minor)::bigint
    FROM (
        SELECT account.*, total.booking_date, total.debit_minor - total.credit_minor AS net_minor
        FROM account JOIN ledger_daytotal AS total ON total.account_id = account.id
        UNION ALL
        SELECT account.*, posting.booking_date, posting.side * posting.amount_minor
        FROM account CROSS JOIN seal JOIN ledger_posting AS posting
          ON posting.account_id = account.id AND posting.booking_date > seal.last_date
    ) AS moved
    GROUP BY 1, 2, 3
"""


def outstanding_by_programme(
    legal_entity_id: int, currency: str, *, from_date: date, to_date: date
) -> tuple[list[date], dict[str, list[int]]]:
    """Principal outstanding at the end of each day, both ends included, by programme.

    By booking date, from the ledger. Programmes come in the order of what they have out now.
    Nothing where ``to_date`` lies before ``from_date``.
    """
    days = [from_date + timedelta(days=n) for n in range((to_date - from_date).days + 1)]
    if not days:
        return [], {}
    moved: dict[str, dict[date, int]] = defaultdict(dict)
    for found, programme, day, net_minor in _principal_by_day(legal_entity_id, from_date):
        if found == currency:
            moved[programme][day] = net_minor
    series = {}
    for programme, by_day in moved.items():
        running_minor = 0
        series[programme] = [running_minor := running_minor + by_day.get(day, 0) for day in days]
    return days, dict(sorted(series.items(), key=lambda each: -each[1][-1]))


def _principal_by_day(legal_entity_id: int, from_date: date) -> list[tuple[str, str, date, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            _PRINCIPAL_BY_DAY,
            {"entity": legal_entity_id, "name": "loan_principal", "from": from_date},
        )
        return cursor.fetchall()


def _principal_minor(legal_entity_id: int) -> dict[str, int]:
    total_minor: dict[str, int] = defaultdict(int)
    for currency, _, _, net_minor in _principal_by_day(legal_entity_id, date.max):
        total_minor[currency] += net_minor
    return dict(total_minor)


def _limits(legal_entity_id: int) -> dict[str, tuple[int, int]]:
    """What programmes have drawn, payouts under way included, and what funders' lines have left."""
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT currency, sum(drawn_minor)::bigint, sum(free_minor)::bigint FROM ("
            "    SELECT currency, drawn_minor, 0 AS free_minor FROM financing_programmelimit"
            "    WHERE legal_entity_id = %(entity)s"
            "    UNION ALL"
            "    SELECT currency, 0, greatest(0, limit_minor - drawn_minor)"
            "    FROM funding_fundingline"
            "    WHERE legal_entity_id = %(entity)s) AS held GROUP BY 1",
            {"entity": legal_entity_id},
        )
        for currency, drawn_minor, free_minor in cursor.fetchall():
            found[currency] = (drawn_minor, free_minor)
    return found


_AVAILABLE = """
    SELECT held.currency, least(available_minor,
                                greatest(0, capped.limit_minor - capped.drawn_minor),
                                greatest(0, line.limit_minor - line.drawn_minor))
    FROM (
        SELECT facility.currency, programme_limit_id, funding_line_id,
               sum(greatest(0, least(pool.base_minor, facility.limit_minor)
                               - facility.drawn_minor)) AS available_minor
        FROM financing_facility AS facility JOIN collateral_pool AS pool ON pool.id = pool_id
        WHERE facility.legal_entity_id = %s AND frozen_reason = '' AND expiry_date >= %s
        GROUP BY 1, 2, 3
    ) AS held
    JOIN financing_programmelimit AS capped ON capped.id = programme_limit_id
    JOIN funding_fundingline AS line ON line.id = funding_line_id
"""


def _available_minor(entity: LegalEntity) -> dict[str, int]:
    available_minor: dict[str, int] = defaultdict(int)
    with connection.cursor() as cursor:
        cursor.execute(_AVAILABLE, [entity.pk, entity.business_date])
        for currency, amount_minor in cursor.fetchall():
            available_minor[currency] += int(amount_minor)
    return available_minor


def _drawn_today(entity: LegalEntity) -> dict[str, tuple[int, int]]:
    """How many drawdowns the open day has seen, and of how much, whatever the bank said."""
    found: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT currency, count(*), sum(amount_minor)::bigint FROM ({_OF_BOOKS}) AS account"
            " JOIN ledger_posting AS posting ON posting.account_id = account.id"
            "  AND posting.booking_date = %(day)s AND posting.side = 1 GROUP BY 1",
            {"entity": entity.pk, "name": "committed_drawdowns", "day": entity.business_date},
        )
        for currency, count, amount_minor in cursor.fetchall():
            found[currency] = (count, amount_minor)
    return found


def _cash_minor(legal_entity_id: int) -> dict[str, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT account.currency, (SELECT coalesce(sum(debit_minor - credit_minor), 0)"
            "         FROM ledger_daytotal WHERE account_id = account.id)"
            "     + (SELECT coalesce(sum(side * amount_minor), 0) FROM ledger_posting"
            "        WHERE account_id = account.id AND booking_date > ("
            "            SELECT coalesce(max(date), '-infinity') FROM ledger_seal"
            "            WHERE legal_entity_id = account.legal_entity_id))"
            " FROM ledger_account AS account"
            " JOIN (SELECT DISTINCT legal_entity_id, currency FROM ledger_book) AS kept"
            "   ON kept.legal_entity_id = account.legal_entity_id"
            "  AND kept.currency = account.currency"
            " WHERE account.legal_entity_id = %s AND account.name = 'bank'",
            [legal_entity_id],
        )
        return {currency: int(net_minor) for currency, net_minor in cursor.fetchall()}


def _past_due(legal_entity_id: int) -> tuple[date | None, list[dict[str, Any]]]:
    counted = (
        DayStep.objects.filter(legal_entity=legal_entity_id, step="delinquency")
        .order_by("-date")
        .first()
    )
    return (None, []) if counted is None else (counted.date, counted.figures["buckets"])
