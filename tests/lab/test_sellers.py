"""Sellers of the simulated world draw advances out of their sales, and some repay ahead."""

from datetime import timedelta

from tests.book.sales_credit import scene as scenes
from tests.book.sales_credit.scene import CALLER, START
from tests.book.servicing.books import findings

from tallystick.book.calendars import china
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.sales_credit.models import Advance, SalesLine
from tallystick.lab.measures import RunSummary
from tallystick.lab.world.market import STOPS_AFTER_DAYS, Market
from tallystick.lab.world.sellers import Sellers

WEEK = timedelta(days=7)


def test_a_seller_draws_once_its_sales_give_a_limit_and_one_advance_at_a_time(database):
    scene = scenes.opened()
    scenes.has_sold_for_three_months(scene)
    scenes.sold(scene, "NEW", 1_000_000)
    summary = RunSummary("a run", "CNY", 7, [])
    sellers = Sellers(
        ["M1", "NEW"], scene.legal_entity_id, START + 52 * WEEK, 10_000, 7, CALLER, summary
    )

    for day in range(7):
        sellers.work(START + timedelta(days=day))

    assert list(SalesLine.objects.values_list("code", flat=True)) == ["SL-M1"]
    advance = Advance.objects.get()
    assert advance.advance_minor % 10_000 == 0
    assert (summary.draws, summary.drawn_minor) == (1, advance.advance_minor)

    order = PaymentOrder.objects.get()
    assert order.advance == advance
    scenes.bank_pays(scene, order)
    for weeks in range(1, 30):
        sellers.work(START + weeks * WEEK)
    assert Advance.objects.count() == 1
    assert 0 < summary.paid_by_merchants_minor < advance.advance_minor * 2
    assert findings() == []


def test_the_first_seller_of_a_world_sells_no_more_after_a_while():
    end = START + 30 * WEEK
    market = Market(
        suppliers=30, seed=7, start=START, end=end, calendar=china(), with_merchants=True
    )

    ordered = [
        (document.supplier, day)
        for day in range((end - START).days)
        for document in market.events(START + timedelta(days=day)).documents
        if document.kind == "order"
    ]

    first, second = market.sellers
    assert max(day for supplier, day in ordered if supplier == first) <= STOPS_AFTER_DAYS
    assert max(day for supplier, day in ordered if supplier == second) > STOPS_AFTER_DAYS
    assert not set(market.sellers) & set(market.merchants)
