"""Partners misbehave for weeks: the books agree after every day, and a failure can be repeated.

The nightly run is the same walk, thirty times as long: ``./tally soak --days 2000``.
"""

from dataclasses import replace
from datetime import date

import pytest

from tallystick.book.ledger.queries import trial_balance
from tallystick.book.parties.models import LegalEntity
from tallystick.book.trade.record_documents import NumberTaken
from tallystick.lab.run_soak import SoakFailed, SoakRun, prepare_soak

BEGINNING = date(2020, 2, 3)


def walked(**settings: int) -> tuple[SoakRun, list[str]]:
    run = prepare_soak(**settings)
    return run, run.walk(on_day=lambda _day: None)


def balances(known_on: date) -> list[tuple[object, ...]]:
    return [
        (line.account.label, line.account.currency, line.balance)
        for line in trial_balance(LegalEntity.objects.get().pk, on=date.max, known_on=known_on)
    ]


def test_whatever_partners_do_the_books_agree_and_the_same_seed_gives_the_same_books(
    database, request
):
    run, findings = walked(days=66, suppliers=3, seed=5)
    first = balances(BEGINNING)

    assert findings == []
    assert run.summary.draws > 0
    assert run.summary.repaid_minor > 0
    assert run.summary.repeated_documents > 0
    assert len(run.market.did) > 12
    assert len(run.bank.did) > 5
    assert len(run.desk.did) > 3

    request.getfixturevalue("another_database")
    run, findings = walked(days=(BEGINNING - run.start).days + 1, suppliers=3, seed=5)
    assert findings == []
    assert balances(BEGINNING) == first


@pytest.fixture
def another_database(shared_database):
    return shared_database


def test_another_seed_goes_wrong_otherwise_and_the_books_agree_as_well(database):
    run, findings = walked(days=60, suppliers=3, seed=11)

    assert findings == []
    assert run.summary.refusals


def test_a_refusal_that_no_partner_has_provoked_ends_the_run(database):
    run = prepare_soak(days=40, suppliers=3, seed=1)
    strict = replace(run, walk_=replace(run.walk_, expected=()))

    with pytest.raises(SoakFailed, match="NumberTaken") as failure:
        strict.walk(on_day=lambda _day: None)

    assert isinstance(failure.value.__cause__, NumberTaken)


def test_a_failure_names_its_day_and_the_command_that_finds_it_again(database):
    run = prepare_soak(days=30, suppliers=2, seed=3)
    found = replace(
        run,
        walk_=replace(run.walk_, daily_check=lambda on: ["it differs"] if on.day == 8 else []),
    )

    with pytest.raises(SoakFailed, match=r"fails on 2020-01-08.*it differs") as failure:
        found.walk(on_day=lambda _day: None)

    assert "./tally soak --days 30 --suppliers 2 --seed 3" in str(failure.value)
