"""Loans, dues and early repayment as a supplier sees them."""

from datetime import timedelta

import pytest
from tests.book.servicing import scene as scenes
from tests.faces.portal.supplier.seller import text_of

from tallystick.book.financing.models import Loan
from tallystick.book.servicing.dues import settlement_quote
from tallystick.book.servicing.repay import repay


def test_a_loan_tells_what_it_owes_and_how_its_interest_came_about(seller):
    loan = Loan.objects.get(pk=scenes.lent(seller.facility, 36_000_00, days=60))
    scenes.let_days_be_open(seller.scene, 10)
    repay(loan.code, 10_000_00, value_date=None, caller=scenes.CALLER, key=f"r-{loan.code}")
    scenes.let_days_be_open(seller.scene, 5)

    shown = text_of(seller.client.get(f"/my/loans/{loan.code}/"))

    # Ten days of 10 a day, paid first; 9,900 repay principal; then 7.25 a day on 26,100.
    assert "2 Mar 2026 – 12 Mar 2026 ¥ 100.00" in shown
    assert "12 Mar 2026 – 17 Mar 2026 ¥ 36.25" in shown
    assert "To settle it on 17 Mar 2026 ¥ 26,136.25" in shown
    assert "Repaid from own cash · 12 Mar 2026 · ¥ 10,000.00" in shown


def test_repaying_early_saves_the_interest_of_the_days_left(seller):
    loan = Loan.objects.get(pk=scenes.lent(seller.facility, 36_000_00, days=60))
    on = seller.scene.today + timedelta(days=20)

    shown = text_of(seller.client.get(f"/my/loans/{loan.code}/settle/?on={on}"))

    assert "To settle the loan on 22 Mar 2026 ¥ 36,200.00" in shown
    assert "Interest saved against paying on 1 May 2026 ¥ 400.00" in shown
    assert f"Reference {loan.code}" in shown
    assert "This page moves no money" in shown


def test_what_is_quoted_settles_the_loan(seller):
    loan = Loan.objects.get(pk=scenes.lent(seller.facility, 12_345_67, days=60))
    scenes.let_days_be_open(seller.scene, 23)
    today = seller.scene.today
    quote = settlement_quote(loan, on=today, business_date=today)

    repay(
        loan.code,
        quote.owed.owed_minor,
        value_date=None,
        caller=scenes.CALLER,
        key=f"r-{loan.code}",
    )

    loan.refresh_from_db()
    assert loan.status == "settled"


@pytest.mark.parametrize("on", ["2026-03-01", "2030-01-01", "yesterday", "2026-02-30"])
def test_a_day_that_cannot_be_quoted_is_asked_again(seller, on):
    loan = Loan.objects.get(pk=scenes.lent(seller.facility, 36_000_00))

    answer = seller.client.get(f"/my/loans/{loan.code}/settle/?on={on}")

    assert answer.status_code == 422
    assert "day" in text_of(answer)
    assert "How to pay it" not in text_of(answer)


def test_a_loan_whose_payout_is_under_way_can_not_be_repaid_yet(seller):
    seller.confirm(amount="1000", tenor="30")
    loan = Loan.objects.get(facility=seller.facility)

    assert "Payout under way" in text_of(seller.client.get(f"/my/loans/{loan.code}/"))
    assert seller.client.get(f"/my/loans/{loan.code}/settle/").status_code == 422


def test_dues_come_in_order_and_tell_what_is_to_be_paid_on_each_day(seller):
    late = Loan.objects.get(pk=scenes.lent(seller.facility, 36_000_00, days=60))
    soon = Loan.objects.get(pk=scenes.lent(seller.facility, 18_000_00, days=30))

    shown = text_of(seller.client.get("/my/dues/"))

    assert f"1 Apr 2026 ¥ 18,150.00 {soon.code}" in shown
    assert f"1 May 2026 ¥ 36,600.00 {late.code}" in shown
    assert shown.index(soon.code) < shown.index(late.code)


def test_what_is_past_due_is_told_as_of_today_with_its_penalty(seller):
    scenes.lent(seller.facility, 36_000_00, days=10)
    scenes.let_days_be_open(seller.scene, 14)

    shown = text_of(seller.client.get("/my/dues/"))

    # 14 days of 10 a day, and 4 of 5 a day on top.
    assert "4 days past due ¥ 36,160.00" in shown


def test_the_list_of_loans_is_parted_by_state(seller):
    live = Loan.objects.get(pk=scenes.lent(seller.facility, 36_000_00))
    repaid = Loan.objects.get(pk=scenes.lent(seller.facility, 1_000_00))
    repay(repaid.code, 1_000_00, value_date=None, caller=scenes.CALLER, key=f"r-{repaid.code}")

    def listed(show: str) -> set[str]:
        shown = text_of(seller.client.get(f"/my/loans/?show={show}")).split()
        return {loan.code for loan in (live, repaid) if loan.code in shown}

    assert listed("open") == {live.code}
    assert listed("settled") == {repaid.code}
    assert listed("all") == {live.code, repaid.code}
    assert listed("nonsense") == listed("open")


def test_the_decision_shows_what_every_rule_read_and_would_have_accepted(seller):
    seller.confirm(amount="1000", tenor="30")
    loan = Loan.objects.get(facility=seller.facility)

    shown = text_of(seller.client.get(f"/my/loans/{loan.code}/decision/"))

    assert "The amount is available passed ¥ 1,000.00 at most ¥ 500,000.00" in shown
    assert "The term is short enough passed 30 days at most 90 days" in shown
    # What others may still draw is not theirs to read.
    assert "1,000,000,000,000.00" not in shown


def test_a_loan_in_instalments_tells_how_each_stands_and_what_is_due_next(seller):
    """36,000.00 in three equal parts on 2 April, 6 May and 2 June; the first is paid, 10,000.00 of
    the second late, when interest and a night of penalty have come to it.
    """
    terms = scenes.in_instalments()
    facility = scenes.facility(seller.scene, seller.facility.supplier.code, terms, named="parts")
    loan = Loan.objects.get(pk=scenes.lent(facility, 36_000_00, days=92, rate_ppb=0))

    for paid_minor, days_later in ((12_000_00, 31), (2_000_00, 34)):
        scenes.let_days_be_open(seller.scene, days_later)
        repay(loan.code, paid_minor, value_date=None, caller=scenes.CALLER, key=f"{days_later}")
    scenes.let_days_be_open(seller.scene, 1)
    shown = text_of(seller.client.get(f"/my/loans/{loan.code}/"))

    assert "1 day past due" in shown
    # 5 % a year on what is left of the second, for a night: 1.39.
    assert "Past due, to be paid now ¥ 10,001.39" in shown
    assert "Next instalment, on 2 Jun 2026 ¥ 12,000.00" in shown
    assert "2 Apr 2026 Paid ¥ 12,000.00 ¥ 12,000.00 ¥ 0.00 —" in shown
    assert "6 May 2026 Late ¥ 12,000.00 ¥ 12,000.00 ¥ 0.00 ¥ 10,000.00" in shown
    assert "What is to come, as it will be" in shown
