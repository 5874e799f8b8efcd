"""How firms are written to: in which language, and to which addresses."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from tallystick.book.acts.once import Caller, once
from tallystick.book.collections.models import Correspondence
from tallystick.book.parties.add_user import FirmMissing, NotAnAddress
from tallystick.book.parties.models import Party, User
from tallystick.rules.refusal import Refusal


class UnknownLanguage(Refusal):
    """Letters are not written in that language."""

    def __init__(self, language: str) -> None:
        self.language = language
        super().__init__(
            f"Letters are not written in {language[:20]!r}. There is: {', '.join(languages())}."
        )


@dataclass(frozen=True, slots=True)
class WrittenTo:
    """A firm's language, and the addresses that letters to it go to; none: it has no address."""

    language: str
    addresses: tuple[str, ...]


def languages() -> tuple[str, ...]:
    return tuple(code for code, _ in settings.LANGUAGES)


def set_correspondence(
    party_code: str, *, language: str, email: str, caller: Caller, key: str
) -> None:
    """Write to the firm in ``language``, at ``email``; an empty one: its users' addresses.

    Repeating ``key`` changes nothing. Raises FirmMissing, UnknownLanguage, NotAnAddress,
    KeyConflict.
    """
    if language not in languages():
        raise UnknownLanguage(language)
    if email:
        try:
            validate_email(email)
        except ValidationError:
            raise NotAnAddress(email) from None
    request = {"party": party_code, "language": language, "email": email}
    with once(caller, key=key, kind="set_correspondence", request=request) as act:
        if act.earlier is None:
            party = Party.objects.filter(code=party_code).first()
            if party is None:
                raise FirmMissing(party_code)
            Correspondence.objects.update_or_create(
                party=party,
                defaults={"language": language, "email": email, "act_id": act.act_id},
            )
            act.answer({"party": party_code})


def written_to(party_ids: Iterable[int]) -> dict[int, WrittenTo]:
    """How each of these firms is written to."""
    asked = list(party_ids)
    users: dict[int, list[str]] = defaultdict(list)
    for party_id, email in (
        User.objects.filter(party__in=asked, is_active=True)
        .order_by("email")
        .values_list("party_id", "email")
    ):
        users[party_id].append(email)
    told = {row.party_id: row for row in Correspondence.objects.filter(party__in=asked)}
    found = {}
    for party_id in asked:
        row = told.get(party_id)
        addresses = (row.email,) if row and row.email else tuple(users[party_id])
        found[party_id] = WrittenTo(row.language if row else settings.LANGUAGE_CODE, addresses)
    return found
