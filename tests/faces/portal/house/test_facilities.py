"""Facilities: what one may draw and why, and its freeze."""

import pytest
from django.urls import reverse
from tests.faces.portal.house import lending as world
from tests.faces.portal.house.office import key_in, queries_for, signed_in, text_of

from tallystick.book.acts.models import Act
from tallystick.book.financing.models import Facility
from tallystick.book.parties.models import Role

URL = reverse("house-facilities")
FROZEN = "suspected double pledge"


@pytest.fixture(scope="module")
def lending(shared_database):
    return world.opened()


def page_of(code):
    return reverse("house-facilities-one", kwargs={"code": code})


def frozen_reason(code):
    return Facility.objects.get(code=code).frozen_reason


def found(**asked):
    answer = signed_in(Role.OPERATOR).get(URL, asked)
    assert answer.status_code == 200
    return [line.code for line in answer.context["found"].rows]


def test_facilities_are_found_by_code_supplier_and_freeze(lending):
    assert found(code="F-NEIGH") == ["F-NEIGHBOUR"]
    assert found(supplier="OURSELLER") == ["F-OURSELLER"]
    assert found(frozen="yes") == []
    assert found(frozen="no") == ["F-DRAWER", "F-NEIGHBOUR", "F-OURSELLER"]


@pytest.mark.parametrize("asked", [{"supplier": "NOBODY"}, {"frozen": "perhaps"}])
def test_a_filter_that_cannot_be_is_refused(lending, asked):
    assert signed_in(Role.OPERATOR).get(URL, asked).status_code == 422


def test_what_can_be_drawn_is_told_with_every_step_and_limit(lending):
    answer = signed_in(Role.AUDITOR).get(page_of("F-DRAWER"))

    offer = answer.context["offer"]
    assert offer.available_minor == lending.drawn.available_minor
    assert [bar.name for bar in answer.context["bars"]][-1] == "available"
    limits = {each["name"]: each for each in answer.context["limits"]}
    assert limits["base"]["headroom_minor"] == lending.drawn.available_minor
    assert limits["base"]["is_binding"]
    assert sum(each["is_binding"] for each in limits.values()) == 1
    page = text_of(answer)
    assert "jd.jingbaobei" in page
    assert lending.drawn.loan in page


def test_a_facility_is_frozen_once_for_a_reason_and_released(lending):
    client = signed_in(Role.RISK_OFFICER)
    freeze = reverse("house-facilities-freeze", kwargs={"code": "F-OURSELLER"})
    form = {"key": key_in(client.get(freeze)), "reason": FROZEN}

    first, again = client.post(freeze, form), client.post(freeze, form)

    assert first.status_code == again.status_code == 302
    assert frozen_reason("F-OURSELLER") == FROZEN
    assert Act.objects.filter(kind="freeze").count() == 1
    assert FROZEN in text_of(client.get(page_of("F-OURSELLER")))
    assert found(frozen="yes") == ["F-OURSELLER"]

    other = {"key": key_in(client.get(freeze)), "reason": "another reason"}
    refused = client.post(freeze, other)
    assert refused.status_code == 422
    assert FROZEN in text_of(refused)

    lift = reverse("house-facilities-unfreeze", kwargs={"code": "F-OURSELLER"})
    client.post(lift, {"key": key_in(client.get(lift)), "reason": "cleared"})
    assert frozen_reason("F-OURSELLER") == ""


def test_a_freeze_without_a_reason_is_asked_for_one(lending):
    client = signed_in(Role.OPERATOR)
    url = reverse("house-facilities-freeze", kwargs={"code": "F-NEIGHBOUR"})

    answer = client.post(url, {"key": key_in(client.get(url)), "reason": ""})

    assert answer.status_code == 422
    assert frozen_reason("F-NEIGHBOUR") == ""


@pytest.mark.parametrize("role", [Role.APPROVER, Role.TREASURY, Role.AUDITOR])
def test_who_may_not_freeze_sees_no_way_to_and_is_refused(lending, role):
    client = signed_in(role)
    url = reverse("house-facilities-freeze", kwargs={"code": "F-NEIGHBOUR"})

    assert url not in client.get(page_of("F-NEIGHBOUR")).content.decode()
    assert client.get(url).status_code == 403
    assert client.post(url, {"key": "k", "reason": "mine"}).status_code == 403
    assert frozen_reason("F-NEIGHBOUR") == ""


def test_a_facility_that_is_not_there_is_not_found(lending):
    client = signed_in(Role.OPERATOR)

    assert client.get(page_of("F-NOBODY")).status_code == 404
    url = reverse("house-facilities-freeze", kwargs={"code": "F-NOBODY"})
    assert client.post(url, {"key": "k", "reason": "r"}).status_code == 404


def test_pages_take_a_bounded_number_of_statements(lending):
    client = signed_in(Role.OPERATOR)

    assert queries_for(client, URL) <= 12
    assert queries_for(client, page_of("F-DRAWER")) <= 26
