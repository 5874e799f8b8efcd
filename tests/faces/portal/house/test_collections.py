"""Late payers on the house's pages: looked for, worked on, and relieved by two people."""

from datetime import timedelta

import pytest
from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import CALLER, START
from tests.faces.portal.house.office import (
    LANGUAGES,
    STAFF,
    key_in,
    queries_for,
    signed_in,
    text_of,
    user,
)

from tallystick.book.collections.collect import collect
from tallystick.book.collections.correspondence import set_correspondence
from tallystick.book.collections.models import Case, Message, PromiseToPay
from tallystick.book.financing.models import Loan
from tallystick.book.parties.models import Party, Role
from tallystick.book.payments.models import CashReceipt
from tallystick.book.proposals.models import Proposal
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.receive import receive
from tallystick.faces.letters.sending import send_all_due

LIST = "/house/collections/"
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def scene(shared_database):
    """Three firms late: two by three days, one by 36; the letters of one have gone out."""
    scene = scenes.opened()
    for code, minor, days in (("ALPHA", 3_600_000, 34), ("BETA", 900_000, 34), ("GAMMA", 50, 1)):
        scenes.lent(scenes.facility(scene, code), minor, days=days, rate_ppb=0)
        Party.objects.filter(code=code).update(name=f"{code.title()} Trading")
    set_correspondence("ALPHA", language="zh-hans", email="a@a.example", caller=CALLER, key="a")
    scenes.let_days_be_open(scene, 37)
    with scenes.an_act("night") as act:
        collect(scene.legal_entity_id, day=scene.today - DAY, act_id=act.act_id)
        act.answer({})
    send_all_due()
    return scene


def case_of(code: str) -> Case:
    return Case.objects.get(party__code=code)


def page(name: str, number: int) -> str:
    return reverse(f"house-collections-{name}", args=[number])


def sent(client, url: str, **typed):
    return client.post(url, {"key": key_in(client.get(url)), "reason": "seen", **typed})


@pytest.mark.parametrize("language", LANGUAGES)
def test_everybody_of_the_house_sees_the_cases_sorted_and_filtered(scene, language):
    for role in STAFF:
        assert signed_in(role, language=language).get(LIST).status_code == 200
    client = signed_in(Role.OPERATOR, language=language)

    def firms(asked: str) -> list[str]:
        answer = client.get(f"{LIST}?{asked}")
        return [row["each"].case.party.code for row in answer.context["rows"]]

    assert firms("") == ["GAMMA", "ALPHA", "BETA"]
    assert firms("sort=amount") == ["ALPHA", "BETA", "GAMMA"]
    assert firms("sort=firm") == ["ALPHA", "BETA", "GAMMA"]
    assert firms("bucket=31-60") == ["GAMMA"]
    assert firms("assignee=mine") == []
    assert firms("assignee=nobody&bucket=1-30&sort=since") == ["ALPHA", "BETA"]
    assert client.get(f"{LIST}?bucket=heaps").status_code == 422


def test_what_is_past_due_is_drawn_and_told_by_age(scene):
    answer = signed_in(Role.AUDITOR).get(LIST)
    (chart,) = answer.context["ageing"]
    shown = {bar["bucket"]: bar["amount_minor"] for bar in chart["bars"]}

    assert list(shown) == ["1-30", "31-60", "61-90", "91-180", "181-360", "361+"]
    assert shown["31-60"] == 50
    # 5 % a year of 360 days for three days on 45,000.00.
    assert shown["1-30"] == 3_600_000 + 1_500 + 900_000 + 375
    assert sum(shown.values()) == chart["total"]
    assert "31-60 days" in text_of(answer)


def test_the_list_takes_no_statement_for_each_case(scene):
    assert queries_for(signed_in(Role.OPERATOR), LIST) <= 30


def test_a_case_tells_its_story_with_the_letter_as_it_was_sent(scene):
    case = case_of("ALPHA")
    letter = Message.objects.get(case=case)
    answer = signed_in(Role.OPERATOR).get(page("one", case.pk))

    shown = text_of(answer)
    assert "Alpha Trading" in shown
    assert "¥ 36,015.00" in shown
    assert letter.body.splitlines()[0] in shown
    assert "Could not be sent" in text_of(
        signed_in(Role.OPERATOR).get(page("one", case_of("BETA").pk))
    )


def test_who_may_collect_acts_and_who_may_not_is_refused(scene):
    case = case_of("BETA")
    for role in STAFF:
        collects = role in (Role.OPERATOR, Role.RISK_OFFICER)
        for name in ("assign", "note", "pause", "promise"):
            status = signed_in(role).get(page(name, case.pk)).status_code
            assert status == (200 if collects else 403), (role, name)


def test_a_case_is_assigned_noted_paused_and_promised(scene):
    case = case_of("BETA")
    client = signed_in(Role.OPERATOR)
    me = user(Role.OPERATOR).email

    assert sent(client, page("assign", case.pk), assignee=me).status_code == 302
    assert sent(client, page("note", case.pk), text="Called.\nFriday.").status_code == 302
    on = scene.today
    assert sent(client, page("pause", case.pk), until_date=str(on + 2 * DAY)).status_code == 302
    typed = {"currency": "CNY", "amount": "1万", "promised_date": str(on + 3 * DAY)}
    assert sent(client, page("promise", case.pk), **typed).status_code == 302

    case.refresh_from_db()
    assert (case.assignee.email, case.paused_until_date) == (me, on + 2 * DAY)
    assert PromiseToPay.objects.get(case=case).amount_minor == 10_000_00
    shown = text_of(client.get(page("one", case.pk)))
    assert "Friday." in shown
    assert "¥ 10,000.00 by" in shown
    again = sent(client, page("promise", case.pk), **typed)
    assert again.status_code == 422
    assert "promised for" in text_of(again)


def act_page(name: str, loan: Loan, case: Case) -> str:
    return f"{reverse(f'house-loans-{name}', args=[loan.code])}?case={case.pk}"


def test_an_extension_is_proposed_from_the_case_and_takes_two_people(scene):
    case = case_of("GAMMA")
    loan = Loan.objects.get(facility__supplier__code="GAMMA")
    maker, approver = signed_in(Role.RISK_OFFICER), signed_in(Role.APPROVER)
    url = act_page("extend", loan, case)
    assert url in maker.get(page("one", case.pk)).content.decode()
    proposed = sent(maker, url, days="60", step="confirm")
    assert proposed.status_code == 302, text_of(proposed)
    assert proposed.url == page("one", case.pk)
    proposal = Proposal.objects.get(loan=loan)
    assert "1 proposal waits for an approver" in text_of(approver.get(LIST))
    assert "another person has to decide" in text_of(maker.get(page("one", case.pk)))
    approve = reverse("house-approvals-approve", args=[proposal.pk])
    assert approve in approver.get(page("one", case.pk)).content.decode()

    assert sent(approver, approve).status_code == 302

    loan.refresh_from_db()
    assert loan.due_date == START + 61 * DAY


def test_a_charge_off_is_rejected_with_a_reason_that_its_maker_reads(scene):
    case = case_of("ALPHA")
    loan = Loan.objects.get(facility__supplier__code="ALPHA")
    maker, approver = signed_in(Role.OPERATOR), signed_in(Role.APPROVER)
    assert sent(maker, act_page("charge-off", loan, case), step="confirm").status_code == 302
    proposal = Proposal.objects.get(loan=loan)

    reject = reverse("house-approvals-reject", args=[proposal.pk])
    answer = sent(approver, reject, reason="sell the security first")

    assert answer.status_code == 302
    assert "sell the security first" in text_of(maker.get(page("one", case.pk)))
    assert Loan.objects.get(pk=loan.pk).status == "live"


def test_a_letter_that_was_given_up_is_sent_again_once_there_is_an_address(scene):
    letter = Message.objects.get(case=case_of("BETA"))
    client = signed_in(Role.OPERATOR)
    refused = sent(client, page("letter", letter.pk))
    assert refused.status_code == 422
    assert "no address" in text_of(refused)
    set_correspondence("BETA", language="en", email="b@b.example", caller=CALLER, key="b")

    assert sent(client, page("letter", letter.pk)).status_code == 302

    letter.refresh_from_db()
    assert (letter.state, letter.addresses) == ("waiting", ["b@b.example"])


def test_what_is_not_there_is_not_found(scene):
    client = signed_in(Role.OPERATOR)
    for name in ("one", "assign", "letter"):
        assert client.get(page(name, 999_999)).status_code == 404


def test_cash_for_an_unknown_loan_is_applied_by_treasury_on_the_receipts_page(scene):
    loan = Loan.objects.get(facility__supplier__code="ALPHA")
    told = Receipt("R-LOST", "ALPHA", "CNY", 5_000_00, scene.today)
    receive(told, "MISSPELT", legal_entity_id=scene.legal_entity_id, caller=CALLER)
    receipt = CashReceipt.objects.get(bank_reference="R-LOST")
    client = signed_in(Role.TREASURY)
    url = reverse("house-cash-receipt-loan", args=[receipt.pk])
    assert url in client.get(reverse("house-cash-receipt", args=[receipt.pk])).content.decode()
    assert 'value="5000.00"' in client.get(url).content.decode()

    assert sent(client, url, loan="NEITHER", amount="5000").status_code == 422
    assert sent(client, url, loan=loan.code, amount="5000").status_code == 302

    receipt.refresh_from_db()
    assert receipt.unapplied_minor == 0
