"""Prove the ledger: its entries, roll-ups and seals, and the guards that keep them.

Each check recomputes from the postings, and takes nothing on trust that the platform derived.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction

from tallystick.book.ledger.queries import trial_balance
from tallystick.book.ledger.seal import booked_entries, seals
from tallystick.book.parties.models import LegalEntity
from tallystick.book.rights import APPLICATION_ROLE
from tallystick.book.watch.findings import Check, Finding
from tallystick.rules.seals import NO_PREVIOUS_SEAL, SealHeader, leaf_hash, merkle_root

# What the migrations put in the way of a wrong record, by table.
GUARDS = {
    "acts_act": ("acts_act_answered_once", "acts_act_only_grows"),
    "acts_outboxmessage": ("acts_outboxmessage_only_grows",),
    "ledger_account": ("ledger_account_checked", "ledger_account_only_grows"),
    "ledger_awaited_postings": ("ledger_awaited_postings_checked",),
    "ledger_book": ("ledger_book_only_grows",),
    "ledger_daytotal": ("ledger_daytotal_only_grows",),
    "ledger_entry": ("ledger_entry_checked", "ledger_entry_only_grows"),
    "ledger_manualjournal": (
        "ledger_manualjournal_decided_once",
        "ledger_manualjournal_only_grows",
    ),
    "ledger_posting": ("ledger_posting_checked", "ledger_posting_only_grows"),
    "ledger_rollup": ("ledger_rollup_only_grows",),
    "ledger_seal": ("ledger_seal_only_grows", "ledger_seal_rolls_up"),
    "parties_legalentity": ("parties_legalentity_code_stays",),
    "parties_party": ("parties_party_code_stays",),
}


def ledger_checks(*, since: date = date.min) -> list[Check]:
    """The checks of the ledger, quick ones first.

    ``since``: leave out what was booked before that day. The chain of seals, the trial balance
    and the guards are always checked whole. Recomputing the roots of sealed days is most of the
    work, and comes in one check per legal entity and month, so that a caller can show progress.
    """
    checks = [
        Check("the application's role owns nothing", _owned_by_application),
        Check("guards stand", _guards_missing),
        Check("trial balance", _trial_balances),
        Check("entries balance", partial(_entries, since)),
        Check("reversals mirror", partial(_reversals, since)),
        Check("roll-ups equal postings", partial(_rollups, since)),
        Check("day totals equal roll-ups", partial(_day_totals, since)),
        Check("nothing booked after the seal", partial(_booked_late, since)),
    ]
    for entity in LegalEntity.objects.order_by("code"):
        sealed_days = seals(entity.pk)
        checks.append(Check(f"chain of seals of {entity.code}", partial(_chain, entity)))
        for month in sorted(
            {day.date.strftime("%Y-%m") for day in sealed_days if day.date >= since}
        ):
            days = [
                header
                for header in sealed_days
                if header.date.strftime("%Y-%m") == month and header.date >= since
            ]
            checks.append(
                Check(f"sealed days of {entity.code} in {month}", partial(_roots, entity, days))
            )
    return checks


def _owned_by_application() -> Iterator[Finding]:
    for kind, name in _rows(
        "SELECT 'relation', relname FROM pg_class WHERE relowner = %(role)s::regrole"
        " AND relpersistence <> 't'"
        " UNION ALL SELECT 'function', proname FROM pg_proc WHERE proowner = %(role)s::regrole"
        " UNION ALL SELECT 'schema', nspname FROM pg_namespace"
        "     WHERE nspowner = %(role)s::regrole AND nspname NOT LIKE 'pg\\_%%'"
        " ORDER BY 1, 2",
        {"role": APPLICATION_ROLE},
    ):
        yield Finding(
            "the application's role owns nothing",
            f"{kind} {name}",
            "owned by the role that migrates",
            f"owned by {APPLICATION_ROLE}",
        )


def _guards_missing() -> Iterator[Finding]:
    standing = set(
        _rows(
            "SELECT relname, tgname FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid"
            " WHERE tgenabled = 'A' AND NOT tgisinternal",
            {},
        )
    )
    for table, triggers in GUARDS.items():
        for trigger in triggers:
            if (table, trigger) not in standing:
                yield Finding(
                    "guards stand",
                    f"trigger {trigger} of {table}",
                    "enabled always",
                    "missing or disabled",
                )


def _trial_balances() -> Iterator[Finding]:
    for entity in LegalEntity.objects.order_by("code"):
        totals: dict[str, int] = {}
        for line in trial_balance(entity.pk, on=date.max, known_on=date.max):
            currency = line.account.currency
            totals[currency] = totals.get(currency, 0) + line.balance.net_minor
        for currency, net_minor in totals.items():
            if net_minor:
                yield Finding(
                    "trial balance",
                    f"{entity.code} {currency}",
                    "debits equal credits",
                    f"debits less credits are {net_minor}",
                )


def _entries(since: date) -> Iterator[Finding]:
    for entry_id, line_count, lines, net_minor, misfits in _rows(
        "SELECT * FROM ("
        "    SELECT coalesce(entry.id, posting.entry_id) AS entry_id, entry.line_count,"
        "        count(posting.entry_id) AS lines,"
        "        coalesce(sum(posting.side * posting.amount_minor), 0) AS net_minor,"
        "        count(posting.entry_id) FILTER (WHERE NOT coalesce("
        "            account.legal_entity_id = entry.legal_entity_id"
        "            AND account.currency = entry.currency"
        "            AND posting.value_date = entry.value_date"
        "            AND posting.booking_date = entry.booking_date, false)) AS misfits"
        "    FROM ledger_entry AS entry"
        "    FULL JOIN ledger_posting AS posting ON posting.entry_id = entry.id"
        "    LEFT JOIN ledger_account AS account ON account.id = posting.account_id"
        "    WHERE coalesce(entry.booking_date, posting.booking_date) >= %(since)s"
        "    GROUP BY 1, 2"
        ") AS by_entry"
        " WHERE line_count IS DISTINCT FROM lines OR net_minor <> 0 OR misfits > 0"
        " ORDER BY entry_id",
        {"since": since},
    ):
        yield Finding(
            "entries balance",
            f"entry {entry_id}",
            f"{'no entry' if line_count is None else line_count} postings, in balance, of the "
            "entry's legal entity, currency and dates",
            f"{lines} postings, debits less credits {net_minor}, {misfits} that do not fit",
        )


def _reversals(since: date) -> Iterator[Finding]:
    for entry_id, reverses_id in _rows(
        "SELECT DISTINCT reversal.id, reversal.reverses_id FROM ledger_entry AS reversal"
        " CROSS JOIN LATERAL ("
        "     SELECT account_id, side, amount_minor, sum(count) FROM ("
        "         SELECT account_id, side, amount_minor, 1 AS count"
        "         FROM ledger_posting WHERE entry_id = reversal.id"
        "         UNION ALL"
        "         SELECT account_id, -side, amount_minor, -1"
        "         FROM ledger_posting WHERE entry_id = reversal.reverses_id"
        "     ) AS line GROUP BY 1, 2, 3 HAVING sum(count) <> 0"
        " ) AS difference"
        " WHERE reversal.reverses_id IS NOT NULL AND reversal.booking_date >= %(since)s"
        " ORDER BY 1",
        {"since": since},
    ):
        yield Finding(
            "reversals mirror",
            f"entry {entry_id}",
            f"entry {reverses_id} with its sides swapped",
            "other accounts, sides or amounts",
        )


def _rollups(since: date) -> Iterator[Finding]:
    for account_id, booking_date, value_date, debit, credit, rolled_debit, rolled_credit in _rows(
        "SELECT account_id, booking_date, value_date,"
        "     coalesce(posted.debit_minor, 0), coalesce(posted.credit_minor, 0),"
        "     coalesce(rollup.debit_minor, 0), coalesce(rollup.credit_minor, 0)"
        " FROM ("
        "     SELECT posting.account_id, posting.booking_date, posting.value_date,"
        "         sum(amount_minor) FILTER (WHERE side = 1) AS debit_minor,"
        "         sum(amount_minor) FILTER (WHERE side = -1) AS credit_minor"
        "     FROM ledger_posting AS posting"
        "     JOIN ledger_account AS account ON account.id = posting.account_id"
        "     JOIN ledger_seal AS seal ON seal.legal_entity_id = account.legal_entity_id"
        "         AND seal.date = posting.booking_date"
        "     WHERE posting.booking_date >= %(since)s"
        "     GROUP BY 1, 2, 3"
        " ) AS posted"
        " FULL JOIN (SELECT * FROM ledger_rollup WHERE booking_date >= %(since)s) AS rollup"
        "     USING (account_id, booking_date, value_date)"
        " WHERE (coalesce(posted.debit_minor, 0), coalesce(posted.credit_minor, 0))"
        "     IS DISTINCT FROM"
        "     (coalesce(rollup.debit_minor, 0), coalesce(rollup.credit_minor, 0))"
        " ORDER BY 2, 1, 3",
        {"since": since},
    ):
        yield Finding(
            "roll-ups equal postings",
            f"account {account_id}, booked {booking_date}, value {value_date}",
            f"debit {debit}, credit {credit}",
            f"debit {rolled_debit}, credit {rolled_credit}",
        )


def _day_totals(since: date) -> Iterator[Finding]:
    for account_id, booking_date, debit, credit, total_debit, total_credit in _rows(
        "SELECT account_id, booking_date,"
        "     coalesce(rolled.debit_minor, 0), coalesce(rolled.credit_minor, 0),"
        "     coalesce(total.debit_minor, 0), coalesce(total.credit_minor, 0)"
        " FROM ("
        "     SELECT account_id, booking_date,"
        "         sum(debit_minor) AS debit_minor, sum(credit_minor) AS credit_minor"
        "     FROM ledger_rollup"
        "     WHERE booking_date >= %(since)s AND value_date <= booking_date"
        "     GROUP BY 1, 2"
        " ) AS rolled"
        " FULL JOIN (SELECT * FROM ledger_daytotal WHERE booking_date >= %(since)s) AS total"
        "     USING (account_id, booking_date)"
        " WHERE (coalesce(rolled.debit_minor, 0), coalesce(rolled.credit_minor, 0))"
        "     IS DISTINCT FROM"
        "     (coalesce(total.debit_minor, 0), coalesce(total.credit_minor, 0))"
        " ORDER BY 2, 1",
        {"since": since},
    ):
        yield Finding(
            "day totals equal roll-ups",
            f"account {account_id}, booked {booking_date}",
            f"debit {debit}, credit {credit}",
            f"debit {total_debit}, credit {total_credit}",
        )


def _booked_late(since: date) -> Iterator[Finding]:
    for entry_id, booking_date, booked_at, sealed_at in _rows(
        "SELECT entry.id, entry.booking_date, entry.booked_at, seal.sealed_at"
        " FROM ledger_seal AS seal JOIN ledger_entry AS entry"
        "     ON entry.legal_entity_id = seal.legal_entity_id AND entry.booking_date = seal.date"
        " WHERE seal.date >= %(since)s AND entry.booked_at > seal.sealed_at ORDER BY entry.id",
        {"since": since},
    ):
        yield Finding(
            "nothing booked after the seal",
            f"entry {entry_id}",
            f"booked before {booking_date} was sealed at {sealed_at:%Y-%m-%d %H:%M:%S}",
            f"booked at {booked_at:%Y-%m-%d %H:%M:%S}",
        )


def _chain(entity: LegalEntity) -> Iterator[Finding]:
    """Every seal is the hash of its header, names the one before, and follows it by a day."""
    name = f"chain of seals of {entity.code}"
    stored = dict(
        _rows(
            "SELECT date, seal_hash FROM ledger_seal WHERE legal_entity_id = %(entity)s",
            {"entity": entity.pk},
        )
    )
    expected_date, previous_seal = entity.opened_date, NO_PREVIOUS_SEAL
    for header in seals(entity.pk):
        if header.date != expected_date:
            yield Finding(name, f"seal of {header.date}", str(expected_date), str(header.date))
        if header.previous_seal != previous_seal:
            yield Finding(
                name,
                f"seal of {header.date}, previous seal",
                previous_seal.hex(),
                header.previous_seal.hex(),
            )
        previous_seal = bytes(stored[header.date])
        if header.seal() != previous_seal:
            yield Finding(
                name, f"seal of {header.date}, hash", header.seal().hex(), previous_seal.hex()
            )
        expected_date = header.date + timedelta(days=1)


def _roots(entity: LegalEntity, sealed_days: list[SealHeader]) -> Iterator[Finding]:
    """The entries booked in each sealed day still hash to its root."""
    for header in sealed_days:
        with transaction.atomic():
            leaves = [leaf_hash(entry.form()) for entry in booked_entries(entity.pk, header.date)]
        root = merkle_root(leaves)
        if (len(leaves), root) != (header.entry_count, header.merkle_root):
            yield Finding(
                f"sealed days of {entity.code} in {header.date:%Y-%m}",
                f"entries booked in {header.date}",
                f"{header.entry_count} entries, root {header.merkle_root.hex()}",
                f"{len(leaves)} entries, root {root.hex()}",
            )


def _rows(query: str, parameters: dict[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetchall()
