"""Acts on a loan in the browser: without scripts, seen first, and decided by somebody else."""

import pytest
from tests.browser.conftest import DESK, LANGUAGES, PHONE
from tests.browser.test_every_page import ASK_AXE, AXE, TOO_WIDE

ACTS = ("extend", "pause", "waive", "charge-off", "fee", "reverse", "reverse-share")


def live_loan(here) -> str:
    """The page of a loan that is live."""
    assert here.open("/house/loans/?status=live") == 200
    return here.page.locator("main tbody th a").first.get_attribute("href")


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
        name = f"loan-{place or 'acts'}-{width}-{language}.png"
        here.page.screenshot(path=shots / name, full_page=True)
        here.page.evaluate(AXE)
        faults += [f"{place} is wider than the screen"] * (here.page.evaluate(TOO_WIDE) > 0)
        faults += [f"{place}: {fault}" for fault in here.page.evaluate(ASK_AXE)]
    assert faults == []
