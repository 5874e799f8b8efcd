"""Loans go from class to class at the close of day, into other books, and back."""

from datetime import date, timedelta

from tests.book.impairment.shorter import SHORT_DAYS, shorter, under
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import books_of, findings, net_minor
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_reverse import code_of

from tallystick.book.financing.models import Loan
from tallystick.book.impairment.models import LoanClass
from tallystick.book.ledger.models import Account, Book, Entry, Posting
from tallystick.book.ledger.queries import balances
from tallystick.book.parties.models import Party
from tallystick.book.servicing.close import close_day, close_through
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.reverse import reverse_receipt
from tallystick.book.servicing.sell_share import sell_share

DAY = timedelta(days=1)
BANK, FACTOR = shorter("cn.bank"), shorter("cn.factor")


def told_of(loan_id: int) -> list[tuple[int, str, str, int]]:
    """Each change of a loan's class: days since START, class, clause and stage."""
    return [
        ((row.from_date - START).days, row.asset_class, row.clause, row.stage)
        for row in LoanClass.objects.filter(loan=loan_id).order_by("from_date")
    ]


def class_book(loan_id: int) -> str:
    return Loan.objects.get(pk=loan_id).book.asset_class


def test_a_loan_left_unpaid_goes_down_class_by_class_and_takes_its_debtors_others_along(database):
    scene = under(BANK)
    facility = scenes.facility(scene, "S1")
    late = scenes.lent(facility, 3_600_000, days=1)
    other = scenes.lent(facility, 3_600_000_000, days=700)
    strangers = scenes.lent(scenes.facility(scene, "S2"), 3_600_000, days=700)

    close_through(scene.legal_entity_id, START + 11 * DAY)

    assert told_of(late) == [
        (4, "special_mention", "special_mention_over_days", 1),
        (5, "special_mention", "special_mention_over_days", 2),
        (6, "substandard", "substandard_over_days", 3),
        (8, "doubtful", "doubtful_over_days", 3),
        (10, "loss", "loss_over_days", 3),
    ]
    assert told_of(other) == [(6, "special_mention", "debtor_non_performing", 1)]
    assert told_of(strangers) == []
    assert [class_book(loan) for loan in (late, other, strangers)] == [
        "loss",
        "special_mention",
        "normal",
    ]
    assert findings() == []


def test_a_legal_entity_without_a_pack_classes_nothing_and_provides_for_nothing(database):
    scene = scenes.opened()
    scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=1)

    closed = close_through(scene.legal_entity_id, START + 9 * DAY)

    assert closed[-1].figures["classes"] == closed[-1].figures["provisions"] == {"pack": None}
    assert not LoanClass.objects.exists()
    assert net_minor(scene, "loss_allowance") == 0


def test_a_balance_asked_for_the_day_shows_the_loan_in_its_class(database):
    """The move is booked in the day that is open, with the day that closed as its value date."""
    scene = under(FACTOR)
    scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=1)

    close_through(scene.legal_entity_id, START + 6 * DAY)

    bad = Book.objects.get(asset_class="substandard")
    account = Account.objects.get(name="loan_principal", book=bad).pk
    on = START + 6 * DAY
    assert balances([account], on=on, known_on=date.max)[account].net_minor == 3_600_000
    assert balances([account], on=on - DAY, known_on=date.max)[account].net_minor == 0


def test_all_loans_that_a_night_moves_from_book_to_book_are_in_one_entry(database):
    """36,000.00, 72,000.00 and 108,000.00, each with seven nights of interest at 10 %."""
    scene = under(FACTOR)
    facility = scenes.facility(scene, "S1")
    loans = [scenes.lent(facility, n * 3_600_000, days=1, penalty_rate_ppb=0) for n in (1, 2, 3)]

    close_through(scene.legal_entity_id, START + 5 * DAY)
    repay(code_of(loans[0]), 3_606_000, value_date=None, caller=CALLER, key="in time")
    close_day(scene.legal_entity_id, START + 6 * DAY)

    (entry,) = Entry.objects.filter(event="book_changed")
    assert (entry.value_date, entry.booking_date) == (START + 6 * DAY, START + 7 * DAY)
    postings = Posting.objects.filter(entry=entry, account__book__asset_class="substandard")
    assert dict(postings.values_list("account__name", "amount_minor")) == {
        "interest_receivable": 5 * 7 * 1_000,
        "loan_principal": 5 * 3_600_000,
    }
    assert [class_book(loan) for loan in loans] == ["normal", "substandard", "substandard"]
    assert findings() == []


def test_a_debt_paid_lifts_the_class_of_its_debtors_others_and_the_suspense_comes_back(database):
    """36,000.00 at 10 % earns 10.00 a night; what ran while non-performing waits in suspense."""
    scene = under(BANK)
    facility = scenes.facility(scene, "S1")
    late = scenes.lent(facility, 3_600_000, days=1, penalty_rate_ppb=0)
    other = scenes.lent(facility, 3_600_000, days=700, penalty_rate_ppb=0)
    close_through(scene.legal_entity_id, START + 9 * DAY)
    # Substandard at the end of the sixth day: the nights of days 7, 8 and 9, twice 10.00 each.
    assert net_minor(scene, "interest_in_suspense") == -6_000
    assert net_minor(scene, "interest_income") == -14_000
    assert class_book(other) == "substandard"

    repay(code_of(late), 3_600_000 + 10_000, value_date=None, caller=CALLER, key="all")
    close_day(scene.legal_entity_id, START + 10 * DAY)

    assert [asset_class for _, asset_class, _, _ in told_of(other)] == ["substandard", "normal"]
    assert class_book(other) == "normal"
    assert net_minor(scene, "interest_in_suspense") == 0
    # Ten nights of the one, eleven of the other.
    assert net_minor(scene, "interest_income") == -21_000
    assert findings() == []


def test_what_was_non_performing_is_observed_for_its_months_before_it_performs_again(database):
    """The late loan is paid on the tenth day; what it took along is observed for a month."""
    observing = SHORT_DAYS | {"cure_needs_no_arrears": 1, "cure_after_months": 1}
    scene = under(shorter("cn.bank", observing))
    facility = scenes.facility(scene, "S1")
    late = scenes.lent(facility, 3_600_000, days=1, penalty_rate_ppb=0)
    other = scenes.lent(facility, 3_600_000, days=700, penalty_rate_ppb=0)
    close_through(scene.legal_entity_id, START + 9 * DAY)
    repay(code_of(late), 3_600_000 + 10_000, value_date=None, caller=CALLER, key="all")

    close_through(scene.legal_entity_id, START + 40 * DAY)
    assert class_book(other) == "substandard"
    assert findings() == []
    close_through(scene.legal_entity_id, START + 41 * DAY)

    # START is 2 March: paid on the 12th, and the 12th of April is a month later.
    assert told_of(other) == [
        (6, "substandard", "debtor_over_share_bps", 3),
        (10, "substandard", "cure_after_months", 3),
        (41, "normal", "", 1),
    ]
    assert net_minor(scene, "interest_in_suspense") == 0
    assert findings() == []


def test_interest_paid_on_a_bad_loan_is_income_once_it_reaches_what_was_in_suspense(database):
    scene = under(FACTOR)
    loan = scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=1, penalty_rate_ppb=0)
    close_through(scene.legal_entity_id, START + 9 * DAY)
    assert net_minor(scene, "interest_in_suspense") == -3_000

    # Of the 100.00 that have run 70.00 were income before; 80.00 reach 10.00 of the suspense.
    repay(code_of(loan), 8_000, value_date=None, caller=CALLER, key="part")
    close_day(scene.legal_entity_id, START + 10 * DAY)

    assert net_minor(scene, "interest_in_suspense") == -3_000
    assert net_minor(scene, "interest_income") == -8_000
    assert findings() == []


def test_closing_day_by_day_and_catching_up_come_to_the_same_classes_and_books(database):
    daily, late = (under(BANK, code=code) for code in ("DAILY", "LATE"))
    loans = [
        scenes.lent(scenes.facility(scene, f"S-{scene.book_id}"), 1_234_567, days=3)
        for scene in (daily, late)
    ]
    for n in range(13):
        close_day(daily.legal_entity_id, START + n * DAY)

    close_through(late.legal_entity_id, START + 12 * DAY)

    assert told_of(loans[0]) == told_of(loans[1]) != []
    for n in range(13):
        assert list(books_of(daily, START + n * DAY).values()) == list(
            books_of(late, START + n * DAY).values()
        )
    assert findings() == []


def test_a_receipt_taken_back_after_the_loan_has_moved_is_taken_from_its_new_book(database):
    scene = under(FACTOR)
    loan = scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=1)
    settled = repay(code_of(loan), 100_000, value_date=None, caller=CALLER, key="early")
    close_through(scene.legal_entity_id, START + 7 * DAY)
    assert class_book(loan) == "substandard"

    reverse_receipt(
        settled.bank_reference, legal_entity_id=scene.legal_entity_id, caller=CALLER, key="back"
    )
    close_through(scene.legal_entity_id, START + 8 * DAY)

    bad = Book.objects.get(asset_class="substandard").pk
    assert net_minor(scene, "loan_principal", book=bad) == 3_600_000
    assert findings() == []


def test_a_sold_share_leaves_with_its_part_and_neither_suspense_nor_income_of_it_is_ours(database):
    """A quarter of 36,000.00 is sold after one night of 10.00; ten nights later it is bad."""
    scene = under(FACTOR)
    loan = scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=1, penalty_rate_ppb=0)
    Party.objects.create(code="HARBOUR", name="Harbour Bank")
    close_day(scene.legal_entity_id, START)
    sell_share(code_of(loan), "HARBOUR", 250_000, caller=CALLER, key="sold")

    close_through(scene.legal_entity_id, START + 9 * DAY)

    book = Book.objects.get(asset_class=class_book(loan))
    assert book.asset_class != "normal"
    assert net_minor(scene, "principal_sold", book=book.pk) == -900_000
    assert net_minor(scene, "interest_sold", book=book.pk) == -2_500
    # Of the three nights since it was classed so, as of the nine since the sale, three quarters.
    assert net_minor(scene, "interest_in_suspense") == -2_250
    assert net_minor(scene, "interest_income") == -(1_000 + 9 * 750 - 2_250)
    assert findings() == []
