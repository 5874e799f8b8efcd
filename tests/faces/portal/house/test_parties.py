"""Firms: found by the beginning of code or name, and what the house knows of one."""

import pytest
from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.faces.portal.house import lending as world
from tests.faces.portal.house.office import queries_for, signed_in, text_of
from tests.faces.portal.two_firms import person

from tallystick.book.parties.models import Party, Role

URL = reverse("house-parties")


@pytest.fixture(scope="module")
def lending(shared_database):
    lending = world.opened()
    Party.objects.filter(code="NEIGHBOUR").update(name="Ningbo Keda 宁波科达")
    scenes.owes(lending.ours.facility, 600_00, obligor="BIG")
    scenes.owes(lending.ours.facility, 300_00, obligor="SMALL")
    return lending


def page_of(code):
    return reverse("house-parties-one", kwargs={"code": code})


def found(**asked):
    answer = signed_in(Role.OPERATOR).get(URL, asked)
    assert answer.status_code == 200
    return [row["party"].code for row in answer.context["rows"]]


def test_firms_are_found_by_the_beginning_of_their_code(lending):
    assert found(code="NEIGH") == ["NEIGHBOUR"]
    assert found(code="%") == []


@pytest.mark.parametrize("name", ["ningbo", "NINGBO KEDA 宁"])
def test_firms_are_found_by_the_beginning_of_their_name_in_any_case(lending, name):
    assert found(name=name) == ["NEIGHBOUR"]


def test_the_list_takes_as_many_statements_however_many_firms_there_are(lending):
    client = signed_in(Role.OPERATOR)
    few = queries_for(client, f"{URL}?code=NEIGHBOUR")
    Party.objects.bulk_create(Party(code=f"Z{n:03}", name="Many") for n in range(60))

    assert queries_for(client, URL) == few <= 12


def test_a_supplier_shows_its_facility_exposure_and_who_owes_it(lending):
    answer = signed_in(Role.RISK_OFFICER).get(page_of("OURSELLER"))

    (exposure,) = answer.context["exposure"]
    lending.ours.facility.refresh_from_db()
    assert exposure["drawn_minor"] == lending.ours.facility.drawn_minor
    owed = {
        each["owed"].obligor: each["owed"].outstanding_minor
        for each in answer.context["concentration"]
    }
    assert (owed["BIG"], owed["SMALL"]) == (600_00, 300_00)
    assert sum(each["share_bps"] for each in answer.context["concentration"]) <= 10_000
    assert lending.ours.facility.code in text_of(answer)


def test_what_many_customers_owe_together_is_one_line(lending):
    for n in range(12):
        scenes.owes(lending.other.facility, 1_000_00 + n, obligor=f"C{n:02}")

    answer = signed_in(Role.OPERATOR).get(page_of("NEIGHBOUR"))

    shown = [each["owed"] for each in answer.context["concentration"]]
    assert [each.obligor for each in shown].count("") == 1
    assert shown[-1].obligor == ""
    owed_minor = 8_765_432_18 + sum(1_000_00 + n for n in range(12))
    assert sum(each.outstanding_minor for each in shown) == owed_minor


def test_a_customer_leads_to_what_it_owes(lending):
    page = signed_in(Role.OPERATOR).get(page_of("BIG"))

    assert f"{reverse('house-claims')}?obligor=BIG" in page.content.decode()
    assert page.context["owes"] == 1


def test_open_items_of_a_firm_are_on_its_page(lending):
    item = world.item(lending, "supplier_credit", "supplier:OURSELLER:CNY")

    page = signed_in(Role.OPERATOR).get(page_of("OURSELLER")).content.decode()

    assert reverse("house-worklist-item", kwargs={"number": item.pk}) in page


def test_who_signs_in_for_it_is_shown_to_those_who_manage_users_only(lending):
    member = person(Role.SUPPLIER, Party.objects.get(code="NEIGHBOUR"))

    assert member.email in text_of(signed_in(Role.OPERATOR).get(page_of("NEIGHBOUR")))
    assert member.email not in text_of(signed_in(Role.TREASURY).get(page_of("NEIGHBOUR")))


def test_what_it_asked_for_is_shown_to_those_who_read_the_audit_trail(lending):
    assert "clerk@drawer.example" in text_of(signed_in(Role.AUDITOR).get(page_of("DRAWER")))
    assert "clerk@drawer.example" not in text_of(signed_in(Role.OPERATOR).get(page_of("DRAWER")))


@pytest.mark.parametrize("code", ["NOBODY", "a/b", "%00", "../JD"])
def test_a_firm_that_is_not_there_is_not_found(lending, code):
    assert signed_in(Role.OPERATOR).get(page_of(code)).status_code == 404


def test_a_firm_whose_code_has_a_slash_is_found(lending):
    Party.objects.create(code="A/B C?", name="Odd code")

    assert signed_in(Role.OPERATOR).get(page_of("A/B C?")).status_code == 200


def test_its_page_takes_a_bounded_number_of_statements(lending):
    assert queries_for(signed_in(Role.OPERATOR), page_of("OURSELLER")) <= 30
