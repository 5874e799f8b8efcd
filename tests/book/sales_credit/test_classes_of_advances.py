"""Advances are classed, provided for and moved from book to book like loans."""

from fractions import Fraction
from itertools import pairwise

import pytest
from tests.book.impairment.people import recorded
from tests.book.impairment.shorter import shorter, under
from tests.book.sales_credit import scene as scenes
from tests.book.sales_credit.scene import CALLER, DAILY, DAY, FEE, START
from tests.book.servicing import scene as loans
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.test_reverse import code_of

from tallystick.book.acts.once import Caller
from tallystick.book.financing.models import Loan
from tallystick.book.impairment.facts import FactKind, NewFact, NotAFact
from tallystick.book.impairment.models import AdvanceClass, LoanClass, Provision, Reserve
from tallystick.book.impairment.overview import advance_classed, changes_on
from tallystick.book.impairment.packs import preset
from tallystick.book.ledger.models import Account, Entry
from tallystick.book.ledger.queries import balances
from tallystick.book.sales_credit.models import Advance
from tallystick.book.sales_credit.repay import repay_advance
from tallystick.book.servicing.close import close_day, close_through
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.reverse import reverse_receipt

BANK, FACTOR = shorter("cn.bank"), shorter("cn.factor")
WHY = Caller(owner="system", actor="tests", channel="internal", reason="another's cash")


def lent(pack=BANK, programme: str = FEE, *, period_days: int = 5):
    """200,000.00 of today to M1, of which a sixtieth has to come back every few days."""
    scene = under(pack)
    scenes.has_sold_for_three_months(scene)
    scenes.a_line(scene, programme=scenes.paced(programme, period_days=period_days))
    return scene, scenes.paid_out(scene, 20_000_000)


def told_of(code: str) -> list[tuple[int, str, str, int]]:
    """Each change of an advance's class: days since START, class, clause and stage."""
    return [
        ((row.from_date - START).days, row.asset_class, row.clause, row.stage)
        for row in AdvanceClass.objects.filter(advance__code=code).order_by("from_date")
    ]


def book_of(code: str) -> str:
    return Advance.objects.get(code=code).book.asset_class


def test_an_advance_behind_its_pace_is_past_due_from_the_day_the_pace_was_broken(database):
    """The first five days end on the fifth with nothing in: what follows are days past due."""
    scene, code = lent()

    close_through(scene.legal_entity_id, START + 14 * DAY)

    assert told_of(code) == [
        (7, "special_mention", "special_mention_over_days", 1),
        (8, "special_mention", "special_mention_over_days", 2),
        (9, "substandard", "substandard_over_days", 3),
        (11, "doubtful", "doubtful_over_days", 3),
        (13, "loss", "loss_over_days", 3),
    ]
    assert book_of(code) == "loss"
    assert [change.loan for change in changes_on(scene.legal_entity_id, START + 13 * DAY)] == [code]
    classed = advance_classed(Advance.objects.get(code=code))
    assert classed.asset_class == "loss"
    assert classed.threshold.value == 8
    assert findings() == []


def test_what_was_short_is_caught_up_and_the_advance_is_normal_again(database):
    scene, code = lent()
    close_through(scene.legal_entity_id, START + 9 * DAY)

    # Two periods ended short: two sixtieths of 210,000.00.
    repay_advance(code, 700_000, value_date=None, caller=CALLER, key="caught up")
    close_day(scene.legal_entity_id, scene.today)

    assert told_of(code)[-1] == (10, "normal", "", 1)
    assert book_of(code) == "normal"
    assert findings() == []


def test_an_advance_moves_with_principal_fee_and_what_is_deferred_in_one_entry(database):
    scene, code = lent(FACTOR)
    scenes.sells_and_is_settled(scene, 300_000)

    close_through(scene.legal_entity_id, START + 9 * DAY)

    (entry,) = Entry.objects.filter(event="book_changed")
    assert (entry.value_date, entry.booking_date) == (START + 9 * DAY, START + 10 * DAY)
    state = scenes.state_of(code, on=scene.today)
    bad = Account.objects.filter(book__asset_class="substandard")
    found = balances([account.pk for account in bad], on=scene.today, known_on=scene.today)
    by_name = {account.name: found[account.pk].net_minor for account in bad}
    assert {name: minor for name, minor in by_name.items() if "advance" in name} == {
        "advance_principal": state.principal_minor,
        "advance_fee_receivable": state.fee_left_minor,
        "deferred_advance_fee": -state.fee_left_minor,
    }
    assert findings() == []


def test_a_receipt_of_before_the_move_is_taken_back_in_the_book_of_today(database):
    scene, code = lent(FACTOR)
    settled = scenes.sells_and_is_settled(scene, 300_000)
    close_through(scene.legal_entity_id, START + 10 * DAY)
    assert book_of(code) == "substandard"

    reverse_receipt(
        settled.bank_reference, legal_entity_id=scene.legal_entity_id, caller=WHY, key="back"
    )

    assert scenes.state_of(code, on=scene.today).collected_minor == 0
    assert findings() == []
    close_day(scene.legal_entity_id, scene.today)
    assert net_minor(scene, "advance_fee_income") == 0
    assert findings() == []


def test_a_firms_bad_advance_makes_its_loans_special_mention(database):
    scene, _ = lent()
    facility = loans.facility(scene, "M1")
    large = loans.lent(facility, 3_600_000_000, days=700)
    close_through(scene.legal_entity_id, START + 9 * DAY)

    assert LoanClass.objects.get(loan=large).clause == "debtor_non_performing"
    assert Loan.objects.get(pk=large).book.asset_class == "special_mention"
    assert findings() == []


def test_a_firms_bad_loan_makes_its_advances_special_mention(database):
    scene, code = lent(period_days=60)
    facility = loans.facility(scene, "M1")
    late = loans.lent(facility, 360_000, days=1)
    close_through(scene.legal_entity_id, START + 6 * DAY)

    # 3,600.00 are less than a tenth of what the firm owes.
    assert told_of(code) == [(6, "special_mention", "debtor_non_performing", 1)]
    repay(code_of(late), 400_000, value_date=None, caller=CALLER, key="all of it")
    close_day(scene.legal_entity_id, scene.today)
    assert told_of(code)[-1] == (7, "normal", "", 1)
    assert findings() == []


def test_interest_of_a_bad_advance_is_kept_out_of_income_until_it_has_come_in(database):
    """0.05 % of 200,000.00 are 100.00 a night; ten nights were income before it was bad."""
    scene, code = lent(programme=DAILY)

    close_through(scene.legal_entity_id, START + 12 * DAY)

    assert told_of(code)[2][:2] == (9, "substandard")
    assert net_minor(scene, "advance_fee_receivable") == 13 * 10_000
    assert net_minor(scene, "advance_fee_in_suspense") == -3 * 10_000
    assert net_minor(scene, "advance_fee_income") == -10 * 10_000
    assert findings() == []
    # The oldest interest is paid first: one night of what was in suspense is income now.
    repay_advance(code, 11 * 10_000, value_date=None, caller=CALLER, key="some of it")
    close_day(scene.legal_entity_id, scene.today)
    assert net_minor(scene, "advance_fee_in_suspense") == -3 * 10_000
    assert net_minor(scene, "advance_fee_income") == -11 * 10_000
    assert findings() == []


def test_a_fixed_fee_needs_no_suspense_for_it_is_income_only_when_it_has_come_in(database):
    scene, _ = lent()

    close_through(scene.legal_entity_id, START + 12 * DAY)

    assert net_minor(scene, "advance_fee_in_suspense") == 0
    assert net_minor(scene, "advance_fee_income") == 0
    assert findings() == []


def test_an_advance_is_provided_for_as_a_bundle_of_loans_due_day_after_day(database):
    """In stage 1: of 189 equal payments each loses what a loan due on its day would."""
    scene, _ = lent(period_days=60)
    close_day(scene.legal_entity_id, START)

    loss = preset("cn.bank").loss
    points = [(0, 0), *((point.days, point.cumulative_ppm) for point in loss.curve)]

    def default_ppm(day: int) -> Fraction:
        (start, low), (end, high) = next(pair for pair in pairwise(points) if day <= pair[1][0])
        return low + Fraction((high - low) * (day - start), end - start)

    mean_ppm = sum(default_ppm(max(day, loss.min_horizon_days)) for day in range(1, 190)) / 189
    expected = 20_000_000 * mean_ppm / 1_000_000 * Fraction(loss.lgd_bps, 10_000)
    (row,) = Provision.objects.filter(date=START)
    assert (row.stage, row.loans, row.exposure_minor) == (1, 1, 20_000_000)
    # A rate has nine decimals, so that 200,000.00 are provided for to the cent.
    assert row.allowance_minor == round(expected)
    assert net_minor(scene, "loss_allowance") == -row.allowance_minor
    assert findings() == []


def test_the_laws_reserve_covers_what_advances_owe(database):
    scene, _ = lent(preset("cn.factor"), period_days=60)

    close_day(scene.legal_entity_id, START)

    reserve = Reserve.objects.get(date=START)
    assert (reserve.balance_minor, reserve.reserve_minor) == (20_000_000, 200_000)
    assert reserve.above_minor == 200_000 - reserve.expected_loss_minor
    assert findings() == []


def test_a_fact_about_an_advance_counts_like_one_about_a_loan(database):
    scene, code = lent(period_days=60)
    impaired = NewFact(
        kind=FactKind.CREDIT_IMPAIRED, loan=None, debtor=None, advance=code, from_date=START
    )
    recorded(scene, impaired)

    close_day(scene.legal_entity_id, START)

    assert told_of(code) == [(0, "substandard", "credit_impaired", 3)]
    # In stage 3 all that is expected lost on a default.
    assert Provision.objects.get(stage=3).allowance_minor == 20_000_000 * 45 // 100
    assert findings() == []


def test_a_due_date_that_an_advance_does_not_have_cannot_be_paused(database):
    scene, code = lent(period_days=60)
    paused = NewFact(
        kind=FactKind.DELINQUENCY_PAUSED,
        loan=None,
        debtor=None,
        advance=code,
        from_date=START,
        to_date=START + DAY,
    )

    with pytest.raises(NotAFact, match="is not recorded of an advance"):
        recorded(scene, paused)


def test_closing_day_by_day_classes_as_catching_up_after_a_gap_does(database):
    scene, code = lent()
    for day in range(8):
        close_day(scene.legal_entity_id, START + day * DAY)
    day_by_day = told_of(code)
    close_through(scene.legal_entity_id, START + 14 * DAY)

    assert told_of(code)[: len(day_by_day)] == day_by_day
    assert len(told_of(code)) == 5
    assert findings() == []
