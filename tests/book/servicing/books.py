"""What the ledger says, for comparing it with what the loans say."""

from collections import defaultdict
from datetime import date

from tallystick.book.impairment.checks import impairment_checks
from tallystick.book.ledger.checks import ledger_checks
from tallystick.book.ledger.models import Account
from tallystick.book.ledger.queries import balances, trial_balance
from tallystick.book.sales_credit.checks import sales_credit_checks
from tallystick.book.servicing.checks import servicing_checks
from tallystick.book.servicing.share_checks import share_checks
from tallystick.book.watch.findings import Finding


def net_minor(
    scene,
    name: str,
    *,
    party: str | None = None,
    book: int | None = None,
    known_on: date = date.max,
) -> int:
    """Debits less credits of the accounts with this name, of one party or book if given."""
    accounts = Account.objects.filter(legal_entity=scene.legal_entity_id, name=name)
    if party is not None:
        accounts = accounts.filter(party__code=party)
    if book is not None:
        accounts = accounts.filter(book=book)
    found = balances([account.pk for account in accounts], on=date.max, known_on=known_on)
    return sum(balance.net_minor for balance in found.values())


def findings() -> list[Finding]:
    """What the checks of loans, advances, classes and the ledger find; none where books hold."""
    checks = (
        *servicing_checks(),
        *share_checks(),
        *sales_credit_checks(),
        *impairment_checks(),
        *ledger_checks(),
    )
    return [finding for check in checks for finding in check.run()]


def books_of(scene, known_on: date) -> dict[str, int]:
    """Every account's net balance by name and party, as known on a day."""
    totals: dict[str, int] = defaultdict(int)
    for line in trial_balance(scene.legal_entity_id, on=date.max, known_on=known_on):
        account = Account.objects.get(pk=line.account.account_id)
        totals[f"{account.name} {account.party or ''}"] += line.balance.net_minor
    return dict(totals)
