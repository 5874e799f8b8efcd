"""Acts on a loan in the browser: without scripts, seen first, and decided by somebody else."""

import pytest
from tests.browser.conftest import DESK, LANGUAGES, PHONE
from tests.browser.test_every_page import ASK_AXE, AXE, TOO_WIDE

ACTS = ("extend", "pause", "waive", "charge-off", "fee", "reverse", "reverse-share")


def live_loan(here) -> str:
    """The page of a loan that is live."""
    assert here.open("/house/loans/?status=live") == 200
    return here.page.locator("main tbody th a").first.get_attribute("href")


def faults_of(here, shots, name: str, place: str) -> list[str]:
    """What is wrong with the page that is open, of which a picture is kept."""
    here.page.screenshot(path=shots / f"{name}.png", full_page=True)
    here.page.evaluate(AXE)
    faults = [f"{place} is wider than the screen"] * (here.page.evaluate(TOO_WIDE) > 0)
    return faults + [f"{place}: {fault}" for fault in here.page.evaluate(ASK_AXE)]


def test_an_extension_is_seen_proposed_and_rejected_without_scripts(tab):
    maker = tab("operator", javascript=False)
    loan = live_loan(maker)
    maker.open(loan)
    maker.page.locator("details.acts-menu summary").press("Enter")
    maker.page.get_by_role("link", name="Extend the term").click()
    maker.page.fill("input[name=days]", "14")
    maker.page.fill("input[name=reason]", "flood")
    maker.page.get_by_role("button", name="See what it changes").click()
    assert "Last due date" in maker.page.locator("tr.moved").first.inner_text()
    maker.page.get_by_role("button", name="Change it").click()
    assert maker.page.input_value("input[name=days]") == "14"
    maker.page.get_by_role("button", name="See what it changes").click()
    maker.page.get_by_role("button", name="Propose it").click()
    assert maker.page.url.endswith(loan)
    assert "Waits for an approver" in maker.page.inner_text("main")

    checker = tab("approver", javascript=False)
    checker.open("/house/approvals/")
    checker.page.get_by_role("link", name="Reject…").first.click()
    checker.page.fill("input[name=reason]", "not yet")
    checker.page.get_by_role("button", name="Reject it").click()
    assert "is rejected" in checker.page.inner_text("main")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("width", "dark"), [(PHONE, True), (DESK, False)])
def test_every_form_of_an_act_can_be_used_by_everybody(tab, shots, width, dark, language):
    here = tab("operator", width=width, language=language, dark=dark)
    loan = live_loan(here)
    faults = []
    for place in ("", *ACTS):
        here.open(loan.replace("/loan/", f"/loan-{place}/") if place else loan)
        if not place:
            here.page.locator("details.acts-menu summary").click()
        if place == "extend":
            here.page.fill("input[name=reason]", "flood")
            here.page.click("button[value=look]")
        faults += faults_of(here, shots, f"loan-{place or 'acts'}-{width}-{language}", place)
    assert faults == []


@pytest.mark.parametrize(("width", "language"), [(PHONE, "zh-hans"), (DESK, "en")])
def test_what_treasury_does_with_a_loan_can_be_used_by_everybody(tab, shots, width, language):
    here = tab("treasury", width=width, language=language)
    loan = live_loan(here)
    here.open(loan)
    links = here.page.locator("details.acts-menu a").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    faults = []
    for number, path in enumerate(links):
        assert here.open(path) == 200
        faults += faults_of(here, shots, f"treasury-{number}-{width}-{language}", path)
    assert [path.split("/")[2] for path in links] == ["loan-charge-back", "cash", "cash"]
    assert faults == []


@pytest.mark.parametrize(("width", "language"), [(PHONE, "zh-hans"), (DESK, "en")])
def test_one_withdraws_what_one_has_proposed(tab, shots, width, language):
    here = tab("operator", width=width, language=language)
    loan = live_loan(here)
    here.open(loan.replace("/loan/", "/loan-charge-off/"))
    here.page.fill("input[name=reason]", "they have gone")
    here.page.click("button[value=look]")
    here.page.click("button[value=confirm]")
    here.open("/house/approvals/")
    faults = faults_of(here, shots, f"approvals-own-{width}-{language}", "approvals")
    here.page.locator("a[href$='/withdraw/']").first.click()
    faults += faults_of(here, shots, f"withdraw-own-{width}-{language}", "withdraw")
    here.page.fill("input[name=reason]", "they are back")
    here.page.locator("main form .btn").click()

    assert here.page.url.endswith("/house/approvals/")
    assert here.page.locator("a[href$='/withdraw/']").count() == 0
    assert faults == []
