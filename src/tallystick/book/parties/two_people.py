"""What takes two people: one proposes, and another, who has the role, decides on it once.

The tables of what is proposed say the same in constraints, whoever writes to them.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.db.models import Model, QuerySet

from tallystick.book.parties.models import Role, User
from tallystick.rules.refusal import Refusal


class Proposed(Protocol):
    """A row that one person has made and another decides on."""

    pk: int
    maker_id: int
    maker: User
    checker_id: int | None
    approved: bool | None
    decided_at: datetime | None


Row = TypeVar("Row", bound=Model)


class RoleMissing(Refusal):
    """The person may not do this, or does not sign in any more."""

    def __init__(self, user: User, *, what: str, roles: Sequence[Role]) -> None:
        state = user.get_role_display() if user.is_active else "no longer active"
        allowed = " or ".join(role.label for role in roles)
        super().__init__(
            f"{user.email} may not {what}: the user is {state}. "
            f"It takes an active user with the role {allowed}."
        )


class NothingProposed(Refusal):
    """There is nothing of that number to decide on."""

    def __init__(self, what: str, number: int) -> None:
        self.number = number
        super().__init__(f"There is no {what} {number}. Look the number up where it is listed.")


class CheckedByMaker(Refusal):
    """Who proposed it cannot decide on it."""

    def __init__(self, what: str, proposed: Proposed) -> None:
        super().__init__(
            f"{what.capitalize()} {proposed.pk} was made by {proposed.maker.email}, who cannot "
            "decide on it. Another approver has to."
        )


class NotItsMaker(Refusal):
    """Only who proposed it takes it back; others decide on it."""

    def __init__(self, what: str, proposed: Proposed) -> None:
        super().__init__(
            f"{what.capitalize()} {proposed.pk} was made by {proposed.maker.email}, who alone can "
            "withdraw it. Another person approves or rejects it."
        )


class AlreadyDecided(Refusal):
    """What is proposed is decided on once."""

    def __init__(self, what: str, proposed: Proposed) -> None:
        decision = "approved" if proposed.approved else "rejected"
        if proposed.checker_id is None:
            decision = "withdrawn"
        super().__init__(
            f"{what.capitalize()} {proposed.pk} was {decision} on {proposed.decided_at:%Y-%m-%d}. "
            "Propose another one to change what it did."
        )


def refuse_unless(user: User, roles: Sequence[Role], what: str) -> None:
    """Raise RoleMissing where ``user`` is not active in one of ``roles``; ``what`` is the act."""
    if not user.is_active or user.role not in roles:
        raise RoleMissing(user, what=what, roles=roles)


def to_decide(
    rows: QuerySet[Row], number: int, *, what: str, checker: User, roles: Sequence[Role]
) -> Row:
    """The one of ``rows`` (of ``Proposed``) with that number, locked for ``checker``'s decision.

    Locked, because two people must not both carry it out. ``what`` names the rows: "fact".

    Raises RoleMissing, NothingProposed, CheckedByMaker, AlreadyDecided.
    """
    refuse_unless(checker, roles, f"decide on a {what}")
    found = _locked(rows, number, what)
    if found.maker_id == checker.pk:
        raise CheckedByMaker(what, found)
    if found.approved is not None:
        raise AlreadyDecided(what, found)
    return found


def to_withdraw(rows: QuerySet[Row], number: int, *, what: str, maker: User) -> Row:
    """As ``to_decide``, for its ``maker``, who takes it back.

    Raises NothingProposed, NotItsMaker, AlreadyDecided.
    """
    found = _locked(rows, number, what)
    if found.maker_id != maker.pk:
        raise NotItsMaker(what, found)
    if found.approved is not None:
        raise AlreadyDecided(what, found)
    return found


def _locked(rows: QuerySet[Row], number: int, what: str) -> Any:
    found = (
        rows.select_for_update(no_key=True, of=("self",))
        .select_related("maker")
        .filter(pk=number)
        .first()
    )
    if found is None:
        raise NothingProposed(what, number)
    return found
