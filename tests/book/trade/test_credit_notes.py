"""Credit notes dilute claims; what finds none waits."""

import pytest
from tests.book.trade.market import Market, amounts, paper

from tallystick.book.trade.models import UnappliedCredit


@pytest.fixture
def market(database) -> Market:
    return Market.opened()


def waiting() -> dict[str, int]:
    return dict(
        UnappliedCredit.objects.filter(remaining_minor__gt=0).values_list(
            "document__number", "remaining_minor"
        )
    )


def diluted() -> dict[str, int]:
    return {number: diluted for number, (_, _, diluted) in amounts().items() if diluted}


def test_a_credit_note_dilutes_the_claim_of_equal_gross_before_the_newest(market):
    market.records(paper("invoice", "EQUAL", 50, on=1), paper("invoice", "NEWEST", 80, on=2))
    (note,) = market.records(paper("credit_note", "CN-1", 50, on=3))

    assert note.effect_minor == 50
    assert diluted() == {"EQUAL": 50}


def test_claims_of_another_obligor_are_left_alone_and_the_rest_waits(market):
    market.records(paper("invoice", "OURS", 30), paper("invoice", "THEIRS", 90, obligor="SHOP"))
    (note,) = market.records(paper("credit_note", "CN-1", 50, on=3))

    assert note.effect_minor == 30
    assert diluted() == {"OURS": 30}
    assert waiting() == {"CN-1": 20}


def test_a_waiting_credit_meets_an_earlier_claim_that_arrives_late_but_no_later_one(market):
    market.records(paper("credit_note", "CN-1", 50, on=3))
    market.records(paper("invoice", "LATER", 80, on=4))
    assert waiting() == {"CN-1": 50}

    market.records(paper("invoice", "EARLIER", 40, on=2))

    assert diluted() == {"EARLIER": 40}
    assert waiting() == {"CN-1": 10}


def test_a_return_named_by_its_invoice_dilutes_that_and_what_followed_from_it(market):
    market.records(
        paper("invoice", "INV-1", 100),
        paper("invoice", "OTHER", 30, on=1),
        paper("statement", "ST-1", 80, of="invoice:INV-1", on=2),
    )
    market.records(paper("credit_note", "CN-1", 30, of="invoice:INV-1", on=3))

    assert amounts()["INV-1"] == (20, 0, 20)
    assert amounts()["ST-1"] == (80, 0, 10)
    assert amounts()["OTHER"] == (30, 0, 0)


def test_a_credit_note_waits_whole_for_the_document_it_names(market):
    market.records(paper("invoice", "OTHER", 50))
    (note,) = market.records(paper("credit_note", "CN-1", 30, of="invoice:INV-1", on=3))
    assert note.awaits_predecessor
    assert diluted() == {}

    market.records(paper("invoice", "INV-1", 20, on=1))

    assert diluted() == {"INV-1": 20, "OTHER": 10}
    assert waiting() == {}


def test_goods_returned_before_the_statement_stay_diluted_where_they_were(market):
    market.records(
        paper("invoice", "INV-1", 100),
        paper("credit_note", "CN-1", 10, of="invoice:INV-1", on=1),
        paper("statement", "ST-1", 90, of="invoice:INV-1", on=2),
    )

    assert amounts() == {"INV-1": (10, 0, 10), "ST-1": (90, 0, 0)}


def test_within_a_batch_the_order_of_credit_notes_plays_no_part(market):
    notes = [paper("credit_note", "CN-2", 70, on=5), paper("credit_note", "CN-1", 70, on=3)]
    market.records(*notes, paper("invoice", "INV-1", 100))

    assert waiting() == {"CN-2": 40}
