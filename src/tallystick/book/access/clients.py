"""Machine clients: made with a key that is shown once, let in by it, and revoked."""

import json
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from django.db import connection

from tallystick.book.access.models import MachineClient
from tallystick.book.access.permissions import GRANTED
from tallystick.book.access.rate_limits import Allowance, counting
from tallystick.book.access.scopes import NotInScope, granted_by, refuse_scopes
from tallystick.book.access.users import user_called
from tallystick.book.access.viewer import Viewer
from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.add_user import FirmMissing
from tallystick.book.parties.models import Party, Role, User
from tallystick.book.statements import fetched
from tallystick.rules.refusal import Refusal

KEY_START = "tk"
SECRET_BYTES = 32
PREFIX_LENGTH = 12
MAX_CODE_LENGTH = 40
DEFAULT_REQUESTS_A_MINUTE = 600
MAX_REQUESTS_A_MINUTE = 100_000
LAST_USED_STEP = timedelta(minutes=1)

_CODE = re.compile(r"[a-z0-9][a-z0-9._-]*")
_KEY = re.compile(rf"{KEY_START}_([a-z0-9]{{{PREFIX_LENGTH}}})_([A-Za-z0-9_-]{{43}})")


class ClientUnusable(Refusal):
    """What was said of a new machine client cannot be."""


class ClientExists(Refusal):
    """The code is taken; a revoked client keeps its code, since acts name it."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"There is a machine client {code} already. Choose another code.")


class UnknownClient(Refusal):
    """No machine client has this code."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(f"There is no machine client {code[:80]!r}. List them and name one.")


class KeyRefused(Refusal):
    """No client, or none any more, is let in by this key. Which of the two is not told."""

    def __init__(self) -> None:
        super().__init__(
            "This request carries no valid key. Send the header 'Authorization: Bearer tk_…' with "
            "the key that was shown when the client was made; one that expired or was revoked is "
            "replaced by an operator."
        )


@dataclass(frozen=True, slots=True)
class NewClient:
    """A machine client to be made. ``party_code``: the firm that it is bound to; None: the house.

    ``user_email``: the person of the house for whom it proposes or decides. ``expires_at`` is the
    first moment at which it is let in no more; None: it does not expire.
    """

    code: str
    scopes: tuple[str, ...]
    party_code: str | None = None
    user_email: str | None = None
    expires_at: datetime | None = None
    max_requests_a_minute: int = DEFAULT_REQUESTS_A_MINUTE


class Machine(NamedTuple):
    """A machine client that was let in. ``user_id``: the person for whom it speaks."""

    viewer: Viewer
    scopes: frozenset[str]
    allowance: Allowance
    user_id: int | None

    def refuse_without(self, scope: str) -> None:
        """Raise NotInScope where the client does not have the scope."""
        if scope not in self.scopes:
            raise NotInScope(scope, client=self.viewer.client_code)


def add_client(client: NewClient, *, caller: Caller) -> str:
    """Make a machine client; returns its key, which nobody can be told again.

    Raises ClientUnusable, ClientExists, FirmMissing, UnknownUser, UnknownScope, ScopeOfTheHouse,
    ScopeOfAPerson.
    """
    _refuse_unusable(client)
    prefix = secrets.token_hex(PREFIX_LENGTH // 2)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    request = {
        "code": client.code,
        "scopes": sorted(client.scopes),
        "firm": client.party_code,
        "user": client.user_email,
        "expires_at": client.expires_at,
        "max_requests_a_minute": client.max_requests_a_minute,
        "prefix": prefix,
    }
    key = f"client:{client.code}:{prefix}"
    with once(caller, key=key, kind="add_client", request=request) as act:
        if MachineClient.objects.filter(code=client.code).exists():
            raise ClientExists(client.code)
        party = None
        if client.party_code is not None:
            party = Party.objects.filter(code=client.party_code).first()
            if party is None:
                raise FirmMissing(client.party_code)
        MachineClient.objects.create(
            code=client.code,
            party=party,
            user=None if client.user_email is None else _person(client.user_email),
            scopes=sorted(client.scopes),
            prefix=prefix,
            secret_sha256=sha256(secret.encode()).digest(),
            max_requests_a_minute=client.max_requests_a_minute,
            created_by=caller.actor,
            expires_at=client.expires_at,
        )
        act.answer({"client": client.code, "prefix": prefix})
    return f"{KEY_START}_{prefix}_{secret}"


def revoke_client(code: str, *, caller: Caller) -> None:
    """Let the client in no more, from this moment. One already revoked stays so.

    Raises UnknownClient.
    """
    with once(
        caller,
        key=f"revoke-client:{code}"[:200] if code.isprintable() else "revoke-client",
        kind="revoke_client",
        request={"code": code},
    ) as act:
        if act.earlier is None:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE access_machineclient SET revoked_at = coalesce(revoked_at, now())"
                    " WHERE code = %s",
                    [code.replace("\x00", "")],
                )
                if not cursor.rowcount:
                    raise UnknownClient(code)
            act.answer({"client": code})


def clients() -> Sequence[MachineClient]:
    """All machine clients, those in use before the revoked, by code."""
    return MachineClient.objects.select_related("party", "user").order_by("-revoked_at", "code")


_LET_IN = f"""
WITH client AS MATERIALIZED (
    SELECT client.id, client.code, client.scopes, client.max_requests_a_minute,
           client.party_id, coalesce(party.code, ''), client.user_id,
           coalesce(last_used_at < now() - %s::interval, true) AS is_first_use_for_long
    FROM access_machineclient AS client
    LEFT JOIN parties_party AS party ON party.id = client.party_id
    WHERE client.prefix = %s AND client.secret_sha256 = %s
      AND client.revoked_at IS NULL AND (client.expires_at IS NULL OR client.expires_at > now())
), counted AS ({counting("SELECT 'client:' || id FROM client")})
SELECT client.*, counted.* FROM client, counted
"""


def let_in(key: str) -> Machine:
    """The machine client whose key this is; its request is counted. Raises KeyRefused.

    A client above its limit is let in so far: ``Machine.allowance`` tells, and refuses it.
    Secrets are looked up by their SHA-256: what the time of that may tell is told of the hash, and
    no secret follows from a hash.
    """
    parts = _KEY.fullmatch(key)
    if parts is None:
        raise KeyRefused
    prefix, secret = parts.groups()
    row = next(
        iter(fetched(_LET_IN, [LAST_USED_STEP, prefix, sha256(secret.encode()).digest()])), None
    )
    if row is None:
        raise KeyRefused
    client_id, code, listed, max_requests, party_id, party_code, user_id, *rest = row
    is_to_note, *counted = rest
    scopes = frozenset(json.loads(listed))
    if is_to_note:
        _note_use(client_id)
    viewer = Viewer(
        name=f"client:{code}",
        role=Role.MACHINE,
        party_id=party_id,
        party_code=party_code,
        client_code=code,
        granted=granted_by(scopes, of_firm=party_id is not None) & GRANTED[Role.MACHINE],
    )
    return Machine(viewer, scopes, Allowance(max_requests, *counted), user_id)


def _note_use(client_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE access_machineclient SET last_used_at = now() WHERE id = %s"
            " AND (last_used_at IS NULL OR last_used_at < now() - %s)",
            [client_id, LAST_USED_STEP],
        )


def _refuse_unusable(client: NewClient) -> None:
    if len(client.code) > MAX_CODE_LENGTH or not _CODE.fullmatch(client.code):
        raise ClientUnusable(
            f"{client.code[:80]!r} cannot be a client's code. Use 1 to {MAX_CODE_LENGTH} small "
            "letters, digits, dots, dashes and underscores, a letter or digit first."
        )
    if not 1 <= client.max_requests_a_minute <= MAX_REQUESTS_A_MINUTE:
        raise ClientUnusable(
            f"{client.max_requests_a_minute} requests a minute cannot be a limit. "
            f"Give 1 to {MAX_REQUESTS_A_MINUTE}."
        )
    if client.expires_at is not None and client.expires_at <= datetime.now(UTC):
        raise ClientUnusable(
            f"The client would have expired on {client.expires_at:%Y-%m-%d}. Give a later day, or "
            "none for a client that does not expire."
        )
    if client.party_code is not None and client.user_email is not None:
        raise ClientUnusable(
            "A client is bound to a firm or speaks for a person of the house, not both. "
            "Name one of the two."
        )
    refuse_scopes(
        client.scopes,
        of_firm=client.party_code is not None,
        of_person=client.user_email is not None,
    )


def _person(email: str) -> User:
    """The active user of the house. Raises UnknownUser, ClientUnusable."""
    user = user_called(email)
    if user.party_id is not None or not user.is_active:
        raise ClientUnusable(
            f"A client cannot speak for {user.email}. Name an active user of the house."
        )
    return user
