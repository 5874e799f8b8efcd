"""Classes and provisions of a closed day, a loan's class with its clause, and recorded facts."""

from datetime import timedelta

import pytest
from django.urls import reverse
from tests.book.impairment.shorter import shorter, under
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import START
from tests.book.servicing.test_reverse import code_of
from tests.faces.portal.house.office import key_in, signed_in, text_of

from tallystick.book.impairment.models import Fact
from tallystick.book.parties.models import Role
from tallystick.book.servicing.close import close_through

PAGE = "/house/classes/"


@pytest.fixture(scope="module")
def late_loan(shared_database) -> str:
    """A loan five days late under a bank's rules made short, and the day that made it bad."""
    scene = under(shorter("cn.bank"))
    loan = scenes.lent(scenes.facility(scene, "SELLER"), 3_600_000, days=1)
    close_through(scene.legal_entity_id, START + timedelta(days=6))
    return code_of(loan)


def test_the_page_shows_the_day_by_class_and_the_clause_that_moved_each_loan(late_loan):
    text = text_of(signed_in(Role.RISK_OFFICER).get(PAGE))

    assert "Substandard" in text
    assert "45.00" in text
    assert late_loan in text
    assert "Days past due: non-performing" in text


def test_a_day_before_shows_what_stood_then(late_loan):
    day = START + timedelta(days=4)
    text = text_of(signed_in(Role.AUDITOR).get(PAGE, {"on": day.isoformat()}))

    assert "Special mention" in text
    assert "Substandard" not in text


def test_a_loans_page_says_its_class_the_law_and_what_is_provided(late_loan):
    text = text_of(signed_in(Role.RISK_OFFICER).get(f"/house/loan/{late_loan}/"))

    assert "Substandard" in text
    assert "Rules on the Risk Classification of Financial Assets of Commercial Banks" in text
    assert "× 45 %" in text


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Classes and provisions"), ("zh-hans", "分类与拨备")]
)
def test_the_page_speaks_the_readers_language(late_loan, language, said):
    assert said in text_of(signed_in(Role.RISK_OFFICER, language=language).get(PAGE))


def test_a_fact_is_proposed_by_one_and_approved_by_another(late_loan):
    officer, approver = signed_in(Role.RISK_OFFICER), signed_in(Role.APPROVER)
    url = reverse("house-classes-propose")
    asked = {
        "kind": "credit_impaired",
        "loan": late_loan,
        "debtor": "",
        "from_date": START.isoformat(),
        "to_date": "",
        "share": "60.5",
        "reason": "petition filed",
    }

    answer = officer.post(url, {"key": key_in(officer.get(url)), **asked})
    assert answer.status_code == 302, text_of(answer)
    fact = Fact.objects.get()
    assert (fact.share_bps, fact.approved) == (6_050, None)
    assert "Waits for an approver" in text_of(approver.get(PAGE))
    approve = reverse("house-classes-approve", args=[fact.pk])
    assert officer.get(approve).status_code == 403
    answer = approver.post(approve, {"key": key_in(approver.get(approve)), "reason": "seen"})
    assert answer.status_code == 302, text_of(answer)
    fact.refresh_from_db()
    assert fact.approved

    end = reverse("house-classes-end", args=[fact.pk])
    answer = officer.post(
        end,
        {"key": key_in(officer.get(end)), "reason": "withdrawn", "from_date": START.isoformat()},
    )
    ending = Fact.objects.get(ends=fact)
    reject = reverse("house-classes-reject", args=[ending.pk])
    approver.post(reject, {"key": key_in(approver.get(reject)), "reason": "not so"})
    ending.refresh_from_db()
    assert ending.approved is False


def test_what_is_no_fact_is_told_beside_what_was_typed(late_loan):
    officer = signed_in(Role.RISK_OFFICER)
    url = reverse("house-classes-propose")
    asked = {"kind": "diverted_use", "loan": "NONE", "from_date": START.isoformat()}

    answer = officer.post(url, {"key": key_in(officer.get(url)), "reason": "x", **asked})

    assert answer.status_code == 422
    assert "NONE" in text_of(answer)
