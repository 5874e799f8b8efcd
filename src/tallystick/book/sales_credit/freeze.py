"""Freeze a line out of sales, so that nothing new is drawn on it; and lift the freeze.

Advances that are out go on as they are: their share of sales is kept all the same.
"""

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.financing.freeze import AlreadyFrozen, FreezeState, NotFrozen, ReasonMissing
from tallystick.book.sales_credit.lines import line_called


def freeze_line(line: str, *, caller: Caller, key: str) -> FreezeState:
    """Stop new advances on ``line`` (its code) for ``caller.reason``, from this moment.

    Raises ReasonMissing, UnknownSalesLine, AlreadyFrozen, KeyConflict.
    """
    return _changed(line, "freeze_sales_line", caller, key)


def unfreeze_line(line: str, *, caller: Caller, key: str) -> FreezeState:
    """Let the line be drawn again, for ``caller.reason``.

    Raises ReasonMissing, UnknownSalesLine, NotFrozen, KeyConflict.
    """
    return _changed(line, "unfreeze_sales_line", caller, key)


def freeze_line_unless_frozen(line_id: int, reason: str, *, act_id: int) -> None:
    """Part of another act: stop new advances, unless they are stopped for a reason already."""
    code, standing = _locked(line_id)
    if not standing:
        _write(line_id, code, reason, act_id)


def _changed(line: str, kind: str, caller: Caller, key: str) -> FreezeState:
    if not caller.reason.strip():
        raise ReasonMissing(line)
    found = line_called(line)
    request = {"line": line, "reason": caller.reason}
    with once(caller, key=key, kind=kind, request=request) as act:
        if act.earlier is None:
            _, standing = _locked(found.pk)
            if kind == "freeze_sales_line" and standing:
                raise AlreadyFrozen(line, standing)
            if kind == "unfreeze_sales_line" and not standing:
                raise NotFrozen(line)
            reason = caller.reason if kind == "freeze_sales_line" else ""
            _write(found.pk, line, reason, act.act_id)
            act.answer({"facility": line, "frozen_reason": reason})
    return FreezeState(**(act.earlier or act.given or {}))


def _locked(line_id: int) -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT code, frozen_reason FROM sales_credit_salesline WHERE id = %s"
            " FOR NO KEY UPDATE",
            [line_id],
        )
        code, standing = cursor.fetchone()
    return str(code), str(standing)


def _write(line_id: int, code: str, frozen_reason: str, act_id: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH line AS ("
            "     UPDATE sales_credit_salesline SET frozen_reason = %(reason)s WHERE id = %(id)s"
            " )"
            " INSERT INTO acts_outboxmessage (act_id, topic, subject, payload)"
            " VALUES (%(act)s, 'sales_line_freeze', 'sales_line:' || %(code)s,"
            "         jsonb_build_object('line', %(code)s, 'frozen_reason', %(reason)s))",
            {"reason": frozen_reason, "code": code, "id": line_id, "act": act_id},
        )
