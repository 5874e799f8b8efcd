"""Under any concurrency, what is drawn stays within every limit, and a key acts once."""

from dataclasses import replace

import pytest
from tests.book.financing.market import MILLION, Market, open_market
from tests.book.financing.races import all_at_once

from tallystick.book.acts.once import KeyConflict
from tallystick.book.financing.checks import financing_checks
from tallystick.book.financing.draw_down import Drawdown, DrawRequest, draw_down
from tallystick.book.financing.models import Loan
from tallystick.book.financing.refusals import DrawdownExceedsAvailability

DRAWERS = 12
FITTING = 3


def drawn_at_once(requests: list[DrawRequest]) -> list[object]:
    return all_at_once([lambda request=request: draw_down(request) for request in requests])


def assert_three_of_twelve(outcomes: list[object]) -> None:
    granted = [outcome for outcome in outcomes if isinstance(outcome, Drawdown)]
    refused = [outcome for outcome in outcomes if not isinstance(outcome, Drawdown)]
    assert len(granted) == FITTING
    assert len(refused) == DRAWERS - FITTING
    assert all(isinstance(outcome, DrawdownExceedsAvailability) for outcome in refused)
    assert all(outcome.available_minor < MILLION for outcome in refused)
    assert Loan.objects.count() == FITTING
    assert [finding for check in financing_checks() for finding in check.run()] == []


@pytest.mark.parametrize(("base", "limit"), [(3, 99), (99, 3)], ids=["base", "facility limit"])
def test_twelve_draw_on_one_facility_of_which_three_fit(
    market: Market, base: int, limit: int
) -> None:
    market.facility("F1", base_minor=base * MILLION, limit_minor=limit * MILLION)

    assert_three_of_twelve(drawn_at_once([market.request("F1") for _ in range(DRAWERS)]))


@pytest.mark.parametrize(
    ("programme", "funder"), [(3, 99), (99, 3)], ids=["the programme's limit", "the funder's line"]
)
def test_twelve_facilities_draw_under_one_limit_of_which_three_fit(
    database: object, programme: int, funder: int
) -> None:
    market = open_market(programme_minor=programme * MILLION, funder_minor=funder * MILLION)
    requests = []
    for number in range(DRAWERS):
        market.facility(f"F{number}")
        requests.append(market.request(f"F{number}"))

    assert_three_of_twelve(drawn_at_once(requests))


def test_twelve_facilities_of_one_supplier_draw_under_its_cap(market: Market) -> None:
    requests = []
    for number in range(DRAWERS):
        market.facility(f"F{number}", supplier="S", rank=number + 1, base_minor=99 * MILLION)
        requests.append(market.request(f"F{number}"))
    market.facility(
        "F-old", supplier="S", rank=99, limit_minor=99 * MILLION, base_minor=99 * MILLION
    )
    draw_down(market.request("F-old", 47 * MILLION))  # of a cap of CNY 50 m

    outcomes = drawn_at_once(requests)

    assert sum(isinstance(outcome, Drawdown) for outcome in outcomes) == FITTING


def test_one_key_sent_by_eight_at_once_acts_once_and_answers_all_alike(market: Market) -> None:
    market.facility("F1")
    request = market.request()

    outcomes = drawn_at_once([request] * 8)

    assert isinstance(outcomes[0], Drawdown)
    assert outcomes == [outcomes[0]] * 8
    assert Loan.objects.count() == 1


def test_one_key_sent_with_other_bodies_at_once_acts_for_one_of_them(market: Market) -> None:
    requests = []
    for number in range(8):
        market.facility(f"F{number}")
        requests.append(replace(market.request(f"F{number}"), key="the same"))

    outcomes = drawn_at_once(requests)

    assert sum(isinstance(outcome, Drawdown) for outcome in outcomes) == 1
    assert sum(isinstance(outcome, KeyConflict) for outcome in outcomes) == 7
    assert Loan.objects.count() == 1
