"""Treasury's pages: cash that arrived, what it paid, and what is done about what waits."""

import pytest
from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import CALLER, START
from tests.faces.portal.house.office import (
    LANGUAGES,
    STAFF,
    key_in,
    queries_for,
    signed_in,
    text_of,
)

from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller
from tallystick.book.financing.models import Loan
from tallystick.book.parties.models import Role
from tallystick.book.payments.bank_answers import take_answers
from tallystick.book.payments.models import CashReceipt, PaymentOrder
from tallystick.book.servicing.loans import loan_on
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.settle import settle
from tallystick.book.trade.models import Claim
from tallystick.rules.bank_answers import BankMessage

TAKE = "/house/cash/receipts/take/"


@pytest.fixture
def scene(database):
    return scenes.opened()


@pytest.fixture
def seller(scene):
    """SELLER owes a loan of 1,000.00 and has 500.00 of unapplied cash of JD in its favour."""
    facility = scenes.facility(scene, "SELLER")
    scenes.lent(facility, 1_000_00)
    settle(
        Receipt("BK-1", "JD", "CNY", 500_00, START, ()),
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
    )
    return facility


def receipt() -> CashReceipt:
    return CashReceipt.objects.get(bank_reference="BK-1")


def url(name: str) -> str:
    return reverse(name, args=[receipt().pk])


def asked(client, url: str, **fields):
    """The form at ``url`` filled in, with the request key that it was shown with."""
    return client.post(url, {"key": key_in(client.get(url)), "reason": "as told", **fields})


def turned_down(scene, order: PaymentOrder, reference: str = "R-1") -> None:
    take_answers(
        [
            BankMessage(
                reference,
                order.end_to_end_id,
                "rejected",
                order.amount_minor,
                order.currency,
                START,
                "account closed",
            )
        ],
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
        key=reference,
    )


def paid_out(scene, facility) -> PaymentOrder:
    """An order for what is left of a receipt, once loans are met."""
    claim = scenes.owes(facility, 3_000_00)
    settle(
        Receipt("BK-2", "JD", "CNY", 3_000_00, START, ((claim, 3_000_00),)),
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
    )
    return PaymentOrder.objects.get(kind="residual")


def test_everybody_of_the_house_looks_at_cash_and_a_supplier_does_not(scene, seller):
    pages = [
        "/house/cash/",
        "/house/cash/receipts/",
        url("house-cash-receipt"),
        "/house/cash/orders/",
        "/house/cash/answers/",
    ]
    for role in STAFF:
        client = signed_in(role)
        assert [client.get(page).status_code for page in pages] == [200] * 5, role
    for language in LANGUAGES:
        client = signed_in(Role.TREASURY, language=language)
        assert [client.get(page).status_code for page in pages] == [200] * 5, language
        assert max(queries_for(client, page) for page in pages) <= 14
    supplier = signed_in(Role.SUPPLIER)
    assert {supplier.get(page).status_code for page in pages} == {403}


def test_only_treasury_moves_cash_and_operators_take_receipts_too(scene, seller):
    order = paid_out(scene, seller)
    moves = [
        url("house-cash-receipt-apply"),
        url("house-cash-receipt-reverse"),
        "/house/cash/refund/",
        reverse("house-cash-order-again", args=[order.pk]),
    ]
    for role in (*STAFF, Role.SUPPLIER):
        client = signed_in(role)
        for page in moves:
            expected = 200 if role is Role.TREASURY else 403
            assert client.get(page).status_code == expected, (role, page)
            if expected == 403:
                assert client.post(page, {"key": "k", "reason": "r"}).status_code == 403
        takes = client.get(TAKE).status_code
        assert takes == (200 if role in (Role.TREASURY, Role.OPERATOR) else 403), role
    assert receipt().reversed_date is None


def test_a_receipt_is_taken_by_form_and_shows_what_it_swept(scene, seller):
    claim = scenes.owes(seller, 2_000_00)
    client = signed_in(Role.TREASURY)

    answer = asked(
        client,
        TAKE,
        bank_reference="BK-9",
        payer="JD",
        currency="CNY",
        amount="2,000.00",
        value_date=START.isoformat(),
        lines=f"{claim} = 2,000.00",
    )

    taken = CashReceipt.objects.get(bank_reference="BK-9")
    page = client.get(reverse("house-cash-receipt", args=[taken.pk]))
    assert answer.url == reverse("house-cash-receipt", args=[taken.pk])
    told = text_of(page)
    assert claim in told
    assert "Paid out to the supplier" in told
    groups = page.context["swept"]
    assert sum(group["total_minor"] for group in groups) == 2_000_00
    assert any(group["loan"] for group in groups)
    act = Act.objects.get(kind="settle", actor="treasury@house.example")
    assert (act.channel, act.reason) == ("portal", "as told")


def test_cash_that_names_a_loan_pays_it_and_cannot_name_claims_too(scene, seller):
    loan = Loan.objects.get(pk=scenes.lent(seller, 900_00))
    client = signed_in(Role.TREASURY)
    fields = {
        "bank_reference": "BK-L",
        "payer": "SELLER",
        "currency": "CNY",
        "amount": "400.00",
        "value_date": START.isoformat(),
        "loan": loan.code,
    }
    menu = client.get(reverse("house-loans-one", args=[loan.code])).context["acts"]
    take = next(each["url"] for each in menu if str(each["label"]) == "Take cash for it")
    assert f'value="{loan.code}"' in client.get(take).content.decode()
    assert asked(client, TAKE, **fields, lines="X = 1.00").status_code == 422

    assert asked(client, TAKE, **fields).status_code == 302

    assert loan_on(loan.code).state.balances.principal_minor == 500_00


def test_the_same_receipt_sent_twice_is_taken_once(scene, seller):
    client = signed_in(Role.TREASURY)
    fields = {
        "bank_reference": "BK-9",
        "payer": "JD",
        "currency": "CNY",
        "amount": "１０００",
        "value_date": START.isoformat(),
        "key": "k",
    }
    first, second = client.post(TAKE, fields), client.post(TAKE, fields)

    assert first.url == second.url
    assert CashReceipt.objects.get(bank_reference="BK-9").amount_minor == 1_000_00


WRONG = (
    ({"amount": "1.000,50"}, "amount"),
    ({"amount": ""}, "amount"),
    ({"currency": "XXX"}, "currency"),
    ({"value_date": "2026-02-30"}, "value_date"),
    ({"lines": "SELLER:invoice:1 100.00"}, "lines"),
    ({"lines": "=100.00"}, "lines"),
    ({"lines": "A=1\n" * 201}, "lines"),
    ({"bank_reference": ""}, "bank_reference"),
    ({"amount": "0"}, None),
    ({"value_date": "2030-01-01"}, None),
    ({"lines": "A = 9,999.00"}, None),
    ({"bank_reference": "BK-1"}, None),
)


def test_what_cannot_be_taken_is_told_beside_the_form(scene, seller):
    client = signed_in(Role.TREASURY)
    for wrong, field in WRONG:
        answer = asked(
            client,
            TAKE,
            **{
                "bank_reference": "BK-9",
                "payer": "JD",
                "currency": "CNY",
                "amount": "100.00",
                "value_date": START.isoformat(),
                **wrong,
            },
        )

        assert answer.status_code == 422, wrong
        form = answer.context["form"]
        assert form.errors[field] if field else form.non_field_errors(), wrong
    assert not CashReceipt.objects.filter(bank_reference="BK-9").exists()


def test_unapplied_cash_pays_a_claim_once_however_often_the_form_is_sent(scene, seller):
    claim = scenes.owes(seller, 500_00)
    client = signed_in(Role.TREASURY)
    page = url("house-cash-receipt-apply")
    fields = {
        "key": key_in(client.get(page)),
        "reason": "the platform named it",
        "lines": f"{claim} = 500.00",
    }

    answers = [client.post(page, fields) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert receipt().unapplied_minor == 0
    assert Claim.objects.get(code=claim).paid_minor == 500_00
    assert Act.objects.get(kind="apply_unapplied").reason == "the platform named it"


def test_more_than_is_there_is_refused_and_what_was_typed_stays(scene, seller):
    claim = scenes.owes(seller, 5_000_00)
    client = signed_in(Role.TREASURY)

    answer = asked(client, url("house-cash-receipt-apply"), lines=f"{claim} = 600.00")

    assert answer.status_code == 422
    assert "suspense" in text_of(answer)
    assert f"{claim} = 600.00" in text_of(answer)
    assert receipt().unapplied_minor == 500_00


def test_a_receipt_is_taken_back_with_a_reason(scene, seller):
    client = signed_in(Role.TREASURY)
    page = url("house-cash-receipt-reverse")
    without = asked(client, page, reason="")
    assert without.status_code == 422
    assert without.context["form"].errors["reason"]

    assert asked(client, page, reason="credited in error").status_code == 302

    assert receipt().reversed_date == START
    shown = client.get(url("house-cash-receipt"))
    assert "Taken back on" in text_of(shown)
    assert page not in shown.content.decode()
    again = asked(client, page)
    assert again.status_code == 422
    assert "already" in text_of(again)


def test_a_key_used_for_something_else_is_told(scene, seller):
    client = signed_in(Role.TREASURY)
    claim = scenes.owes(seller, 500_00)
    for lines, status in ((f"{claim} = 1.00", 302), (f"{claim} = 2.00", 409)):
        answer = client.post(
            url("house-cash-receipt-apply"), {"key": "one", "reason": "r", "lines": lines}
        )
        assert answer.status_code == status


def test_a_failed_payment_is_ordered_again_once_and_its_successor_is_named(scene, seller):
    order = paid_out(scene, seller)
    turned_down(scene, order)
    client = signed_in(Role.TREASURY)
    assert order.end_to_end_id in text_of(client.get("/house/cash/"))
    page = reverse("house-cash-order-again", args=[order.pk])

    for _ in range(2):
        assert asked(client, page).status_code == 302

    successor = PaymentOrder.objects.get(kind="residual", status="ordered")
    assert successor.amount_minor == order.amount_minor
    orders = client.get("/house/cash/orders/", {"status": "rejected"})
    assert f"Ordered again as {successor.end_to_end_id}" in text_of(orders)
    assert [each.end_to_end_id for each in client.get("/house/cash/").context["failed"]] == []


def test_credit_that_is_not_there_is_not_refunded(scene, seller):
    client = signed_in(Role.TREASURY)

    answer = asked(client, "/house/cash/refund/", supplier="SELLER", currency="CNY", amount="1.00")

    assert answer.status_code == 422
    assert "its credit is 0" in text_of(answer)
    assert not PaymentOrder.objects.filter(kind="refund").exists()


def test_credit_is_refunded_once_an_approver_agrees(scene, seller):
    loan = Loan.objects.get(pk=scenes.lent(seller, 900_00))
    owed_minor = sum(
        loan_on(code).state.balances.owed_minor
        for code in Loan.objects.filter(facility=seller, status="live").values_list(
            "code", flat=True
        )
    )
    repay(seller.code, owed_minor + 7_00, value_date=None, caller=CALLER, key="too much")
    client, approver = signed_in(Role.TREASURY), signed_in(Role.APPROVER)
    menu = client.get(reverse("house-loans-one", args=[loan.code])).context["acts"]
    (refund,) = [each for each in menu if "refund" in each["url"]]
    assert refund["is_proposed"]

    fields = {"supplier": "SELLER", "currency": "CNY", "amount": "7"}
    seen = asked(client, refund["url"], **fields)
    assert [tuple(each) for each in seen.context["preview"].changes] == [
        ("Supplier's credit", "¥ 7.00", "¥ 0.00")
    ]
    assert asked(client, refund["url"], **fields, step="confirm").status_code == 302
    assert not PaymentOrder.objects.filter(kind="refund").exists()
    (row,) = approver.get(reverse("house-approvals")).context["rows"]
    assert row["each"].about_url == reverse("house-parties-one", args=["SELLER"])
    told = approver.get(row["each"].approve_url)
    assert "¥ 7.00 of the supplier's credit is paid out" in text_of(told)
    assert [each.after for each in told.context["act"].changes] == ["¥ 0.00"]
    assert asked(approver, row["each"].approve_url).status_code == 302

    assert PaymentOrder.objects.get(kind="refund").amount_minor == 7_00


def test_an_answer_that_contradicts_the_first_is_shown_and_changed_nothing(scene, seller):
    order = paid_out(scene, seller)
    turned_down(scene, order)
    take_answers(
        [
            BankMessage(
                "R-2", order.end_to_end_id, "paid", order.amount_minor, order.currency, START
            )
        ],
        legal_entity_id=scene.legal_entity_id,
        caller=Caller("system", "bank", "internal"),
        key="R-2",
    )
    client = signed_in(Role.TREASURY)

    every = client.get("/house/cash/answers/").context["part"].rows
    odd = client.get("/house/cash/answers/", {"effect": "other"}).context["part"].rows

    assert len(every) == 2
    assert [(each.bank_reference, each.effect) for each in odd] == [("R-2", "contradictory")]
    assert "Contradicts an earlier answer" in text_of(client.get("/house/cash/"))


def test_a_receipt_that_is_not_there_is_answered_so(scene, seller):
    client = signed_in(Role.TREASURY)

    assert client.get("/house/cash/receipts/999/").status_code == 404
    assert client.get("/house/cash/orders/999/again/").status_code == 404
