"""Programmes: every term with its source, and limits that only a risk officer sets."""

import pytest
from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.faces.portal.house.office import (
    LANGUAGES,
    STAFF,
    key_in,
    queries_for,
    signed_in,
    text_of,
)

from tallystick.book.acts.models import Act
from tallystick.book.financing.models import ProgrammeLimit
from tallystick.book.financing.programmes import preset
from tallystick.book.funding.models import FundingLine
from tallystick.book.parties.models import Role
from tallystick.faces.programme_terms import told_terms

CODE = "jd.jingbaobei"
LIST = "/house/programmes/"
ONE = f"/house/programmes/{CODE}/"


@pytest.fixture(scope="module")
def limits(shared_database) -> tuple[ProgrammeLimit, FundingLine]:
    facility = scenes.facility(scenes.opened(), "SELLER")
    return facility.programme_limit, facility.funding_line


def urls(limits) -> list[str]:
    limit, line = limits
    return [
        reverse("house-programmes-limit", args=[limit.pk]),
        reverse("house-programmes-line", args=[line.pk]),
    ]


def test_all_look_and_only_risk_officers_set_limits(limits):
    for role in STAFF:
        client = signed_in(role)
        assert client.get(LIST).status_code == client.get(ONE).status_code == 200
        for url in urls(limits):
            expected = 200 if role is Role.RISK_OFFICER else 403
            assert client.get(url).status_code == expected
            assert (url in client.get(ONE).content.decode()) is (expected == 200)
    supplier = signed_in(Role.SUPPLIER)
    assert {supplier.get(url).status_code for url in (LIST, ONE, *urls(limits))} == {403}


def test_the_pages_stand_in_both_languages_and_take_few_statements(limits):
    for language in LANGUAGES:
        client = signed_in(Role.AUDITOR, language=language)
        assert queries_for(client, LIST) <= 5
        assert queries_for(client, ONE) <= 7


def test_every_term_stands_with_its_source_and_what_nobody_published_is_marked(limits):
    told = text_of(signed_in(Role.AUDITOR).get(ONE))
    content = preset(CODE).content["terms"]

    terms = told_terms(content)
    assert len(terms) > 20
    assert all(term.name in told and term.source in told for term in terms)
    assert told.count("Illustrative") == sum(
        term.source.startswith("illustrative") for term in terms
    )


def test_a_limit_is_set_with_a_reason_and_shown_with_its_room(limits):
    client = signed_in(Role.RISK_OFFICER)
    for url, kind in zip(urls(limits), ("set_programme_limit", "set_funding_limit"), strict=True):
        fields = {"key": key_in(client.get(url)), "amount": "1.5亿", "reason": "committee"}

        answers = [client.post(url, fields) for _ in range(2)]

        assert {answer.status_code for answer in answers} == {302}
        act = Act.objects.get(kind=kind)
        assert (act.actor, act.reason) == ("risk_officer@house.example", "committee")
    assert ProgrammeLimit.objects.get().limit_minor == 150_000_000_00
    assert FundingLine.objects.get().limit_minor == 150_000_000_00
    assert text_of(client.get(ONE)).count("150,000,000.00") >= 4


@pytest.mark.parametrize(
    "amount", ["", "-1", "1.000,50", "much", "USD 5", "1.005", "99999999999999999999"]
)
def test_an_amount_that_is_none_is_told_beside_the_field(limits, amount):
    client = signed_in(Role.RISK_OFFICER)
    url = urls(limits)[0]
    answer = client.post(url, {"key": "k", "amount": amount, "reason": "r"})

    assert answer.status_code == 422
    assert answer.context["form"].errors["amount"]


def test_a_programme_that_is_not_there_is_answered_so(limits):
    client = signed_in(Role.AUDITOR)

    assert client.get("/house/programmes/no.such/").status_code == 404
