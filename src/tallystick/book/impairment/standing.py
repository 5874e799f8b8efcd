"""The debts that may be in another class than the best, as they stood at the end of a day.

A loan or an advance out of sales can be classed other than normal only where something speaks
against it or against its debtor: it is past due, a fact is recorded, it was classed so before, or
it is kept in the book of another class. Of a debtor with a debt that may be non-performing all
debts are read, since a firm's debts then stand together; the rest of the live book is not.
"""

from datetime import date

import polars as pl

from tallystick.book.columns import plain
from tallystick.book.frames import frame_of
from tallystick.book.impairment.advances_standing import (
    advances_standing,
    conspicuous_advances,
    debtors_of_bad_advances,
)
from tallystick.book.impairment.debts import (
    CLASS_ON,
    CLASSED_BEFORE,
    COLUMNS,
    FACTS_FOUND,
    FLAGS,
    IN_FORCE,
    OF_DEBTS,
    arguments_of,
    ids,
)
from tallystick.book.impairment.facts import FACTS_ON
from tallystick.book.servicing.accrual import (
    FEES_OWED,
    INTEREST_MET,
    INTEREST_OWED,
    PENALTY_MET,
    PENALTY_OWED,
)

# One cheap pass over the live book, and everything below by key: what is found here is a small
# part, whatever the book's size, and the database could not guess how small.
_CONSPICUOUS = f"""
    WITH fact AS MATERIALIZED ({FACTS_ON})
    SELECT held.loan_id FROM servicing_position AS held
    WHERE held.book_id = ANY(ARRAY(
              SELECT id FROM ledger_book WHERE legal_entity_id = %(legal_entity_id)s))
      AND {IN_FORCE}
      AND (held.due_date < %(day)s OR held.book_id = ANY(ARRAY(
              SELECT id FROM ledger_book
              WHERE legal_entity_id = %(legal_entity_id)s AND asset_class <> 'normal')))
    UNION
    SELECT classed.loan_id FROM impairment_loanclass AS classed
    WHERE {CLASS_ON} AND (classed.asset_class <> 'normal' OR classed.stage > 1)
    UNION
    SELECT loan_id FROM fact WHERE loan_id IS NOT NULL
"""

# By a fact, every debt of the debtor; else by one of its debts.
_BAD_DEBTORS = f"""
    WITH fact AS MATERIALIZED ({FACTS_ON})
    SELECT facility.supplier_id
    FROM unnest(%(conspicuous)s::bigint[]) AS conspicuous (loan_id)
    JOIN financing_loan AS loan ON loan.id = conspicuous.loan_id
    JOIN financing_facility AS facility ON facility.id = loan.facility_id
    LEFT JOIN fact ON fact.loan_id = loan.id AND fact.kind = 'credit_impaired'
    LEFT JOIN impairment_loanclass AS classed ON classed.loan_id = loan.id AND {CLASS_ON}
    WHERE facility.legal_entity_id = %(legal_entity_id)s
      AND (fact.id IS NOT NULL
           OR array_position(%(classes)s::text[], classed.asset_class::text) > %(bad_place)s
           OR %(day)s::date - coalesce(loan.agreed_due_date, loan.due_date) > %(bad_over_days)s)
    UNION
    SELECT party_id FROM fact WHERE kind IN ('credit_impaired', 'overdue_elsewhere')
      AND party_id IS NOT NULL
"""

_CANDIDATES = """
    SELECT loan_id FROM unnest(%(conspicuous)s::bigint[]) AS conspicuous (loan_id)
    UNION
    SELECT loan.id FROM financing_loan AS loan
    WHERE loan.facility_id = ANY(ARRAY(
        SELECT id FROM financing_facility
        WHERE legal_entity_id = %(legal_entity_id)s
          AND supplier_id = ANY(%(bad_debtors)s::bigint[])))
"""

# Days are counted from the due date first agreed once the extended one has passed too: the rules
# of 2023 let an extension begin no new count.
_STANDING = f"""
    WITH fact AS MATERIALIZED ({FACTS_ON}), {OF_DEBTS.format(debt="loan_id")}
    SELECT 0, held.loan_id, facility.supplier_id, loan.currency, held.book_id,
           held.principal_minor + {FEES_OWED} + {INTEREST_OWED} + {PENALTY_OWED},
           CASE WHEN held.due_date < %(day)s
                THEN %(day)s::date - coalesce(loan.agreed_due_date, held.due_date) ELSE 0 END,
           {FACTS_FOUND},
           {INTEREST_OWED} + {INTEREST_MET}, {PENALTY_OWED} + {PENALTY_MET},
           {CLASSED_BEFORE}, coalesce(classed.penalty_recognised_minor, 0)
    FROM unnest(%(candidates)s::bigint[]) AS candidate (loan_id)
    JOIN servicing_position AS held ON held.loan_id = candidate.loan_id AND {IN_FORCE}
    JOIN financing_loan AS loan ON loan.id = held.loan_id
    JOIN financing_facility AS facility ON facility.id = loan.facility_id
      AND facility.legal_entity_id = %(legal_entity_id)s
    LEFT JOIN of_debt ON of_debt.debt_id = held.loan_id
    LEFT JOIN of_debtor ON of_debtor.party_id = facility.supplier_id
    LEFT JOIN impairment_loanclass AS classed ON classed.loan_id = held.loan_id AND {CLASS_ON}
    CROSS JOIN LATERAL age(%(day)s::timestamp, classed.from_date::timestamp) AS observed
"""

# Classed as something, and owing nothing any more.
_GONE = f"""
    SELECT classed.loan_id FROM impairment_loanclass AS classed
    JOIN financing_loan AS loan ON loan.id = classed.loan_id
    JOIN financing_facility AS facility ON facility.id = loan.facility_id
    JOIN servicing_position AS held ON held.loan_id = classed.loan_id AND held.settled
      AND held.booking_date <= %(day)s AND held.superseded_date > %(day)s
    WHERE facility.legal_entity_id = %(legal_entity_id)s AND {CLASS_ON}
      AND (classed.asset_class <> 'normal' OR classed.stage > 1)
"""


def standing_on(legal_entity_id: int, day: date, *, bad_over_days: int) -> pl.DataFrame:
    """A row for each live debt that may be classed other than normal, as known on ``day``.

    ``bad_over_days``: a debt more days past due is non-performing. The columns are those of
    COLUMNS: what ``rules.classification`` takes, and how the debt was classed before.
    ``debt_id`` is a loan's row id, or an advance's where ``is_advance``. ``…_accrued_minor`` are
    the running totals after the night of ``day``.
    """
    arguments = arguments_of(legal_entity_id, day) | {"bad_over_days": bad_over_days}
    conspicuous = ids(_CONSPICUOUS, arguments)
    arguments["conspicuous"] = plain(conspicuous)
    advances = conspicuous_advances(arguments)
    bad = ids(_BAD_DEBTORS, arguments) + debtors_of_bad_advances(arguments, advances)
    arguments["bad_debtors"] = plain(sorted(set(bad)))
    arguments["candidates"] = plain(ids(_CANDIDATES, arguments))
    frame = pl.concat(
        [frame_of(_STANDING, arguments, COLUMNS), advances_standing(arguments, advances, COLUMNS)]
    )
    return frame.with_columns(pl.col(name) == 1 for name in FLAGS).with_columns(
        pl.col("clause_before", "suspended_from").fill_null("")
    )


def settled_since(legal_entity_id: int, day: date) -> list[int]:
    """Loans whose class is still in force, and that owe nothing on ``day``."""
    return ids(_GONE, arguments_of(legal_entity_id, day))
