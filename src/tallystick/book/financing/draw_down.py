"""Drawdown: lend against the pool, or refuse.

One transaction and few round trips: a statement that locks and reads, the decision, and a
statement that records everything that follows: act, decision, loan, participations, reservation
with its memorandum entry, payment order, message to the bank, and what is drawn of each limit.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import DatabaseError, transaction

from tallystick.book import calendars
from tallystick.book.acts.once import (
    Caller,
    KeyConflict,
    KeyUnusable,
    refuse_unusable,
    request_sha256,
)
from tallystick.book.financing.refusals import UnknownFacility, refusal_of
from tallystick.book.financing.standing import (
    Standing,
    Standings,
    standings_with_current_bases,
)
from tallystick.book.funding.shares import shares_of
from tallystick.book.ledger.accounts import open_accounts
from tallystick.book.statements import fetched
from tallystick.rules.accounting import Booking, drawdown_committed
from tallystick.rules.calendars import AdjustedDate, Calendar, adjusted
from tallystick.rules.limits import Decision, DrawdownRequest, decide_drawdown
from tallystick.rules.loan_events import rate_from_ppb, rate_in_ppb
from tallystick.rules.loan_terms import AgreedPlan
from tallystick.rules.price_terms import PenaltyTerms
from tallystick.rules.refusal import Refusal
from tallystick.rules.repayment import Agreed, instalments

KIND = "draw_down"

LIMIT_TAKEN = "TL001"
"""The database's word for a limit that others took between our reading and our recording."""

ATTEMPTS = 3
"""Twice others can be quicker: once with a limit above, once with the request's own key."""


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """A supplier asks for money. ``on`` is the business day it is dated; None: whatever
    day is open, so that it may be repeated on another.

    ``amount_minor`` is in the facility's currency. ``key`` belongs to the caller: repeating it
    with the same request returns the first answer.
    """

    facility: str
    amount_minor: int
    tenor_days: int
    on: date | None
    caller: Caller
    key: str


@dataclass(frozen=True, slots=True)
class Drawdown:
    """A drawdown granted: its loan is pending until the bank has answered the payment order.

    ``due_date`` is the first due date, and ``maturity_date`` the last where there are several.
    ``available_minor`` is what could still be drawn right after it. ``repeated``: it was granted
    before, under the same key, and this is that answer.
    """

    loan: str
    facility: str
    currency: str
    amount_minor: int
    drawn_date: date
    due_date: date
    due_date_provisional: bool
    end_to_end_id: str
    available_minor: int
    maturity_date: date | None = None
    repeated: bool = field(default=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        answer = asdict(self) | {
            "drawn_date": self.drawn_date.isoformat(),
            "due_date": self.due_date.isoformat(),
            "maturity_date": self.maturity_date and self.maturity_date.isoformat(),
        }
        del answer["repeated"]
        return answer

    @classmethod
    def told_again(cls, answer: dict[str, Any]) -> "Drawdown":
        dates = {
            key: date.fromisoformat(answer[key])
            for key in ("drawn_date", "due_date", "maturity_date")
            if answer[key] is not None
        }
        return cls(**(answer | dates), repeated=True)


def draw_down(request: DrawRequest) -> Drawdown:
    """Lend against the pool, or refuse. Repeating the key returns the first answer.

    Raises UnknownFacility, KeyConflict, KeyUnusable, or the DrawdownRefused that tells why, with
    what is available and what to do. A refusal writes nothing and leaves the key free.
    """
    (outcome,) = draw_down_many([request])
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def draw_down_many(requests: Sequence[DrawRequest]) -> list[Drawdown | Refusal]:
    """Decide the requests one after the other, in one transaction; an outcome for each.

    What one request takes is not available to those after it. A refused request writes nothing,
    and the others stand.
    """
    outcomes = [_unusable(request) for request in requests]
    usable = [request for request, refused in zip(requests, outcomes, strict=True) if not refused]
    decided = iter(_drawn_at_last(usable) if usable else [])
    return [refused or next(decided) for refused in outcomes]


def _unusable(request: DrawRequest) -> Refusal | None:
    """A request that cannot even be looked up."""
    if not request.facility.isprintable():
        return UnknownFacility(request.facility)
    try:
        refuse_unusable(request.key)
    except KeyUnusable as refusal:
        return refusal
    return None


def _drawn_at_last(requests: Sequence[DrawRequest]) -> list[Drawdown | Refusal]:
    """Decided and recorded; again where others were quicker, now with all limits locked."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return _drawn(requests, with_limits=len(requests) > 1 or attempt > 1)
        except DatabaseError as error:
            if attempt == ATTEMPTS or not _others_were_quicker(error):
                raise
    raise AssertionError("the last attempt returns or raises")


def _others_were_quicker(error: DatabaseError) -> bool:
    """A limit above the facility was taken, or the key was used, since we looked."""
    said = getattr(error.__cause__, "diag", None)
    return said is not None and (
        said.sqlstate == LIMIT_TAKEN or said.constraint_name == "act_key_once"
    )


class _Earlier(NamedTuple):
    """The act for which a key was used first."""

    kind: str
    request_sha256: bytes
    at: datetime
    answer: dict[str, Any]


class _Asked(NamedTuple):
    """A request, what its key did before, and the numbers of the rows it may become."""

    request: DrawRequest
    request_sha256: bytes
    earlier: _Earlier | None
    at: datetime
    act_id: int
    decision_id: int
    loan_id: int


class _Granted(NamedTuple):
    """A drawdown to be recorded."""

    asked: _Asked
    held: Standing
    decision: Decision
    drawdown: Drawdown
    agreed: Agreed | None


def _drawn(requests: Sequence[DrawRequest], *, with_limits: bool) -> list[Drawdown | Refusal]:
    asked_for, standings = _begun(requests, with_limits=with_limits)
    granted: dict[tuple[str, str], _Granted] = {}
    outcomes: list[Drawdown | Refusal] = []
    for asked in asked_for:
        key = asked.request.caller.owner, asked.request.key
        if earlier := asked.earlier or _earlier_in_batch(granted.get(key)):
            outcomes.append(_first_answer(asked, earlier))
            continue
        decided = _decided(asked, standings)
        if isinstance(decided, _Granted):
            granted[key] = decided
            outcomes.append(decided.drawdown)
        else:
            outcomes.append(decided)
    if granted:
        _record(list(granted.values()))
    return outcomes


def _begun(requests: Sequence[DrawRequest], *, with_limits: bool) -> tuple[list[_Asked], Standings]:
    """Lock, in the house's order, all that the requests depend on; then read it.

    One round trip, and more only where a base has to be computed anew.
    """
    rows = fetched(
        "SELECT act_id, decision_id, loan_id, asked_at, earlier_kind, earlier_sha256, earlier_at,"
        "     earlier_answer, (held).*"
        " FROM financing_begin_drawdowns(%s::text[], %s::text[], %s::text[], %s)",
        [
            [request.facility for request in requests],
            [request.caller.owner for request in requests],
            [request.key for request in requests],
            with_limits,
        ],
    )
    asked_for = []
    held = []
    for request, row in zip(requests, rows, strict=True):
        act_id, decision_id, loan_id, at, kind, sha256, earlier_at, answer, *columns = row
        earlier = _Earlier(kind, sha256, earlier_at, json.loads(answer)) if kind else None
        asked_for.append(
            _Asked(request, _request_sha256(request), earlier, at, act_id, decision_id, loan_id)
        )
        if columns[0] is not None:
            held.append(Standing(*columns))
    return asked_for, standings_with_current_bases(held)


def _request_sha256(request: DrawRequest) -> bytes:
    return request_sha256(
        {
            "facility": request.facility,
            "amount_minor": request.amount_minor,
            "tenor_days": request.tenor_days,
            "on": request.on,
        }
    )


def _earlier_in_batch(granted: _Granted | None) -> _Earlier | None:
    return granted and _Earlier(
        KIND, granted.asked.request_sha256, granted.asked.at, granted.drawdown.as_json()
    )


def _first_answer(asked: _Asked, earlier: _Earlier) -> Drawdown | KeyConflict:
    if (earlier.kind, earlier.request_sha256) == (KIND, asked.request_sha256):
        return Drawdown.told_again(earlier.answer)
    return KeyConflict(
        owner=asked.request.caller.owner,
        key=asked.request.key,
        kind=earlier.kind,
        at=earlier.at,
    )


def _decided(asked: _Asked, standings: Standings) -> _Granted | Refusal:
    request = asked.request
    held = standings.by_facility.get(request.facility)
    if held is None:
        return UnknownFacility(request.facility)
    on = request.on or held.business_date
    decision = decide_drawdown(
        DrawdownRequest(
            amount_minor=request.amount_minor,
            currency=held.currency,
            tenor_days=request.tenor_days,
            draw_date=on,
        ),
        standings.inputs(held),
    )
    if not decision.granted:
        return refusal_of(request.facility, decision)
    standings.take(held, request.amount_minor)
    agreed = None
    if held.terms.repayment.in_instalments:
        agreed = agreed_instalments(
            held, on, amount_minor=request.amount_minor, tenor_days=request.tenor_days
        )
        due = AdjustedDate(agreed.rows[0].due_date, agreed.provisional)
    else:
        due = due_date_of(held, on, tenor_days=request.tenor_days)
    return _Granted(
        asked,
        held,
        decision,
        Drawdown(
            loan=f"{held.facility}-{asked.loan_id}",
            facility=held.facility,
            currency=held.currency,
            amount_minor=request.amount_minor,
            drawn_date=on,
            due_date=due.date,
            due_date_provisional=due.provisional,
            end_to_end_id=f"L{asked.loan_id}",
            available_minor=decision.inputs.available_minor - request.amount_minor,
            maturity_date=agreed and agreed.rows[-1].due_date,
        ),
        agreed,
    )


def due_date_of(held: Standing, on: date, *, tenor_days: int) -> AdjustedDate:
    return adjusted(
        calendars.named(held.calendar),
        on + timedelta(days=tenor_days),
        held.terms.drawdown.due_date_adjustment,
    )


def agreed_instalments(held: Standing, on: date, *, amount_minor: int, tenor_days: int) -> Agreed:
    """What a draw of that day comes back in, under a programme repaid in instalments."""
    terms = held.terms
    return instalments(
        terms.repayment,
        amount_minor=amount_minor,
        annual_rate=rate_from_ppb(held.annual_rate_ppb),
        day_count=terms.price.day_count,
        drawn_date=on,
        tenor_days=tenor_days,
        max_tenor_days=terms.drawdown.max_tenor_days,
        calendar=calendars.named(held.calendar),
        adjustment=terms.drawdown.due_date_adjustment,
    )


def _record(granted: Sequence[_Granted]) -> None:
    """One statement: everything that follows from the decisions."""
    items = [{"place": place, **_item(each)} for place, each in enumerate(granted)]
    fetched("SELECT financing_record_drawdowns(%s::jsonb)", [json.dumps(items)])


def _item(granted: _Granted) -> dict[str, Any]:
    asked, held, decision, drawdown, agreed = granted
    caller = asked.request.caller
    price = held.terms.price
    answer = drawdown.as_json()
    decided = decision.as_json()
    return {
        **answer,
        "act_id": asked.act_id,
        "decision_id": asked.decision_id,
        "loan_id": asked.loan_id,
        "facility_id": held.facility_id,
        "book_id": held.book_id,
        "tenor_days": asked.request.tenor_days,
        **_penalty(price.penalty, rate_from_ppb(held.annual_rate_ppb)),
        "agreed_plan": agreed and plan_kept(agreed.plan, calendars.named(held.calendar)),
        "day_count": price.day_count,
        "inputs": decided["inputs"],
        # No remedy: of a drawdown granted, every rule has passed.
        "verdicts": [
            {key: value for key, value in verdict.items() if key != "remedy"}
            for verdict in decided["verdicts"]
        ],
        "rules_version": decision.rules_version,
        "shares_ppm": shares_of(held.funder_id),
        "owner": caller.owner,
        "key": asked.request.key,
        "request_sha256": asked.request_sha256.hex(),
        "actor": caller.actor,
        "channel": caller.channel,
        "reason": caller.reason,
        "answer": answer,
        **_commitment(held, drawdown),
    }


def _penalty(penalty: PenaltyTerms, annual_rate: Decimal) -> dict[str, Any]:
    """What overdue principal of the loan will cost, resolved at its own rate."""
    rate_ppb = rate_in_ppb(penalty.rate_on_top(annual_rate))
    steps = [(penalty.grace_days, rate_ppb)]
    steps += [(band.days_past_due, rate_in_ppb(band.rate)) for band in penalty.bands]
    is_plain = steps == [(0, rate_ppb)]
    return {"penalty_rate_ppb": rate_ppb, "penalty_steps": None if is_plain else steps}


def plan_kept(plan: AgreedPlan, calendar: Calendar) -> dict[str, Any]:
    """A plan as a loan's row keeps it, with its calendar and how far that was known."""
    return {
        "calendar": calendar.name,
        "due_dates": [due.due_date.isoformat() for due in plan.dues],
        "planned_minor": [due.planned_minor for due in plan.dues],
        "level_minor": plan.level_minor,
        "known_to_date": (calendar.last_known_date or date.max).isoformat(),
    }


def _commitment(held: Standing, drawdown: Drawdown) -> dict[str, Any]:
    """The memorandum entry, as ``ledger_post`` takes it."""
    entry = drawdown_committed(
        Booking(
            legal_entity_id=held.legal_entity_id,
            currency=held.currency,
            reference=f"loan:{drawdown.loan}",
            value_date=drawdown.drawn_date,
            booking_date=drawdown.drawn_date,
        ),
        book=held.book_id,
        amount_minor=drawdown.amount_minor,
    )
    ids = open_accounts(
        entry.legal_entity_id, entry.currency, [posting.account for posting in entry.postings]
    )
    return {
        "entry_event": entry.event,
        "entry_reference": entry.reference,
        "account_ids": [ids[posting.account] for posting in entry.postings],
        "sides": [int(posting.side) for posting in entry.postings],
        "entry_amounts_minor": [posting.amount_minor for posting in entry.postings],
    }
