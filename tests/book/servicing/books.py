"""What the ledger says, for comparing it with what the loans say."""

from datetime import date

from tallystick.book.ledger.models import Account
from tallystick.book.ledger.queries import balances


def net_minor(
    scene, name: str, *, party: str | None = None, known_on: date = date.max
) -> int:
    """Debits less credits of the accounts with this name, of one party if given."""
    accounts = Account.objects.filter(legal_entity=scene.legal_entity_id, name=name)
    if party is not None:
        accounts = accounts.filter(party__code=party)
    found = balances([account.pk for account in accounts], on=date.max, known_on=known_on)
    return sum(balance.net_minor for balance in found.values())
