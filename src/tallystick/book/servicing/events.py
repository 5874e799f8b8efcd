"""Record what happened to loans, and let everything that follows from it follow.

An event that comes last in the order of value dates advances the loan's position; any other one
is followed by a fold of all its events. Either way the position, the loan's status and what is
drawn on its facility, programme and funding line move in the caller's transaction. Where a refold
lets cash that was received earlier meet other debts, the ledger gets the net difference, booked
in the open day with the value date kept.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from django.db import connection

from tallystick.book.columns import plain
from tallystick.book.servicing.changes import Change, NewLoanEvent
from tallystick.book.servicing.corrections import post_corrections
from tallystick.book.servicing.drawn import change_drawn
from tallystick.book.servicing.history import as_event, folded, loan_events
from tallystick.book.servicing.positions import LoanPosition, is_settled, positions_of
from tallystick.book.servicing.shares import (
    PrincipalMoved,
    Touched,
    Transfers,
    lines_moved,
    settle_shares,
    transfers_of,
)
from tallystick.book.servicing.store_positions import store
from tallystick.rules.loan_events import PLACE_IN_DAY, EventKind, LoanEvent
from tallystick.rules.loan_position import Position
from tallystick.rules.loan_shares import shares_after
from tallystick.rules.loan_steps import EventOutOfOrder, advance
from tallystick.rules.refusal import Refusal

__all__ = ["Change", "EventInFuture", "NewLoanEvent", "record_events", "record_on"]


class EventInFuture(Refusal):
    """An event would count from a day that has not begun."""

    def __init__(self, *, code: str, value_date: date, booking_date: date) -> None:
        self.value_date = value_date
        self.booking_date = booking_date
        super().__init__(
            f"An event of loan {code} has value date {value_date}, after the open business day "
            f"{booking_date}. Record it when that day has come."
        )


def record_events(events: Sequence[NewLoanEvent], *, booking_date: date) -> dict[int, Change]:
    """Record ``events`` in the caller's transaction; returns each loan's change by loan id.

    The caller holds the locks of the loans' facilities and posts the entries of the events
    themselves; what a refold moves besides is posted here.

    Raises EventInFuture, and what ``rules.loan_position.position_of`` raises.
    """
    return record_on(
        positions_of({event.loan_id for event in events}), events, booking_date=booking_date
    )


def record_on(
    loans: Mapping[int, LoanPosition], events: Sequence[NewLoanEvent], *, booking_date: date
) -> dict[int, Change]:
    """As ``record_events``, for loans that the caller has read under lock."""
    if not events:
        return {}
    _refuse_future(loans, events, booking_date)
    new = defaultdict(list)
    for event, recorded in zip(events, _inserted(events, booking_date), strict=True):
        new[event.loan_id].append(recorded)
    advanced = {loan_id: _advanced(loans[loan_id], new[loan_id]) for loan_id in new}
    refolded = _refolded(
        [loans[loan_id] for loan_id, after in advanced.items() if after is None], booking_date
    )
    changes = {
        loan_id: Change(loans[loan_id], _with_status(refolded.get(loan_id) or advanced[loan_id]))
        for loan_id in new
    }
    store([change.after for change in changes.values()], booking_date=booking_date)
    _write_statuses(changes.values())
    _write_due_dates(changes.values())
    transfers = transfers_of(changes)
    _move_drawn(changes, events, transfers)
    post_corrections(changes, events, booking_date)
    _pass_on(changes, events, transfers, booking_date)
    return changes


def _refuse_future(
    loans: Mapping[int, LoanPosition], events: Iterable[NewLoanEvent], booking_date: date
) -> None:
    for event in events:
        if event.value_date > booking_date:
            raise EventInFuture(
                code=loans[event.loan_id].code,
                value_date=event.value_date,
                booking_date=booking_date,
            )


def _inserted(events: Sequence[NewLoanEvent], booking_date: date) -> list[LoanEvent]:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO servicing_loanevent (loan_id, kind, value_date, booking_date,"
            " amount_minor, annual_rate_ppb, reverses_id, days, due_date, to_date, waives,"
            " reference, act_id)"
            " SELECT loan_id, kind, value_date, %s, amount_minor, annual_rate_ppb, reverses, days,"
            " due_date, to_date, waives, reference, act_id"
            " FROM unnest(%s::bigint[], %s::text[], %s::date[], %s::bigint[], %s::bigint[],"
            " %s::bigint[], %s::integer[], %s::date[], %s::date[], %s::text[], %s::text[],"
            " %s::bigint[]) WITH ORDINALITY AS event"
            " (loan_id, kind, value_date, amount_minor, annual_rate_ppb, reverses, days, due_date,"
            " to_date, waives, reference, act_id, place)"
            " ORDER BY place RETURNING id",
            [
                booking_date,
                plain([event.loan_id for event in events]),
                plain([event.kind for event in events]),
                plain([event.value_date for event in events]),
                plain([event.amount_minor for event in events]),
                plain([event.annual_rate_ppb for event in events]),
                plain([event.reverses for event in events]),
                plain([event.days for event in events]),
                plain([event.due_date for event in events]),
                plain([event.to_date for event in events]),
                plain([event.waives for event in events]),
                [event.reference for event in events],
                plain([event.act_id for event in events]),
            ],
        )
        ids = [row[0] for row in cursor.fetchall()]
    return [
        as_event(
            event_id,
            event.kind,
            event.value_date,
            booking_date,
            event.amount_minor,
            event.annual_rate_ppb,
            event.reverses,
            event.days,
            event.due_date,
            event.to_date,
            event.waives,
        )
        for event_id, event in zip(ids, events, strict=True)
    ]


def _advanced(loan: LoanPosition, new: list[LoanEvent]) -> LoanPosition | None:
    """The loan after its new events; None where only a fold of all events can tell."""
    if loan.position is None:
        return None
    new.sort(key=lambda event: (event.value_date, PLACE_IN_DAY[event.kind], event.event_id))
    position = loan.position
    try:
        for event in new:
            position = advance(position, event)
    except EventOutOfOrder:
        return None
    return loan._replace(position=position)


def _refolded(loans: Sequence[LoanPosition], booking_date: date) -> dict[int, LoanPosition]:
    if not loans:
        return {}
    events = loan_events([loan.loan_id for loan in loans])
    return {loan.loan_id: folded(loan, events[loan.loan_id], booking_date) for loan in loans}


def _with_status(loan: LoanPosition) -> LoanPosition:
    assert loan.position is not None
    if not is_settled(loan.position):
        return loan._replace(status="live")
    is_charged_off = loan.position.charged_off_date is not None
    return loan._replace(status="charged_off" if is_charged_off else "settled")


def _write_statuses(changes: Iterable[Change]) -> None:
    for status in ("live", "settled", "charged_off"):
        loan_ids = [
            change.after.loan_id
            for change in changes
            if change.after.status == status != change.before.status
        ]
        if loan_ids:
            with connection.cursor() as cursor:
                cursor.execute(
                    "UPDATE financing_loan SET status = %s WHERE id = ANY(%s)", [status, loan_ids]
                )


def _write_due_dates(changes: Iterable[Change]) -> None:
    """The loan shows its due date; the one first agreed is kept, for folds begin from it.

    Those with several due dates show theirs where their plan is kept.
    """
    moved = [
        (change.after.loan_id, change.after.position.dues[-1].due_date)
        for change in changes
        if change.after.terms.agreed_plan is None
        and change.after.position.dues[-1].due_date != _due_date(change.before)
    ]
    if moved:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE financing_loan AS loan SET due_date = moved.due_date,"
                " agreed_due_date = coalesce(agreed_due_date, loan.due_date),"
                " due_date_provisional = false"
                " FROM unnest(%s::bigint[], %s::date[]) AS moved (id, due_date)"
                " WHERE loan.id = moved.id",
                [[loan_id for loan_id, _ in moved], [due_date for _, due_date in moved]],
            )


def _due_date(loan: LoanPosition) -> date:
    return loan.terms.maturity if loan.position is None else loan.position.dues[-1].due_date


def _move_drawn(
    changes: Mapping[int, Change], events: Iterable[NewLoanEvent], transfers: Transfers
) -> None:
    """What is drawn follows principal; a payout was drawn already while it was under way."""
    drawn_minor: dict[int, int] = defaultdict(int)
    for change in changes.values():
        drawn_minor[change.after.facility_id] += _principal_minor(change.after.position)
        drawn_minor[change.before.facility_id] -= _principal_minor(change.before.position)
    for event in events:
        if event.kind is EventKind.DISBURSED:
            assert event.amount_minor is not None
            drawn_minor[changes[event.loan_id].after.facility_id] -= event.amount_minor
    change_drawn(drawn_minor, lines_moved(_principal_moves(changes, transfers)))


def _principal_moves(changes: Mapping[int, Change], transfers: Transfers) -> list[PrincipalMoved]:
    """Principal of which others hold shares, as it was and as it is."""
    moves = []
    for loan_id, sold in transfers.items():
        change, shares = changes[loan_id], shares_after(sold)
        moves.append(
            PrincipalMoved(
                change.after.facility_id,
                _principal_minor(change.before.position),
                shares,
                _principal_minor(change.after.position),
                shares,
            )
        )
    return moves


def _pass_on(
    changes: Mapping[int, Change],
    events: Iterable[NewLoanEvent],
    transfers: Transfers,
    booking_date: date,
) -> None:
    """What came in, or was lost, of loans with shares sold is their holders' in part."""
    touching: dict[int, NewLoanEvent] = {}
    for event in events:
        first = touching.setdefault(event.loan_id, event)
        if event.value_date < first.value_date:
            touching[event.loan_id] = event
    settle_shares(
        [
            Touched(changes[loan_id].after, touching[loan_id].value_date, touching[loan_id].act_id)
            for loan_id in transfers
        ],
        transfers,
        booking_date=booking_date,
    )


def _principal_minor(position: Position | None) -> int:
    return 0 if position is None else position.principal_minor
