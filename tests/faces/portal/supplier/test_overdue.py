"""What is overdue as the firm sees it: how much, where to pay, and a promise from the phone."""

from datetime import timedelta

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import CALLER
from tests.faces.portal.supplier.seller import hidden_fields, text_of
from tests.faces.portal.supplier.seller import seller as another

from tallystick.book.collections.collect import collect
from tallystick.book.collections.ladders import Account, set_account
from tallystick.book.collections.models import Case, PromiseToPay

DAY = timedelta(days=1)


@pytest.fixture
def late(seller):
    """The seller, five days late with 36,000.00, and its case."""
    scenes.lent(seller.facility, 36_000_00, days=1, rate_ppb=0)
    scenes.let_days_be_open(seller.scene, 6)
    with scenes.an_act("night") as act:
        entity = seller.scene.legal_entity_id
        collect(entity, day=seller.scene.today - DAY, act_id=act.act_id)
        act.answer({})
    return seller


def case_of(seller) -> Case:
    return Case.objects.get(legal_entity=seller.scene.legal_entity_id)


def test_nothing_is_overdue_while_everything_is_paid_in_time(seller):
    assert "Nothing is overdue." in text_of(seller.client.get("/my/overdue/"))


def test_the_page_tells_how_much_is_overdue_since_when_and_where_to_pay_it(late):
    set_account(
        Account("The Lender Ltd", "6222 0202", "ICBC Shanghai"),
        currency="CNY",
        legal_entity_id=late.scene.legal_entity_id,
        caller=CALLER,
        key=f"account-{late.facility.code}",
    )

    shown = text_of(late.client.get("/my/overdue/"))

    # 5 % penalty a year of 360 days for five days on 36,000.00.
    assert "To be paid today ¥ 36,025.00" in shown
    assert "5 days past due" in shown
    assert "The Lender Ltd" in shown
    assert "6222 0202" in shown
    assert "ICBC Shanghai" in shown
    assert "I will pay on" in shown
    chinese = late.client.get("/my/overdue/", headers={"accept-language": "zh-hans"})
    assert "今日应付" in text_of(chinese)


def test_a_promise_from_the_phone_is_noted_once_and_shown(late):
    address = f"/my/overdue/{case_of(late).pk}/promise/"
    shown = late.client.get(address)
    assert 'value="36025.00"' in shown.content.decode()
    typed = hidden_fields(shown) | {
        "amount": "20,000.00",
        "promised_date": str(late.scene.today + 3 * DAY),
    }

    for _ in range(2):
        answer = late.client.post(address, typed)
        assert answer.status_code == 302, text_of(answer)

    made = PromiseToPay.objects.get(case=case_of(late))
    assert (made.amount_minor, made.by_firm) == (20_000_00, True)
    page = text_of(late.client.get("/my/overdue/"))
    assert "You have promised ¥ 20,000.00 by 11 Mar 2026." in page
    assert "I will pay on" not in page


def test_a_promise_that_cannot_be_is_told_beside_the_form(late):
    address = f"/my/overdue/{case_of(late).pk}/promise/"
    for typed, says in (
        ({"amount": "0", "promised_date": str(late.scene.today)}, "amount above zero"),
        ({"amount": "1.00", "promised_date": "2020-01-01"}, "cannot be promised"),
        ({"amount": "heaps", "promised_date": str(late.scene.today)}, "not an amount"),
        ({"amount": "1.00", "promised_date": "soon"}, "This is no day"),
    ):
        answer = late.client.post(address, hidden_fields(late.client.get(address)) | typed)
        assert answer.status_code == 422, typed
        assert says in text_of(answer), typed
    assert not PromiseToPay.objects.filter(case=case_of(late)).exists()


def test_another_firms_case_is_not_there(late):
    other = another(9_000 + case_of(late).pk)

    assert other.client.get(f"/my/overdue/{case_of(late).pk}/promise/").status_code == 404
    assert "Nothing is overdue." in text_of(other.client.get("/my/overdue/"))
