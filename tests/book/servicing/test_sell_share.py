"""Shares of a loan are sold, bought back and taken back, and the books hold all the while.

One loan of 3,600,000 at 10 % over ACT/360: 1,000 a night, and 500 of penalty past due.
"""

from datetime import timedelta

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import books_of, findings, net_minor
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_settle import code_of

from tallystick.book.acts.once import Caller
from tallystick.book.acts.reasons import ReasonMissing
from tallystick.book.funding.models import FundingLine, Participation, ShareTransfer
from tallystick.book.ledger.models import Book, Entry
from tallystick.book.parties.models import LegalEntity, Party, User
from tallystick.book.payments.bank_answers import take_answers
from tallystick.book.payments.funders import (
    NothingDueFromFunder,
    NothingPayableToFunder,
    pay_funder,
    take_from_funder,
)
from tallystick.book.payments.order_again import order_again
from tallystick.book.proposals.checks import proposals_checks
from tallystick.book.proposals.decide import approve_proposal
from tallystick.book.proposals.propose import propose
from tallystick.book.proposals.terms import ShareBuyBack, ShareReversal, ShareSale
from tallystick.book.proposals.waiting import waiting
from tallystick.book.servicing.change_book import change_book
from tallystick.book.servicing.charge_fee import charge_fee
from tallystick.book.servicing.charge_off import charge_off, waive
from tallystick.book.servicing.close import close_through
from tallystick.book.servicing.events import EventInFuture
from tallystick.book.servicing.extend import move_due_date
from tallystick.book.servicing.live_loan import NotALiveLoan
from tallystick.book.servicing.recover import recover
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.reverse import reverse_receipt
from tallystick.book.servicing.sell_share import (
    FundingLineTooSmall,
    NoSuchTransfer,
    NotAFunderOfTheLoan,
    NotAShare,
    NotASharePrice,
    TransferBeforePayout,
    buy_back_share,
    reverse_transfer,
    sell_share,
)
from tallystick.book.servicing.share_checks import share_checks
from tallystick.book.servicing.share_holders import held_shares, transfers_made
from tallystick.rules.bank_answers import BankMessage, Outcome
from tallystick.rules.loan_events import Charge
from tallystick.rules.loan_shares import ShareNotHeld

DAY = timedelta(days=1)


@pytest.fixture
def lent(database):
    scene = scenes.opened()
    facility = scenes.facility(scene, "S1")
    for code in ("BANK", "FUND"):
        Party.objects.create(code=code, name=code)
    return scene, facility, code_of(scenes.lent(facility, 3_600_000))


def after_nights(scene, nights):
    """The business day once so many nights since START have closed."""
    close_through(scene.legal_entity_id, START + (nights - 1) * DAY)
    return START + nights * DAY


def days_later(scene, days):
    """The business day so many days after START, where no night matters."""
    scenes.let_days_be_open(scene, days)
    return scene.today


def sold(code, share_ppm=300_000, funder="BANK", **asked):
    key = asked.pop("key", f"sell-{funder}-{share_ppm}-{asked.get('value_date')}")
    return sell_share(code, funder, share_ppm, caller=CALLER, key=key, **asked)


def bought_back(code, share_ppm, funder="BANK", **asked):
    return buy_back_share(code, funder, share_ppm, caller=CALLER, key=f"back-{share_ppm}", **asked)


def paid(code, amount_minor, *, on=None, key="paid"):
    return repay(code, amount_minor, value_date=on, caller=CALLER, key=key).bank_reference


def owed_to(scene, funder="BANK"):
    return -net_minor(scene, "payable_to_funder", party=funder)


def events_booked():
    return list(Entry.objects.order_by("id").values_list("event", flat=True))


# --- a sale and what follows ---------------------------------------------------------------------


def test_a_share_sold_at_par_leaves_the_loan_whole_and_its_part_with_the_buyer(lent):
    scene, _, code = lent
    on = after_nights(scene, 10)

    moved = sold(code)

    assert (moved.par_minor, moved.price_minor, moved.value_date) == (1_083_000, 1_083_000, on)
    assert net_minor(scene, "loan_principal") == 3_600_000
    assert net_minor(scene, "principal_sold") == -1_080_000
    assert net_minor(scene, "interest_sold") == -3_000
    assert net_minor(scene, "share_sale_gain") == 0
    assert owed_to(scene) == -1_083_000
    assert events_booked().count("share_passed_on") == 0
    assert findings() == []


def test_a_price_other_than_par_is_gained_or_lost(lent):
    scene, _, code = lent
    after_nights(scene, 10)

    sold(code, price_minor=1_090_000)
    bought_back(code, 100_000, price_minor=362_000)

    # 7,000 above par when sold; 1,000 above par of 361,000 when bought back.
    assert net_minor(scene, "share_sale_gain") == -7_000 + 1_000
    assert owed_to(scene) == -1_090_000 + 362_000
    assert findings() == []


def test_nights_after_the_sale_earn_for_the_lender_only_its_own_share(lent):
    scene, _, code = lent
    after_nights(scene, 10)
    sold(code)

    after_nights(scene, 20)

    assert net_minor(scene, "interest_receivable") == 20_000
    assert net_minor(scene, "interest_sold") == -6_000
    assert net_minor(scene, "interest_income") == -(10_000 + 7_000)
    assert findings() == []


def test_a_receipt_is_passed_on_by_one_entry(lent):
    scene, _, code = lent
    after_nights(scene, 10)
    sold(code)
    after_nights(scene, 20)

    paid(code, 1_020_000)

    assert owed_to(scene) == -1_083_000 + 306_000
    assert net_minor(scene, "principal_sold") == -780_000
    assert net_minor(scene, "interest_sold") == 0
    assert events_booked().count("share_passed_on") == 1
    after_nights(scene, 21)
    assert findings() == []


def test_shares_that_cannot_be_told_apart_to_the_minor_unit_still_sum_to_the_loan(lent):
    scene, _, code = lent
    after_nights(scene, 7)
    sold(code, 333_333)
    sold(code, 333_333, "FUND")
    for nights in range(8, 14):
        after_nights(scene, nights)
        paid(code, 77_777, key=f"paid-{nights}")
        sold_minor = -net_minor(scene, "principal_sold")
        principal_minor = net_minor(scene, "loan_principal")
        assert abs(sold_minor * 1_000_000 - principal_minor * 666_666) < 1_000_000

    assert findings() == []


def test_penalty_and_fees_belong_to_the_holders_too(lent):
    scene, _, code = lent
    move_due_date(code, START + 15 * DAY, caller=CALLER, key="sooner")
    after_nights(scene, 10)
    sold(code)
    charge_fee(code, 10_000, value_date=START + 10 * DAY, why="late", caller=CALLER, key="fee")
    after_nights(scene, 25)

    assert net_minor(scene, "fees_sold") == -3_000
    assert net_minor(scene, "penalty_sold") == -1_500
    assert net_minor(scene, "fee_income") == -7_000
    assert net_minor(scene, "penalty_income") == -3_500
    paid(code, 3_640_000)
    assert owed_to(scene) == -1_083_000 + 1_080_000 + 7_500 + 1_500 + 3_000
    after_nights(scene, 26)
    assert net_minor(scene, "principal_sold") == net_minor(scene, "interest_sold") == 0
    assert findings() == []


def test_a_loss_and_what_is_recovered_of_it_are_shared(lent):
    scene, _, code = lent
    after_nights(scene, 10)
    sold(code)
    waive(code, Charge.INTEREST, 1_000, caller=CALLER, key="waived")
    charge_off(code, caller=CALLER, key="lost")

    assert net_minor(scene, "loan_loss") == 3_609_000 - 1_082_700
    assert net_minor(scene, "waivers") == 1_000 - 300
    assert owed_to(scene) == -1_083_000
    recover(code, 100_000, value_date=None, caller=CALLER, key="found")
    assert net_minor(scene, "recovery_income") == -70_000
    assert owed_to(scene) == -1_053_000
    after_nights(scene, 11)
    assert findings() == []


def test_sold_and_bought_back_at_par_at_once_the_books_are_as_before(lent):
    scene, _, code = lent
    today = after_nights(scene, 10)
    before = {name: minor for name, minor in books_of(scene, today).items() if minor}

    sold(code)
    bought_back(code, 300_000)

    assert {name: minor for name, minor in books_of(scene, today).items() if minor} == before
    held = Participation.objects.get(superseded_date=None)
    assert (held.funder.code, held.share_ppm, held.to_date) == ("LENDER", 1_000_000, None)
    after_nights(scene, 12)
    assert net_minor(scene, "interest_income") == -12_000
    assert findings() == []


def test_a_part_can_be_bought_back_later_and_the_history_is_kept(lent):
    scene, _, code = lent
    sale = after_nights(scene, 10)
    sold(code)
    back = after_nights(scene, 20)
    bought_back(code, 100_000)
    after_nights(scene, 30)

    held = Participation.objects.filter(superseded_date=None).order_by("from_date", "id")
    assert list(held.values_list("funder__code", "share_ppm", "from_date", "to_date")) == [
        ("LENDER", 1_000_000, START, sale),
        ("LENDER", 700_000, sale, back),
        ("BANK", 300_000, sale, back),
        ("LENDER", 800_000, back, None),
        ("BANK", 200_000, back, None),
    ]
    assert net_minor(scene, "interest_income") == -(10_000 + 7_000 + 8_000)
    assert owed_to(scene) == -1_083_000 + 362_000
    assert findings() == []


# --- what comes late -----------------------------------------------------------------------------


def test_a_sale_dated_back_passes_on_what_came_in_since(lent):
    scene, _, code = lent
    after_nights(scene, 20)
    paid(code, 620_000, on=START + 15 * DAY)

    sold(code, value_date=START + 10 * DAY)

    assert owed_to(scene) == -1_083_000 + 186_000
    assert events_booked()[-2:] == ["share_sold", "share_passed_on"]
    after_nights(scene, 21)
    assert findings() == []
    # 21 nights on 3,600,000, of which six on 605,000 less; the buyer's from the tenth on.
    assert net_minor(scene, "principal_sold") == -(3_600_000 - 605_000) * 3 // 10


def test_a_receipt_from_before_a_sale_makes_its_par_smaller(lent):
    scene, _, code = lent
    after_nights(scene, 10)
    sold(code, price_minor=1_084_000)
    after_nights(scene, 20)

    paid(code, 1_005_000, on=START + 5 * DAY)

    # On the sale's day 2,600,000 were owed and five nights of 722.22; the premium stays agreed.
    assert owed_to(scene) == -(780_000 + 1_083 + 1_000)
    assert net_minor(scene, "share_sale_gain") == -1_000
    after_nights(scene, 21)
    assert findings() == []


def test_a_receipt_taken_back_takes_back_what_was_passed_on(lent):
    scene, _, code = lent
    after_nights(scene, 10)
    sold(code)
    after_nights(scene, 20)
    reference = paid(code, 1_020_000)
    pay_minor = owed_to(scene)
    after_nights(scene, 25)

    reverse_receipt(reference, legal_entity_id=scene.legal_entity_id, caller=CALLER, key="not ours")

    assert pay_minor == -1_083_000 + 306_000
    assert owed_to(scene) == -1_083_000
    after_nights(scene, 26)
    assert net_minor(scene, "interest_income") == -(10_000 + 16 * 700)
    assert findings() == []


def test_a_transfer_taken_back_leaves_the_books_as_if_it_had_never_been(lent):
    scene, _, code = lent
    after_nights(scene, 10)
    moved = sold(code, price_minor=1_000_000)
    after_nights(scene, 20)
    paid(code, 1_020_000)

    reverse_transfer(code, moved.transfer, caller=CALLER, key="mistaken")

    assert owed_to(scene) == 0
    assert net_minor(scene, "share_sale_gain") == net_minor(scene, "principal_sold") == 0
    after_nights(scene, 21)
    assert net_minor(scene, "interest_income") == -20_000 - 722
    assert Participation.objects.get(superseded_date=None).share_ppm == 1_000_000
    assert findings() == []


def test_a_transfer_on_which_a_later_one_rests_is_not_taken_back(lent):
    scene, _, code = lent
    days_later(scene, 10)
    moved = sold(code)
    bought_back(code, 200_000)

    with pytest.raises(ShareNotHeld, match="buy it back first"):
        reverse_transfer(code, moved.transfer, caller=CALLER, key="mistaken")


def test_a_transfer_is_taken_back_once(lent):
    scene, _, code = lent
    days_later(scene, 10)
    moved = sold(code)

    reverse_transfer(code, moved.transfer, caller=CALLER, key="mistaken")
    reverse_transfer(code, moved.transfer, caller=CALLER, key="mistaken")

    with pytest.raises(NoSuchTransfer, match=str(moved.transfer)):
        reverse_transfer(code, moved.transfer, caller=CALLER, key="again")


def test_a_sale_is_made_once_whatever_is_repeated(lent):
    scene, _, code = lent
    days_later(scene, 10)

    first = sold(code, key="one")

    assert sold(code, key="one") == first
    assert ShareTransfer.objects.count() == 1


# --- books, lines and money ----------------------------------------------------------------------


def test_a_loan_that_changes_its_book_takes_along_what_was_sold_of_it(lent):
    scene, _, code = lent
    after_nights(scene, 10)
    sold(code)
    old = Book.objects.get(pk=scene.book_id)
    new = Book.objects.create(
        legal_entity_id=scene.legal_entity_id,
        programme=old.programme,
        funder=old.funder,
        currency=old.currency,
        asset_class="special_mention",
    )

    change_book(code, new.pk, caller=CALLER, key="moved")

    assert net_minor(scene, "principal_sold", book=old.pk) == 0
    assert net_minor(scene, "principal_sold", book=new.pk) == -1_080_000
    assert net_minor(scene, "interest_sold", book=new.pk) == -3_000
    paid(code, 10_000)
    after_nights(scene, 11)
    assert findings() == []


def test_what_is_sold_is_drawn_on_the_buyers_line_and_no_more_on_the_lenders(lent):
    scene, facility, code = lent
    after_nights(scene, 10)
    theirs = FundingLine.objects.create(
        legal_entity_id=scene.legal_entity_id,
        programme="jd.jingbaobei",
        funder=Party.objects.get(code="BANK"),
        currency="CNY",
        limit_minor=1_200_000,
    )

    sold(code)
    paid(code, 1_010_000)

    own = FundingLine.objects.get(pk=facility.funding_line_id)
    theirs.refresh_from_db()
    assert (own.drawn_minor, theirs.drawn_minor) == (1_820_000, 780_000)
    with pytest.raises(FundingLineTooSmall, match="1200000"):
        sold(code, 200_000)
    assert findings() == []


def test_a_funder_is_paid_what_came_in_once_it_has_paid_what_it_owes(lent):
    scene, _, code = lent
    after_nights(scene, 10)
    sold(code)
    entity = {"currency": "CNY", "legal_entity_id": scene.legal_entity_id, "caller": CALLER}

    with pytest.raises(NothingDueFromFunder, match="1083000"):
        take_from_funder("BANK", 1_083_001, key="too much", **entity)
    assert take_from_funder("BANK", 1_083_000, key="price", **entity) == 0
    with pytest.raises(NothingPayableToFunder):
        pay_funder("BANK", key="early", **entity)
    paid(code, 1_010_000)
    end_to_end_id, amount_minor = pay_funder("BANK", key="pay", **entity)
    assert amount_minor == 303_000
    assert pay_funder("BANK", key="pay", **entity) == (end_to_end_id, amount_minor)
    with pytest.raises(NothingPayableToFunder, match="ordered already"):
        pay_funder("BANK", key="twice", **entity)

    answered(scene, end_to_end_id, Outcome.REJECTED)
    second = order_again(end_to_end_id, legal_entity_id=scene.legal_entity_id, caller=CALLER)
    answered(scene, second, Outcome.PAID)

    assert owed_to(scene) == 0
    assert "paid_to_funder" in events_booked()
    assert findings() == []


def answered(scene, end_to_end_id, outcome):
    message = BankMessage(
        f"B-{end_to_end_id}", end_to_end_id, outcome, 303_000, "CNY", scene.today, ""
    )
    take_answers(
        [message], legal_entity_id=scene.legal_entity_id, caller=CALLER, key=f"b-{end_to_end_id}"
    )


# --- two people ---------------------------------------------------------------------------------


def test_a_sale_waits_for_a_second_person_who_carries_it_out(lent):
    scene, _, code = lent
    days_later(scene, 10)
    maker = User.objects.create(email="maker@house.example", role="operator")
    checker = User.objects.create(email="checker@house.example", role="approver")

    def agreed(terms, key):
        number = propose(code, terms, caller=CALLER, key=key, maker=maker)
        assert [each.pk for each in waiting(scene.legal_entity_id)] == [number]
        return approve_proposal(number, caller=CALLER, key=f"yes-{key}", checker=checker).figures

    sale = agreed(ShareSale("BANK", 300_000, price_minor=1_090_000), "sale")
    back = agreed(ShareBuyBack("BANK", 100_000), "back")
    agreed(ShareReversal(back["transfer"]), "reversal")

    assert (sale["par_minor"], sale["price_minor"], back["price_minor"]) == (
        1_083_000,
        1_090_000,
        361_000,
    )
    assert [(each.funder, each.share_ppm) for each in held_shares(code) if not each.to_date] == [
        ("LENDER", 700_000),
        ("BANK", 300_000),
    ]
    assert [each.reversed_date for each in transfers_made(code)] == [None, scene.today]
    with pytest.raises(ShareNotHeld):
        propose(code, ShareSale("FUND", 800_000), caller=CALLER, key="more", maker=maker)
    assert [finding for check in proposals_checks() for finding in check.run()] == []


# --- refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "refusal"),
    [
        pytest.param({"funder": "NOBODY"}, NotAFunderOfTheLoan, id="to nobody we know"),
        pytest.param({"funder": "LENDER"}, NotAFunderOfTheLoan, id="to the lender itself"),
        pytest.param({"funder": "S1"}, NotAFunderOfTheLoan, id="to the borrower"),
        pytest.param({"share_ppm": 0}, NotAShare, id="of nothing"),
        pytest.param({"share_ppm": 1_000_001}, NotAShare, id="of more than the whole"),
        pytest.param({"price_minor": -1}, NotASharePrice, id="for less than nothing"),
        pytest.param({"value_date": START}, TransferBeforePayout, id="on the day of the payout"),
        pytest.param({"value_date": START + 11 * DAY}, EventInFuture, id="from tomorrow on"),
    ],
)
def test_a_share_is_not_sold(lent, asked, refusal):
    scene, _, code = lent
    days_later(scene, 10)

    with pytest.raises(refusal):
        sold(code, **{"share_ppm": 300_000, "key": "k", **asked})

    assert ShareTransfer.objects.count() == 0


def test_a_sold_share_is_not_sold_again(lent):
    scene, _, code = lent
    days_later(scene, 10)
    sold(code, 800_000)

    with pytest.raises(ShareNotHeld, match="200000"):
        sold(code, 300_000, "FUND")


def test_a_sale_takes_a_reason_and_a_live_loan(lent):
    scene, _, code = lent
    days_later(scene, 10)
    silent = Caller(owner="system", actor="tests", channel="internal", reason=" ")

    with pytest.raises(ReasonMissing, match="sell a share"):
        sell_share(code, "BANK", 300_000, caller=silent, key="silent")
    charge_off(code, caller=CALLER, key="lost")
    with pytest.raises(NotALiveLoan, match="charged_off"):
        sold(code)


# --- verify --------------------------------------------------------------------------------------


def test_verify_names_the_loan_whose_participations_are_not_its_transfers(lent):
    scene, _, code = lent
    after_nights(scene, 10)
    sold(code)
    lender = LegalEntity.objects.get(pk=scene.legal_entity_id).party
    Participation.objects.filter(funder=lender, to_date=None).update(superseded_date=START)

    (found,) = findings()

    assert found.check == "shares: participations are what the transfers say"
    assert code in found.subject


def test_verify_names_a_funding_line_on_which_another_amount_is_drawn(lent):
    scene, facility, code = lent
    days_later(scene, 10)
    sold(code)
    FundingLine.objects.filter(pk=facility.funding_line_id).update(drawn_minor=3_600_000)

    (found,) = (each for check in share_checks() for each in check.run())

    assert (found.expected, found.found) == ("2520000", "3600000")
