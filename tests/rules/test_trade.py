"""A unit of trade counts once, at its latest stage."""

from collections import defaultdict
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.rules.frames import STAGES
from tallystick.rules.trade import (
    NOTHING,
    Cancellation,
    Correction,
    Part,
    Reduction,
    Standing,
    Unit,
    corrections,
    counted_minor,
    days_of_change,
    live_faces,
    standings,
)

DAY = date(2026, 3, 2)


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def part(name: str, stage: str, amount_minor: int, *, of: str | None = None, on: int = 0) -> Part:
    predecessor = of.encode() if of else None
    return Part(name.encode(), stage, day(on), amount_minor, predecessor)


def faces(*parts: Part) -> dict[str, int]:
    return {key.decode(): face for key, face in live_faces(parts).items()}


ORDER = part("order", "order", 100)


# --- clause by clause ---------------------------------------------------------------------------


def test_an_order_counts_until_something_fulfils_it():
    assert faces(ORDER) == {"order": 100}


def test_a_receipt_moves_its_part_of_the_order_and_the_remainder_stays():
    assert faces(ORDER, part("receipt", "receipt", 60, of="order")) == {"order": 40, "receipt": 60}


def test_each_stage_telescopes_into_the_next():
    assert faces(
        ORDER,
        part("receipt", "receipt", 60, of="order", on=1),
        part("invoice", "invoice", 50, of="receipt", on=2),
        part("statement", "settlement", 45, of="invoice", on=3),
    ) == {"order": 40, "receipt": 10, "invoice": 5, "statement": 45}


def test_more_received_than_ordered_counts_what_was_received():
    assert faces(ORDER, part("receipt", "receipt", 120, of="order")) == {
        "order": 0,
        "receipt": 120,
    }


def test_an_invoice_larger_than_its_receipt_takes_the_rest_from_the_order():
    assert faces(
        ORDER,
        part("receipt", "receipt", 50, of="order"),
        part("invoice", "invoice", 80, of="receipt"),
    ) == {"order": 20, "receipt": 0, "invoice": 80}


def test_an_invoice_larger_than_its_receipt_takes_from_other_receipts_when_the_order_is_used_up():
    assert faces(
        ORDER,
        part("receipt 1", "receipt", 50, of="order"),
        part("receipt 2", "receipt", 50, of="order"),
        part("invoice", "invoice", 80, of="receipt 1"),
    ) == {"order": 0, "receipt 1": 0, "receipt 2": 20, "invoice": 80}


def test_a_receipt_and_an_invoice_that_both_name_the_order_count_as_one_delivery():
    assert faces(
        ORDER,
        part("receipt", "receipt", 100, of="order"),
        part("invoice", "invoice", 100, of="order"),
    ) == {"order": 0, "receipt": 0, "invoice": 100}


def test_what_is_double_is_taken_off_the_oldest_document_of_the_earliest_stage():
    assert faces(
        ORDER,
        part("younger", "receipt", 60, of="order", on=2),
        part("older", "receipt", 40, of="order", on=1),
        part("invoice", "invoice", 30, of="order", on=3),
    ) == {"order": 0, "older": 10, "younger": 60, "invoice": 30}


def test_a_statement_on_one_receipt_leaves_the_invoice_on_another_alone():
    assert faces(
        ORDER,
        part("receipt 1", "receipt", 50, of="order"),
        part("receipt 2", "receipt", 50, of="order"),
        part("invoice", "invoice", 30, of="receipt 1"),
        part("statement", "settlement", 30, of="receipt 2"),
    ) == {"order": 0, "receipt 1": 20, "receipt 2": 20, "invoice": 30, "statement": 30}


def standing_of(unit: Unit, name: str, *, on: int) -> tuple[int, int, int]:
    standing = standings(unit, on=day(on))[name.encode()]
    return standing.face_minor, standing.paid_minor, standing.diluted_minor


def test_a_cancelled_part_of_an_order_no_longer_counts_from_its_date_on():
    unit = Unit([ORDER], [Cancellation(b"order", day(5), 30)])

    assert standing_of(unit, "order", on=4) == (100, 0, 0)
    assert standing_of(unit, "order", on=5) == (70, 0, 0)


def test_a_cancellation_larger_than_its_document_cancels_all_of_it():
    unit = Unit([ORDER], [Cancellation(b"order", day(5), 300)])

    assert standing_of(unit, "order", on=5) == (0, 0, 0)


def test_a_cancelled_invoice_gives_back_what_it_had_taken_from_the_receipt():
    unit = Unit(
        [part("receipt", "receipt", 100), part("invoice", "invoice", 80, of="receipt")],
        [Cancellation(b"invoice", day(3), 80)],
    )

    assert standing_of(unit, "receipt", on=2) == (20, 0, 0)
    assert standing_of(unit, "receipt", on=3) == (100, 0, 0)


def test_a_cancellation_cannot_take_back_what_was_already_paid():
    unit = Unit(
        [ORDER], [Cancellation(b"order", day(5), 80)], [Reduction(b"order", day(1), paid_minor=50)]
    )

    assert standing_of(unit, "order", on=5) == (50, 50, 0)


def test_money_received_on_an_order_moves_along_when_the_goods_are_received():
    unit = Unit(
        [ORDER, part("receipt", "receipt", 70, of="order", on=3)],
        reductions=[Reduction(b"order", day(1), paid_minor=50)],
    )

    assert standing_of(unit, "order", on=1) == (100, 50, 0)
    assert standing_of(unit, "order", on=3) == (30, 30, 0)
    assert standing_of(unit, "receipt", on=3) == (70, 20, 0)


def test_money_received_on_an_invoice_goes_back_to_the_receipt_when_the_invoice_is_cancelled():
    unit = Unit(
        [
            ORDER,
            part("receipt", "receipt", 60, of="order", on=1),
            part("invoice", "invoice", 60, of="receipt", on=2),
        ],
        [Cancellation(b"invoice", day(5), 60)],
        [Reduction(b"invoice", day(3), paid_minor=60)],
    )

    assert standing_of(unit, "invoice", on=5) == (0, 0, 0)
    assert standing_of(unit, "receipt", on=5) == (60, 60, 0)
    assert standing_of(unit, "order", on=5) == (40, 0, 0)


def test_a_credit_moves_along_behind_the_money():
    unit = Unit(
        [ORDER, part("receipt", "receipt", 90, of="order", on=3)],
        reductions=[Reduction(b"order", day(1), paid_minor=8, diluted_minor=20)],
    )

    assert standing_of(unit, "order", on=3) == (10, 8, 2)
    assert standing_of(unit, "receipt", on=3) == (90, 0, 18)


def test_a_reversed_payment_has_never_been():
    unit = Unit(
        [ORDER],
        reductions=[
            Reduction(b"order", day(1), paid_minor=50),
            Reduction(b"order", day(1), paid_minor=-50),
        ],
    )

    assert standing_of(unit, "order", on=1) == (100, 0, 0)


def test_a_document_is_not_paid_before_it_is_issued():
    unit = Unit(
        [part("invoice", "invoice", 100, on=4)],
        reductions=[Reduction(b"invoice", day(1), paid_minor=30)],
    )

    assert standing_of(unit, "invoice", on=3) == (0, 0, 0)
    assert standing_of(unit, "invoice", on=4) == (100, 30, 0)


def test_a_receipt_that_arrives_after_its_invoice_corrects_the_days_between():
    order, invoice = ORDER, part("invoice", "invoice", 80, of="order", on=20)
    receipt = part("receipt", "receipt", 70, of="order", on=10)
    recorded = as_record(corrections(Unit([order, invoice]), {}, since=DAY))

    found = corrections(Unit([order, invoice, receipt]), recorded, since=receipt.issue_date)

    assert {(c.key.decode(), (c.date - DAY).days): c.change.face_minor for c in found} == {
        ("order", 10): -70,
        ("receipt", 10): 70,
        ("order", 20): 50,  # it had lost 80 to the invoice; now it loses only what is left
        ("receipt", 20): -50,
    }


# --- laws ---------------------------------------------------------------------------------------

amounts = st.integers(min_value=1, max_value=200)
days = st.integers(min_value=0, max_value=6).map(day)


@st.composite
def trees(draw: st.DrawFn) -> list[Part]:
    """A root and up to eight documents, each naming one of an earlier stage."""
    stages = draw(st.lists(st.sampled_from(STAGES[1:]), max_size=8))
    parts = [Part(b"0", "order", draw(days), draw(amounts))]
    for number, stage in enumerate(stages, start=1):
        earlier = [p for p in parts if STAGES.index(p.stage) < STAGES.index(stage)]
        named = draw(st.sampled_from(earlier))
        parts.append(Part(str(number).encode(), stage, draw(days), draw(amounts), named.key))
    return parts


@st.composite
def units(draw: st.DrawFn) -> Unit:
    parts = draw(trees())
    keys = st.sampled_from([p.key for p in parts])
    cancellations = draw(st.lists(st.builds(Cancellation, keys, days, amounts), max_size=3))
    small = st.integers(min_value=0, max_value=60)
    reductions = draw(st.lists(st.builds(Reduction, keys, days, small, small), max_size=4))
    return Unit(parts, cancellations, reductions)


def documented_minor(unit: Unit, *, on: date) -> int:
    """max(ordered, received, invoiced, settled) up to a day, read off the documents one by one."""
    by_stage = defaultdict(int)
    for p in unit.parts:
        if p.issue_date <= on:
            cancelled = sum(
                c.amount_minor for c in unit.cancellations if c.of == p.key and c.date <= on
            )
            by_stage[p.stage] += max(0, p.amount_minor - cancelled)
    return max(by_stage.values(), default=0)


@given(trees())
def test_the_live_faces_of_a_unit_sum_to_the_largest_of_its_stages(parts):
    assert sum(live_faces(parts).values()) == documented_minor(Unit(parts), on=day(99))


@given(trees())
def test_no_document_counts_less_than_nothing_or_more_than_it_says(parts):
    live = live_faces(parts)

    assert all(0 <= live[p.key] <= p.amount_minor for p in parts)


@given(trees())
def test_what_stands_below_a_document_never_counts_more_than_its_own_stages_allow(parts):
    live = live_faces(parts)

    for p in parts:
        below = {p.key}
        for other in sorted(parts, key=lambda o: o.age):
            if other.predecessor in below:
                below.add(other.key)
        within = [other for other in parts if other.key in below]
        assert sum(live[key] for key in below) <= counted_minor(within)


@given(trees(), st.data())
def test_the_order_in_which_documents_arrive_plays_no_part(parts, data):
    shuffled = data.draw(st.permutations(parts))

    assert live_faces(shuffled) == live_faces(parts)


@given(units())
def test_the_law_holds_on_every_day_for_every_claim_that_is_still_live(unit):
    for on in sorted(days_of_change(unit)):
        live_minor = sum(
            standing.face_minor
            for standing in standings(unit, on=on).values()
            if standing.outstanding_minor > 0
        )
        assert live_minor <= documented_minor(unit, on=on)


@given(units())
def test_face_always_covers_what_is_paid_and_diluted(unit):
    for on in sorted(days_of_change(unit)):
        for standing in standings(unit, on=on).values():
            assert standing.paid_minor >= 0
            assert standing.diluted_minor >= 0
            assert standing.outstanding_minor >= 0


@given(units())
def test_no_payment_and_no_credit_is_lost_or_made_by_moving_along(unit):
    issued = {p.key: p.issue_date for p in unit.parts}
    for on in sorted(days_of_change(unit)):
        booked = [r for r in unit.reductions if max(r.date, issued[r.of]) <= on]
        standing = standings(unit, on=on).values()
        assert sum(s.paid_minor for s in standing) == sum(r.paid_minor for r in booked)
        assert sum(s.diluted_minor for s in standing) == sum(r.diluted_minor for r in booked)


@given(units())
def test_a_payment_lowers_the_units_outstanding_by_what_it_pays(unit):
    last = day(99)
    before = standings(unit, on=last)
    key, standing = max(before.items(), key=lambda item: item[1].outstanding_minor)
    paid = Reduction(key, last, paid_minor=standing.outstanding_minor)

    after = standings(Unit(unit.parts, unit.cancellations, [*unit.reductions, paid]), on=last)

    expected = before | {
        key: standing.plus(Standing(0, standing.outstanding_minor, 0)),
    }
    assert after == expected


def as_record(changes) -> dict[tuple[bytes, date], Standing]:
    record: dict[tuple[bytes, date], Standing] = {}
    for change in changes:
        key = (change.key, change.date)
        record[key] = record.get(key, NOTHING).plus(change.change)
    return record


@settings(max_examples=60)
@given(units(), st.data())
def test_the_record_sums_to_the_standing_of_any_day_in_whatever_order_documents_arrive(unit, data):
    arrivals = data.draw(st.permutations(unit.parts))
    record: dict[tuple[bytes, date], Standing] = {}
    for count in range(1, len(arrivals) + 1):
        known = {p.key for p in arrivals[:count]}
        known_unit = Unit(
            arrivals[:count],
            [c for c in unit.cancellations if c.of in known],
            [r for r in unit.reductions if r.of in known],
        )
        # A late predecessor joins what stood apart, so that every day may change.
        changes = corrections(known_unit, record, since=DAY)
        record = as_record([*changes, *_as_changes(record)])

    for on in sorted(days_of_change(unit)):
        summed = defaultdict(lambda: NOTHING)
        for (key, changed), standing in record.items():
            if changed <= on:
                summed[key] = summed[key].plus(standing)
        for key, standing in standings(unit, on=on).items():
            assert summed[key] == standing


def _as_changes(record):
    return [Correction(key, changed, standing) for (key, changed), standing in record.items()]


@given(units(), st.integers(min_value=0, max_value=6))
def test_news_of_a_day_leaves_the_record_of_earlier_days_alone(unit, since):
    record = as_record(corrections(unit, {}, since=DAY))
    late = Part(b"late", "settlement", day(since), 10, unit.parts[0].key)

    found = corrections(
        Unit([*unit.parts, late], unit.cancellations, unit.reductions), record, since=day(since)
    )

    everything = corrections(
        Unit([*unit.parts, late], unit.cancellations, unit.reductions), record, since=DAY
    )
    assert found == everything
    assert all(change.date >= day(since) for change in found)


@pytest.mark.parametrize("stage", STAGES)
def test_a_document_alone_counts_whole_at_its_stage(stage):
    assert faces(part("alone", stage, 7)) == {"alone": 7}
