"""What a machine client may be given: each scope names one part of what a machine may do."""

from collections.abc import Collection, Mapping
from typing import NamedTuple

from tallystick.book.access.permissions import May
from tallystick.rules.refusal import Refusal


class Scope(NamedTuple):
    """``act``: what it permits; None where it only lets read. ``for_firms``: a firm's client may
    have it too. ``by_person``: what it does takes two people, so the client speaks for one."""

    act: May | None = None
    for_firms: bool = True
    by_person: bool = False


SCOPES: Mapping[str, Scope] = {
    "facilities:read": Scope(),
    "claims:read": Scope(),
    "loans:read": Scope(),
    "decisions:read": Scope(),
    "payments:read": Scope(),
    "worklists:read": Scope(for_firms=False),
    "proposals:read": Scope(for_firms=False),
    "collections:read": Scope(for_firms=False),
    "drawdowns:write": Scope(May.DRAW),
    "disputes:write": Scope(May.DISPUTE),
    "documents:write": Scope(May.SEND_DOCUMENTS, for_firms=False),
    "receipts:write": Scope(May.TAKE_RECEIPTS, for_firms=False),
    "bank-answers:write": Scope(May.HEAR_BANK, for_firms=False),
    "collections:write": Scope(May.COLLECT, for_firms=False),
    "proposals:write": Scope(May.PROPOSE_RELIEF, for_firms=False, by_person=True),
    "proposals:decide": Scope(May.DECIDE_RELIEF, for_firms=False, by_person=True),
}
"""Every scope lets its client see the objects that it is about, as far as the client reaches."""


class UnknownScope(Refusal):
    """There is no such scope, or none was given."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        asked = f"There is no scope {scope[:80]!r}" if scope else "A client needs a scope"
        super().__init__(f"{asked}. There is: {', '.join(SCOPES)}.")


class ScopeOfTheHouse(Refusal):
    """The scope is not given to a firm's client."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        firms = ", ".join(name for name, known in SCOPES.items() if known.for_firms)
        super().__init__(
            f"{scope} is for the house's own clients. A firm's client may have: {firms}."
        )


class ScopeOfAPerson(Refusal):
    """What takes two people is asked for by a client that speaks for one of them."""

    def __init__(self, scope: str) -> None:
        self.scope = scope
        super().__init__(
            f"{scope} is given to a client that speaks for a person of the house. "
            "Name the user whose proposals or decisions they are."
        )


class NotInScope(Refusal):
    """The machine client was not given the scope."""

    def __init__(self, scope: str, *, client: str) -> None:
        self.scope = scope
        self.client = client
        super().__init__(
            f"The client {client} was not given the scope {scope}. "
            "Ask an operator for a client that has it."
        )


def refuse_scopes(scopes: Collection[str], *, of_firm: bool, of_person: bool) -> None:
    """Raise UnknownScope, ScopeOfTheHouse or ScopeOfAPerson where a client cannot have these."""
    if not scopes:
        raise UnknownScope("")
    for scope in scopes:
        if scope not in SCOPES:
            raise UnknownScope(scope)
        if of_firm and not SCOPES[scope].for_firms:
            raise ScopeOfTheHouse(scope)
        if SCOPES[scope].by_person and not of_person:
            raise ScopeOfAPerson(scope)


def granted_by(scopes: Collection[str], *, of_firm: bool) -> frozenset[May]:
    """What the scopes permit: to see, and what each of them adds."""
    sees = May.SEE_OWN if of_firm else May.SEE_HOUSE
    acts = {SCOPES[scope].act for scope in scopes if scope in SCOPES}
    return frozenset({sees, *(act for act in acts if act is not None)})
