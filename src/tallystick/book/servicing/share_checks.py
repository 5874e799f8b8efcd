"""Prove that shares of loans, and what their holders are owed, are what transfers and events say.

Everything is worked out anew from the loans' events and the transfers that stand.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from django.db import connection

from tallystick.book.financing.models import Loan
from tallystick.book.funding.models import Participation
from tallystick.book.ledger.queries import balances as ledger_balances
from tallystick.book.parties.models import LegalEntity
from tallystick.book.servicing.history import folded, loan_events
from tallystick.book.servicing.models import DayStep
from tallystick.book.servicing.positions import LoanPosition, positions_of
from tallystick.book.servicing.shares import (
    PrincipalMoved,
    Transfers,
    lines_moved,
    loans_sold,
    owed_to_holders,
    passed_on_of,
)
from tallystick.book.watch.findings import Check, Finding
from tallystick.rules.accounting import SOLD_OF
from tallystick.rules.loan_shares import participations, shares_after, sold_part

PARTICIPATIONS = "shares: participations are what the transfers say"
PAYABLE = "shares: funders are owed what their shares earned, less paid"
SOLD = "shares: the ledger holds what belongs to the funders"
LINES = "funders: drawn is what facilities draw on them, by shares"

GUARDS = """
    SELECT 'trigger ' || name, 'enabled always', 'missing or disabled'
    FROM (VALUES
        ('funding_fundingline_only_grows'),
        ('funding_participation_changed_once'),
        ('funding_participation_only_grows'),
        ('funding_sharetransfer_changed_once'),
        ('funding_sharetransfer_only_grows')
    ) AS guard (name)
    WHERE NOT EXISTS (
        SELECT FROM pg_trigger WHERE tgname = name AND tgenabled = 'A' AND NOT tgisinternal)
    ORDER BY name
"""

_PAID = """
    SELECT party_id, currency, sum(minor)::bigint FROM (
        SELECT beneficiary_id AS party_id, currency, -amount_minor AS minor
        FROM payments_paymentorder
        WHERE legal_entity_id = %(legal_entity_id)s AND kind = 'funder' AND status = 'paid'
        UNION ALL
        SELECT account.party_id, account.currency, posting.amount_minor
        FROM ledger_entry AS entry
        JOIN ledger_posting AS posting ON posting.entry_id = entry.id
        JOIN ledger_account AS account ON account.id = posting.account_id
        WHERE entry.legal_entity_id = %(legal_entity_id)s AND entry.event = 'funder_paid_in'
          AND account.name = 'payable_to_funder'
    ) AS money GROUP BY 1, 2
"""

_HELD = """
    SELECT account.party_id, account.currency,
           sum(-posting.side * posting.amount_minor)::bigint
    FROM ledger_account AS account JOIN ledger_posting AS posting
      ON posting.account_id = account.id
    WHERE account.legal_entity_id = %(legal_entity_id)s AND account.name = 'payable_to_funder'
    GROUP BY 1, 2
"""

_DRAWN = """
    SELECT held.id, coalesce(sum(facility.drawn_minor), 0)::bigint, held.drawn_minor
    FROM funding_fundingline AS held
    LEFT JOIN (
        SELECT funding_line_id, drawn_minor FROM financing_facility
        UNION ALL SELECT funding_line_id, drawn_minor FROM sales_credit_salesline
    ) AS facility ON facility.funding_line_id = held.id
    GROUP BY held.id ORDER BY held.id
"""


def share_checks() -> list[Check]:
    """The checks of shares that were sold, the quick ones first."""
    return [
        Check("guards of shares stand", _guards),
        Check(LINES, _lines),
        Check(PARTICIPATIONS, _participations),
        Check(PAYABLE, _payable),
        Check(SOLD, _sold),
    ]


def _guards() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute(GUARDS)
        for subject, expected, found in cursor.fetchall():
            yield Finding("guards of shares stand", subject, expected, found)


class _Sold(NamedTuple):
    """A legal entity with its loans of which shares were ever sold."""

    legal_entity_id: int
    loans: Mapping[int, LoanPosition]
    transfers: Transfers


def _entities() -> Iterator[_Sold]:
    for legal_entity_id in LegalEntity.objects.order_by("id").values_list("id", flat=True):
        transfers = loans_sold(legal_entity_id)
        yield _Sold(legal_entity_id, positions_of(transfers) if transfers else {}, transfers)


def _lines() -> Iterator[Finding]:
    shared: dict[int, int] = defaultdict(int)
    for entity in _entities():
        moves = [
            PrincipalMoved(
                loan.facility_id,
                0,
                {},
                loan.position.principal_minor,
                shares_after(entity.transfers[loan.loan_id]),
            )
            for loan in entity.loans.values()
            if loan.position is not None
        ]
        for line_id, minor in lines_moved(moves).items():
            shared[line_id] += minor
    with connection.cursor() as cursor:
        cursor.execute(_DRAWN)
        for line_id, drawn_minor, found_minor in cursor.fetchall():
            expected_minor = drawn_minor + shared[line_id]
            if expected_minor != found_minor:
                yield Finding(
                    LINES, f"funding line {line_id}", str(expected_minor), str(found_minor)
                )


def _participations() -> Iterator[Finding]:
    for entity in _entities():
        for loan_id, transfers in entity.transfers.items():
            loan = Loan.objects.select_related("book").get(pk=loan_id)
            expected = participations(
                transfers, lender_id=loan.book.funder_id, start=loan.drawn_date
            )
            found = Participation.objects.filter(loan=loan_id, superseded_date=None)
            told = {(row.funder_id, row.share_ppm, row.from_date, row.to_date) for row in found}
            if told != set(expected):
                yield Finding(
                    PARTICIPATIONS,
                    f"loan {loan.code}",
                    _listed({tuple(each) for each in expected} - told),
                    _listed(told - {tuple(each) for each in expected}),
                )


def _listed(rows: set[tuple[int, int, date, date | None]]) -> str:
    return "; ".join(
        f"{funder_id}: {share_ppm} from {from_date} to {to_date or 'now'}"
        for funder_id, share_ppm, from_date, to_date in sorted(rows, key=str)
    )


def _payable() -> Iterator[Finding]:
    for entity in _entities():
        expected: dict[tuple[int, str], int] = defaultdict(int)
        events = loan_events(entity.transfers) if entity.transfers else {}
        for loan in entity.loans.values():
            anew = folded(loan, events[loan.loan_id], date.max)
            passed = passed_on_of(anew, events[loan.loan_id], entity.transfers[loan.loan_id])
            for holder, minor in passed.holders_minor.items():
                expected[holder, loan.currency] += minor
        arguments = {"legal_entity_id": entity.legal_entity_id}
        with connection.cursor() as cursor:
            cursor.execute(_PAID, arguments)
            for party_id, currency, minor in cursor.fetchall():
                expected[party_id, currency] += minor
            cursor.execute(_HELD, arguments)
            found = {(row[0], row[1]): row[2] for row in cursor.fetchall()}
        for key in sorted(expected.keys() | found.keys()):
            if expected[key] != found.get(key, 0):
                yield Finding(
                    PAYABLE,
                    f"funder {key[0]} in {key[1]}",
                    str(expected[key]),
                    str(found.get(key, 0)),
                )


def _sold() -> Iterator[Finding]:
    """Principal as it stands now; charges as of the last night, when they are booked whole."""
    for entity in _entities():
        theirs: dict[tuple[int, str], int] = defaultdict(int)
        for loan in entity.loans.values():
            assert loan.position is not None
            theirs[loan.book_id, "principal"] += sold_part(
                loan.position.principal_minor, shares_after(entity.transfers[loan.loan_id])
            )
        night = (
            DayStep.objects.filter(legal_entity=entity.legal_entity_id, step="accrual")
            .order_by("-date")
            .values_list("date", flat=True)
            .first()
        )
        if night is not None:
            theirs |= owed_to_holders(entity.legal_entity_id, day=night)
        for key, found_minor in _held(entity.legal_entity_id, night or date.min).items():
            theirs.setdefault(key, 0)
            if theirs[key] != found_minor:
                yield Finding(
                    SOLD,
                    f"{SOLD_OF[key[1]]} of book {key[0]}",
                    str(theirs[key]),
                    str(found_minor),
                )
            del theirs[key]
        for key, minor in theirs.items():
            if minor and (night is not None or key[1] == "principal"):
                yield Finding(SOLD, f"{SOLD_OF[key[1]]} of book {key[0]}", str(minor), "no account")


def _held(legal_entity_id: int, night: date) -> dict[tuple[int, str], int]:
    """What the accounts of shares sold hold: principal now, charges as known on the last night."""
    kind_of = {name: kind for kind, name in SOLD_OF.items()}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, book_id, name FROM ledger_account"
            " WHERE legal_entity_id = %s AND name = ANY(%s)",
            [legal_entity_id, list(kind_of)],
        )
        accounts = {key: (book_id, kind_of[name]) for key, book_id, name in cursor.fetchall()}
    held = {}
    for wanted, known_on in ((True, date.max), (False, night)):
        asked = [key for key, (_, kind) in accounts.items() if (kind == "principal") is wanted]
        for key, balance in ledger_balances(asked, on=date.max, known_on=known_on).items():
            held[accounts[key]] = -balance.net_minor
    return held
