"""Freeze a facility, so that nothing new is drawn on it; and lift the freeze.

Loans that are out go on as they are, and so do payouts under way.
"""

from dataclasses import dataclass

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.financing.refusals import UnknownFacility
from tallystick.rules.refusal import Refusal


class ReasonMissing(Refusal):
    """A freeze, or its end, was asked for without a reason."""

    def __init__(self, facility: str) -> None:
        super().__init__(f"Facility {facility} is frozen and released for a reason. Give one.")


class AlreadyFrozen(Refusal):
    """The facility is frozen; a second reason would hide the first."""

    def __init__(self, facility: str, reason: str) -> None:
        super().__init__(
            f"Facility {facility} is frozen already: {reason}. Lift that freeze first, "
            "if another reason shall stand."
        )


class NotFrozen(Refusal):
    """There is no freeze to lift."""

    def __init__(self, facility: str) -> None:
        super().__init__(f"Facility {facility} is not frozen: there is nothing to lift.")


@dataclass(frozen=True, slots=True)
class FreezeState:
    """How the facility stands after the act; ``frozen_reason`` is empty when it may be drawn."""

    facility: str
    frozen_reason: str


def freeze(facility: str, *, caller: Caller, key: str) -> FreezeState:
    """Stop new drawdowns on the facility for ``caller.reason``, from this moment.

    Raises ReasonMissing, UnknownFacility, AlreadyFrozen, KeyConflict.
    """
    _refuse_unreasoned(facility, caller)
    with once(caller, key=key, kind="freeze", request=_request(facility, caller)) as act:
        if act.earlier is None:
            if standing := _frozen_reason(facility):
                raise AlreadyFrozen(facility, standing)
            act.answer(_write(facility, frozen_reason=caller.reason, act_id=act.act_id))
    return FreezeState(**(act.earlier or act.given or {}))


def unfreeze(facility: str, *, caller: Caller, key: str) -> FreezeState:
    """Let the facility be drawn again, for ``caller.reason``.

    Raises ReasonMissing, UnknownFacility, NotFrozen, KeyConflict.
    """
    _refuse_unreasoned(facility, caller)
    with once(caller, key=key, kind="unfreeze", request=_request(facility, caller)) as act:
        if act.earlier is None:
            if not _frozen_reason(facility):
                raise NotFrozen(facility)
            act.answer(_write(facility, frozen_reason="", act_id=act.act_id))
    return FreezeState(**(act.earlier or act.given or {}))


def freeze_unless_frozen(facility_id: int, reason: str, *, act_id: int) -> None:
    """Part of another act: stop new drawdowns, unless they are stopped for a reason already."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, frozen_reason FROM financing_facility WHERE id = %s FOR NO KEY UPDATE",
            [facility_id],
        )
        code, standing = cursor.fetchone()
    if not standing:
        _write(code, frozen_reason=reason, act_id=act_id)


def _refuse_unreasoned(facility: str, caller: Caller) -> None:
    if not caller.reason.strip():
        raise ReasonMissing(facility)


def _request(facility: str, caller: Caller) -> dict[str, str]:
    return {"facility": facility, "reason": caller.reason}


def _frozen_reason(facility: str) -> str:
    """Why the facility is frozen, read under its lock: a drawdown in flight ends first."""
    if not facility.isprintable():
        raise UnknownFacility(facility)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT frozen_reason FROM financing_facility WHERE code = %s FOR NO KEY UPDATE",
            [facility],
        )
        row = cursor.fetchone()
    if row is None:
        raise UnknownFacility(facility)
    return str(row[0])


def _write(facility: str, *, frozen_reason: str, act_id: int) -> dict[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH facility AS ("
            "     UPDATE financing_facility SET frozen_reason = %(reason)s WHERE code = %(code)s"
            " )"
            " INSERT INTO acts_outboxmessage (act_id, topic, subject, payload)"
            " VALUES (%(act)s, 'facility_freeze', 'facility:' || %(code)s,"
            "         jsonb_build_object('facility', %(code)s, 'frozen_reason', %(reason)s))",
            {"reason": frozen_reason, "code": facility, "act": act_id},
        )
    return {"facility": facility, "frozen_reason": frozen_reason}
