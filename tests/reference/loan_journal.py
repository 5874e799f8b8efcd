"""Journal lines of a loan's movements, under the names that the reference cases use.

The cases keep one account for interest, fees and penalties receivable, and one for fees and
penalties written off; ours are added up to theirs.
"""

from collections import Counter

from loan_terms_of_case import UnknownVocabularyError, minor
from outcome import Case

from tallystick.rules.chart import CHART
from tallystick.rules.instalment_journal import postings_of
from tallystick.rules.instalment_loan import Movement
from tallystick.rules.journal import Side

PEER_ACCOUNTS = {
    "Loans Receivable": ("loan_principal",),
    "Interest/Fee Receivable": ("interest_receivable", "fee_receivable", "penalty_receivable"),
    "Suspense/Clearing account": ("settlement_clearing",),
    "Overpayment account": ("supplier_credit",),
    "Goodwill Expense Account": ("waivers",),
    "Credit Loss/Bad Debt": ("loan_loss",),
    "Credit Loss/Bad Debt-Fraud": ("loan_loss",),
    "Interest Income Charge Off": ("interest_income",),
    "Fee Charge Off": ("fee_income", "penalty_income"),
    "Interest Income": ("interest_income",),
    "Fee Income": ("fee_income", "penalty_income"),
    "Recoveries": ("recovery_income",),
}

Lines = Counter[tuple[str, str, str, int]]


def our_lines(movement: Movement, *, stands: bool, named: dict[str, str]) -> Lines:
    """Type, account, side and amount of a movement's lines; mirrored too where it was reversed."""
    sums: Counter[tuple[str, str]] = Counter()
    for posting in postings_of(movement, book=1, party=1):
        side = "debit" if posting.side is Side.DEBIT else "credit"
        sums[posting.account.name, side] += posting.amount_minor
    by_peer: Counter[tuple[str, str, str]] = Counter()
    for (account, side), amount_minor in sums.items():
        kind = CHART[account].kind.value.upper()
        by_peer[kind, named.get(account, account), side] += amount_minor
    lines: Lines = Counter()
    for (kind, account, side), amount_minor in by_peer.items():
        lines[kind, account, side, amount_minor] += 1
        if not stands:
            other = "credit" if side == "debit" else "debit"
            lines[kind, account, other, amount_minor] += 1
    return lines


def peer_lines(rows: list[Case]) -> tuple[Lines, dict[str, str]]:
    """The lines of a case, and under which of its names each account of ours is meant."""
    lines: Lines = Counter()
    named: dict[str, str] = {}
    for row in rows:
        account = str(row.get("account") or row.get("account_name"))
        if account not in PEER_ACCOUNTS:
            raise UnknownVocabularyError(f"account {account!r}")
        named |= dict.fromkeys(PEER_ACCOUNTS[account], account)
        kind = str(row.get("account_type") or row.get("type"))
        for side in ("debit", "credit"):
            if row.get(side) is not None:
                lines[kind, account, side, minor(row[side])] += 1
    return lines, named
