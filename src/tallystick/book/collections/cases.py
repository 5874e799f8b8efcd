"""A case and what people do with it: assign it, note what was said, hold letters back."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from tallystick.book.acts.once import Act, Caller, once
from tallystick.book.collections.models import Case, Note, NoteKind
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import User
from tallystick.book.watch.raise_case import said
from tallystick.rules.refusal import Refusal

MAX_DAYS_PAUSED = 180


class NoOpenCase(Refusal):
    """There is no case of that number, or it has ended."""

    def __init__(self, case_id: int) -> None:
        self.case_id = case_id
        super().__init__(
            f"There is no open case {case_id}: it has ended, or the number is wrong. "
            "List the open cases and name one."
        )


class NotOneOfOurs(Refusal):
    """A case is assigned to somebody of the house who signs in."""

    def __init__(self, email: str) -> None:
        self.email = email
        super().__init__(
            f"{email} cannot be given the case. Name an active user of the house, who may work on "
            "cases."
        )


class PauseOutOfReach(Refusal):
    """Letters are held back for some days, not backwards and not for ever."""

    def __init__(self, until_date: date, *, on: date) -> None:
        self.until_date = until_date
        last_date = on + timedelta(days=MAX_DAYS_PAUSED)
        super().__init__(
            f"Letters cannot be held back until {until_date}. Choose a day from {on} (which ends a "
            f"pause) to {last_date}."
        )


def assign(case_id: int, email: str, *, caller: Caller, key: str) -> None:
    """Give the case to a user of ours; an empty address: to nobody. Repeating changes nothing.

    Raises NoOpenCase, NotOneOfOurs, KeyConflict.
    """

    def give(case: Case, act: Act, on: date) -> None:
        user = _user_of_ours(email) if email else None
        Case.objects.filter(pk=case.pk).update(assignee=user)
        write(case, NoteKind.ASSIGNED, user.email if user else "", on, caller.actor, act.act_id)

    _act("assign_case", case_id, give, {"email": email}, caller=caller, key=key)


def add_note(case_id: int, text: str, *, caller: Caller, key: str) -> None:
    """Keep what was said or found out. Repeating changes nothing.

    Raises NoOpenCase, CaseUnsaid, NotAName, KeyConflict.
    """
    words = said(text)

    def keep(case: Case, act: Act, on: date) -> None:
        write(case, NoteKind.NOTE, words, on, caller.actor, act.act_id)

    _act("note_case", case_id, keep, {"text": words}, caller=caller, key=key)


def pause(case_id: int, until_date: date, *, caller: Caller, key: str) -> None:
    """Send nothing before ``until_date``; today ends a pause. Repeating changes nothing.

    Raises NoOpenCase, PauseOutOfReach, KeyConflict.
    """

    def hold(case: Case, act: Act, on: date) -> None:
        if not on <= until_date <= on + timedelta(days=MAX_DAYS_PAUSED):
            raise PauseOutOfReach(until_date, on=on)
        Case.objects.filter(pk=case.pk).update(paused_until_date=until_date)
        write(case, NoteKind.PAUSED, until_date.isoformat(), on, caller.actor, act.act_id)

    _act("pause_case", case_id, hold, {"until_date": until_date}, caller=caller, key=key)


def open_case(case_id: int) -> Case:
    """The case, locked. Raises NoOpenCase."""
    case = Case.objects.select_for_update(no_key=True).filter(pk=case_id, closed_date=None).first()
    if case is None:
        raise NoOpenCase(case_id)
    return case


def entity_of(case_id: int) -> int:
    """Whose case it is, which never changes. Raises NoOpenCase."""
    found = Case.objects.filter(pk=case_id).values_list("legal_entity_id", flat=True).first()
    if found is None:
        raise NoOpenCase(case_id)
    return found


def write(case: Case, kind: NoteKind, text: str, on: date, author: str, act_id: int) -> None:
    """Add to what is known of the case, in the caller's transaction."""
    Note.objects.create(case=case, kind=kind, text=text, date=on, author=author, act_id=act_id)


def _act(
    kind: str,
    case_id: int,
    done: Callable[[Case, Act, date], None],
    asked: Mapping[str, Any],
    *,
    caller: Caller,
    key: str,
) -> None:
    legal_entity_id = entity_of(case_id)
    with once(caller, key=key, kind=kind, request={"case": case_id, **asked}) as act:
        if act.earlier is None:
            on = open_day(legal_entity_id)
            done(open_case(case_id), act, on)
            act.answer({"case": case_id})


def _user_of_ours(email: str) -> User:
    user = User.objects.filter(email__iexact=email.strip(), is_active=True, party=None).first()
    if user is None:
        raise NotOneOfOurs(email)
    return user
