"""How far the closing of days has come, and a close that runs on its own.

The progress is the rows that the steps leave (``DayStep``): whoever looks sees the same, in
whatever process the close runs.
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller
from tallystick.book.parties.models import LegalEntity
from tallystick.book.servicing.close import LAST_STEP, STEPS, close_through
from tallystick.book.servicing.models import DayStep
from tallystick.book.watch.alone import CLOSE_RUN_LOCK, alone, is_running
from tallystick.book.watch.worklist import NewItem, close_items, open_items

CLOSE_FAILED = "close_failed"
"""Kind of the work item that a close leaves which came to no end."""


@dataclass(frozen=True, slots=True)
class StepDone:
    """A step of a day's close. ``figures`` is None while it is not done."""

    step: str
    figures: dict[str, Any] | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class DayClosing:
    """A day with all of its steps; ``duration`` from its first step's beginning to its last's end.

    A close that was cut off and continued took as long as that. None: not closed, or not known.
    """

    date: date
    steps: list[StepDone]
    asked_by: str
    duration: timedelta | None

    @property
    def is_closed(self) -> bool:
        return self.steps[-1].figures is not None

    @property
    def finished_at(self) -> datetime | None:
        return self.steps[-1].finished_at

    @property
    def done_count(self) -> int:
        return sum(step.figures is not None for step in self.steps)


def is_closing(legal_entity_id: int) -> bool:
    return is_running(CLOSE_RUN_LOCK, legal_entity_id)


def next_to_close(entity: LegalEntity) -> date:
    """The first day that is not closed to its last step."""
    last = (
        DayStep.objects.filter(legal_entity=entity, step=LAST_STEP)
        .order_by("-date")
        .values_list("date", flat=True)
        .first()
    )
    return entity.opened_date if last is None else last + timedelta(days=1)


def day_closings(
    legal_entity_id: int, *, before_date: date | None = None, limit: int
) -> list[DayClosing]:
    """Days of which at least one step is done, the latest first; those before a date if given."""
    rows = DayStep.objects.filter(legal_entity=legal_entity_id)
    if before_date is not None:
        rows = rows.filter(date__lt=before_date)
    days = list(rows.filter(step="roll").order_by("-date").values_list("date", flat=True)[:limit])
    return _closings(legal_entity_id, days)


def day_closing(legal_entity_id: int, day: date) -> DayClosing:
    """One day with its steps, done or not."""
    (closing,) = _closings(legal_entity_id, [day])
    return closing


def _closings(legal_entity_id: int, days: list[date]) -> list[DayClosing]:
    done: dict[date, dict[str, DayStep]] = defaultdict(dict)
    for row in DayStep.objects.filter(legal_entity=legal_entity_id, date__in=days):
        done[row.date][row.step] = row
    begun = {
        key: (at, actor)
        for key, at, actor in Act.objects.filter(
            owner="system", key__in=[f"close:{legal_entity_id}:{day}:roll" for day in days]
        ).values_list("key", "at", "actor")
    }
    closings = []
    for day in days:
        began_at, asked_by = begun.get(f"close:{legal_entity_id}:{day}:roll", (None, ""))
        steps = [
            StepDone(step, row and row.figures, row and row.finished_at)
            for step in STEPS
            for row in [done[day].get(step)]
        ]
        ended_at = steps[-1].finished_at
        duration = ended_at - began_at if began_at and ended_at else None
        closings.append(DayClosing(day, steps, asked_by, duration))
    return closings


def close_alone(
    legal_entity_id: int,
    through: date,
    *,
    caller: Caller,
    on_started: Callable[[], None] = lambda: None,
) -> bool:
    """Close the days through ``through`` unless somebody else is doing it; whether this one did.

    ``on_started`` is called once it has begun, or is known not to. What stops it goes to the
    worklist, where the next close that ends takes it off again. Started anew it goes on after
    the last step that was done.
    """
    with alone(CLOSE_RUN_LOCK, legal_entity_id) as is_ours:
        on_started()
        if not is_ours:
            return False
        entity = LegalEntity.objects.get(pk=legal_entity_id)
        subject = f"close:{entity.code}"
        try:
            close_through(legal_entity_id, through, caller=caller)
        except Exception as error:
            open_items(
                legal_entity_id,
                [
                    NewItem(
                        CLOSE_FAILED, subject, {"through": str(through), "why": str(error)[:500]}
                    )
                ],
                on=entity.business_date,
            )
            raise
        close_items(
            legal_entity_id,
            CLOSE_FAILED,
            subject,
            who=caller.actor,
            resolution=f"closed through {through}",
        )
    return True
