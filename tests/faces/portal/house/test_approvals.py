"""Acts on a loan, from its page: seen before they are done, and what takes two people, approved."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from tests.book.sales_credit import scene as advances
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import START
from tests.faces.portal.house.office import (
    LANGUAGES,
    STAFF,
    key_in,
    queries_for,
    signed_in,
    text_of,
    user,
)

from tallystick.book.acts.once import Caller
from tallystick.book.financing.models import Loan
from tallystick.book.funding.models import ShareTransfer
from tallystick.book.impairment.facts import FactKind, NewFact, propose_fact
from tallystick.book.ledger.manual_journals import propose as propose_journal
from tallystick.book.parties.models import Party, Role
from tallystick.book.proposals.models import Proposal
from tallystick.book.proposals.propose import propose
from tallystick.book.proposals.terms import DueMove, ReAging
from tallystick.book.sales_credit.charge_off import propose_loss
from tallystick.book.sales_credit.models import Advance
from tallystick.book.servicing.loans import loan_on
from tallystick.book.servicing.models import LoanEvent
from tallystick.rules.journal import AccountName, credit, debit

DAY = timedelta(days=1)
WHY = Caller("user:x", "x@house.example", "portal", "agreed in writing")
APPROVALS = reverse("house-approvals")


@pytest.fixture(scope="module")
def scene(shared_database):
    """3,600,000 at 10 % over 60 days, ten of which have passed: 10,000 of interest."""
    scene = scenes.opened()
    for code in ("ALPHA", "BETA", "GAMMA"):
        scenes.lent(scenes.facility(scene, code), 3_600_000)
    scenes.let_days_be_open(scene, 10)
    return scene


def loan_of(code: str) -> Loan:
    return Loan.objects.get(facility__supplier__code=code)


def page(name: str, loan: Loan) -> str:
    return reverse(f"house-loans-{name}", args=[loan.code])


def sent(client, url: str, **typed):
    return client.post(url, {"key": key_in(client.get(url)), "reason": "agreed", **typed})


def changed(answer) -> dict[str, tuple[str, str]]:
    """The figures that would change, before and after."""
    found = answer.context["preview"].changes
    return {each.label: (each.before, each.after) for each in found if each.is_changed}


def test_the_menu_of_a_loan_offers_each_role_what_it_may_do(scene):
    loan = loan_of("ALPHA")
    pages = {role: signed_in(role).get(page("one", loan)).content.decode() for role in STAFF}
    offered = {
        role: set(re.findall(r"/house/loan-([a-z-]+)/", shown)) for role, shown in pages.items()
    }
    proposals = {
        *("extend", "move-due", "re-age", "pause", "rate", "waive", "restructure"),
        *("sell", "buy-back", "reverse-share", "charge-off", "reverse"),
    }

    assert offered[Role.OPERATOR] == offered[Role.RISK_OFFICER] == proposals | {"fee"}
    assert offered[Role.TREASURY] == {"charge-back"}
    assert offered[Role.APPROVER] == offered[Role.AUDITOR] == set()


SEEN_FIRST = [
    ("extend", {"days": "30"}, {"Last due date": ("1 May 2026", "31 May 2026")}),
    ("move-due", {"to_date": "2026-05-11"}, {"Last due date": ("1 May 2026", "11 May 2026")}),
    ("re-age", {"to_date": "2026-06-30"}, {"Last due date": ("1 May 2026", "30 Jun 2026")}),
    (
        "pause",
        {"from_date": "2026-03-02", "to_date": "2026-03-06"},
        {"Interest owed": ("¥ 100.00", "¥ 50.00")},
    ),
    ("rate", {"rate": "6", "value_date": "2026-03-02"}, {"Rate": ("10 %", "6 %")}),
    (
        "waive",
        {"waives": "interest", "amount": "25.00"},
        {"Interest owed": ("¥ 100.00", "¥ 75.00")},
    ),
    ("restructure", {"rate": "5", "to_date": "2026-06-30"}, {"Rate": ("10 %", "5 %")}),
    ("charge-off", {}, {"State": ("Live", "Charged off"), "Principal": ("¥ 36,000.00", "¥ 0.00")}),
]


@pytest.mark.parametrize(("name", "typed", "expected"), SEEN_FIRST, ids=[s[0] for s in SEEN_FIRST])
def test_each_act_says_what_it_changes_and_then_waits_for_somebody_else(
    scene, name, typed, expected
):
    loan = loan_of("BETA")
    before = loan_on(loan.code)
    maker, approver = signed_in(Role.OPERATOR), signed_in(Role.APPROVER)

    seen = sent(maker, page(name, loan), **typed)

    assert seen.status_code == 200, text_of(seen)
    assert expected.items() <= changed(seen).items()
    assert not Proposal.objects.filter(loan=loan, approved=None).exists()
    form = {"key": key_in(seen), "reason": "agreed", **typed}
    mended = maker.post(page(name, loan), {**form, "step": "change"})
    assert mended.status_code == 200
    assert mended.context["preview"] is None
    for _ in range(2):  # a double click
        proposed = maker.post(page(name, loan), {**form, "step": "confirm"})
        assert proposed.status_code == 302, text_of(proposed)
    proposal = Proposal.objects.get(loan=loan, approved=None)
    assert loan_on(loan.code) == before
    assert "Waits for an approver" in text_of(maker.get(page("one", loan)))
    reject = reverse("house-approvals-reject", args=[proposal.pk])
    approve = reverse("house-approvals-approve", args=[proposal.pk])
    assert maker.get(approve).status_code == 403
    told = approver.get(approve)
    shown = {each.label: (each.before, each.after) for each in told.context["act"].changes}
    assert expected.items() <= shown.items()
    assert sent(approver, reject, reason="not now").status_code == 302
    assert loan_on(loan.code) == before
    assert sent(approver, approve).status_code == 422


def test_what_cannot_be_done_is_told_beside_the_form_in_both_languages(scene):
    loan = loan_of("BETA")
    for language, words in (("en", "it owes 10000"), ("zh-hans", "豁免")):
        client = signed_in(Role.OPERATOR, language=language)
        refused = sent(client, page("waive", loan), waives="interest", amount="100.01")
        assert refused.status_code == 422
        assert words in text_of(refused)
    refused = sent(signed_in(Role.OPERATOR), page("rate", loan), rate="90")
    assert "above the" in text_of(refused)


def approved(loan: Loan) -> None:
    number = Proposal.objects.filter(loan=loan, approved=None).latest("pk").pk
    approve = reverse("house-approvals-approve", args=[number])
    assert sent(signed_in(Role.APPROVER), approve).status_code == 302


def test_a_fee_is_charged_by_one_person_who_has_seen_it_and_taken_back_by_two(scene):
    loan = loan_of("ALPHA")
    client = signed_in(Role.OPERATOR)
    typed = {"what": "late papers", "amount": "50", "value_date": str(START)}

    seen = sent(client, page("fee", loan), **typed)
    assert changed(seen)["Fees owed"] == ("¥ 0.00", "¥ 50.00")
    assert sent(client, page("fee", loan), **typed, step="confirm").status_code == 302
    assert loan_on(loan.code).state.balances.fees_due_minor == 5_000

    event = LoanEvent.objects.get(loan=loan, kind="fee_charged")
    seen = sent(client, page("reverse", loan), event=event.pk)
    assert changed(seen)["Fees owed"] == ("¥ 50.00", "¥ 0.00")
    assert sent(client, page("reverse", loan), event=event.pk, step="confirm").status_code == 302
    assert loan_on(loan.code).state.balances.fees_due_minor == 5_000, "nobody forgives it alone"
    assert "Taken back: Fee charged · 2 Mar 2026" in text_of(client.get(APPROVALS))
    approved(loan)
    assert loan_on(loan.code).state.balances.fees_due_minor == 0
    assert "can be taken back by itself" in text_of(client.get(page("reverse", loan)))


def test_a_payment_that_never_came_cannot_be_charged_back(scene):
    loan = loan_of("ALPHA")
    typed = {"amount": "10", "value_date": str(scene.today)}

    refused = sent(signed_in(Role.TREASURY), page("charge-back", loan), **typed)

    assert refused.status_code == 422
    assert "has received 0" in text_of(refused)


@pytest.mark.parametrize("language", LANGUAGES)
def test_one_page_lists_whatever_waits_with_its_terms_maker_and_age(scene, language):
    loan, maker = loan_of("GAMMA"), user(Role.OPERATOR, "second")
    if not Proposal.objects.filter(loan=loan).exists():
        propose(loan.code, DueMove(START + 80 * DAY), caller=WHY, key="g1", maker=maker)
        propose(loan.code, ReAging(START + 90 * DAY), caller=WHY, key="g2", maker=maker)
        propose_fact(
            NewFact(FactKind.DIVERTED_USE, loan.code, None, from_date=START),
            legal_entity_id=scene.legal_entity_id,
            maker=maker,
            caller=WHY,
            key="g3",
        )
        propose_journal(
            caller=WHY,
            key="g4",
            maker=maker,
            legal_entity_id=scene.legal_entity_id,
            currency="CNY",
            reference="receipt:77",
            value_date=START,
            postings=[debit(AccountName("bank"), 40_00), credit(AccountName("capital"), 40_00)],
        )
    for role in STAFF:
        assert signed_in(role, language=language).get(APPROVALS).status_code == 200

    answer = signed_in(Role.APPROVER, language=language).get(APPROVALS)

    rows = answer.context["rows"]
    assert {row["each"].kind for row in rows} == {"due_move", "re_aging", "fact", "manual_journal"}
    assert all(row["may_decide"] and not row["is_own"] for row in rows)
    shown = text_of(answer)
    assert maker.email in shown
    assert "agreed in writing" in shown
    if language == "en":
        assert "It falls due on 21 May 2026 instead" in shown
        assert "¥ 40.00 about receipt:77" in shown
        assert "proposed today" in shown
    own = signed_in(Role.OPERATOR, "second", language).get(APPROVALS).context["rows"]
    assert all(row["is_own"] and not row["may_decide"] for row in own)
    assert queries_for(signed_in(Role.APPROVER), APPROVALS) <= 20


def test_a_proposal_that_the_loan_has_outgrown_says_why_and_can_still_be_rejected(scene):
    loan = loan_of("ALPHA")
    number = propose(
        loan.code, DueMove(scene.today + DAY), caller=WHY, key="late", maker=user(Role.OPERATOR)
    )
    scenes.let_days_be_open(scene, 13)
    approver = signed_in(Role.APPROVER)

    answer = approver.get(reverse("house-approvals-approve", args=[number]))

    assert answer.status_code == 200
    assert answer.context["act"].warning
    assert sent(approver, reverse("house-approvals-approve", args=[number])).status_code == 422
    assert sent(approver, reverse("house-approvals-reject", args=[number])).status_code == 302


def test_what_one_has_proposed_one_withdraws_and_nobody_else_does(scene):
    loan, client = loan_of("BETA"), signed_in(Role.OPERATOR)
    assert sent(client, page("charge-off", loan), step="confirm").status_code == 302
    number = Proposal.objects.get(loan=loan, approved=None).pk
    withdraw = reverse("house-approvals-withdraw", args=[number])
    assert withdraw in client.get(APPROVALS).content.decode()

    for other in (signed_in(Role.OPERATOR, "second"), signed_in(Role.TREASURY)):
        assert withdraw not in other.get(APPROVALS).content.decode()
        assert sent(other, withdraw).status_code == 422
    assert signed_in(Role.APPROVER).get(withdraw).status_code == 403
    assert sent(client, withdraw, reason="they have paid").status_code == 302

    assert Proposal.objects.get(pk=number).state == "withdrawn"
    approve = reverse("house-approvals-approve", args=[number])
    assert sent(signed_in(Role.APPROVER), approve).status_code == 422


def test_the_menu_shows_the_parts_of_the_house_and_the_pages_of_the_part_one_is_in(scene):
    answer = signed_in(Role.OPERATOR).get(reverse("house-loans"))

    assert [group["label"] for group in answer.context["groups"] if group["is_here"]] == ["Lending"]
    near = [place["label"] for place in answer.context["near"]]
    assert near == ["Loans", "Advances", "Facilities", "Claims", "Firms", "Collections"]
    assert [place["label"] for place in answer.context["near"] if place["is_here"]] == ["Loans"]
    reached = re.findall(r'href="(/house/[a-z]*/?)"', answer.content.decode())
    assert {reverse("house-today"), reverse("house-cash"), reverse("house-webhooks")} <= {*reached}
    seen_by_auditor = signed_in(Role.AUDITOR).get(reverse("house-today")).context["groups"]
    assert [place["label"] for place in seen_by_auditor[-1]["places"]] == ["Programmes"]


def test_a_share_is_sold_by_two_people_from_the_loans_page(scene):
    loan = loan_of("GAMMA")
    Party.objects.create(code="BANK-B", name="Bank B")
    typed = {"funder": "BANK-B", "share": "30", "value_date": str(scene.today)}

    seen = sent(signed_in(Role.OPERATOR), page("sell", loan), **typed)
    assert "30 % of it is sold to BANK-B" in text_of(seen)
    assert changed(seen) == {}, "the borrower owes what it owed"
    proposed = sent(signed_in(Role.OPERATOR), page("sell", loan), **typed, step="confirm")
    assert proposed.status_code == 302, text_of(proposed)
    proposal = Proposal.objects.get(loan=loan, kind="share_sale")
    approve = reverse("house-approvals-approve", args=[proposal.pk])
    assert sent(signed_in(Role.APPROVER), approve).status_code == 302

    (transfer,) = ShareTransfer.objects.filter(loan=loan)
    assert (transfer.share_ppm, transfer.reversed_date) == (300_000, None)
    back = {"transfer": transfer.pk}
    seen = sent(signed_in(Role.OPERATOR), page("reverse-share", loan), **back)
    assert f"Transfer {transfer.pk} of a share is taken back" in text_of(seen)
    taken_back = sent(signed_in(Role.OPERATOR), page("reverse-share", loan), **back, step="confirm")
    assert taken_back.status_code == 302, text_of(taken_back)
    approved(loan)
    transfer.refresh_from_db()
    assert transfer.reversed_date == scene.today
    nothing = text_of(signed_in(Role.OPERATOR).get(page("reverse-share", loan)))
    assert "No share of this loan has changed hands" in nothing


def test_the_charge_off_of_an_advance_waits_on_the_same_page(database):
    scene = advances.opened()
    advances.has_sold_for_three_months(scene)
    advances.a_line(scene)
    code = advances.paid_out(scene, 20_000_000)
    propose_loss(code, caller=WHY, key="loss", maker=user(Role.OPERATOR))
    approver = signed_in(Role.APPROVER)

    (row,) = approver.get(APPROVALS).context["rows"]
    assert code in row["each"].about
    assert sent(approver, row["each"].approve_url).status_code == 302

    assert Advance.objects.get(code=code).status == "charged_off"
    assert "Nothing waits for a second person" in text_of(approver.get(APPROVALS))
    assert sent(approver, row["each"].reject_url).status_code == 422
