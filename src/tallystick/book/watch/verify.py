"""Prove the books: every invariant recomputed, and what contradicts it named."""

from collections.abc import Callable

from django.db import connection, transaction

from tallystick.book.acts.checks import acts_checks
from tallystick.book.collateral.checks import collateral_checks
from tallystick.book.collections.checks import collections_checks
from tallystick.book.financing.checks import financing_checks
from tallystick.book.impairment.checks import impairment_checks
from tallystick.book.ledger.checks import ledger_checks
from tallystick.book.proposals.checks import proposals_checks
from tallystick.book.sales_credit.checks import sales_credit_checks
from tallystick.book.servicing.checks import servicing_checks
from tallystick.book.servicing.share_checks import share_checks
from tallystick.book.trade.checks import trade_checks
from tallystick.book.watch.findings import Check, Finding


def all_checks() -> list[Check]:
    """Every check of the house, each app's quick ones before its long ones."""
    return [
        *acts_checks(),
        *trade_checks(),
        *collateral_checks(),
        *financing_checks(),
        *servicing_checks(),
        *proposals_checks(),
        *share_checks(),
        *sales_credit_checks(),
        *collections_checks(),
        *impairment_checks(),
        *ledger_checks(),
    ]


def verify(
    *, on_check: Callable[[str, int, int], None] = lambda _name, _done, _total: None
) -> list[Finding]:
    """Run every check; no findings mean that the books hold.

    The books are read as of one moment, whatever is booked meanwhile. ``on_check`` hears the name
    of each check before it runs, how many are done, and how many there are.
    """
    with transaction.atomic(durable=True):
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        checks = all_checks()
        findings = []
        for done, check in enumerate(checks):
            on_check(check.name, done, len(checks))
            findings += check.run()
    return findings
