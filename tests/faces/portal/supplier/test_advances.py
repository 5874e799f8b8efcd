"""A merchant's advance out of sales on its first page: balance, share and pace."""

from django.test import Client
from tests.book.sales_credit import scene as scenes
from tests.faces.portal.house.office import key_in
from tests.faces.portal.supplier.seller import text_of
from tests.faces.portal.two_firms import SIGNED_IN, person

from tallystick.book.parties.models import Party, Role
from tallystick.book.sales_credit.draw import offer_of
from tallystick.book.sales_credit.models import Advance


def test_a_merchant_sees_what_is_outstanding_what_is_kept_and_its_pace(database):
    scene = scenes.opened()
    scenes.has_sold_for_three_months(scene)
    scenes.a_line(scene)
    code = scenes.paid_out(scene, 20_000_000)
    scenes.sells_and_is_settled(scene, 7_700_000)
    merchant, other = (Client(SERVER_NAME="localhost") for _ in range(2))
    Party.objects.create(code="M2", name="Another")
    for client, firm in ((merchant, "M1"), (other, "M2")):
        client.force_login(
            person(Role.SUPPLIER, Party.objects.get(code=firm)),
            backend=SIGNED_IN,
        )

    shown = text_of(merchant.get("/my/"))

    assert f"Advance out of sales {code} ¥ 202,300.00" in shown
    assert "Repaid out of sales so far ¥ 7,700.00" in shown
    assert "Kept of each settlement 10 %" in shown
    assert "Pace Within its pace" in shown
    assert code not in text_of(other.get("/my/"))
    page = text_of(merchant.get(f"/my/advances/{code}/"))
    assert "Kept of a settlement" in page
    assert "¥ 77,000.00" in page
    assert other.get(f"/my/advances/{code}/").status_code == 404


def test_a_merchant_sees_what_an_advance_costs_and_draws_it_once(database):
    scene = scenes.opened()
    scenes.has_sold_for_three_months(scene)
    scenes.a_line(scene)
    merchant = Client(SERVER_NAME="localhost")
    merchant.force_login(person(Role.SUPPLIER, Party.objects.get(code="M1")), backend=SIGNED_IN)
    page = "/my/sales-lines/SL-1/draw/"
    assert "You can draw out of your sales" in text_of(merchant.get("/my/"))

    asked = merchant.get(page, {"amount": "200,000.00"})

    assert "Fixed fee ¥ 10,000.00" in text_of(asked)
    assert f"APR {offer_of('SL-1', 20_000_000).apr_percent} %" in text_of(asked)
    form = {"amount": "200,000.00", "key": key_in(asked)}
    first, again = merchant.post(page, form), merchant.post(page, form)
    assert first.status_code == 302
    advance = Advance.objects.get()
    assert first.url == f"/my/advances/{advance.code}/"
    assert again.url == first.url
    assert "The payout is under way" in text_of(merchant.get(first.url))
    refused = merchant.get(page, {"amount": "1.00"})
    assert "An advance of this line is not repaid yet." in text_of(refused)
    assert Advance.objects.count() == 1
