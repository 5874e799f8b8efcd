"""Invariants that a run asks after every close: those whose cost follows what is live."""

from collections.abc import Sequence
from datetime import date

from tallystick.book.watch.verify import all_checks

DAILY = (
    "claims are never paid above their face",
    "a claim is in one pool at a time",
    "facilities: drawn is principal owed and payouts under way",
    "programmes: drawn is the sum of their facilities",
    "funders: drawn is what facilities draw on them, by shares",
    "loans: the funders' shares sum to one",
    "reservations: each has exactly one fate",
    "decisions: drawn within base and every limit",
    "suspense: the ledger holds the unapplied cash",
    "suppliers: the ledger holds what is theirs",
    "suppliers: what is payable covers the orders",
    "ledger: no balance below zero",
    "ledger: no cash left in clearing",
    "ledger: committed drawdowns are the pending loans and advances",
    "trial balance",
    "nothing booked after the seal",
)
"""The rest, which reads the whole history, is proved at the end of the run."""


def daily_findings(_on: date) -> Sequence[str]:
    """What is wrong with the books after a close; nothing, unless the platform has a fault."""
    checks = {check.name: check for check in all_checks()}
    return [str(finding) for name in DAILY for finding in checks[name].run()]
