"""Documents become claims, move claims on, and are recognised when they come again."""

import pytest
from django.db import DatabaseError, connection, transaction
from tests.book.trade.market import CALLER, Market, amounts, day, faces, paper

from tallystick.book.acts.models import Act
from tallystick.book.acts.once import KeyConflict
from tallystick.book.trade.models import Claim, Document
from tallystick.book.trade.record_documents import (
    NumberTaken,
    Recorded,
    UnacceptableDocument,
    record_document,
    record_documents,
)
from tallystick.site import databases


@pytest.fixture
def market(database) -> Market:
    return Market.opened()


ORDER = paper("order", "PO-1", 100)


def claim(number: str) -> Claim:
    return Claim.objects.get(code__endswith=f":{number}")


# --- one document -------------------------------------------------------------------------------


def test_an_order_opens_a_claim_named_after_it(market):
    market.records(ORDER)

    opened = claim("PO-1")
    assert (opened.code, opened.stage, opened.status) == ("MALL:order:PO-1", "order", "open")
    assert (opened.face_minor, opened.due_date) == (100, day(60))


def test_what_fulfils_an_order_moves_its_claim_on(market):
    market.records(ORDER)
    market.records(paper("receipt", "GR-1", 60, of="order:PO-1", on=1))
    market.records(paper("invoice", "INV-1", 50, of="receipt:GR-1", on=2))
    market.records(paper("statement", "ST-1", 50, of="invoice:INV-1", on=3))

    assert faces() == {"PO-1": 40, "GR-1": 10, "ST-1": 50}
    assert claim("INV-1").status == "closed"
    assert claim("ST-1").stage == "settlement"


def test_a_whole_unit_may_come_in_one_batch_in_any_order(market):
    market.records(
        paper("invoice", "INV-1", 50, of="receipt:GR-1", on=2),
        ORDER,
        paper("receipt", "GR-1", 60, of="order:PO-1", on=1),
    )

    assert faces() == {"INV-1": 50, "PO-1": 40, "GR-1": 10}


def test_orders_of_one_number_from_two_buyers_are_two_orders(market):
    market.records(
        paper("order", "PO-1", 100, obligor="MALL"),
        paper("order", "PO-1", 300, obligor="SHOP"),
        paper("receipt", "GR-1", 50, of="order:PO-1", obligor="SHOP"),
    )

    assert [c.face_minor for c in Claim.objects.order_by("pk")] == [100, 250, 50]


def test_a_name_in_another_currency_means_another_document(market):
    (_, receipt) = market.records(
        ORDER, paper("receipt", "GR-1", 60, of="order:PO-1", currency="USD")
    )

    assert receipt.awaits_predecessor
    assert faces() == {"PO-1": 100, "GR-1": 60}


# --- documents that name what has not arrived ---------------------------------------------------


def test_an_invoice_on_an_unknown_receipt_is_flagged_and_joins_no_pool_until_that_arrives(market):
    pool_id = market.pool()
    market.records(ORDER)
    (flagged,) = market.records(paper("invoice", "INV-1", 80, of="receipt:GR-1", on=2))

    assert flagged.awaits_predecessor
    assert (claim("INV-1").awaits_predecessor, claim("INV-1").pool_id) == (True, None)
    assert claim("PO-1").pool_id == pool_id

    market.records(paper("receipt", "GR-1", 60, of="order:PO-1", on=1))

    assert (claim("INV-1").awaits_predecessor, claim("INV-1").pool_id) == (False, pool_id)
    assert faces() == {"PO-1": 20, "INV-1": 80}


def test_what_stands_on_a_flagged_claim_waits_with_it(market):
    market.pool()
    market.records(paper("invoice", "INV-1", 80, of="receipt:GR-1"))
    market.records(paper("statement", "ST-1", 80, of="invoice:INV-1"))

    assert [c.pool_id for c in Claim.objects.all()] == [None, None]

    market.records(paper("receipt", "GR-1", 80))

    assert None not in [c.pool_id for c in Claim.objects.all()]


def test_of_two_documents_of_the_number_named_the_older_is_meant_whichever_came_first(market):
    older = paper("order", "PO-1", 100, on=0)
    younger = paper("order", "PO-1", 200, on=5)
    receipt = paper("receipt", "GR-1", 60, of="order:PO-1", on=6)

    market.records(younger, numbers_repeat=True)
    market.records(receipt)
    assert [c.face_minor for c in Claim.objects.order_by("issue_date")] == [140, 60]

    market.records(older, numbers_repeat=True)

    assert [c.face_minor for c in Claim.objects.order_by("issue_date")] == [40, 200, 60]


def test_a_successor_joins_the_pool_of_what_it_fulfils(market):
    market.pool("FIRST")
    market.records(ORDER)
    second = market.pool("SECOND")
    Claim.objects.update(pool=second)

    market.records(paper("receipt", "GR-1", 60, of="order:PO-1"))

    assert claim("GR-1").pool_id == second


# --- cancellations ------------------------------------------------------------------------------


def test_a_cancellation_takes_its_amount_off_the_document_it_names(market):
    market.records(ORDER)
    (cancelled,) = market.records(paper("cancellation", "C-1", 30, of="order:PO-1", on=4))

    assert cancelled.effect_minor == 30
    assert faces() == {"PO-1": 70}


def test_a_cancellation_is_bounded_by_what_is_left_and_says_how_much_it_took(market):
    market.records(ORDER, paper("receipt", "GR-1", 80, of="order:PO-1"))
    (cancelled,) = market.records(paper("cancellation", "C-1", 50, of="order:PO-1", on=4))

    assert cancelled.effect_minor == 20
    assert faces() == {"GR-1": 80}


def test_a_cancellation_waits_for_the_document_it_names(market):
    (early,) = market.records(paper("cancellation", "C-1", 30, of="order:PO-1"))
    assert early == Recorded(early.document_id, awaits_predecessor=True)

    market.records(ORDER)

    assert faces() == {"PO-1": 70}


def test_money_received_for_a_cancelled_document_stays_with_its_claim(market):
    market.records(ORDER)
    market.pays("MALL:order:PO-1", 60)
    (cancelled,) = market.records(paper("cancellation", "C-1", 90, of="order:PO-1"))

    assert cancelled.effect_minor == 40
    assert amounts() == {"PO-1": (60, 60, 0)}
    assert claim("PO-1").status == "closed"


# --- repeats and refusals -----------------------------------------------------------------------


def test_an_exact_repeat_is_recognised_and_writes_nothing(market):
    (first,) = market.records(ORDER)
    (again,) = market.records(ORDER)

    assert again == Recorded(first.document_id, repeated=True)
    assert Document.objects.count() == 1


def test_an_exact_repeat_within_one_batch_is_recognised(market):
    first, again = market.records(ORDER, ORDER)

    assert again == first._replace(repeated=True)


@pytest.mark.parametrize("numbers_repeat", [False, True])
def test_a_repeat_with_other_terms_is_refused(market, numbers_repeat):
    market.records(ORDER)
    other_terms = ORDER._replace(due_date=day(90))
    (refusal,) = market.records(other_terms, numbers_repeat=numbers_repeat)

    assert isinstance(refusal, NumberTaken)
    assert refusal.differs_in == ("due_date",)


def test_a_number_given_twice_with_other_content_is_refused_and_the_rest_stands(market):
    market.records(ORDER)
    refusal, other = market.records(ORDER._replace(amount_minor=101), paper("order", "PO-2", 5))

    assert isinstance(refusal, NumberTaken)
    assert isinstance(other, Recorded)
    assert faces() == {"PO-1": 100, "PO-2": 5}


def test_where_numbers_repeat_other_content_is_another_document(market):
    one, other, again = market.records(
        ORDER, ORDER._replace(amount_minor=101), ORDER, numbers_repeat=True
    )

    assert not one.repeated
    assert not other.repeated
    assert again.repeated
    assert sorted(Claim.objects.values_list("face_minor", flat=True)) == [100, 101]


def test_a_document_that_cannot_be_taken_is_refused_and_the_rest_stands(market):
    refusal, unwritable, good = market.records(
        ORDER._replace(amount_minor=0), ORDER._replace(number="\0\ud800"), ORDER
    )

    assert isinstance(refusal, UnacceptableDocument)
    assert isinstance(unwritable, UnacceptableDocument)
    assert not good.repeated
    assert faces() == {"PO-1": 100}


def test_one_refused_document_alone_raises_and_leaves_its_key_free(market):
    ask = {"caller": CALLER, "key": "one", "legal_entity_id": market.legal_entity_id}
    with pytest.raises(UnacceptableDocument):
        record_document(ORDER._replace(amount_minor=0), **ask)

    assert not Act.objects.filter(key="one").exists()
    assert not record_document(ORDER, **ask).repeated


# --- request keys -------------------------------------------------------------------------------


def test_the_same_key_and_documents_get_the_first_answer(market):
    papers = [
        ORDER,
        ORDER._replace(amount_minor=7),
        paper("receipt", "GR-1", 5, of="order:PO-7"),
        paper("cancellation", "C-1", 30, of="order:PO-1"),
        ORDER,
    ]
    ask = {"caller": CALLER, "key": "k", "legal_entity_id": market.legal_entity_id}
    first = record_documents(papers, **ask)
    again = record_documents(papers, **ask)

    assert [o for o in again if isinstance(o, Recorded)] == [
        o for o in first if isinstance(o, Recorded)
    ]
    assert str(again[1]) == str(first[1])


def test_the_same_key_with_other_documents_is_a_conflict(market):
    ask = {"caller": CALLER, "key": "k", "legal_entity_id": market.legal_entity_id}
    record_documents([ORDER], **ask)

    with pytest.raises(KeyConflict):
        record_documents([ORDER._replace(due_date=day(61))], **ask)


# --- what the database refuses ------------------------------------------------------------------


REFUSED_BY_THE_DATABASE = {
    "another amount": "UPDATE trade_document SET amount_minor = 1",
    "no document": "DELETE FROM trade_document",
    "no claim": "DELETE FROM trade_claim",
    "another event": "UPDATE trade_claimevent SET face_minor = 0",
    "paid above face": "UPDATE trade_claim SET paid_minor = face_minor + 1",
    "closed and outstanding": "UPDATE trade_claim SET status = 'closed' WHERE face_minor > 0",
    "a pool that is not there": "UPDATE trade_claim SET pool_id = 99, pool_from_date = now()",
    "an event of no claim": (
        "INSERT INTO trade_claimevent (claim_id, kind, value_date, booking_date, act_id,"
        " face_minor, paid_minor, diluted_minor)"
        " VALUES (99, 'paid', now(), now(), 1, 0, 0, 0)"
    ),
    "a document of nobody": (
        "INSERT INTO trade_document (kind, issuer_id, supplier_id, obligor_id, number, issue_date,"
        " currency, amount_minor, fingerprint, fulfils_kind, fulfils_number, booking_date, act_id)"
        " VALUES ('order', 1, 99, 1, '1', now(), 'CNY', 1, '', '', '', now(), 1)"
    ),
    "a claim that is not its document's": (
        "INSERT INTO trade_claim (id, code, supplier_id, obligor_id, currency, stage, face_minor,"
        " issue_date, due_date)"
        " VALUES (99, 'X', 1, 1, 'CNY', 'order', 1, now(), now())"
    ),
}


@pytest.mark.parametrize("as_owner", [False, True], ids=["of the application", "of the owner"])
def test_the_database_refuses(database, as_owner):
    market = Market.opened()
    market.records(ORDER, paper("receipt", "GR-1", 60, of="order:PO-1"))
    if as_owner:
        databases.use(database, as_owner=True)
    for what, statement in REFUSED_BY_THE_DATABASE.items():
        with pytest.raises(DatabaseError) as refused:
            run(statement)
        assert "null value" not in str(refused.value), what


@transaction.atomic
def run(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement)
