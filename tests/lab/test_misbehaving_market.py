"""A marketplace that misbehaves: seeded, and nothing but what it was asked to do wrong."""

from collections import Counter
from dataclasses import fields
from datetime import date, timedelta
from random import Random

import pytest

from tallystick.book.calendars import china
from tallystick.lab.world.market import Market
from tallystick.lab.world.misbehaving_market import PPM, MarketFaults, MisbehavingMarket
from tallystick.lab.world.wrong_documents import corrected, garbled
from tallystick.rules.trade_documents import unacceptable

START, END = date(2020, 1, 6), date(2020, 3, 31)
NONE = dict.fromkeys((each.name for each in fields(MarketFaults)), 0)


def market(**faults_ppm: int) -> MisbehavingMarket:
    return misbehaving(MarketFaults(**(NONE | faults_ppm)))


def misbehaving(faults: MarketFaults, *, seed: int = 7) -> MisbehavingMarket:
    inner = Market(suppliers=6, seed=seed, start=START, end=END, calendar=china())
    return MisbehavingMarket(inner, seed, faults)


def told(world, last=END + timedelta(days=250)):
    days = (START + timedelta(days=place) for place in range((last - START).days + 1))
    return [(on, world.events(on), world.wishes(on)) for on in days]


def documents(days):
    return [document for _, events, _ in days for document in events.documents]


def remittances(days):
    return [(on, remittance) for on, events, _ in days for remittance in events.remittances]


@pytest.fixture(scope="module")
def well_told():
    """The market as it is, without anything going wrong."""
    return told(Market(suppliers=6, seed=7, start=START, end=END, calendar=china()))


def test_without_faults_the_market_is_told_as_it_is(well_told):
    days = told(market())

    assert documents(days) == documents(well_told)
    assert remittances(days) == remittances(well_told)
    assert [wishes for _, _, wishes in days] == [wishes for _, _, wishes in well_told]


def test_the_same_seed_goes_wrong_in_the_same_way():
    one, same, other = (misbehaving(MarketFaults(), seed=seed) for seed in (7, 7, 8))

    assert told(one) == told(same)
    assert one.did == same.did
    assert told(other) != told(same)


def test_everything_that_can_go_wrong_does():
    world = misbehaving(MarketFaults())
    told(world)

    assert len(world.did) >= 20
    assert set(world.refusals) == {"UnacceptableDocument", "InvalidReceipt", "ReceiptConflict"}


def test_a_silent_feed_holds_documents_back_and_loses_none(well_told):
    days = told(market(goes_silent_days_ppm=100_000))

    assert Counter(documents(days)) == Counter(documents(well_told))
    assert documents(days) != documents(well_told)
    # The bank is another partner: cash goes on being told of.
    assert Counter(remittances(days)) == Counter(remittances(well_told))


def test_a_document_sent_again_is_word_for_word_the_same(well_told):
    days = told(market(resends_ppm=PPM))

    assert Counter(documents(days)) == Counter(documents(well_told) * 2)


def test_a_correction_has_the_number_of_another_content(well_told):
    for place, document in enumerate(documents(well_told)):
        other = corrected(document, Random(place))
        assert other != document
        assert (other.issuer, other.kind, other.number) == (
            document.issuer,
            document.kind,
            document.number,
        )


def test_what_is_garbled_no_platform_may_take(well_told):
    for place, document in enumerate(documents(well_told)):
        assert unacceptable(garbled(document, Random(place)))


def test_a_payment_that_is_missed_never_comes(well_told):
    assert remittances(well_told)
    assert remittances(told(market(misses_ppm=PPM))) == []


def test_a_payment_told_late_counts_from_the_day_it_was_made(well_told):
    made = {remittance.reference: on for on, remittance in remittances(well_told)}

    for on, remittance in remittances(told(market(tells_late_ppm=PPM))):
        assert remittance.value_date == made[remittance.reference] < on


def test_a_promotion_is_netted_from_the_cash_and_credited_afterwards_or_never(well_told):
    owed_minor = {r.reference: r.lines[0][1] for _, r in remittances(well_told)}
    days = told(market(nets_promotion_ppm=PPM))
    credited_minor = {
        document.number.removeprefix("PROMO-ST-"): document.amount_minor
        for document in documents(days)
        if document.number.startswith("PROMO-")
    }

    assert credited_minor
    for _, remittance in remittances(days):
        short_minor = owed_minor[remittance.reference] - remittance.lines[0][1]
        number = remittance.reference.removeprefix("RCV-")
        assert 0 < short_minor == credited_minor.get(number, short_minor)
