"""The dunning ladder of a legal entity, and where it is to be paid."""

from dataclasses import dataclass
from datetime import date

from tallystick.book.acts.once import Caller, once
from tallystick.book.collections.models import LadderInForce, PayTo
from tallystick.book.parties.models import LegalEntity
from tallystick.rules.dunning import Ladder, as_content, default_ladder, ladder_from, ladder_on
from tallystick.rules.money import minor_digits
from tallystick.rules.refusal import Refusal

MAX_LENGTHS = {"account_holder": 200, "account_number": 64, "bank": 200}


class AccountUnusable(Refusal):
    """Where we are to be paid was told incompletely."""

    def __init__(self, field: str, max_length: int) -> None:
        self.field = field
        super().__init__(
            f"The {field.replace('_', ' ')} is missing or too long. "
            f"Give 1 to {max_length} printable characters."
        )


@dataclass(frozen=True, slots=True)
class Account:
    """A bank account of a legal entity to which what is overdue is paid."""

    account_holder: str
    account_number: str
    bank: str


def set_ladder(ladder: Ladder, *, legal_entity_id: int, caller: Caller, key: str) -> None:
    """Let ``ladder`` hold from its day on; what was sent before stays sent.

    Repeating ``key`` changes nothing. Raises KeyConflict.
    """
    content = as_content(ladder)
    request = {
        "legal_entity_id": legal_entity_id,
        "from_date": ladder.from_date,
        "content": content,
    }
    with once(caller, key=key, kind="set_dunning_ladder", request=request) as act:
        if act.earlier is None:
            LadderInForce.objects.create(
                legal_entity_id=legal_entity_id,
                from_date=ladder.from_date,
                content=content,
                act_id=act.act_id,
            )
            act.answer({"from_date": ladder.from_date.isoformat()})


def ladder_of(legal_entity_id: int, *, on: date) -> Ladder:
    """The legal entity's ladder ``on`` a day; the default one until it has set its own."""
    opened_date = LegalEntity.objects.values_list("opened_date", flat=True).get(pk=legal_entity_id)
    rows = LadderInForce.objects.filter(legal_entity=legal_entity_id).order_by("id")
    return ladder_on(
        [
            default_ladder(min(opened_date, on)),
            *(ladder_from(row.content, from_date=row.from_date) for row in rows),
        ],
        on,
    )


def set_account(
    account: Account, *, currency: str, legal_entity_id: int, caller: Caller, key: str
) -> None:
    """Say where the legal entity is paid in a currency from now on.

    Repeating ``key`` changes nothing. Raises AccountUnusable, UnknownCurrency, KeyConflict.
    """
    minor_digits(currency)
    for field, max_length in MAX_LENGTHS.items():
        text = getattr(account, field)
        if not 0 < len(text.strip()) <= len(text) <= max_length or not text.isprintable():
            raise AccountUnusable(field, max_length)
    request = {
        "legal_entity_id": legal_entity_id,
        "currency": currency,
        "account_holder": account.account_holder,
        "account_number": account.account_number,
        "bank": account.bank,
    }
    with once(caller, key=key, kind="set_collection_account", request=request) as act:
        if act.earlier is None:
            PayTo.objects.create(**request, act_id=act.act_id)
            act.answer({"currency": currency})


def accounts_of(legal_entity_id: int) -> dict[str, Account]:
    """Where the legal entity is paid, by currency."""
    rows = PayTo.objects.filter(legal_entity=legal_entity_id).order_by("id")
    return {row.currency: Account(row.account_holder, row.account_number, row.bank) for row in rows}
