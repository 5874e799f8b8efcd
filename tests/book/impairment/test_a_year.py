"""A year and more of nights under the law's own days, closed one by one and caught up with."""

from datetime import timedelta

import pytest
from tests.book.impairment.shorter import under
from tests.book.impairment.test_classes import told_of
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import books_of, findings
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_reverse import code_of

from tallystick.book.impairment.packs import preset
from tallystick.book.servicing.close import close_day, close_through
from tallystick.book.servicing.repay import repay

DAY = timedelta(days=1)
DUE, LAST = 30, 392
GAPS_END_ON = (12, 37, 38, 120, 122, 300, 303, LAST)
"""A house that closes rarely: before a class changes, on that day, and long after."""


@pytest.mark.nightly
def test_a_year_closed_day_by_day_or_in_few_catch_ups_comes_to_the_same_classes(database):
    daily, rarely = (under(preset("cn.bank"), code=code) for code in ("DAILY", "RARELY"))
    loans = {}
    for scene in (daily, rarely):
        facility = scenes.facility(scene, f"S-{scene.book_id}")
        loans[scene] = [
            scenes.lent(facility, 3_600_000, days=DUE),
            scenes.lent(facility, 3_600_000_000, days=700),
        ]
        repay(code_of(loans[scene][0]), 600_000, value_date=None, caller=CALLER, key=facility.code)

    for n in range(LAST + 1):
        close_day(daily.legal_entity_id, START + n * DAY)
    for n in GAPS_END_ON:
        close_through(rarely.legal_entity_id, START + n * DAY)

    late, other = (told_of(loan) for loan in loans[daily])
    assert late == [
        (DUE + 8, "special_mention", "special_mention_over_days", 1),
        (DUE + 31, "special_mention", "special_mention_over_days", 2),
        (DUE + 91, "substandard", "substandard_over_days", 3),
        (DUE + 271, "doubtful", "doubtful_over_days", 3),
        (DUE + 361, "loss", "loss_over_days", 3),
    ]
    assert other == [(DUE + 91, "special_mention", "debtor_non_performing", 1)]
    assert [told_of(loan) for loan in loans[rarely]] == [late, other]
    for n in range(0, LAST + 1, 7):
        assert list(books_of(daily, START + n * DAY).values()) == list(
            books_of(rarely, START + n * DAY).values()
        )
    assert findings() == []
