"""Carry out each request once: the same key and request get the first answer, also in a race.

An act begins by taking its request key and ends by recording its answer, both in its own
transaction. A refusal rolls both back: nothing is written and the key stays free. ::

    with once(caller, key=key, kind="freeze", request={"facility": code}) as act:
        if act.earlier is None:
            ...                                  # load, decide, record
            act.answer({"frozen": code})
    return act.earlier or act.given

An act that counts its round trips takes the key with ``answer_to`` and writes the answer inside
its own recording statement: ``UPDATE acts_act SET answer = … WHERE id = …``. A batch takes all its
keys in one statement with ``answers_to_many``.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import psycopg
from django.db import connection, transaction

from tallystick.rules.canonical import canonical_json
from tallystick.rules.refusal import Refusal

_MAX_KEY_LENGTH = 200


class KeyConflict(Refusal):
    """The request key was used before, for another request."""

    def __init__(self, *, owner: str, key: str, kind: str, at: datetime) -> None:
        self.owner = owner
        self.key = key
        super().__init__(
            f"The request key {key!r} of {owner} was used on {at:%Y-%m-%d %H:%M} UTC for another "
            f"request ({kind}). Give a new request a new key; repeat the old request unchanged "
            "to see its answer."
        )


class KeyUnusable(Refusal):
    """A request key is empty, too long, or holds a character that cannot be stored."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__(
            f"{key[:40]!r} cannot be a request key. "
            f"Use 1 to {_MAX_KEY_LENGTH} printable characters."
        )


class CallerUnusable(Refusal):
    """Who asks, or why, cannot be kept with the act."""

    def __init__(self, field: str, max_length: int) -> None:
        self.field = field
        super().__init__(
            f"The {field} of a request is kept with it. "
            f"Give at most {max_length} printable characters."
        )


_CALLER_LENGTHS = {"owner": 80, "actor": 254, "channel": 20, "reason": 500}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks. Request keys belong to ``owner``: ``firm:CODE``, ``client:CODE`` or ``system``.

    Raises CallerUnusable.
    """

    owner: str
    actor: str  # a user's address, or the program
    channel: str  # cli, api, portal, internal, lab
    reason: str = ""

    def __post_init__(self) -> None:
        for field, max_length in _CALLER_LENGTHS.items():
            text = getattr(self, field)
            if len(text) > max_length or not text.isprintable():
                raise CallerUnusable(field, max_length)


@dataclass(frozen=True, slots=True)
class Taken:
    """A request key and what was answered to it; ``answer`` is None where the request is new."""

    act_id: int
    answer: dict[str, Any] | None


class Act:
    """One request inside ``once``: its ``earlier`` answer, or the one to be ``given`` now."""

    __slots__ = ("act_id", "earlier", "given")

    def __init__(self, taken: Taken) -> None:
        self.act_id = taken.act_id
        self.earlier = taken.answer
        self.given: dict[str, Any] | None = None

    def answer(self, answer: dict[str, Any]) -> None:
        """What to answer, now and to every repetition."""
        self.given = answer


@contextmanager
def once(caller: Caller, *, key: str, kind: str, request: Mapping[str, Any]) -> Iterator[Act]:
    """A transaction for one act, which either has an ``earlier`` answer or gives one.

    ``kind`` is the verb. ``request`` says all that was asked: text, whole numbers, booleans,
    dates, ``Decimal``, ``UUID``, None, and lists and mappings of these.

    Raises KeyConflict, KeyUnusable.
    """
    with transaction.atomic():
        act = Act(answer_to(caller, key=key, kind=kind, request=request))
        yield act
        if act.earlier is None:
            assert act.given is not None, f"{kind} ended without an answer"
            record(act.act_id, act.given)


def answer_to(caller: Caller, *, key: str, kind: str, request: Mapping[str, Any]) -> Taken:
    """Take ``key`` for this request, or find the answer it was given. One round trip.

    While another transaction holds the key, this waits for its end. Part of the caller's
    transaction, which must record an answer where there is none.

    Raises KeyConflict, KeyUnusable.
    """
    return answers_to_many(caller, kind=kind, requests={key: request})[key]


def answers_to_many(
    caller: Caller, *, kind: str, requests: Mapping[str, Mapping[str, Any]]
) -> dict[str, Taken]:
    """Take the keys of a batch (``requests``: key → request) in one statement.

    As ``answer_to`` for each of them; the keys are taken in sorted order, so that batches with
    keys in common do not block each other.

    Raises KeyConflict when any of them was used for another request, KeyUnusable.
    """
    for key in requests:
        refuse_unusable(key)
    taken = {}
    for row in _asked(caller, kind, requests):
        act_id, key, is_new, is_same, first_kind, first_at, answer = row
        if not is_same:
            raise KeyConflict(owner=caller.owner, key=key, kind=first_kind, at=first_at)
        assert is_new or answer is not None, f"act {act_id} was committed without an answer"
        taken[key] = Taken(act_id, None if is_new else json.loads(answer))
    return taken


def refuse_unusable(key: str) -> None:
    """Raise KeyUnusable where ``key`` cannot be kept."""
    if not 1 <= len(key) <= _MAX_KEY_LENGTH or not key.isprintable():
        raise KeyUnusable(key)


def record(act_id: int, answer: Mapping[str, Any]) -> None:
    """Write the answer of an act, in its own transaction."""
    record_many({act_id: answer})


def record_many(answers: Mapping[int, Mapping[str, Any]]) -> None:
    """Write the answers of a batch (act id → answer), in its own transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE acts_act SET answer = given.answer::jsonb"
            " FROM unnest(%s::bigint[], %s::text[]) AS given (act_id, answer) WHERE id = act_id",
            [list(answers), [json.dumps(answer) for answer in answers.values()]],
        )
        assert cursor.rowcount == len(answers), "an answer for an act that is not there"


def request_sha256(request: Mapping[str, Any]) -> bytes:
    """SHA-256 of the request's canonical form: equal requests, and only they, have it in common.

    Raises TypeError for a value that has no exact spelling, such as a float.
    """
    return sha256(canonical_json(_spelled(request))).digest()


def _asked(
    caller: Caller, kind: str, requests: Mapping[str, Mapping[str, Any]]
) -> Sequence[tuple[Any, ...]]:
    connection.ensure_connection()
    # The driver's own cursor and a prepared statement: every act begins here.
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(
            "SELECT act_id, act_key, is_new, is_same, first_kind, first_at, first_answer::text"
            " FROM acts_answer_to(%s, %s, %s, %s, %s, %s, %s)",
            [
                caller.owner,
                list(requests),
                kind,
                [request_sha256(request) for request in requests.values()],
                caller.actor,
                caller.channel,
                caller.reason,
            ],
            prepare=True,
        ).fetchall()


def _spelled(value: Any) -> Any:
    match value:
        case None | bool() | int() | str():
            return value
        case date() | datetime():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case Mapping():
            return {key: _spelled(item) for key, item in value.items()}
        case list() | tuple():
            return [_spelled(item) for item in value]
        case _:
            raise TypeError(f"{value!r} has no exact spelling in a request")
