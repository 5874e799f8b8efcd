"""The house's pages of advances out of sales: the list, one of them, and its charge-off."""

import pytest
from django.urls import reverse
from tests.book.impairment.shorter import shorter, under
from tests.book.sales_credit import scene as advances
from tests.book.sales_credit.scene import DAY, START
from tests.faces.portal.house.office import LANGUAGES, key_in, signed_in, text_of

from tallystick.book.collections.models import Case
from tallystick.book.parties.models import Role
from tallystick.book.sales_credit.models import Advance, LossProposal
from tallystick.book.servicing.close import close_through

LIST = reverse("house-advances")


def behind():
    """M1 is behind its pace, and classed for it; M2 is not."""
    scene = under(shorter("cn.bank"))
    for merchant, programme in (("M1", advances.paced()), ("M2", advances.FEE)):
        advances.has_sold_for_three_months(scene, merchant)
        advances.a_line(scene, merchant=merchant, code=f"SL-{merchant}", programme=programme)
    late = advances.paid_out(scene, 20_000_000, line="SL-M1")
    sound = advances.paid_out(scene, 25_000_000, line="SL-M2")
    close_through(scene.legal_entity_id, START + 9 * DAY)
    return late, sound


def codes(response) -> list[str]:
    return [row["advance"].code for row in response.context["rows"]]


def test_the_list_is_filtered_sorted_and_summed(database):
    late, sound = behind()
    clerk = signed_in(Role.RISK_OFFICER)

    shown = clerk.get(LIST)

    assert codes(shown) == [sound, late]
    assert [each._asdict() for each in shown.context["totals"]] == [
        {
            "currency": "CNY",
            "advances": 2,
            "advanced_minor": 45_000_000,
            "collected_minor": 0,
            "principal_minor": 45_000_000,
        }
    ]
    assert "6 days behind its pace" in text_of(shown)
    assert codes(clerk.get(LIST, {"order": "behind"})) == [late]
    assert codes(clerk.get(LIST, {"order": "largest"})) == [sound, late]
    assert codes(clerk.get(LIST, {"behind": "1-30"})) == [late]
    assert codes(clerk.get(LIST, {"behind": "31-90"})) == []
    assert codes(clerk.get(LIST, {"merchant": "M2"})) == [sound]
    assert codes(clerk.get(LIST, {"line": "SL-M1", "status": "live"})) == [late]
    assert clerk.get(LIST, {"merchant": "NOBODY"}).status_code == 422


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_advance_shows_its_pace_its_class_and_every_figures_terms(database, language):
    late, _ = behind()
    clerk = signed_in(Role.RISK_OFFICER, language=language)

    shown = clerk.get(reverse("house-advances-one", args=[late]))

    assert shown.status_code == 200
    assert shown.context["pace"].short_minor == 700_000
    assert [str(period.state) for period in shown.context["state"].pace] == [
        "breached",
        "breached",
        "open",
    ]
    assert shown.context["classed"].asset_class == "substandard"
    figures = {figure.name: figure.value for figure in shown.context["figures"]}
    assert figures["outstanding_minor"] == 21_000_000
    assert all(
        sum(term.amount for term in figure.terms) == figure.value
        for figure in shown.context["figures"]
    )
    early = clerk.get(reverse("house-advances-one", args=[late]), {"on": "2026-02-01"})
    assert early.status_code == 422


def test_a_late_payers_case_leads_to_the_advance(database):
    late, _ = behind()

    case = Case.objects.get()
    shown = signed_in(Role.OPERATOR).get(reverse("house-collections-one", args=[case.pk]))

    assert reverse("house-advances-one", args=[late]) in shown.content.decode()


def test_one_person_proposes_the_charge_off_and_another_approves_it(database):
    late, _ = behind()
    clerk, approver = signed_in(Role.OPERATOR), signed_in(Role.APPROVER)
    form = reverse("house-advances-charge-off", args=[late])

    sent = clerk.post(form, {"key": key_in(clerk.get(form)), "reason": "insolvent"})

    assert sent.status_code == 302
    proposal = LossProposal.objects.get()
    assert "insolvent" in text_of(clerk.get(reverse("house-advances-one", args=[late])))
    approve = reverse("house-approvals-approve-loss", args=[proposal.pk])
    assert approver.post(approve, {"key": key_in(approver.get(approve))}).status_code == 302
    assert Advance.objects.get(code=late).status == "charged_off"
    # A second one is refused beside the form.
    assert clerk.post(form, {"key": "again", "reason": "insolvent"}).status_code == 422
