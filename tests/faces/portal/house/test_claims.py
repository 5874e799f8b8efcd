"""The claims explorer and a claim: filters, paging, the file, disputes."""

import csv
import io
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.faces.portal.house import lending as world
from tests.faces.portal.house.office import key_in, queries_for, signed_in, text_of

from tallystick.book.collateral.related import unrelate
from tallystick.book.parties.models import Role
from tallystick.book.trade.models import Claim
from tallystick.faces.portal.house import claims as explorer
from tallystick.faces.portal.paging import ROWS_A_PAGE

URL = reverse("house-claims")
FILE = reverse("house-claims-csv")
FORMULA = "=1+2"


@pytest.fixture(scope="module")
def lending(shared_database):
    lending = world.opened()
    unrelate(
        "OURSELLER",
        "JD",
        reason="sold",
        legal_entity_id=lending.scene.legal_entity_id,
        caller=scenes.CALLER,
        key="sold",
    )
    world.many_claims(lending, ROWS_A_PAGE + 5)
    scenes.owes(lending.other.facility, 7_00, obligor=FORMULA, days=7)
    return lending


@pytest.fixture
def operator(lending):
    return signed_in(Role.OPERATOR)


def codes(client, **asked):
    """The codes of a page, in its order."""
    answer = client.get(URL, asked)
    assert answer.status_code == 200, text_of(answer)
    return [row["claim"].code for row in answer.context["rows"]]


def page_one(code):
    return reverse("house-claims-one", kwargs={"code": code})


def test_claims_are_paged_forth_and_back_without_losing_or_repeating_one(operator):
    forth, cursor = [], ""
    answers = []
    while True:
        answer = operator.get(URL, {"cursor": cursor})
        answers.append([row["claim"].code for row in answer.context["rows"]])
        forth += answers[-1]
        cursor = answer.context["found"].after
        if not cursor:
            break
    back = operator.get(URL, {"cursor": answer.context["found"].before})

    assert forth == list(Claim.objects.order_by("-pk").values_list("code", flat=True))
    assert [row["claim"].code for row in back.context["rows"]] == answers[-2]


def test_claims_are_ordered_by_due_date_where_asked_to(operator):
    answer = operator.get(URL, {"order": "due_first"})

    rows = [row["claim"] for row in answer.context["rows"]]
    assert all(a.due_date <= b.due_date for a, b in pairwise(rows))


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        pytest.param({"supplier": "NEIGHBOUR"}, {"supplier_id__code": "NEIGHBOUR"}, id="supplier"),
        pytest.param({"obligor": "MALL"}, {"obligor_id__code": "MALL"}, id="customer"),
        pytest.param({"stage": "order"}, {"stage": "order"}, id="stage"),
        pytest.param({"status": "closed"}, {"status": "closed"}, id="state"),
        pytest.param({"at_least": "70,000.00"}, {"face_minor__gte": 70_000_00}, id="amount from"),
        pytest.param(
            {"at_most": "５００"}, {"face_minor__lte": 500_00}, id="amount to, full width"
        ),
        pytest.param({"code": "NEIGHB"}, {"code__startswith": "NEIGHB"}, id="code"),
    ],
)
def test_each_filter_leaves_what_it_says(operator, asked, expected):
    by_hand = {name.replace("_id__code", "__code"): value for name, value in expected.items()}

    wanted = Claim.objects.filter(**by_hand).order_by("-pk").values_list("code", flat=True)
    assert codes(operator, **asked) == list(wanted[:ROWS_A_PAGE])


def test_a_range_of_due_dates_includes_both_ends(lending, operator):
    due = lending.scene.today + timedelta(days=7)

    found = codes(operator, due_from=due.isoformat(), due_to=due.isoformat())

    assert found == list(Claim.objects.filter(due_date=due).values_list("code", flat=True))
    assert len(found) == 1


def test_why_a_claim_counts_or_not_is_told_where_a_supplier_is_named(lending, operator):
    assert codes(operator, supplier="NEIGHBOUR", reason="related") == [lending.other.claim]
    assert lending.other.claim not in codes(operator, supplier="NEIGHBOUR", reason="counted")
    assert codes(operator, supplier="NEIGHBOUR", reason="closed") == [lending.other.paid_claim]


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        pytest.param({"reason": "related"}, "Name a supplier", id="a reason without a supplier"),
        pytest.param({"supplier": "NOBODY"}, "No firm has this code", id="no such firm"),
        pytest.param({"due_from": "31.12.2026"}, "Type it as 2026-11-22", id="no day"),
        pytest.param({"at_least": "much"}, "Type it in digits", id="no amount"),
        pytest.param({"at_least": "2", "at_most": "1"}, "before the start", id="empty range"),
        pytest.param({"stage": "dream"}, "Take one of the list", id="no such stage"),
        pytest.param({"code": "x" * 500}, "at most 200", id="too long a code"),
    ],
)
def test_a_filter_that_cannot_be_is_refused_beside_its_field(operator, asked, told):
    answer = operator.get(URL, asked)

    assert answer.status_code == 422
    assert told in text_of(answer)


@pytest.mark.parametrize("cursor", ["x", "[]", '["after"]', '["after", {}]', '["after", "a"]'])
def test_a_place_in_the_list_that_cannot_be_found_is_refused(operator, cursor):
    answer = operator.get(URL, {"cursor": cursor})

    assert answer.status_code == 422


def test_a_page_takes_as_many_statements_however_many_claims_it_shows(lending, operator):
    few = queries_for(operator, f"{URL}?code={lending.ours.claim}")
    many = queries_for(operator, f"{URL}?code=OURSELLER")

    assert many == few <= 14


def test_the_file_has_every_claim_of_the_filters_and_computes_nothing(operator):
    answer = operator.get(FILE, {"supplier": "NEIGHBOUR"})
    lines = b"".join(answer.streaming_content).decode("utf-8-sig")

    rows = list(csv.DictReader(io.StringIO(lines)))
    assert {row["claim"] for row in rows} == set(
        Claim.objects.filter(supplier__code="NEIGHBOUR").values_list("code", flat=True)
    )
    assert f"'{FORMULA}" in {row["obligor"] for row in rows}
    assert all(not cell.startswith("=") for row in rows for cell in row.values())


def test_the_file_goes_on_where_one_reading_ends(operator, monkeypatch):
    monkeypatch.setattr(explorer, "ROWS_A_READ", 7)

    lines = b"".join(operator.get(FILE).streaming_content).decode().splitlines()

    assert len(lines) == 1 + Claim.objects.count()


def test_a_file_of_bad_filters_is_the_page_that_says_so(operator):
    assert operator.get(FILE, {"stage": "dream"}).status_code == 422


def test_a_claim_is_disputed_once_and_the_dispute_settled(lending, operator):
    claim = scenes.owes(lending.ours.facility, 999_00)
    url = reverse("house-claims-dispute", kwargs={"code": claim})
    form = {"key": key_in(operator.get(url)), "reason": "goods came back"}

    first = operator.post(url, form)
    again = operator.post(url, form)

    assert first.status_code == again.status_code == 302
    page = text_of(operator.get(page_one(claim)))
    assert "Disputed" in page
    assert page.count("goods came back") == 1
    settle = reverse("house-claims-resolve", kwargs={"code": claim})
    operator.post(settle, {"key": key_in(operator.get(settle)), "reason": "agreed"})
    assert Claim.objects.get(code=claim).status == "open"


def test_a_dispute_without_a_reason_is_asked_for_one(lending, operator):
    claim = scenes.owes(lending.ours.facility, 998_00)
    url = reverse("house-claims-dispute", kwargs={"code": claim})

    answer = operator.post(url, {"key": key_in(operator.get(url)), "reason": " "})

    assert answer.status_code == 422
    assert Claim.objects.get(code=claim).status == "open"


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.APPROVER, Role.TREASURY])
def test_who_may_not_dispute_sees_no_way_to_and_is_refused(lending, role):
    client = signed_in(role)
    url = reverse("house-claims-dispute", kwargs={"code": lending.ours.claim})

    assert url not in client.get(page_one(lending.ours.claim)).content.decode()
    assert client.get(url).status_code == 403
    assert client.post(url, {"key": "k", "reason": "mine"}).status_code == 403
    assert Claim.objects.get(code=lending.ours.claim).status == "open"


def test_a_claim_shows_its_unit_of_trade_and_why_it_is_left_out(lending, operator):
    with CaptureQueriesContext(connection) as statements:
        answer = operator.get(page_one(lending.other.claim))

    page = text_of(answer)
    assert "Customer related to you" in page
    assert [document.number for document in answer.context["documents"]] == [
        lending.other.claim.rpartition(":")[2]
    ]
    assert len(statements) <= 30


def test_a_claim_that_is_not_there_is_not_found(operator):
    assert operator.get(page_one("NEIGHBOUR:invoice:NONE")).status_code == 404
