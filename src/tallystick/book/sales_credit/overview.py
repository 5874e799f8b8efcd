"""How lines and advances out of sales stand: what pages and commands show of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tallystick.book.parties.models import LegalEntity
from tallystick.book.sales_credit.lines import line_called
from tallystick.book.sales_credit.models import Advance, SalesLine
from tallystick.book.sales_credit.positions import (
    AdvanceRow,
    advances_with,
    events_of,
    folded,
)
from tallystick.book.sales_credit.repay import known_advance
from tallystick.rules.sales_pace import Cash, PaceStanding, pace_standing
from tallystick.rules.sales_share import SalesShareState


@dataclass(frozen=True, slots=True)
class AdvanceOn:
    """An advance on a day: as written, and its fold; no fold before it is paid out."""

    advance: AdvanceRow
    state: SalesShareState | None

    @property
    def pace(self) -> PaceStanding | None:
        """How it stands to its least pace; None where none runs."""
        state = self.state
        if state is None or state.terms.pace is None or not state.outstanding_minor:
            return None
        cash = [Cash(movement.value_date, movement.applied_minor) for movement in state.movements]
        return pace_standing(state.terms.pace, state.pace, cash, on=state.on)


def advance_on(advance: str, *, on: date | None = None, known_on: date | None = None) -> AdvanceOn:
    """``advance`` (its code) at the end of ``on``, today where None, as ``known_on`` a day.

    Raises UnknownAdvance, AskedTooEarly, AskedTooLate.
    """
    found = known_advance(advance)
    asked = on or LegalEntity.objects.get(pk=found.legal_entity_id).business_date
    return _on(found, asked, known_on or date.max)


def advances_on(advances: Iterable[Advance], *, on: date) -> list[AdvanceOn]:
    """These advances at the end of ``on``, in their order, as known now."""
    ids = [advance.pk for advance in advances]
    rows, events = advances_with(ids), events_of(ids)
    return [
        AdvanceOn(
            row,
            None
            if row.disbursed_date is None
            else folded(row, events[row.advance_id], on=on, known_on=date.max),
        )
        for row in (rows[advance_id] for advance_id in ids)
    ]


def _on(found: AdvanceRow, on: date, known_on: date) -> AdvanceOn:
    if found.disbursed_date is None:
        return AdvanceOn(found, None)
    events = events_of([found.advance_id])[found.advance_id]
    return AdvanceOn(found, folded(found, events, on=on, known_on=known_on))


def advances_of_line(line: str) -> tuple[SalesLine, list[AdvanceOn]]:
    """``line`` (its code) with its advances today, the latest first. Raises UnknownSalesLine."""
    found = line_called(line)
    advances = Advance.objects.filter(line=found).order_by("-id")
    return found, advances_on(advances, on=found.legal_entity.business_date)
