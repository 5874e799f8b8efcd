"""Balances on any day as known on any day, against an addition of all that was ever posted."""

import secrets
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.book.ledger.house import BANK, CAPITAL, OPENED, SUSPENSE, open_house

from tallystick.book.ledger.accounts import open_accounts
from tallystick.book.ledger.post import post, reverse
from tallystick.book.ledger.queries import Balance, balances, statement, trial_balance
from tallystick.rules.journal import Side, credit, debit

DAY = timedelta(days=1)


def ids_of(house, *names):
    return open_accounts(house.legal_entity_id, "CNY", names)


def net(house, name, *, on, known_on):
    account_id = ids_of(house, name)[name]
    return balances([account_id], on=on, known_on=known_on)[account_id].net_minor


def test_a_back_dated_entry_counts_from_its_value_date_for_those_who_ask_later(house):
    first_day = OPENED
    post(house.entry())
    second_day = house.close()
    post(house.entry(debit(BANK, 7), credit(CAPITAL, 7), value_date=first_day))
    house.close()

    assert net(house, BANK, on=first_day, known_on=first_day) == 100
    assert net(house, BANK, on=first_day, known_on=second_day) == 107
    assert net(house, BANK, on=first_day - DAY, known_on=second_day) == 0


def test_an_entry_with_a_later_value_date_counts_from_that_day(house):
    post(house.entry(value_date=OPENED + 3 * DAY))

    assert net(house, BANK, on=OPENED + 2 * DAY, known_on=OPENED) == 0
    assert net(house, BANK, on=OPENED + 3 * DAY, known_on=OPENED) == 100


def test_a_reversed_entry_never_counted_for_those_who_ask_after_the_reversal(house):
    entry_id = post(house.entry())
    house.close()
    reverse(entry_id, event="undone", booking_date=house.open_day())

    assert net(house, BANK, on=OPENED, known_on=OPENED) == 100
    assert net(house, BANK, on=OPENED, known_on=OPENED + DAY) == 0


def test_an_account_without_postings_is_at_zero(house):
    account_id = ids_of(house, BANK)[BANK]

    assert balances([account_id, -1], on=OPENED, known_on=OPENED) == {
        account_id: Balance(0, 0),
        -1: Balance(0, 0),
    }


def test_totals_may_exceed_what_one_amount_can_hold(house):
    largest = 2**63 - 1
    for _ in range(3):
        post(house.entry(debit(BANK, largest), credit(CAPITAL, largest)))
    assert net(house, BANK, on=OPENED, known_on=OPENED) == 3 * largest
    house.close()
    assert net(house, BANK, on=OPENED, known_on=OPENED) == 3 * largest


ACCOUNTS = (BANK, CAPITAL, SUSPENSE)
bookings = st.tuples(
    st.sampled_from([(BANK, CAPITAL), (CAPITAL, BANK), (BANK, SUSPENSE), (SUSPENSE, CAPITAL)]),
    st.integers(1, 1000),
    st.integers(-6, 3),  # value date, days from the booking date
)
days = st.lists(st.lists(bookings, max_size=4), min_size=1, max_size=5)


@settings(max_examples=20, deadline=None)
@given(days=days, sealed_days=st.integers(0, 5), asked=st.data())
def test_every_balance_equals_an_addition_of_all_postings(
    shared_database, days, sealed_days, asked
):
    house = open_house(f"HOUSE-{secrets.token_hex(4)}")
    ids = ids_of(house, *ACCOUNTS)
    posted = []  # account, side, amount, value date, booking date
    for number, booked in enumerate(days):
        booking_date = OPENED + number * DAY
        for (debited, credited), amount_minor, value_days in booked:
            value_date = booking_date + value_days * DAY
            post(
                house.entry(
                    debit(debited, amount_minor),
                    credit(credited, amount_minor),
                    booking_date=booking_date,
                    value_date=value_date,
                )
            )
            posted.append((debited, 1, amount_minor, value_date, booking_date))
            posted.append((credited, -1, amount_minor, value_date, booking_date))
        if number < sealed_days:
            house.close()
        else:
            house.roll()

    def total(account, side, *, on, known_on, from_date=date.min):
        return sum(
            amount_minor
            for name, its_side, amount_minor, value_date, booking_date in posted
            if name == account
            and its_side == side
            and from_date <= value_date <= on
            and booking_date <= known_on
        )

    nearby = st.integers(-8, 8).map(lambda number: OPENED + number * DAY)
    for _ in range(3):
        on, known_on = asked.draw(nearby), asked.draw(nearby)
        expected = {
            account: Balance(
                total(account, 1, on=on, known_on=known_on),
                total(account, -1, on=on, known_on=known_on),
            )
            for account in ACCOUNTS
        }
        found = balances(ids.values(), on=on, known_on=known_on)
        assert {account: found[ids[account]] for account in ACCOUNTS} == expected

        lines = trial_balance(house.legal_entity_id, on=on, known_on=known_on)
        assert {line.account.account_id: line.balance for line in lines} == {
            ids[account]: balance
            for account, balance in expected.items()
            if balance != Balance(0, 0)
        }
        assert sum(line.balance.net_minor for line in lines) == 0

        from_date = asked.draw(nearby)
        told = statement(ids[BANK], from_date=from_date, on=on, known_on=known_on)
        assert told.opening == Balance(
            total(BANK, 1, on=from_date - DAY, known_on=known_on),
            total(BANK, -1, on=from_date - DAY, known_on=known_on),
        )
        running = told.opening.net_minor
        for line in told.lines:
            running += line.side * line.amount_minor
            assert line.net_minor == running
        for side in Side:
            assert sum(line.amount_minor for line in told.lines if line.side is side) == total(
                BANK, side, on=on, known_on=known_on, from_date=from_date
            )
        if from_date <= on:
            assert running == expected[BANK].net_minor


def test_a_statement_lists_its_lines_by_value_date_and_entry(house):
    late = post(house.entry(reference="late"))
    house.close()
    early = post(house.entry(value_date=OPENED - DAY, reference="early"))
    same_day = post(
        house.entry(debit(BANK, 3), debit(BANK, 4), credit(CAPITAL, 7), value_date=OPENED)
    )

    told = statement(
        ids_of(house, BANK)[BANK],
        from_date=OPENED - DAY,
        on=OPENED + DAY,
        known_on=house.open_day(),
    )

    assert [(line.entry_id, line.line, line.net_minor) for line in told.lines] == [
        (early, 1, 100),
        (late, 1, 200),
        (same_day, 1, 203),
        (same_day, 2, 207),
    ]
    assert [line.reference for line in told.lines[:2]] == ["early", "late"]


@pytest.mark.parametrize("close", [False, True], ids=["unsealed", "sealed"])
def test_a_trial_balance_names_its_accounts(house, close):
    post(
        house.entry(debit(house.principal, 60), debit(BANK, 40), credit(house.supplier_credit, 100))
    )
    post(house.entry(currency="USD"))
    if close:
        house.close()

    lines = trial_balance(house.legal_entity_id, on=OPENED, known_on=OPENED)

    assert [
        (line.account.currency, line.account.label, line.balance.net_minor) for line in lines
    ] == [
        ("CNY", "bank", 40),
        ("CNY", f"loan_principal:jd.jingbaobei/{house.code}/normal", 60),
        ("CNY", f"supplier_credit:{house.code}-SELLER", -100),
        ("USD", "bank", 100),
        ("USD", "capital", -100),
    ]
