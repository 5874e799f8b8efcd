"""A merchant's advance out of sales on its first page: balance, share and pace."""

from django.test import Client
from tests.book.sales_credit import scene as scenes
from tests.faces.portal.supplier.seller import text_of
from tests.faces.portal.two_firms import SIGNED_IN, person

from tallystick.book.parties.models import Party, Role


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
