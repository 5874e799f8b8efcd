"""The worklist: what waits for a person, and what a person does about it."""

import pytest
from django.urls import reverse
from tests.faces.portal.house import lending as world
from tests.faces.portal.house.office import key_in, queries_for, signed_in, text_of

from tallystick.book.parties.models import Role
from tallystick.book.payments.models import CashReceipt, PaymentOrder
from tallystick.book.watch.models import WorkItem

URL = reverse("house-worklist")


@pytest.fixture(scope="module")
def lending(shared_database):
    return world.opened()


def page_of(item):
    return reverse("house-worklist-item", kwargs={"number": item.pk})


def close_of(item):
    return reverse("house-worklist-close", kwargs={"number": item.pk})


def shown(client, **asked):
    answer = client.get(URL, asked)
    assert answer.status_code == 200
    return [item.pk for item in answer.context["found"].rows]


def test_open_items_are_counted_by_kind_and_filtered_by_it(lending):
    client = signed_in(Role.OPERATOR)
    one = world.item(lending, "supplier_credit", "supplier:NEIGHBOUR:CNY")

    kinds = {each["kind"]: each["items"] for each in client.get(URL).context["kinds"]}

    assert kinds["supplier_credit"] == 1
    assert shown(client, kind="supplier_credit") == [one.pk]
    assert shown(client, subject="supplier:NEIGH") == [one.pk]


def test_an_item_says_what_is_known_what_to_do_and_where_to_look(lending):
    item = world.item(
        lending,
        "failed_payout",
        f"loan:{lending.drawn.loan}",
        amount_minor=1_234_00,
        currency="CNY",
    )

    answer = signed_in(Role.TREASURY).get(page_of(item))

    assert "1,234.00" in text_of(answer)
    assert "Find out why the bank turned it down" in text_of(answer)
    loan = reverse("house-loans-one", kwargs={"code": lending.drawn.loan})
    assert f'href="{loan}"' in answer.content.decode()


def test_a_payout_leads_to_its_loan_and_a_supplier_to_its_page(lending):
    payout = world.item(lending, "failed_payout", f"payment:{lending.drawn.end_to_end_id}")
    firm = world.item(lending, "due_from_supplier", "supplier:OURSELLER:CNY")
    client = signed_in(Role.OPERATOR)

    assert client.get(page_of(payout)).context["link"] == reverse(
        "house-loans-one", kwargs={"code": lending.drawn.loan}
    )
    assert client.get(page_of(firm)).context["link"] == reverse(
        "house-parties-one", kwargs={"code": "OURSELLER"}
    )


def test_an_item_is_closed_once_under_the_name_of_who_did_it(lending):
    item = world.item(lending)
    client = signed_in(Role.OPERATOR)
    form = {"key": key_in(client.get(close_of(item))), "reason": "called the payer"}

    first, again = client.post(close_of(item), form), client.post(close_of(item), form)

    assert first.status_code == again.status_code == 302
    item.refresh_from_db()
    assert (item.closed_by, item.resolution) == ("operator@house.example", "called the payer")
    assert item.pk not in shown(client)
    assert item.pk in shown(client, state="closed")
    assert "called the payer" in text_of(client.get(page_of(item)))


def test_an_item_that_somebody_has_closed_is_not_closed_again(lending):
    item = world.item(lending)
    clients = [signed_in(Role.OPERATOR), signed_in(Role.TREASURY)]
    forms = [{"key": key_in(each.get(close_of(item))), "reason": "done"} for each in clients]

    clients[0].post(close_of(item), forms[0])
    late = clients[1].post(close_of(item), forms[1])

    assert late.status_code == 422
    item.refresh_from_db()
    assert item.closed_by == "operator@house.example"


def test_a_rejected_payment_is_ordered_again_once_by_treasury(lending):
    order = world.rejected_payment(lending)
    item = WorkItem.objects.get(subject=f"payment:{order.end_to_end_id}")
    client = signed_in(Role.TREASURY)
    url = reverse("house-cash-order-again", args=[order.pk])
    assert f'href="{url}"' in client.get(page_of(item)).content.decode()
    form = {"key": key_in(client.get(url)), "reason": "details corrected"}

    before = PaymentOrder.objects.count()
    first, again = client.post(url, form), client.post(url, form)

    assert first.status_code == again.status_code == 302
    assert PaymentOrder.objects.count() == before + 1
    newest = PaymentOrder.objects.latest("pk")
    assert (newest.amount_minor, newest.status) == (world.REJECTED_MINOR, "ordered")
    item.refresh_from_db()
    assert newest.end_to_end_id in item.resolution


def test_a_loans_payout_is_not_ordered_again(lending):
    item = world.item(lending, "failed_payout", f"payment:{lending.drawn.end_to_end_id}:x")

    assert signed_in(Role.TREASURY).get(page_of(item)).context["order_again"] is None


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.APPROVER])
def test_who_may_not_work_on_items_reads_them_without_forms(lending, role):
    item = world.item(lending)
    client = signed_in(role)

    assert close_of(item) not in client.get(page_of(item)).content.decode()
    assert client.post(close_of(item), {"key": "k", "reason": "r"}).status_code == 403
    assert WorkItem.objects.get(pk=item.pk).closed_at is None


def test_an_operator_is_offered_no_payment_to_order(lending):
    order = world.rejected_payment(lending)
    item = WorkItem.objects.get(subject=f"payment:{order.end_to_end_id}")

    assert signed_in(Role.OPERATOR).get(page_of(item)).context["order_again"] is None
    assert signed_in(Role.TREASURY).get(page_of(item)).context["order_again"] == order


def test_cash_that_waits_leads_to_its_receipt(lending):
    item = world.item(lending, "unapplied_cash", "receipt:BANK-OURSELLER")
    receipt = CashReceipt.objects.get(bank_reference="BANK-OURSELLER")

    link = signed_in(Role.TREASURY).get(page_of(item)).context["link"]

    assert link == reverse("house-cash-receipt", args=[receipt.pk])


def test_an_item_that_is_not_there_is_not_found(lending):
    client = signed_in(Role.OPERATOR)

    for number in (0, 10**9, 10**30):
        url = reverse("house-worklist-item", kwargs={"number": number})
        assert client.get(url).status_code == 404


def test_the_list_takes_as_many_statements_however_long_it_is(lending):
    client = signed_in(Role.OPERATOR)
    few = queries_for(client, URL)
    for _ in range(60):
        world.item(lending)

    assert queries_for(client, URL) == few <= 12
    assert len(shown(client)) == 50
