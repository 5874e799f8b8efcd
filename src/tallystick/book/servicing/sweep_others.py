"""What a settlement leaves meets the loans of the supplier's other facilities, in turn."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from tallystick.book.servicing.allocation import Allocated, LockedFacility, Share, allocate
from tallystick.book.servicing.positions import LoanPosition
from tallystick.rules.cross_sweep import Turn, turns
from tallystick.rules.settlement_terms import Others, Sweep


def taking_part(
    facilities: Iterable[LockedFacility], *, suppliers: set[int]
) -> dict[int, LockedFacility]:
    """The facilities of these suppliers whose loans settlements of others may repay, by id."""
    return {
        each.facility_id: each
        for each in facilities
        if each.supplier_id in suppliers and each.settlement.others is not Others.NONE
    }


def sweep_others(
    own: Sequence[Share],
    allocated: Sequence[Allocated],
    *,
    facilities: Mapping[int, LockedFacility],
    others: Mapping[int, LockedFacility],
    covers_minor: Mapping[int, int],
    loans: Mapping[int, LoanPosition],
    booking_date: date,
) -> list[Allocated]:
    """``allocated``, the result of the shares ``own``, with its rests met by other facilities.

    A facility's own settlements of the batch come first, then the rests of others in the order
    given. The amounts of each receipt sum to what they did.
    """
    shares_of: dict[int, list[Share]] = defaultdict(list)
    for share in own:
        shares_of[share.facility_id].append(share)
    value_dates = {share.receipt_id: share.value_date for share in own}
    loans_of: dict[int, dict[int, LoanPosition]] = defaultdict(dict)
    for loan_id, loan in loans.items():
        loans_of[loan.facility_id][loan_id] = loan

    met: list[Allocated] = []
    turn = 0
    for each in allocated:
        if each.loan_id is not None:
            met.append(each)
            continue
        rest_minor = each.amount_minor
        for facility_id in _in_turn(facilities[each.facility_id], others):
            if not rest_minor or not loans_of[facility_id]:
                continue
            turn += 1
            share = Share(
                each.receipt_id,
                facility_id,
                None,
                rest_minor,
                value_dates[each.receipt_id],
                Sweep.ALL,
                turn,
                only_due=others[facility_id].settlement.others is Others.DUE,
            )
            paid = [
                found
                for found in allocate(
                    [*shares_of[facility_id], share],
                    facilities=facilities,
                    covers_minor=covers_minor,
                    loans=loans_of[facility_id],
                    booking_date=booking_date,
                )
                if found.turn == turn and found.loan_id is not None
            ]
            paid_minor = sum(found.amount_minor for found in paid)
            if paid_minor:
                met += paid
                shares_of[facility_id].append(share._replace(amount_minor=paid_minor))
                rest_minor -= paid_minor
        if rest_minor:
            met.append(each._replace(amount_minor=rest_minor))
    return met


def _in_turn(own: LockedFacility, others: Mapping[int, LockedFacility]) -> list[int]:
    """The supplier's other facilities in this currency, in the order of their turns."""
    same = [
        Turn(each.facility_id, each.settlement)
        for each in others.values()
        if (each.supplier_id, each.currency) == (own.supplier_id, own.currency)
    ]
    return [each.facility_id for each in turns(own.facility_id, same)]
