"""Prove that classes are what the rules say, and that the ledger holds what was provided for."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial

import polars as pl
from django.db import connection

from tallystick.book.financing.models import Loan
from tallystick.book.impairment.advances_standing import advances_settled_since
from tallystick.book.impairment.classify import classes_on
from tallystick.book.impairment.debts import class_of_rank
from tallystick.book.impairment.models import STILL_IN_FORCE, Provision
from tallystick.book.impairment.packs import pack_on
from tallystick.book.impairment.provide import provided_on
from tallystick.book.impairment.standing import settled_since
from tallystick.book.parties.models import LegalEntity
from tallystick.book.sales_credit.models import Advance
from tallystick.book.servicing.models import DayStep
from tallystick.book.watch.findings import Check, Finding

# Each query answers the rows that contradict its name: the object, what should be, what is.

GUARDS = """
    SELECT 'trigger ' || name, 'enabled always', 'missing or disabled'
    FROM (VALUES
        ('impairment_advanceclass_ended_once'),
        ('impairment_advanceclass_only_grows'),
        ('impairment_fact_decided_once'),
        ('impairment_fact_only_grows'),
        ('impairment_loanclass_checked'),
        ('impairment_loanclass_ended_once'),
        ('impairment_loanclass_only_grows'),
        ('impairment_pack_only_grows'),
        ('impairment_packinforce_only_grows'),
        ('impairment_provision_only_grows'),
        ('impairment_reserve_only_grows')
    ) AS guard (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_trigger WHERE tgname = name AND tgenabled = 'A' AND NOT tgisinternal)
    ORDER BY name
"""

CLASSES_FOLLOW_EACH_OTHER = """
    SELECT row.debt || ', class of ' || row.from_date,
           'ends on ' || coalesce(row.next_date, %(still)s), 'ends on ' || row.superseded_date
    FROM (
        SELECT 'loan ' || loan.code AS debt, from_date, superseded_date,
               lead(from_date) OVER (PARTITION BY loan_id ORDER BY from_date) AS next_date
        FROM impairment_loanclass AS classed JOIN financing_loan AS loan ON loan.id = loan_id
        UNION ALL
        SELECT 'advance ' || advance.code, from_date, superseded_date,
               lead(from_date) OVER (PARTITION BY advance_id ORDER BY from_date)
        FROM impairment_advanceclass AS classed
        JOIN sales_credit_advance AS advance ON advance.id = advance_id
    ) AS row
    WHERE row.superseded_date <> coalesce(row.next_date, %(still)s)
    ORDER BY 1
"""

# Of the last day that was provided for: what stands, what its movements come to, what is booked.
LEDGER_HOLDS_PROVISIONS = """
    WITH last AS (
        SELECT legal_entity_id, max(date) AS date FROM servicing_daystep
        WHERE step = 'provisions' GROUP BY 1
    ), stored AS (
        SELECT row.book_id, kind.name,
               coalesce(sum(kind.minor) FILTER (WHERE row.date = last.date), 0) AS minor,
               sum(row.movement_minor) AS moved_minor
        FROM impairment_provision AS row JOIN last USING (legal_entity_id)
        CROSS JOIN LATERAL (VALUES
            ('loss_allowance', row.allowance_minor),
            ('interest_in_suspense', row.interest_suspended_minor),
            ('penalty_in_suspense', row.penalty_suspended_minor),
            ('advance_fee_in_suspense', row.advance_fee_suspended_minor)) AS kind (name, minor)
        WHERE row.date <= last.date
        GROUP BY 1, 2
    ), held AS (
        SELECT account.book_id, account.name,
               sum(-posting.side * posting.amount_minor) AS minor
        FROM ledger_account AS account
        JOIN last ON last.legal_entity_id = account.legal_entity_id
        JOIN ledger_posting AS posting
          ON posting.account_id = account.id AND posting.booking_date <= last.date
        WHERE account.name IN ('loss_allowance', 'interest_in_suspense', 'penalty_in_suspense',
                               'advance_fee_in_suspense')
        GROUP BY 1, 2
    )
    SELECT name || ' of book ' || book_id, coalesce(stored.minor, 0),
           coalesce(held.minor, 0)
               || CASE WHEN name = 'loss_allowance'
                       THEN ', movements ' || coalesce(stored.moved_minor, 0) ELSE '' END
    FROM stored FULL JOIN held USING (book_id, name)
    WHERE coalesce(stored.minor, 0) <> coalesce(held.minor, 0)
       OR name = 'loss_allowance' AND coalesce(stored.minor, 0) <> coalesce(stored.moved_minor, 0)
    ORDER BY 1
"""

LEDGER_HOLDS_RESERVE = """
    WITH last AS (
        SELECT legal_entity_id, max(date) AS date FROM servicing_daystep
        WHERE step = 'provisions' GROUP BY 1
    ), stored AS (
        SELECT row.legal_entity_id, row.currency,
               coalesce(sum(row.above_minor) FILTER (WHERE row.date = last.date), 0) AS minor,
               sum(row.movement_minor) AS moved_minor,
               bool_and(row.above_minor
                        = greatest(0, row.reserve_minor - row.expected_loss_minor)) AS is_higher
        FROM impairment_reserve AS row JOIN last USING (legal_entity_id) GROUP BY 1, 2
    ), held AS (
        SELECT account.legal_entity_id, account.currency,
               sum(-posting.side * posting.amount_minor) AS minor
        FROM ledger_account AS account
        JOIN last ON last.legal_entity_id = account.legal_entity_id
        JOIN ledger_posting AS posting
          ON posting.account_id = account.id AND posting.booking_date <= last.date
        WHERE account.name = 'loss_reserve' GROUP BY 1, 2
    )
    SELECT 'loss_reserve of ' || entity.code || ' in ' || currency, coalesce(stored.minor, 0),
           coalesce(held.minor, 0) || ', movements ' || coalesce(stored.moved_minor, 0)
    FROM stored FULL JOIN held USING (legal_entity_id, currency)
    JOIN parties_legalentity AS entity ON entity.id = legal_entity_id
    WHERE coalesce(stored.minor, 0) <> coalesce(held.minor, 0)
       OR coalesce(stored.minor, 0) <> coalesce(stored.moved_minor, 0)
       OR stored.is_higher IS NOT TRUE
    ORDER BY 1
"""

QUERIES = {
    "guards of classes and provisions stand": GUARDS,
    "classes: follow each other without a gap": CLASSES_FOLLOW_EACH_OTHER,
    "provisions: the ledger holds what was provided": LEDGER_HOLDS_PROVISIONS,
    "provisions: reserve and expected loss, the higher is booked": LEDGER_HOLDS_RESERVE,
}
CLASSES = "classes: what the rules say"
PROVISIONS = "provisions: recomputed from the loans"


def impairment_checks() -> list[Check]:
    """The checks of classes and provisions, the quick ones first."""
    checks = [Check(name, partial(_contradictions, name, query)) for name, query in QUERIES.items()]
    return [*checks, Check(CLASSES, _reclassed), Check(PROVISIONS, _provided_anew)]


def _contradictions(name: str, query: str) -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(query, {"still": STILL_IN_FORCE})
        for subject, expected, found in cursor.fetchall():
            yield Finding(name, subject, str(expected), str(found))


def _last_days(step: str) -> Iterator[tuple[LegalEntity, date]]:
    """Each legal entity under a pack, with the last day on which it has done a step."""
    for entity in LegalEntity.objects.order_by("id"):
        day = (
            DayStep.objects.filter(legal_entity=entity, step=step)
            .order_by("-date")
            .values_list("date", flat=True)
            .first()
        )
        if day is not None and pack_on(entity.pk, day) is not None:
            yield entity, day


def _reclassed() -> Iterator[Finding]:
    """Every debt that may be in another class than the best, classed anew by the rules."""
    for entity, day in _last_days("classes"):
        held_to = pack_on(entity.pk, day)
        assert held_to is not None
        debts = classes_on(entity.pk, day, held_to).with_columns(
            class_found=pl.col("class_rank").map_elements(
                lambda rank: str(class_of_rank(rank)), return_dtype=pl.String
            )
        )
        differing = debts.filter(
            (pl.col("class_found") != pl.col("class_before"))
            | (pl.col("clause") != pl.col("clause_before"))
            | (pl.col("stage") != pl.col("stage_before"))
        ).sort("is_advance", "debt_id")
        gone = [
            *((False, loan_id) for loan_id in settled_since(entity.pk, day)),
            *((True, advance_id) for advance_id in advances_settled_since(entity.pk, day)),
        ]
        names = _names([*differing.select("is_advance", "debt_id").rows(), *gone])
        for row in differing.iter_rows(named=True):
            yield Finding(
                CLASSES,
                f"{names[row['is_advance'], row['debt_id']]} on {day}",
                f"{row['class_found']}, stage {row['stage']}, by {row['clause'] or 'no clause'}",
                f"{row['class_before']}, stage {row['stage_before']}, "
                f"by {row['clause_before'] or 'no clause'}",
            )
        for debt in gone:
            yield Finding(CLASSES, f"{names[debt]} on {day}", "normal", "classed still")


def _names(debts: Sequence[tuple[bool, int]]) -> dict[tuple[bool, int], str]:
    """What loans, and advances where true, are called."""
    names = {}
    for is_advance, model, what in ((False, Loan, "loan"), (True, Advance, "advance")):
        wanted = [debt_id for advance, debt_id in debts if advance is is_advance]
        for debt_id, code in model.objects.filter(pk__in=wanted).values_list("id", "code"):
            names[is_advance, debt_id] = f"{what} {code}"
    return names


def _provided_anew() -> Iterator[Finding]:
    for entity, day in _last_days("provisions"):
        found = {
            (row.book_id, row.stage): (row.exposure_minor, row.allowance_minor)
            for row in Provision.objects.filter(legal_entity=entity, date=day)
        }
        expected = {
            (each.book_id, each.stage): (each.exposure_minor, each.allowance_minor)
            for each in provided_on(entity.pk, day)
        }
        for key in sorted(found.keys() | expected.keys()):
            should_be, is_so = expected.get(key, (0, 0)), found.get(key, (0, 0))
            if should_be != is_so:
                yield Finding(
                    PROVISIONS,
                    f"book {key[0]}, stage {key[1]} on {day}",
                    f"{should_be[1]} on {should_be[0]}",
                    f"{is_so[1]} on {is_so[0]}",
                )
