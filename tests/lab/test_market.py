"""The simulated marketplace: seeded, whole, and never later than its documents."""

from collections import defaultdict
from datetime import date, timedelta

import pytest

from tallystick.book.calendars import china
from tallystick.lab.world.market import PLATFORM, Market
from tallystick.rules.calendars import is_business_day
from tallystick.rules.trade_documents import unacceptable

START, END = date(2026, 1, 5), date(2026, 3, 31)


def market(*, suppliers=20, seed=7, end=END):
    return Market(suppliers=suppliers, seed=seed, start=START, end=end, calendar=china())


def days(world, last=END + timedelta(days=150)):
    on = START
    while on <= last:
        yield on, world.events(on), world.wishes(on)
        on += timedelta(days=1)


@pytest.fixture(scope="module")
def told():
    return list(days(market()))


def test_a_world_with_merchants_has_small_shops_that_sell_through_the_platform_alone():
    world = Market(
        suppliers=20, seed=7, start=START, end=END, calendar=china(), with_merchants=True
    )

    assert list(world.merchants) == ["S0005", "S0010", "S0015", "S0020"]
    sold = [d for d in documents(list(days(world))) if d.supplier in world.merchants]
    assert {d.obligor for d in sold} == {PLATFORM}
    assert market().merchants == []


def documents(told):
    return [document for _, events, _ in told for document in events.documents]


def test_the_same_seed_tells_the_same_world(told):
    assert list(days(market())) == told


def test_another_seed_tells_another_world(told):
    assert list(days(market(seed=8))) != told


def test_a_world_of_more_suppliers_begins_like_a_smaller_one(told):
    larger = list(days(market(suppliers=24)))

    smaller = {habits.supplier for habits in market().habits}
    assert [d for d in documents(larger) if d.supplier in smaller] == documents(told)


def test_every_document_can_be_recorded(told):
    assert documents(told)
    assert not [found for d in documents(told) if (found := unacceptable(d))]


def test_a_document_arrives_after_the_one_it_fulfils(told):
    seen = set()
    for document in documents(told):
        if document.fulfils_number:
            assert (document.fulfils_kind, document.fulfils_number) in seen
        seen.add((document.kind, document.number))


def test_no_supplier_is_paid_more_than_its_statement(told):
    stated = {
        f"{d.issuer}:statement:{d.number}": d.amount_minor
        for d in documents(told)
        if d.kind == "statement"
    }
    paid = defaultdict(int)
    for _, events, _ in told:
        for remittance in events.remittances:
            for claim, amount_minor in remittance.lines:
                paid[claim] += amount_minor

    assert paid
    assert all(0 < amount_minor <= stated[claim] for claim, amount_minor in paid.items())


def test_orders_are_placed_and_money_is_asked_for_on_working_days_only(told):
    for on, events, wishes in told:
        if not is_business_day(china(), on):
            assert not wishes
            assert not [d for d in events.documents if d.kind == "order"]


def test_some_payers_are_late_and_the_platform_is_not(told):
    due = {
        f"{d.issuer}:statement:{d.number}": d.due_date
        for d in documents(told)
        if d.kind == "statement"
    }
    days_late = defaultdict(set)
    for on, events, _ in told:
        for remittance in events.remittances:
            [(claim, _)] = remittance.lines
            days_late[remittance.payer].add((on - due[claim]).days)

    # Over a holiday cash comes on the next working day, which is not the payer's lateness.
    assert max(days_late["MALL"]) <= 10
    assert max(days_late["ANCHOR-EAST"]) >= 40
