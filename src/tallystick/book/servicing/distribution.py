"""Cash that paid claims goes where those claims stand as security, and the rest to the supplier."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date

from tallystick.book.collateral.bases import recompute
from tallystick.book.servicing.allocation import Allocated, LockedFacility, Share, allocate
from tallystick.book.servicing.lines import CREDIT, RESIDUAL, Line
from tallystick.book.servicing.positions import LoanPosition, live_positions
from tallystick.book.servicing.remittance import Remitted
from tallystick.book.servicing.sweep_others import sweep_others, taking_part
from tallystick.rules.cross_sweep import parted
from tallystick.rules.settlement_terms import Sweep


def distribute(
    remitted: Sequence[Remitted],
    facilities: Mapping[int, LockedFacility],
    business_date: date,
) -> tuple[list[Line], dict[int, LoanPosition]]:
    """Where all that was applied to claims goes, and the loans that were looked at.

    The claims are paid already: a facility that is swept down to its cover is measured by the
    cover that is left. What a facility's loans leave of its part meets those of the supplier's
    other facilities, where their programmes let it; a part that is held back is kept as credit.
    """
    shares_minor: dict[tuple[int, date, int], int] = defaultdict(int)
    unsecured_minor: dict[tuple[int, int], int] = defaultdict(int)
    for each in remitted:
        if each.facility_id is not None:
            shares_minor[each.receipt_id, each.value_date, each.facility_id] += each.applied_minor
        elif each.supplier_id is not None:
            unsecured_minor[each.receipt_id, each.supplier_id] += each.applied_minor
    shares = []
    lines = []
    for (receipt_id, value_date, facility_id), amount_minor in shares_minor.items():
        facility = facilities[facility_id]
        parts = parted(amount_minor, facility.settlement)
        shares.append(
            Share(
                receipt_id,
                facility_id,
                None,
                parts.swept_minor,
                value_date,
                facility.settlement.sweep,
            )
        )
        lines += [
            Line(receipt_id, facility.supplier_id, facility_id, None, bucket, part_minor)
            for bucket, part_minor in (
                (CREDIT, parts.held_back_minor),
                (RESIDUAL, parts.free_minor),
            )
            if part_minor
        ]
    swept = {share.facility_id: facilities[share.facility_id] for share in shares}
    others = taking_part(facilities.values(), suppliers={f.supplier_id for f in swept.values()})
    loans = live_positions([*swept, *(each for each in others if each not in swept)])
    covers_minor = _covers_minor(swept, business_date)
    allocated = allocate(
        shares,
        facilities=swept,
        covers_minor=covers_minor,
        loans=loans,
        booking_date=business_date,
    )
    if others:
        allocated = sweep_others(
            shares,
            allocated,
            facilities=facilities,
            others=others,
            covers_minor=covers_minor,
            loans=loans,
            booking_date=business_date,
        )
    lines += [_line(each, facilities[each.facility_id]) for each in allocated]
    lines += [
        Line(receipt_id, supplier_id, None, None, RESIDUAL, amount_minor)
        for (receipt_id, supplier_id), amount_minor in unsecured_minor.items()
    ]
    return lines, loans


def _covers_minor(facilities: Mapping[int, LockedFacility], on: date) -> dict[int, int]:
    """What the pools still cover, where that bounds the sweep."""
    bounded = [each for each in facilities.values() if each.settlement.sweep is Sweep.COVER]
    if not bounded:
        return {}
    bases = recompute([each.pool_id for each in bounded], on=on)
    return {each.facility_id: bases[each.pool_id].cover_minor for each in bounded}


def _line(allocated: Allocated, facility: LockedFacility) -> Line:
    return Line(
        allocated.receipt_id,
        facility.supplier_id,
        allocated.facility_id,
        allocated.loan_id,
        allocated.bucket or RESIDUAL,
        allocated.amount_minor,
    )
