"""The first page: how much can be drawn, why, and what has changed."""

import pytest
from django.test import Client
from tests.book.servicing import scene as scenes
from tests.faces.portal.supplier.seller import (
    BASE_MINOR,
    CLAIM_MINOR,
    second_facility,
    text_of,
)
from tests.faces.portal.two_firms import SIGNED_IN, person

from tallystick.book.acts.once import Caller
from tallystick.book.financing.freeze import freeze
from tallystick.book.financing.models import Facility
from tallystick.book.financing.offers import offers
from tallystick.book.financing.since import since_day_before
from tallystick.book.parties.models import Party, Role
from tallystick.book.servicing.close import close_day
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.settle import settle_many

OPERATOR = Caller("system", "operator@lender.example", "cli", "suspected double pledge")


def test_the_amount_shown_is_what_a_drawdown_is_granted(seller):
    assert "You can draw now ¥ 500,000.00" in text_of(seller.client.get("/my/"))
    assert seller.confirm(amount="500,000.01", tenor="30").status_code == 422
    assert seller.confirm(amount="500,000.00", tenor="30").status_code == 302


def test_the_price_is_told_in_money_and_with_all_charges(seller):
    shown = text_of(seller.client.get("/my/"))

    # 10 % of 100,000 over 360 days.
    assert "Cost a day ¥ 27.78 for each ¥ 100,000.00" in shown
    assert "10 %" in shown
    assert "APR" in shown


def test_the_waterfall_leads_from_the_claims_to_the_amount(seller):
    scenes.owes(seller.facility, 40_000_00, days=400)

    shown = text_of(seller.client.get("/my/"))

    assert "Your claims ¥ 1,040,000.00" in shown
    assert "Term too long −¥ 40,000.00" in shown
    assert "Part of a claim that is not lent −¥ 500,000.00" in shown
    assert "Borrowing base ¥ 500,000.00" in shown


def test_a_limit_that_binds_is_named(seller):
    Facility.objects.filter(pk=seller.facility.pk).update(limit_minor=300_000_00)

    shown = text_of(seller.client.get("/my/"))

    assert "Above the limits Facility limit −¥ 200,000.00" in shown
    assert "You can draw now ¥ 300,000.00" in shown


def test_every_claim_left_out_has_its_reason_and_remedy(seller):
    code = scenes.owes(seller.facility, 40_000_00, days=400)

    shown = text_of(seller.client.get(f"/my/left-out/{seller.facility.code}/"))

    assert code in shown
    assert "Term too long" in shown
    assert "Agree on a term of at most 365 days from issue to due date." in shown
    other = seller.client.get(f"/my/left-out/{seller.facility.code}/?reason=disputed")
    assert code not in text_of(other)


def test_the_claims_left_out_are_paged_and_all_of_them_are_there(seller):
    codes = {scenes.owes(seller.facility, 100 + n, days=400) for n in range(53)}

    found = set()
    for number in (1, 2):
        shown = text_of(seller.client.get(f"/my/left-out/{seller.facility.code}/?page={number}"))
        found |= {code for code in codes if code in shown}

    assert found == codes


def test_a_frozen_facility_says_why_and_offers_nothing(seller):
    freeze(seller.facility.code, caller=OPERATOR, key="freeze")

    page = seller.client.get("/my/")

    assert "The facility is frozen: suspected double pledge." in text_of(page)
    assert "You can draw now ¥ 0.00" in text_of(page)
    assert f'href="{seller.draw_address}"' not in page.content.decode()
    assert "frozen" in text_of(seller.client.get(seller.draw_address))


def test_who_has_drawn_everything_is_told_so(seller):
    seller.confirm(amount="500,000", tenor="30")

    shown = text_of(seller.client.get("/my/"))

    assert "You can draw now ¥ 0.00" in shown
    assert "All that your claims carry has been drawn" in shown
    assert "Payouts under way" in shown


def test_less_than_the_smallest_draw_is_no_offer(seller):
    seller.confirm(amount="499,950", tenor="30")

    assert "less than the smallest draw: ¥ 100.00" in text_of(seller.client.get("/my/"))


def test_each_facility_has_a_card_of_its_own(seller):
    other = second_facility(seller.facility)

    shown = text_of(seller.client.get("/my/"))

    assert f"Facility {seller.facility.code} You can draw now ¥ 500,000.00" in shown
    assert f"Facility {other.code} You can draw now ¥ 0.00" in shown


def test_a_firm_without_a_facility_is_told_so(shared_database):
    scenes.opened()
    client = Client(HTTP_HOST="localhost")
    firm = Party.objects.create(code="NEW", name="New firm")
    client.force_login(person(Role.SUPPLIER, firm), backend=SIGNED_IN)

    assert "No facility yet" in text_of(client.get("/my/"))
    for address in ("loans", "dues", "claims", "cases", "statement"):
        assert client.get(f"/my/{address}/").status_code == 200


def test_what_happened_today_explains_the_change_since_yesterday(seller):
    close_day(seller.scene.legal_entity_id, seller.scene.today)
    code = scenes.owes(seller.facility, 20_000_00)
    settle_many(
        [
            Receipt(
                bank_reference="B1",
                payer="JD",
                currency="CNY",
                lines=((code, 4_000_00),),
                amount_minor=4_000_00,
                value_date=seller.scene.today,
            )
        ],
        legal_entity_id=seller.scene.legal_entity_id,
        caller=OPERATOR,
    )
    seller.confirm(amount="1,000", tenor="30")

    shown = text_of(seller.client.get("/my/"))

    assert "Since 2 Mar 2026" in shown
    assert "New documents +¥ 20,000.00" in shown
    assert "Paid by your customers −¥ 4,000.00" in shown
    assert "Part of claims that is not lent −¥ 8,000.00" in shown
    assert "Draws −¥ 1,000.00" in shown


def test_the_changes_sum_to_the_difference_of_the_amounts(seller):
    (before,) = offers([seller.facility.code])
    close_day(seller.scene.legal_entity_id, seller.scene.today)
    scenes.owes(seller.facility, 20_000_00)
    scenes.owes(seller.facility, 7_000_00, days=500)
    seller.confirm(amount="1,000", tenor="30")

    (after,) = offers([seller.facility.code])
    since = since_day_before(after)

    assert since is not None
    assert since.change_minor == after.available_minor - before.available_minor


def test_an_offer_reads_what_a_drawdown_reads_and_writes_nothing(seller):
    facility = Facility.objects.select_related("pool").get(pk=seller.facility.pk)
    (offer,) = offers([facility.code])

    assert (offer.base["outstanding_minor"], offer.available_minor) == (CLAIM_MINOR, BASE_MINOR)
    assert facility.pool.base_version == 0


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.RISK_OFFICER])
def test_the_house_has_no_page_of_a_suppliers_own(seller, role):
    client = Client(HTTP_HOST="localhost")
    client.force_login(person(role), backend=SIGNED_IN)

    assert client.get("/my/").status_code == 403
