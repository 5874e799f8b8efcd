"""Loans: found by state and lateness, and one of them on any day as known on any day."""

from datetime import timedelta

import pytest
from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.faces.portal.house import lending as world
from tests.faces.portal.house.office import LANGUAGES, queries_for, signed_in, text_of

from tallystick.book.financing.models import Decision, Loan
from tallystick.book.parties.models import Role
from tallystick.book.servicing.loans import instalments_of
from tallystick.book.servicing.repay import repay
from tallystick.rules.limits import RULES

URL = reverse("house-loans")
LATE = (5, 31, 90, 400)
"""Days past due of loans that the world of these tests has besides."""
DAYS_LATER = 401


@pytest.fixture(scope="module")
def lending(shared_database):
    lending = world.opened()
    for days in LATE:
        scenes.lent(lending.other.facility, 1_000_00 + days, days=DAYS_LATER - days)
    scenes.let_days_be_open(lending.scene, DAYS_LATER)
    return lending


@pytest.fixture
def operator(lending):
    return signed_in(Role.OPERATOR)


def page_of(code):
    return reverse("house-loans-one", kwargs={"code": code})


def late(client, bucket):
    answer = client.get(URL, {"past_due": bucket})
    assert answer.status_code == 200
    return [row["days_past_due"] for row in answer.context["rows"]]


@pytest.mark.parametrize(
    ("bucket", "days"),
    [
        pytest.param("1-30", [5], id="up to thirty days"),
        pytest.param("31-60", [31], id="the thirty-first day"),
        pytest.param("61-90", [90], id="the ninetieth day"),
        pytest.param("91-180", [], id="none so late"),
        pytest.param("361+", [400], id="beyond a year"),
    ],
)
def test_live_loans_are_found_by_the_days_they_are_past_due(operator, bucket, days):
    assert late(operator, bucket) == days


def test_loans_are_found_by_state_facility_and_supplier(lending, operator):
    def codes(**asked):
        return [row["loan"].code for row in operator.get(URL, asked).context["rows"]]

    assert codes(status="pending") == [lending.drawn.loan]
    assert codes(facility="F-DRAWER") == [lending.drawn.loan]
    assert set(codes(supplier="OURSELLER")) == set(
        Loan.objects.filter(facility=lending.ours.facility).values_list("code", flat=True)
    )
    assert codes(code="F-DRAW") == [lending.drawn.loan]


@pytest.mark.parametrize(
    "asked",
    [
        {"facility": "F-NOBODY"},
        {"status": "dreaming"},
        {"past_due": "soon"},
        {"due_from": "x"},
        {"due_from": "2026-02-02", "due_to": "2026-02-01"},
    ],
)
def test_a_filter_that_cannot_be_is_refused(operator, asked):
    assert operator.get(URL, asked).status_code == 422


def test_open_loans_are_listed_by_due_date_where_asked_to(operator):
    rows = operator.get(URL, {"order": "due"}).context["rows"]

    due = [row["loan"].due_date for row in rows]
    assert due == sorted(due)
    assert {row["loan"].status for row in rows} <= {"pending", "live"}


def test_the_list_takes_as_many_statements_however_many_loans_it_shows(lending, operator):
    few = queries_for(operator, f"{URL}?facility=F-DRAWER")

    assert queries_for(operator, f"{URL}?facility=F-NEIGHBOUR") == few <= 14


def test_a_day_before_the_loan_is_refused_on_its_page(lending, operator):
    answer = operator.get(page_of(lending.ours.loan.code), {"on": "2020-01-01"})

    assert answer.status_code == 422
    assert "starts on" in text_of(answer)


def test_a_day_that_is_none_is_refused_beside_its_field(lending, operator):
    answer = operator.get(page_of(lending.ours.loan.code), {"on": "yesterday"})

    assert answer.status_code == 422
    assert "Type it as 2026-11-22" in text_of(answer)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_loan_shows_its_funders_entries_and_every_rules_verdict(lending, language):
    answer = signed_in(Role.RISK_OFFICER, language=language).get(page_of(lending.drawn.loan))

    assert [each["rule"] for each in answer.context["verdicts"]] == [
        rule.__name__ for rule in RULES
    ]
    assert [(each.share_ppm, each.to_date) for each in answer.context["shares"]] == [
        (1_000_000, None)
    ]
    assert [entry.event for entry in answer.context["entries"]] == ["drawdown_committed"]
    assert reverse("house-ledger-entry", args=[answer.context["entries"][0].pk]) in (
        answer.content.decode()
    )


def test_a_decision_shows_what_was_read(lending, operator):
    decision = lending.loan.decision_id

    answer = operator.get(reverse("house-loans-decision", kwargs={"number": decision}))

    read = {name for name, _, _ in answer.context["inputs"]}
    assert read == set(Decision.objects.get(pk=decision).inputs)
    assert "The amount is available" in text_of(answer)


def test_what_is_not_there_is_not_found(operator):
    assert operator.get(page_of("F-NOBODY-1")).status_code == 404
    for number in (0, 10**30):
        url = reverse("house-loans-decision", kwargs={"number": number})
        assert operator.get(url).status_code == 404


def test_its_page_takes_a_bounded_number_of_statements(lending, operator):
    assert queries_for(operator, page_of(lending.ours.loan.code)) <= 21


def test_the_instalments_of_a_loan_are_shown_as_they_stood_on_the_day_asked(lending, operator):
    """36,000.00 in three parts, of which nothing was ever paid."""
    facility = scenes.facility(lending.scene, "PARTS", scenes.in_instalments())
    loan = Loan.objects.get(pk=scenes.lent(facility, 36_000_00, days=92, rate_ppb=0))
    first, second, _ = (row.due_date for row in instalments_of(loan.code))

    def states(on):
        return [
            row.paid for row in operator.get(page_of(loan.code), {"on": on}).context["instalments"]
        ]

    assert states(loan.drawn_date) == ["to_come", "to_come", "to_come"]
    assert states(first) == ["due", "to_come", "to_come"]
    assert states(second) == ["late", "due", "to_come"]
    shown = text_of(operator.get(page_of(loan.code), {"on": second}))
    assert "Instalments Due State Instalment" in shown
    assert queries_for(operator, page_of(loan.code)) <= 26


# Last: its own database takes the place of the one that the others share.
def test_a_loan_is_shown_on_a_day_as_it_was_known_on_another(database):
    lending = world.opened()
    start, code = lending.scene.today, lending.ours.loan.code
    scenes.let_days_be_open(lending.scene, 10)
    repay(
        code,
        100_000_00,
        value_date=start + timedelta(days=5),
        caller=scenes.CALLER,
        key="late news",
    )
    client = signed_in(Role.AUDITOR)
    asked = {"on": (start + timedelta(days=6)).isoformat()}

    now = client.get(page_of(code), asked).context["owed"]
    then = client.get(page_of(code), asked | {"known_on": asked["on"]}).context["owed"]

    assert then.principal_minor == then.disbursed_minor - then.principal_repaid_minor
    assert now.principal_minor < then.principal_minor
    # ACT/360 at ten per cent; what was repaid on the first day never bore interest.
    assert then.interest_accrued_minor == (then.principal_minor * 6 * 2 + 3_600) // 7_200
    assert "100,000.00" in text_of(client.get(page_of(code)))
