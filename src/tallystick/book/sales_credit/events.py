"""Record what happened to advances, and let everything that follows from it follow.

Every event is followed by a fold of all of the advance's events; a few hundred settlements take a
few milliseconds. The position, the status and what is drawn move in the caller's transaction.
Whatever the fold moves besides the cash that the events were booked with (all of a charge-off, or
earlier cash that meets fee instead of principal since a later one was back-dated) the ledger gets
as one net difference by account, booked in the open day with the value date kept.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import NamedTuple

from django.db import connection

from tallystick.book.ledger.post import post
from tallystick.book.sales_credit.positions import AdvanceRow, events_of, folded, is_settled, store
from tallystick.book.servicing.drawn import change_drawn
from tallystick.book.servicing.supplier_accounts import let_be_due, tell_of_credit
from tallystick.rules.accounting import Booking
from tallystick.rules.refusal import Refusal
from tallystick.rules.sales_accounting import advance_changed, credited
from tallystick.rules.sales_events import SalesEvent, SalesEventKind
from tallystick.rules.sales_share import SalesShareState

NOT_NUMBERED_YET = 2**62
"""Ids of events that are tried out before they are recorded: after all that are there."""

CORRECTED = "advance_corrected"
"""Event of the entry by which the ledger follows a fold that took earlier cash otherwise."""


class AdvanceEventInFuture(Refusal):
    """An event would count from a day that has not begun."""

    def __init__(self, *, code: str, value_date: date, booking_date: date) -> None:
        super().__init__(
            f"An event of advance {code} has value date {value_date}, after the open business day "
            f"{booking_date}. Record it when that day has come."
        )


class NewAdvanceEvent(NamedTuple):
    """One thing that happened to an advance; the fields are those of ``SalesEvent``.

    ``reference`` says where it comes from, such as ``receipt:REF``. ``booked`` is what the act's
    own entry credits for it, by the kinds of ``sales_accounting.credited``; debits below zero.
    """

    advance_id: int
    kind: SalesEventKind
    value_date: date
    reference: str
    act_id: int
    amount_minor: int | None = None
    share_bps: int | None = None
    reverses: int | None = None
    kept_minor: int | None = None
    booked: Mapping[str, int] = MappingProxyType({})

    def numbered(self, event_id: int, booking_date: date) -> SalesEvent:
        """The event as the rules know it."""
        return SalesEvent(
            event_id,
            self.kind,
            self.value_date,
            booking_date,
            self.amount_minor,
            self.share_bps,
            self.reverses,
            self.kept_minor,
        )


class Change(NamedTuple):
    """An advance before and after what was recorded."""

    advance: AdvanceRow
    before: SalesShareState
    after: SalesShareState


def record_events(
    advances: Mapping[int, AdvanceRow],
    events: Sequence[NewAdvanceEvent],
    *,
    booking_date: date,
    told_as: str = CORRECTED,
) -> dict[int, Change]:
    """Record ``events`` of ``advances``, read under the lock of their lines; changes by id.

    Part of the caller's transaction. ``told_as`` is the event of the entry that books what the fold
    moves beyond what the events were ``booked`` with.

    Raises AdvanceEventInFuture, and what ``rules.sales_share.fold_sales_share`` raises.
    """
    if not events:
        return {}
    for event in events:
        if event.value_date > booking_date:
            raise AdvanceEventInFuture(
                code=advances[event.advance_id].code,
                value_date=event.value_date,
                booking_date=booking_date,
            )
    new: dict[int, list[NewAdvanceEvent]] = defaultdict(list)
    for event in events:
        new[event.advance_id].append(event)
    known = events_of(new)
    numbered = _inserted(events, booking_date)
    changes = {}
    for advance_id, told in new.items():
        advance = advances[advance_id]
        before = folded(advance, known[advance_id], on=booking_date)
        after = folded(advance, [*known[advance_id], *numbered[advance_id]], on=booking_date)
        change = changes[advance_id] = Change(advance, before, after)
        store(advance, after, booking_date=booking_date)
        _follow(change, told, booking_date, told_as)
    _write_statuses(changes, booking_date)
    drawn_minor: dict[int, int] = defaultdict(int)
    for change in changes.values():
        drawn_minor[change.advance.line_id] += (
            change.after.principal_minor - change.before.principal_minor
        )
    change_drawn(drawn_minor, holder="sales_credit_salesline")
    return changes


def _inserted(events: Sequence[NewAdvanceEvent], booking_date: date) -> dict[int, list[SalesEvent]]:
    numbered: dict[int, list[SalesEvent]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO sales_credit_advanceevent (advance_id, kind, value_date, booking_date,"
            " amount_minor, kept_minor, share_bps, reverses_id, reference, act_id)"
            " SELECT advance_id, kind, value_date, %s, amount_minor, kept_minor, share_bps,"
            " reverses, reference, act_id"
            " FROM unnest(%s::bigint[], %s::text[], %s::date[], %s::bigint[], %s::bigint[],"
            " %s::integer[], %s::bigint[], %s::text[], %s::bigint[]) WITH ORDINALITY AS event"
            " (advance_id, kind, value_date, amount_minor, kept_minor, share_bps, reverses,"
            " reference, act_id, place)"
            " ORDER BY place RETURNING id",
            [
                booking_date,
                [event.advance_id for event in events],
                [str(event.kind) for event in events],
                [event.value_date for event in events],
                [event.amount_minor for event in events],
                [event.kept_minor for event in events],
                [event.share_bps for event in events],
                [event.reverses for event in events],
                [event.reference for event in events],
                [event.act_id for event in events],
            ],
        )
        for event, (event_id,) in zip(events, cursor.fetchall(), strict=True):
            numbered[event.advance_id].append(event.numbered(event_id, booking_date))
    return numbered


def _follow(
    change: Change, told: Sequence[NewAdvanceEvent], booking_date: date, told_as: str
) -> None:
    """The ledger and the merchant's credit follow the fold."""
    advance = change.advance
    changes_minor = credited(change.after)
    for kind, minor in credited(change.before).items():
        changes_minor[kind] -= minor
    for event in told:
        for kind, minor in event.booked.items():
            changes_minor[kind] -= minor
    entry = advance_changed(
        Booking(
            legal_entity_id=advance.legal_entity_id,
            currency=advance.currency,
            reference=advance.reference,
            value_date=min(event.value_date for event in told),
            booking_date=booking_date,
        ),
        told_as,
        book=advance.book_id,
        party=advance.merchant_id,
        changes_minor=changes_minor,
    )
    act_id = told[0].act_id
    if entry is not None:
        post(entry, act_id=act_id)
    party = (advance.merchant_id, advance.currency)
    more_minor = change.after.credit_minor - change.before.credit_minor
    if more_minor > 0:
        tell_of_credit(advance.legal_entity_id, {party}, because=advance.reference, on=booking_date)
    elif more_minor < 0:
        let_be_due(
            advance.legal_entity_id,
            {party},
            reference=advance.reference,
            booking_date=booking_date,
            act_id=act_id,
        )


def status_of(state: SalesShareState) -> str:
    """What a fold says an advance is: live, settled or charged off."""
    if not is_settled(state):
        return "live"
    return "settled" if state.charged_off_date is None else "charged_off"


def _write_statuses(changes: Mapping[int, Change], booking_date: date) -> None:
    """Whatever has changed is looked at by the close of the day."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE sales_credit_advance AS advance SET status = told.status,"
            " look_date = least(look_date, %s)"
            " FROM unnest(%s::bigint[], %s::text[]) AS told (id, status)"
            " WHERE advance.id = told.id",
            [
                booking_date,
                list(changes),
                [status_of(change.after) for change in changes.values()],
            ],
        )
