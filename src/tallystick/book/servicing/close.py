"""Close business days: every calendar day, step by step, each step one transaction.

Closing D first rolls the business date to D + 1, where everybody goes on, and then books D's
nights and seals D. A step leaves a row when it is done; a close that was cut off goes on after
the last of them, and a step that is asked for again answers what it found the first time.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, Sum

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.bases import recompute
from tallystick.book.collateral.models import Pool
from tallystick.book.collections.collect import collect
from tallystick.book.impairment.classify import classify
from tallystick.book.impairment.provide import provide
from tallystick.book.ledger.seal import seal
from tallystick.book.parties.business_date import DayNotOpen, roll
from tallystick.book.parties.models import LegalEntity
from tallystick.book.sales_credit.night import sales_night
from tallystick.book.servicing.accrual import accrue
from tallystick.book.servicing.delinquency import delinquency
from tallystick.book.servicing.late_fees import late_fees
from tallystick.book.servicing.models import DayStep
from tallystick.book.servicing.move_dues import move_dues
from tallystick.book.servicing.pass_turns import pass_turns
from tallystick.book.servicing.reset_rates import reset_rates
from tallystick.book.servicing.shares import share_night
from tallystick.rules.refusal import Refusal

CLOSING_LOCK = 7103
"""First key of the advisory locks under which a day is closed; the second is the entity's id."""

POOLS_AT_A_TIME = 500
"""Bases are recomputed for so many pools at once, so that draws never wait for all of them."""

MAX_DAYS_AT_ONCE = 366
"""A close cannot be undone, so one command does not run away over decades."""

THE_CLOSE = Caller(owner="system", actor="close of day", channel="internal")

Figures = dict[str, Any]


class EarlierDayNotClosed(Refusal):
    """Days are closed one after the other."""

    def __init__(self, *, asked_date: date, next_date: date) -> None:
        self.asked_date = asked_date
        self.next_date = next_date
        super().__init__(
            f"{asked_date} cannot be closed before {next_date} has been. "
            f"Close the days up to it: tally close --through {asked_date}."
        )


class TooManyDays(Refusal):
    """A close would run over more days than anybody can have missed: the year is mistyped."""

    def __init__(self, *, asked_date: date, next_date: date) -> None:
        self.asked_date = asked_date
        self.next_date = next_date
        last_date = next_date + timedelta(days=MAX_DAYS_AT_ONCE - 1)
        super().__init__(
            f"Closing from {next_date} through {asked_date} is more than {MAX_DAYS_AT_ONCE} days, "
            f"and a closed day stays closed. Check the year; or close through {last_date} first."
        )


@dataclass(frozen=True, slots=True)
class ClosedDay:
    """A closed day with what each step found."""

    date: date
    figures: dict[str, Figures]


def close_day(legal_entity_id: int, day: date, *, caller: Caller = THE_CLOSE) -> ClosedDay:
    """Close ``day``, or finish closing it; a day that is closed answers as it did.

    Raises DayNotOpen for a day that has not come, EarlierDayNotClosed.
    """
    entity = LegalEntity.objects.get(pk=legal_entity_id)
    if day > entity.business_date or day < entity.opened_date:
        raise DayNotOpen(asked_date=day, business_date=entity.business_date)
    next_date = _next_to_close(entity)
    if day > next_date:
        raise EarlierDayNotClosed(asked_date=day, next_date=next_date)
    figures = {}
    for step in STEPS:
        if step in BEFOREHAND and _found(entity.pk, day, step) is None:
            BEFOREHAND[step](entity.pk, day)
        figures[step] = _done(entity.pk, day, step, caller)
    return ClosedDay(day, figures)


def close_through(
    legal_entity_id: int,
    day: date,
    *,
    caller: Caller = THE_CLOSE,
    on_day: Callable[[ClosedDay], None] = lambda _closed: None,
) -> list[ClosedDay]:
    """Close every day not yet closed up to and including ``day``, the oldest first.

    The business date does not stop it: days that were missed, weekends and holidays included, are
    caught up one after the other. ``on_day`` hears of each as it is done.

    Raises DayNotOpen for a day before the books were opened, TooManyDays.
    """
    entity = LegalEntity.objects.get(pk=legal_entity_id)
    if day < entity.opened_date:
        raise DayNotOpen(asked_date=day, business_date=entity.business_date)
    closed = []
    next_date = _next_to_close(entity)
    if (day - next_date).days >= MAX_DAYS_AT_ONCE:
        raise TooManyDays(asked_date=day, next_date=next_date)
    while next_date <= day:
        closed.append(close_day(legal_entity_id, next_date, caller=caller))
        on_day(closed[-1])
        next_date += timedelta(days=1)
    return closed


def _next_to_close(entity: LegalEntity) -> date:
    """The first day whose last step is not done."""
    last = (
        DayStep.objects.filter(legal_entity=entity, step=LAST_STEP)
        .order_by("-date")
        .values_list("date", flat=True)
        .first()
    )
    return entity.opened_date if last is None else last + timedelta(days=1)


def _found(legal_entity_id: int, day: date, step: str) -> Figures | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT figures FROM servicing_daystep"
            " WHERE legal_entity_id = %s AND date = %s AND step = %s",
            [legal_entity_id, day, step],
        )
        found = cursor.fetchone()
    return None if found is None else json.loads(found[0])


def _done(legal_entity_id: int, day: date, step: str, caller: Caller) -> Figures:
    """The step's figures; it is carried out unless it was before.

    Of two closes of one day the second waits at each step and finds it done.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [CLOSING_LOCK, legal_entity_id])
        if (found := _found(legal_entity_id, day, step)) is not None:
            return found
        with once(
            caller,
            key=f"close:{legal_entity_id}:{day}:{step}",
            kind=f"close_{step}",
            request={"legal_entity_id": legal_entity_id, "date": day, "step": step},
        ) as act:
            figures = STEPS[step](legal_entity_id, day, act.act_id)
            act.answer(figures)
        DayStep.objects.create(
            legal_entity_id=legal_entity_id, date=day, step=step, figures=figures
        )
        return figures


def _roll(legal_entity_id: int, day: date, _act_id: int) -> Figures:
    return {"business_date": roll(legal_entity_id, closing_date=day).isoformat()}


def _rates(legal_entity_id: int, day: date, act_id: int) -> Figures:
    return reset_rates(legal_entity_id, day=day, act_id=act_id)


def _dues(legal_entity_id: int, day: date, act_id: int) -> Figures:
    """Booked in the day that is open now: the day that closes had its dues."""
    moved = move_dues(legal_entity_id, booking_date=day + timedelta(days=1), act_id=act_id)
    fees = late_fees(legal_entity_id, day=day, act_id=act_id)
    return {"moved": moved, "late_fees": fees.charged, "late_fees_taken_back": fees.taken_back}


def _accrue(legal_entity_id: int, day: date, act_id: int) -> Figures:
    accrued = accrue(legal_entity_id, day=day, act_id=act_id)
    share_night(legal_entity_id, day=day, act_id=act_id)
    return {
        each.currency: {"interest_minor": each.interest_minor, "penalty_minor": each.penalty_minor}
        for each in accrued
    }


def _sales(legal_entity_id: int, day: date, act_id: int) -> Figures:
    return sales_night(legal_entity_id, day=day, act_id=act_id)


def _delinquency(legal_entity_id: int, day: date, _act_id: int) -> Figures:
    return {"buckets": delinquency(legal_entity_id, day=day)}


def _collections(legal_entity_id: int, day: date, act_id: int) -> Figures:
    return collect(legal_entity_id, day=day, act_id=act_id)


def _classes(legal_entity_id: int, day: date, act_id: int) -> Figures:
    return classify(legal_entity_id, day=day, act_id=act_id)


def _provisions(legal_entity_id: int, day: date, act_id: int) -> Figures:
    return provide(legal_entity_id, day=day, act_id=act_id)


def _pass_turns(legal_entity_id: int, day: date) -> None:
    """Due dates of the day that is open now, and penalties that step up on it."""
    pass_turns(legal_entity_id, on=day + timedelta(days=1))


def _recompute_bases(legal_entity_id: int, day: date) -> None:
    """Bases of the day that is open now, a batch of pools at a time.

    In transactions of their own, and those that are current already are left alone: cut off, it
    goes on where it was.
    """
    on = day + timedelta(days=1)
    stale = list(
        Pool.objects.filter(legal_entity=legal_entity_id)
        .exclude(base_date=on, base_version=F("version"))
        .order_by("id")
        .values_list("id", flat=True)
    )
    for first in range(0, len(stale), POOLS_AT_A_TIME):
        recompute(stale[first : first + POOLS_AT_A_TIME], on=on)


def _bases(legal_entity_id: int, day: date, _act_id: int) -> Figures:
    """What the pools came to; a pool that has changed since is recomputed by its next draw."""
    on = day + timedelta(days=1)
    pools = Pool.objects.filter(legal_entity=legal_entity_id, base_date=on)
    totals = pools.values("currency").annotate(
        pools=Count("id"), base_minor=Sum("base_minor"), cover_minor=Sum("cover_minor")
    )
    return {
        each["currency"]: {
            "pools": each["pools"],
            "base_minor": int(each["base_minor"]),
            "cover_minor": int(each["cover_minor"]),
        }
        for each in totals.order_by("currency")
    }


def _seal(legal_entity_id: int, day: date, _act_id: int) -> Figures:
    header = seal(legal_entity_id, day)
    return {"entries": header.entry_count, "seal": header.seal().hex()}


STEPS: dict[str, Callable[[int, date, int], Figures]] = {
    "roll": _roll,
    "rates": _rates,
    "dues": _dues,
    "accrual": _accrue,
    "sales": _sales,
    "delinquency": _delinquency,
    "classes": _classes,
    "provisions": _provisions,
    "collections": _collections,
    "bases": _bases,
    "seal": _seal,
}
LAST_STEP = "seal"

BEFOREHAND: dict[str, Callable[[int, date], None]] = {
    "dues": _pass_turns,
    "bases": _recompute_bases,
}
"""What a step waits for, in transactions of its own, unless the step is done."""
