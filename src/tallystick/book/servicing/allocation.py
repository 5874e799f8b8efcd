"""Cash that belongs to facilities is swept over their live loans; nothing is written here."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import groupby, pairwise
from typing import NamedTuple

from django.db import connection

from tallystick.book.financing.programmes import terms_with
from tallystick.book.servicing.history import folded, loan_events
from tallystick.book.servicing.positions import LoanPosition
from tallystick.rules.instalment_terms import Axis
from tallystick.rules.loan_events import EventKind, LoanEvent
from tallystick.rules.loan_steps import EventOutOfOrder, advance, position_of
from tallystick.rules.loan_terms import Bucket
from tallystick.rules.loan_turns import due_date_to_meet
from tallystick.rules.settlement import (
    LoanPaid,
    OwingLoan,
    instalments_owed_in_hindsight,
    instalments_owed_on,
    owed_in_hindsight,
    owed_on,
    prepayment_down_to_cover,
    sweep,
)
from tallystick.rules.settlement_terms import SettlementTerms, Sweep

_NOT_NUMBERED_YET = 2**62
"""Ids of events that will be recorded when everything is allocated: after all that are there."""


class LockedFacility(NamedTuple):
    """A facility as it stands under lock."""

    facility_id: int
    code: str
    supplier_id: int
    pool_id: int
    currency: str
    drawn_minor: int
    settlement: SettlementTerms


class Share(NamedTuple):
    """The part of a receipt that belongs to one facility, or to ``loan_id`` alone.

    ``sweep`` says how much principal not yet due it repays; none where it pays ``only_due``. Of
    one facility the lower ``turn`` is allocated first. ``kind`` is what it is to the loans.
    """

    receipt_id: int
    facility_id: int
    loan_id: int | None
    amount_minor: int
    value_date: date
    sweep: Sweep
    turn: int = 0
    only_due: bool = False
    kind: EventKind = EventKind.RECEIVED


class Allocated(NamedTuple):
    """What one loan received of one receipt, by bucket; or, with no loan, what was left over."""

    receipt_id: int
    facility_id: int
    loan_id: int | None
    bucket: Bucket | None
    amount_minor: int
    turn: int = 0


def lock_facilities(
    legal_entity_id: int, *, supplier_ids: Iterable[int] = (), facility_ids: Iterable[int] = ()
) -> dict[int, LockedFacility]:
    """A legal entity's facilities of these suppliers, and those named, locked in order of id."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT facility.id, facility.code, facility.supplier_id, facility.pool_id,"
            " facility.currency, facility.drawn_minor, facility.programme_id"
            " FROM financing_facility AS facility"
            " WHERE facility.legal_entity_id = %s"
            " AND (facility.supplier_id = ANY(%s) OR facility.id = ANY(%s))"
            " ORDER BY facility.id FOR NO KEY UPDATE",
            [legal_entity_id, list(supplier_ids), list(facility_ids)],
        )
        rows = cursor.fetchall()
        cursor.execute(
            "SELECT id, sha256 FROM financing_programme WHERE id = ANY(%s)",
            [list({row[-1] for row in rows})],
        )
        contents = {programme_id: bytes(content) for programme_id, content in cursor.fetchall()}
    return {
        row[0]: LockedFacility(*row[:-1], terms_with(contents[row[-1]]).settlement) for row in rows
    }


def allocate(
    shares: Sequence[Share],
    *,
    facilities: Mapping[int, LockedFacility],
    covers_minor: Mapping[int, int],
    loans: Mapping[int, LoanPosition],
    booking_date: date,
) -> list[Allocated]:
    """Sweep every share over its facility's loans, facility by facility, by turn and value date.

    ``covers_minor``: what the pool of a facility covers, for those swept down to cover.
    ``loans`` are all live loans of the facilities. Amounts of a share sum to it.
    """
    loans_of: dict[int, list[LoanPosition]] = defaultdict(list)
    for loan in loans.values():
        loans_of[loan.facility_id].append(loan)
    in_turn = sorted(shares, key=lambda share: (share.facility_id, share.turn, share.value_date))
    by_facility = {
        facility_id: list(group)
        for facility_id, group in groupby(in_turn, key=lambda share: share.facility_id)
    }
    history = loan_events(
        loan.loan_id
        for facility_id, group in by_facility.items()
        for loan in loans_of[facility_id]
        if _goes_back(group, behind=loan.position.stands_from_date)
    )
    return [
        allocated
        for facility_id, group in by_facility.items()
        for allocated in _allocated(
            group,
            facilities[facility_id],
            covers_minor.get(facility_id, 0),
            {loan.loan_id: loan for loan in loans_of[facility_id]},
            history,
            booking_date,
        )
    ]


def _goes_back(shares: Sequence[Share], *, behind: date) -> bool:
    """True where a share counts from a day before what it finds there already."""
    dates = [behind, *(share.value_date for share in shares)]
    return any(later < earlier for earlier, later in pairwise(dates))


def _allocated(
    shares: Sequence[Share],
    facility: LockedFacility,
    cover_minor: int,
    loans: dict[int, LoanPosition],
    history: dict[int, list[LoanEvent]],
    booking_date: date,
) -> Iterable[Allocated]:
    drawn_minor = facility.drawn_minor
    for place, share in enumerate(shares):
        owing = [
            _owing(loan, share.value_date, facility.settlement.axis, history, booking_date)
            for loan in loans.values()
            if loan.disbursed_date <= share.value_date and share.loan_id in (None, loan.loan_id)
        ]
        swept = sweep(
            share.amount_minor,
            owing,
            order=facility.settlement.orders.of(share.kind, usual=facility.settlement.waterfall),
            axis=facility.settlement.axis,
            max_prepaid_minor=_max_prepaid_minor(share, owing, drawn_minor, cover_minor),
        )
        for paid in swept.paid:
            yield Allocated(share.receipt_id, facility.facility_id, *paid, share.turn)
            if paid.bucket in (Bucket.PRINCIPAL_DUE, Bucket.PRINCIPAL_NOT_DUE):
                drawn_minor -= paid.amount_minor
        if swept.rest_minor:
            yield Allocated(
                share.receipt_id, facility.facility_id, None, None, swept.rest_minor, share.turn
            )
        if place + 1 < len(shares):
            loans.update(_moved_on(loans, swept.paid, share, history, booking_date, place))


def _max_prepaid_minor(
    share: Share, owing: Iterable[OwingLoan], drawn_minor: int, cover_minor: int
) -> int | None:
    if share.only_due:
        return 0
    if share.sweep is Sweep.ALL:
        return None
    return prepayment_down_to_cover(
        drawn_minor=drawn_minor,
        principal_due_minor=sum(loan.owed_minor[Bucket.PRINCIPAL_DUE] for loan in owing),
        cover_minor=cover_minor,
    )


def _owing(
    loan: LoanPosition,
    on: date,
    axis: Axis,
    history: Mapping[int, Sequence[LoanEvent]],
    booking_date: date,
) -> OwingLoan:
    now = loan.position
    has_parts = axis is Axis.BY_INSTALMENT and len(now.dues) > 1
    instalments: list[dict[Bucket, int]] = []
    if on >= now.stands_from_date:
        owed_minor = owed_on(now, on)
        if has_parts:
            instalments = instalments_owed_on(now, on)
    else:
        then = position_of(loan.terms, history[loan.loan_id], on=on, known_on=booking_date)
        owed_minor = owed_in_hindsight(then, now, on)
        if has_parts:
            instalments = instalments_owed_in_hindsight(then, now, on)
    return OwingLoan(
        loan.loan_id, due_date_to_meet(now), loan.disbursed_date, owed_minor, instalments
    )


def _moved_on(
    loans: Mapping[int, LoanPosition],
    paid: Iterable[LoanPaid],
    share: Share,
    history: dict[int, list[LoanEvent]],
    booking_date: date,
    place: int,
) -> Iterable[tuple[int, LoanPosition]]:
    """The loans as the next receipt of the same facility finds them."""
    received_minor: dict[int, int] = defaultdict(int)
    for each in paid:
        received_minor[each.loan_id] += each.amount_minor
    for loan_id, amount_minor in received_minor.items():
        loan = loans[loan_id]
        event = LoanEvent(
            _NOT_NUMBERED_YET + place,
            share.kind,
            share.value_date,
            booking_date,
            amount_minor,
        )
        if loan_id in history:
            history[loan_id].append(event)
        try:
            yield loan_id, loan._replace(position=advance(loan.position, event))
        except EventOutOfOrder:
            yield loan_id, folded(loan, history[loan_id], booking_date)
