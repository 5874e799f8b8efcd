"""Who is signed in, where, and for how long: sessions in the database, ended by idleness or age."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.usersessions.models import UserSession
from django.contrib.sessions.backends.base import SessionBase
from django.contrib.sessions.models import Session

from tallystick.book.access.reach import NotThere
from tallystick.book.parties.models import User

MAX_AGE = timedelta(hours=12)
MAX_IDLE = timedelta(hours=1)
NOTED_EVERY = timedelta(minutes=1)
"""How exactly it is kept when a session was last used: more often would be a write per page."""

_SIGNED_IN = "signed_in_at"
_SEEN = "seen_at"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Somebody signed in. ``number`` names it; its key, which would let in, stays in here."""

    number: int
    device: str
    address: str
    signed_in_at: datetime
    seen_at: datetime
    is_current: bool


def has_expired(session: SessionBase, *, at: datetime) -> bool:
    """Whether the session was too long without use, or is too old however busy it was."""
    if _SIGNED_IN not in session or _SEEN not in session:
        return False
    now = at.timestamp()
    return (
        now - session[_SEEN] > MAX_IDLE.total_seconds()
        or now - session[_SIGNED_IN] > MAX_AGE.total_seconds()
    )


def note_use(session: SessionBase, *, at: datetime) -> bool:
    """Keep that the session is used; True where it was time to."""
    now = int(at.timestamp())
    session.setdefault(_SIGNED_IN, now)
    if now - session.get(_SEEN, 0) < NOTED_EVERY.total_seconds():
        return False
    session[_SEEN] = now
    return True


def sessions_of(user: User, *, current_key: str | None, at: datetime) -> Sequence[OpenSession]:
    """The user's sessions that still let in, the latest used first."""
    alive = Session.objects.filter(expire_date__gt=at).values("session_key")
    rows = UserSession.objects.filter(user_id=user.pk, session_key__in=alive)
    return [
        OpenSession(
            row.pk,
            row.user_agent,
            row.ip,
            row.created_at,
            row.last_seen_at,
            row.session_key == current_key,
        )
        for row in rows.order_by("-last_seen_at", "-pk")
        if at - row.last_seen_at <= MAX_IDLE + NOTED_EVERY and at - row.created_at <= MAX_AGE
    ]


def end_session(user: User, number: int) -> None:
    """End one session of the user. Raises NotThere."""
    row = UserSession.objects.filter(user_id=user.pk, pk=number).first()
    if row is None:
        raise NotThere("session", str(number))
    row.end()


def end_sessions(user: User, *, except_key: str | None = None) -> int:
    """End the user's sessions, all but one if so wanted; answers how many."""
    rows = UserSession.objects.filter(user_id=user.pk).exclude(session_key=except_key)
    ended = 0
    for row in rows:
        row.end()
        ended += 1
    return ended
