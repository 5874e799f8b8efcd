"""Accounts are opened when first needed, once, and only as the chart has them."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from tests.book.ledger.house import BANK, CAPITAL, SUSPENSE

from tallystick.book.ledger.accounts import open_accounts
from tallystick.book.ledger.models import Account
from tallystick.book.ledger.post import post
from tallystick.rules.chart import CHART, Scope, UnknownAccount
from tallystick.rules.journal import AccountName


def names_of(house):
    given = {
        Scope.ENTITY: {},
        Scope.BOOK: {"book": house.book_id},
        Scope.PARTY: {"party": house.party_id},
    }
    return [AccountName(line.name, **given[line.scope]) for line in CHART.values()]


def test_every_account_of_the_chart_can_be_opened_and_is_opened_once(house):
    opened = open_accounts(house.legal_entity_id, "CNY", names_of(house))
    again = open_accounts(house.legal_entity_id, "CNY", reversed(names_of(house)))

    assert opened == again
    assert len(set(opened.values())) == len(CHART)
    assert Account.objects.filter(legal_entity=house.legal_entity_id).count() == len(CHART)


def test_each_currency_has_accounts_of_its_own(house):
    yuan = open_accounts(house.legal_entity_id, "CNY", [BANK])
    dollars = open_accounts(house.legal_entity_id, "USD", [BANK])

    assert yuan[BANK] != dollars[BANK]


def test_an_account_opened_by_an_act_that_fails_is_not_there_afterwards(house):
    with transaction.atomic():
        lost = open_accounts(house.legal_entity_id, "CNY", [BANK])
        transaction.set_rollback(True)

    opened = open_accounts(house.legal_entity_id, "CNY", [BANK])

    assert Account.objects.filter(pk=opened[BANK]).exists()
    assert not Account.objects.filter(pk=lost[BANK]).exists()
    assert post(house.entry())


def test_eight_acts_that_need_the_same_new_accounts_get_the_same_ones(house):
    start = Barrier(8)
    names = names_of(house)

    def opened(turn):
        try:
            start.wait()
            with transaction.atomic():
                return open_accounts(
                    house.legal_entity_id, "CNY", names if turn % 2 else names[::-1]
                )
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        first, *others = threads.map(opened, range(8))

    assert all(other == first for other in others)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        pytest.param(AccountName("slush_fund"), "no account 'slush_fund'", id="not in the chart"),
        pytest.param(AccountName("loan_principal"), "with a book and no party", id="no book"),
        pytest.param(AccountName("supplier_credit"), "with a party and no book", id="no party"),
        pytest.param(AccountName("bank", party=1), "neither a book nor a party", id="a party"),
        pytest.param(AccountName("loan_principal", 1, 1), "with a book and no", id="both"),
    ],
)
def test_an_account_that_the_chart_does_not_have_is_refused(house, name, message):
    with pytest.raises(UnknownAccount, match=message):
        open_accounts(house.legal_entity_id, "CNY", [BANK, name])

    assert not Account.objects.filter(legal_entity=house.legal_entity_id).exists()


def test_a_book_has_accounts_in_its_own_currency_only(house):
    with pytest.raises(IntegrityError, match="another legal entity or currency"):
        open_accounts(house.legal_entity_id, "USD", [house.principal])


def test_the_chart_numbers_its_lines_in_the_order_of_the_statements():
    numbers = [line.number for line in CHART.values()]

    assert numbers == sorted(set(numbers))
    assert {BANK.name, CAPITAL.name, SUSPENSE.name} <= CHART.keys()
