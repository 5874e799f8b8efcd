"""Who asks: a person who signed in, or a machine client with its key."""

from dataclasses import dataclass, field

from tallystick.book.access.permissions import GRANTED, May, NotAllowed
from tallystick.book.acts.once import Caller
from tallystick.book.parties.models import Role, User


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody who was let in. ``party_id`` bounds what is reached to one firm; None: the house's.

    ``name`` is a user's address or a machine client's code. ``granted`` is what it may do: what
    its role grants, for a machine client only as far as its scopes go.
    """

    name: str
    role: Role
    party_id: int | None = None
    party_code: str = ""
    client_code: str = ""
    granted: frozenset[May] = field(default_factory=frozenset)

    def may(self, act: May) -> bool:
        return act in self.granted

    def refuse_unless(self, act: May) -> None:
        """Raise NotAllowed where the viewer may not."""
        if not self.may(act):
            raise NotAllowed(act, role=self.role)

    def caller(self, channel: str, reason: str = "") -> Caller:
        """As acts know it: request keys belong to the firm, the machine client, or the person."""
        if self.client_code:
            owner = f"client:{self.client_code}"
        elif self.party_code:
            owner = f"firm:{self.party_code}"
        else:
            owner = f"user:{self.name}"[:80]
        return Caller(owner=owner, actor=self.name, channel=channel, reason=reason)


def viewer_of(user: User) -> Viewer:
    """The viewer that a user is."""
    role = Role(user.role)
    party = user.party
    return Viewer(
        name=user.email,
        role=role,
        party_id=None if party is None else party.pk,
        party_code="" if party is None else party.code,
        granted=GRANTED[role],
    )
