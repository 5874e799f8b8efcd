"""A frozen facility is drawn no more, for a reason that is kept, until the freeze is lifted."""

from dataclasses import replace

import pytest
from tests.book.financing.market import OPERATOR, Market
from tests.book.financing.races import all_at_once

from tallystick.book.acts.models import Act, OutboxMessage
from tallystick.book.acts.once import CallerUnusable
from tallystick.book.financing.draw_down import Drawdown, draw_down
from tallystick.book.financing.freeze import (
    AlreadyFrozen,
    NotFrozen,
    ReasonMissing,
    freeze,
    unfreeze,
)
from tallystick.book.financing.models import Facility
from tallystick.book.financing.refusals import FacilityFrozen, UnknownFacility


def test_a_freeze_is_kept_with_its_reason_and_told(market: Market) -> None:
    market.facility("F1")

    state = freeze("F1", caller=OPERATOR, key="k")

    assert state.frozen_reason == "suspected double pledge"
    assert Facility.objects.get().frozen_reason == "suspected double pledge"
    assert Act.objects.get().reason == "suspected double pledge"
    assert OutboxMessage.objects.get().payload["frozen_reason"] == "suspected double pledge"


def test_after_the_freeze_is_lifted_the_facility_is_drawn_again(market: Market) -> None:
    market.facility("F1")
    freeze("F1", caller=OPERATOR, key="freeze")
    request = market.request()
    with pytest.raises(FacilityFrozen):
        draw_down(request)

    unfreeze("F1", caller=replace(OPERATOR, reason="cleared"), key="unfreeze")

    assert isinstance(draw_down(request), Drawdown)


def test_freezing_twice_under_one_key_is_once(market: Market) -> None:
    market.facility("F1")

    assert freeze("F1", caller=OPERATOR, key="k") == freeze("F1", caller=OPERATOR, key="k")
    assert Act.objects.count() == 1


def test_a_second_freeze_does_not_hide_the_first_reason(market: Market) -> None:
    market.facility("F1")
    freeze("F1", caller=OPERATOR, key="k1")

    with pytest.raises(AlreadyFrozen, match="suspected double pledge"):
        freeze("F1", caller=replace(OPERATOR, reason="late"), key="k2")


def test_what_cannot_be_frozen_or_lifted_is_refused(market: Market) -> None:
    market.facility("F1")

    with pytest.raises(NotFrozen):
        unfreeze("F1", caller=OPERATOR, key="k")
    with pytest.raises(UnknownFacility):
        freeze("F\x009", caller=OPERATOR, key="k")
    with pytest.raises(ReasonMissing):
        freeze("F1", caller=replace(OPERATOR, reason="  "), key="k")
    with pytest.raises(CallerUnusable, match="at most 500"):
        freeze("F1", caller=replace(OPERATOR, reason="x" * 501), key="k")
    assert Act.objects.count() == 0


def test_drawdowns_in_flight_end_before_a_freeze_and_none_is_granted_after_it(
    market: Market,
) -> None:
    market.facility("F1")
    requests = [market.request() for _ in range(6)]

    outcomes = all_at_once(
        [
            lambda: freeze("F1", caller=OPERATOR, key="freeze"),
            *[lambda request=request: draw_down(request) for request in requests],
        ]
    )

    assert all(isinstance(outcome, Drawdown | FacilityFrozen) for outcome in outcomes[1:])
    with pytest.raises(FacilityFrozen):
        draw_down(market.request())
