"""The audit trail: who did what, when, by which channel and why, and what came of it."""

import csv
from datetime import timedelta
from io import StringIO

import pytest
from django.urls import reverse
from django.utils import timezone
from tests.book.servicing import scene as scenes
from tests.faces.portal.house.office import LANGUAGES, queries_for, signed_in, text_of

from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller, once
from tallystick.book.parties.models import Role
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.settle import settle

TRAIL = "/house/audit/"
FORMULA = "=HYPERLINK(evil)"


@pytest.fixture(scope="module")
def paid(shared_database) -> str:
    """A claim that a receipt has paid, by an operator; the machine client did a hundred acts."""
    scene = scenes.opened()
    facility = scenes.facility(scene, "SELLER")
    claim = scenes.owes(facility, 500_00)
    settle(
        Receipt("BK-7", "JD", "CNY", 500_00, scene.today, ((claim, 500_00),)),
        legal_entity_id=scene.legal_entity_id,
        caller=Caller("user:li@house.example", "li@house.example", "portal", "told by phone"),
    )
    machine = Caller("client:SHOP", "SHOP", "api", FORMULA)
    for number in range(100):
        with once(machine, key=f"doc-{number}", kind="record_documents", request={}) as act:
            act.answer({})
    return claim


def acts_shown(**asked) -> list[Act]:
    answer = signed_in(Role.AUDITOR).get(TRAIL, asked)
    assert answer.status_code == 200, text_of(answer)
    return answer.context["part"].rows


@pytest.mark.parametrize("role", [Role.APPROVER, Role.AUDITOR])
def test_approvers_and_auditors_read_the_trail(paid, role):
    client = signed_in(role)
    act = Act.objects.get(kind="settle")

    assert client.get(TRAIL).status_code == 200
    assert client.get(reverse("house-audit-csv")).status_code == 200
    assert client.get(reverse("house-audit-act", args=[act.pk])).status_code == 200


@pytest.mark.parametrize(
    "role", [Role.OPERATOR, Role.RISK_OFFICER, Role.TREASURY, Role.SUPPLIER, Role.MACHINE]
)
def test_others_do_not(paid, role):
    client = signed_in(role)
    act = Act.objects.get(kind="settle")

    assert client.get(TRAIL).status_code == 403
    assert client.get(reverse("house-audit-csv")).status_code == 403
    assert client.get(reverse("house-audit-act", args=[act.pk])).status_code == 403


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_stand_in_both_languages(paid, language):
    client = signed_in(Role.AUDITOR, language=language)
    act = Act.objects.get(kind="settle")

    assert client.get(TRAIL).status_code == 200
    assert client.get(reverse("house-audit-act", args=[act.pk])).status_code == 200


def test_the_pages_take_few_statements(paid):
    client = signed_in(Role.AUDITOR)
    act = Act.objects.get(kind="settle")

    assert queries_for(client, TRAIL) <= 4
    assert queries_for(client, reverse("house-audit-act", args=[act.pk])) <= 9


def test_the_latest_come_first_and_every_act_is_on_one_page(paid):
    client = signed_in(Role.AUDITOR)
    seen, cursor = [], ""
    while True:
        part = client.get(TRAIL, {"cursor": cursor}).context["part"]
        seen += [act.pk for act in part.rows]
        cursor = part.after
        if not cursor:
            break

    assert seen == list(Act.objects.order_by("-at", "-id").values_list("id", flat=True))


@pytest.mark.parametrize(
    ("asked", "kinds"),
    [
        ({"actor": "li@house.example"}, {"settle"}),
        ({"kind": "settle"}, {"settle"}),
        ({"channel": "portal"}, {"settle"}),
        ({"channel": "api"}, {"record_documents"}),
        ({"actor": "nobody"}, set()),
        ({"about": "BK-7"}, {"settle"}),
        ({"about": "NOTHING"}, set()),
    ],
)
def test_it_is_narrowed_down(paid, asked, kinds):
    assert {act.kind for act in acts_shown(**asked)} == kinds


def test_a_claim_leads_to_what_opened_it_and_what_paid_it(paid):
    assert len(acts_shown(about=paid)) == 2


def test_days_bound_it_and_both_are_included(paid):
    today = timezone.now().date()
    yesterday, tomorrow = today - timedelta(days=1), today + timedelta(days=1)

    assert acts_shown(from_date=yesterday.isoformat(), to_date=tomorrow.isoformat())
    assert not acts_shown(from_date="2000-01-01", to_date="2000-12-31")
    assert not acts_shown(from_date="9999-12-31", to_date="9999-12-31")


def test_a_date_that_is_none_shows_nothing_and_says_why(paid):
    answer = signed_in(Role.AUDITOR).get(TRAIL, {"from_date": "yesterday"})

    assert answer.status_code == 422
    assert answer.context["part"].rows == []
    assert answer.context["form"].errors["from_date"]


def test_an_act_shows_its_request_its_answer_and_what_it_caused(paid):
    act = Act.objects.get(kind="settle")
    answer = signed_in(Role.AUDITOR).get(reverse("house-audit-act", args=[act.pk]))

    told = text_of(answer)
    assert bytes(act.request_sha256).hex() in told
    assert "told by phone" in told
    assert "BK-7" in told
    assert {entry.event for entry, _ in answer.context["entries"]} == {
        "cash_received",
        "receipt_allocated",
    }
    assert [message.topic for message, _ in answer.context["messages_sent"]] == ["payment_ordered"]


def test_an_act_that_is_not_there_is_answered_so(paid):
    assert signed_in(Role.AUDITOR).get("/house/audit/999999/").status_code == 404


def test_the_file_holds_the_same_choice_with_its_texts_inert(paid):
    url = reverse("house-audit-csv")
    answer = signed_in(Role.AUDITOR).get(url, {"channel": "api"})

    rows = list(csv.DictReader(StringIO(answer.content.decode("utf-8-sig"))))
    assert len(rows) == 100
    assert {row["reason"] for row in rows} == {f"'{FORMULA}"}
    assert {row["kind"] for row in rows} == {"record_documents"}
