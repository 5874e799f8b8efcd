"""The chart of accounts: what each name stands for.

A legal entity opens an account when it first needs it, in the currency of the entry. Some names
stand for one account per currency, some for one per loan book, some for one per firm.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from tallystick.rules.journal import AccountName, Side
from tallystick.rules.refusal import Refusal


class Kind(StrEnum):
    """Where an account stands in the statements."""

    ASSET = "asset"
    LIABILITY = "liability"
    EQUITY = "equity"
    INCOME = "income"
    EXPENSE = "expense"
    MEMORANDUM = "memorandum"  # promises, in debit and credit of equal size; never in the totals


class Scope(StrEnum):
    """Of what there is one account each, within a legal entity and currency."""

    ENTITY = "entity"
    BOOK = "book"
    PARTY = "party"


@dataclass(frozen=True, slots=True)
class ChartLine:
    """One line of the chart. ``normal_side`` is the side on which its balance usually stands."""

    number: int
    name: str
    title: str
    kind: Kind
    normal_side: Side
    scope: Scope


_ASSET, _LIABILITY, _EQUITY, _INCOME, _EXPENSE, _MEMORANDUM = Kind
_DEBIT, _CREDIT = Side.DEBIT, Side.CREDIT
_ENTITY, _BOOK, _PARTY = Scope

_LINES = (
    ChartLine(1000, "bank", "Bank", _ASSET, _DEBIT, _ENTITY),
    ChartLine(1100, "loan_principal", "Loans: principal", _ASSET, _DEBIT, _BOOK),
    ChartLine(1105, "principal_sold", "Loans: principal sold", _ASSET, _CREDIT, _BOOK),
    ChartLine(1110, "interest_receivable", "Loans: interest accrued", _ASSET, _DEBIT, _BOOK),
    ChartLine(1115, "interest_sold", "Loans: interest sold", _ASSET, _CREDIT, _BOOK),
    ChartLine(1120, "fee_receivable", "Loans: fees due", _ASSET, _DEBIT, _BOOK),
    ChartLine(1125, "fees_sold", "Loans: fees sold", _ASSET, _CREDIT, _BOOK),
    ChartLine(1130, "penalty_receivable", "Loans: penalty accrued", _ASSET, _DEBIT, _BOOK),
    ChartLine(1135, "penalty_sold", "Loans: penalty sold", _ASSET, _CREDIT, _BOOK),
    ChartLine(1140, "interest_in_suspense", "Interest in suspense", _ASSET, _CREDIT, _BOOK),
    ChartLine(1150, "penalty_in_suspense", "Penalty in suspense", _ASSET, _CREDIT, _BOOK),
    ChartLine(1160, "advance_principal", "Advances out of sales: principal", _ASSET, _DEBIT, _BOOK),
    ChartLine(1170, "advance_fee_receivable", "Advances out of sales: fee", _ASSET, _DEBIT, _BOOK),
    ChartLine(1180, "deferred_advance_fee", "Fee not yet earned", _ASSET, _CREDIT, _BOOK),
    ChartLine(1185, "advance_fee_in_suspense", "Fee in suspense", _ASSET, _CREDIT, _BOOK),
    ChartLine(1190, "loss_allowance", "Allowance for expected loss", _ASSET, _CREDIT, _BOOK),
    ChartLine(1195, "loss_reserve", "Reserve above expected loss", _ASSET, _CREDIT, _ENTITY),
    ChartLine(1200, "due_from_supplier", "Due from suppliers", _ASSET, _DEBIT, _PARTY),
    ChartLine(2000, "payable_to_supplier", "Payable to suppliers", _LIABILITY, _CREDIT, _PARTY),
    ChartLine(2010, "supplier_credit", "Suppliers' credit", _LIABILITY, _CREDIT, _PARTY),
    ChartLine(2020, "payable_to_funder", "Payable to funders", _LIABILITY, _CREDIT, _PARTY),
    ChartLine(2100, "settlement_clearing", "Cash to be allocated", _LIABILITY, _CREDIT, _ENTITY),
    ChartLine(2110, "settlement_suspense", "Unapplied cash", _LIABILITY, _CREDIT, _ENTITY),
    ChartLine(3000, "capital", "Own capital", _EQUITY, _CREDIT, _ENTITY),
    ChartLine(4000, "interest_income", "Interest income", _INCOME, _CREDIT, _BOOK),
    ChartLine(4010, "fee_income", "Fee income", _INCOME, _CREDIT, _BOOK),
    ChartLine(4020, "penalty_income", "Penalty income", _INCOME, _CREDIT, _BOOK),
    ChartLine(4030, "recovery_income", "Recoveries of loans charged off", _INCOME, _CREDIT, _BOOK),
    ChartLine(4040, "share_sale_gain", "Gain or loss on shares sold", _INCOME, _CREDIT, _BOOK),
    ChartLine(4050, "advance_fee_income", "Fee income of advances", _INCOME, _CREDIT, _BOOK),
    ChartLine(5000, "loan_loss", "Losses on loans", _EXPENSE, _DEBIT, _BOOK),
    ChartLine(5010, "waivers", "Interest, penalty and fees waived", _EXPENSE, _DEBIT, _BOOK),
    ChartLine(5100, "impairment_loss", "Expected loss provided for", _EXPENSE, _DEBIT, _BOOK),
    ChartLine(5110, "reserve_charge", "Reserve provided for", _EXPENSE, _DEBIT, _ENTITY),
    ChartLine(9000, "committed_drawdowns", "Drawdowns under way", _MEMORANDUM, _DEBIT, _BOOK),
    ChartLine(
        9010,
        "committed_drawdowns_contra",
        "Drawdowns under way, contra",
        _MEMORANDUM,
        _CREDIT,
        _BOOK,
    ),
)

CHART: Mapping[str, ChartLine] = {line.name: line for line in _LINES}


class UnknownAccount(Refusal):
    """A posting names an account that the chart does not have, or names it incompletely."""


def line_of(account: AccountName) -> ChartLine:
    """The chart's line for ``account``.

    Raises UnknownAccount when there is none, or when ``account`` lacks the book or the party
    that the line asks for, or has one too many.
    """
    line = CHART.get(account.name)
    if line is None:
        raise UnknownAccount(
            f"The chart has no account {account.name!r}. It has: {', '.join(CHART)}."
        )
    given = (account.book is not None, account.party is not None)
    if given != (line.scope is Scope.BOOK, line.scope is Scope.PARTY):
        wanted = {
            Scope.ENTITY: "neither a book nor a party",
            Scope.BOOK: "a book and no party",
            Scope.PARTY: "a party and no book",
        }[line.scope]
        raise UnknownAccount(
            f"{account.name} is kept with {wanted}; "
            f"book {account.book} and party {account.party} were given."
        )
    return line
