"""How accounts are called on screens and on the command line.

``bank``; ``supplier_credit:SELLER-7`` for the account of a firm;
``loan_principal:jd.jingbaobei/JD/normal`` for that of a loan book (programme, funder, class).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import connection

from tallystick.rules.chart import CHART
from tallystick.rules.refusal import Refusal


class NoSuchAccount(Refusal):
    """A legal entity has opened no account of that label."""

    def __init__(self, label: str) -> None:
        self.label = label
        name = label.partition(":")[0]
        if name in CHART:
            remedy = f"`./tally ledger balance {name}` lists all accounts of that name."
        else:
            remedy = f"Names in the chart are: {', '.join(CHART)}."
        super().__init__(f"There is no account {label!r}. {remedy}")


@dataclass(frozen=True, slots=True)
class LabelledAccount:
    """An account, named for a reader."""

    account_id: int
    label: str
    currency: str


_LABELLED = """
    SELECT id, label, currency FROM (
        SELECT account.id, account.legal_entity_id, account.name, account.currency,
            concat_ws(':', account.name, party.code, nullif(
                concat_ws('/', book.programme, funder.code, book.asset_class), '')) AS label
        FROM ledger_account AS account
        LEFT JOIN parties_party AS party ON party.id = account.party_id
        LEFT JOIN ledger_book AS book ON book.id = account.book_id
        LEFT JOIN parties_party AS funder ON funder.id = book.funder_id
    ) AS labelled
"""


def labelled(account_ids: Iterable[int]) -> list[LabelledAccount]:
    """The accounts with these ids, by label and currency."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_LABELLED} WHERE id = ANY (%s) ORDER BY label, currency", [list(account_ids)]
        )
        return [LabelledAccount(*row) for row in cursor.fetchall()]


def accounts_called(legal_entity_id: int, label: str) -> list[LabelledAccount]:
    """The accounts of that label, one per currency; a bare name means all that carry it.

    Raises NoSuchAccount.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_LABELLED} WHERE legal_entity_id = %s AND name = split_part(%s, ':', 1)"
            " AND (label = %s OR name = %s) ORDER BY label, currency",
            [legal_entity_id, label, label, label],
        )
        found = [LabelledAccount(*row) for row in cursor.fetchall()]
    if not found:
        raise NoSuchAccount(label)
    return found
