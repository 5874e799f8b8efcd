"""Laws of advances in the book: whatever happens to them, and however days are closed."""

from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.book.impairment.shorter import shorter, under
from tests.book.sales_credit import scene as scenes
from tests.book.sales_credit.scene import CALLER, DAILY, DAY, FEE, START
from tests.book.servicing.books import books_of, findings

from tallystick.book.sales_credit.models import Advance
from tallystick.book.sales_credit.repay import repay_advance
from tallystick.book.servicing.close import close_day, close_through
from tallystick.book.servicing.reverse import reverse_receipt

_numbers = count(1)

STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["settled", "settled in parts", "repaid", "taken back", "closed", "days closed"]
        ),
        st.integers(min_value=1, max_value=9_000_000),
        st.integers(min_value=0, max_value=3),
    ),
    min_size=3,
    max_size=7,
)


@pytest.fixture(scope="module")
def scene(shared_database):
    """Under a bank's rules made short, so that advances go from class to class and back."""
    return under(shorter("cn.bank"))


@settings(
    max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(
    steps=STEPS,
    programme=st.sampled_from([FEE, DAILY, scenes.paced(FEE), scenes.paced(DAILY)]),
)
def test_what_was_repaid_is_outstanding_or_lost_is_what_was_paid_out(scene, steps, programme):
    merchant, line = (f"{kind}{next(_numbers)}" for kind in ("M", "SL"))
    scenes.has_sold_for_three_months(scene, merchant)
    scenes.a_line(scene, merchant=merchant, code=line, programme=programme)
    code = scenes.paid_out(scene, 20_000_000, line=line)
    first_date = scene.today
    receipts: list[str] = []
    for what, amount_minor, days_back in steps:
        value_date = max(first_date, scene.today - days_back * DAY)
        match what:
            case "settled":
                taken = scenes.sells_and_is_settled(
                    scene, amount_minor, merchant=merchant, value_date=value_date
                )
                receipts.append(taken.bank_reference)
            case "settled in parts":
                claim = scenes.sold(scene, merchant, amount_minor, on=value_date)
                for part_minor in (amount_minor // 3, amount_minor - amount_minor // 3):
                    if part_minor:
                        scenes.settled(scene, claim, part_minor, value_date=value_date)
            case "repaid" if Advance.objects.get(code=code).status == "live":
                taken = repay_advance(
                    code,
                    amount_minor,
                    value_date=value_date,
                    caller=CALLER,
                    key=f"repay-{next(_numbers)}",
                )
                receipts.append(taken.bank_reference)
            case "taken back" if receipts:
                reverse_receipt(
                    receipts.pop(),
                    legal_entity_id=scene.legal_entity_id,
                    caller=CALLER,
                    key=f"back-{next(_numbers)}",
                )
            case "closed":
                close_day(scene.legal_entity_id, scene.today)
            case "days closed":
                close_through(scene.legal_entity_id, scene.today + 8 * DAY)
        state = scenes.state_of(code, on=scene.today)
        assert (
            state.principal_repaid_minor + state.principal_minor + state.principal_lost_minor
            == 20_000_000
        )
        assert min(state.principal_minor, state.outstanding_minor, state.credit_minor) >= 0
    close_day(scene.legal_entity_id, scene.today)
    assert findings() == []


def test_closing_day_by_day_and_after_a_gap_come_to_the_same_books(database):
    daily, late = (scenes.opened(code=code) for code in ("DAILY", "LATE"))
    for scene in (daily, late):
        for programme in (FEE, DAILY):
            merchant = f"M-{scene.book_id}-{programme}"
            scenes.has_sold_for_three_months(scene, merchant)
            scenes.a_line(scene, merchant=merchant, code=merchant, programme=programme)
            scenes.paid_out(scene, 20_000_000, line=merchant)
            scenes.sells_and_is_settled(scene, 1_234_567, merchant=merchant)
    for n in range(17):
        close_day(daily.legal_entity_id, START + n * DAY)

    close_through(late.legal_entity_id, START + 16 * DAY)

    for n in range(17):
        assert list(books_of(daily, START + n * DAY).values()) == list(
            books_of(late, START + n * DAY).values()
        )
    assert findings() == []
