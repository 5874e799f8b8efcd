"""A supplier draws: in three clicks, once, whatever happens on the way."""

import pytest
from playwright.sync_api import expect
from tests.browser.conftest import DESK, LANGUAGES, PHONE

DRAW = "a.btn[href*='/my/draw/']"
GO_ON = "main form button.btn"


@pytest.fixture
def loans(portals):
    """How many loans there are."""

    def counted() -> int:
        with portals.database.connect() as owner:
            ((count,),) = owner.execute("SELECT count(*) FROM financing_loan").fetchall()
        return count

    return counted


def to_the_confirmation(here, amount):
    """Two of the three clicks: home, then the form."""
    here.open("/")
    here.page.click(DRAW)
    here.page.fill("#amount", amount)
    here.page.fill("#tenor", "30")
    here.page.click(GO_ON)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("javascript", [True, False])
def test_money_is_drawn_in_three_clicks(tab, shots, loans, width, language, javascript):
    here = tab("supplier", width=width, language=language, javascript=javascript)
    before = loans()

    to_the_confirmation(here, "1,000.50" if language == "en" else "１０００")
    here.page.screenshot(path=shots / f"draw-confirm-{width}-{language}.png", full_page=True)
    here.page.click(GO_ON)

    expect(here.page.locator(".headline")).to_contain_text(
        "1,000.50" if language == "en" else "1,000.00"
    )
    here.page.screenshot(path=shots / f"draw-done-{width}-{language}.png", full_page=True)
    assert loans() == before + 1


def test_what_it_costs_is_told_while_the_amount_is_typed(tab):
    here = tab("supplier", width=PHONE)
    here.open("/")
    here.page.click(DRAW)

    here.page.fill("#amount", "2000")
    expect(here.page.locator("#quote")).to_contain_text("2,000.00")

    here.page.fill("#amount", "2,00")
    expect(here.page.locator("#quote")).not_to_contain_text("¥")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("typed", ["1.000,50", "-5", "many", "1000万亿", "12.345"])
def test_an_amount_that_is_none_is_told_helpfully_and_stays_in_its_field(tab, typed, language):
    here = tab("supplier", width=PHONE, language=language)

    to_the_confirmation(here, typed)

    expect(here.page.locator("#amount")).to_have_value(typed)
    expect(here.page.locator("#amount")).to_have_attribute("aria-invalid", "true")


def test_a_double_click_draws_once(tab, loans):
    here = tab("supplier")
    before = loans()

    to_the_confirmation(here, "110")
    here.page.dblclick(GO_ON)
    here.page.wait_for_url("**/my/drawn/**")

    assert loans() == before + 1


def test_going_back_and_sending_again_draws_once(tab, loans):
    here = tab("supplier")
    before = loans()
    to_the_confirmation(here, "120")
    here.page.click(GO_ON)
    here.page.wait_for_url("**/my/drawn/**")

    here.page.go_back()
    here.page.click(GO_ON)
    here.page.wait_for_url("**/my/drawn/**")

    assert loans() == before + 1


def test_two_tabs_of_one_form_draw_once(tab, loans):
    here = tab("supplier")
    before = loans()
    to_the_confirmation(here, "130")
    other = here.page.context.new_page()
    other.goto(here.page.url)

    here.page.click(GO_ON)
    here.page.wait_for_url("**/my/drawn/**")
    other.click(GO_ON)
    other.wait_for_url("**/my/drawn/**")

    assert loans() == before + 1


def test_a_session_that_ends_in_the_middle_draws_nothing_and_leads_back(tab, loans, portals):
    here = tab("supplier")
    before = loans()
    to_the_confirmation(here, "140")

    here.page.context.clear_cookies()
    here.page.click(GO_ON)

    assert loans() == before
    here.page.click("main a, main button")
    here.page.wait_for_url("**/account/login/**")
    here.page.fill("input[name=login]", portals.people["supplier"].email)
    here.page.fill("input[name=password]", portals.people["supplier"].password)
    here.page.click("main button[type=submit], main button:not([type])")
    here.page.wait_for_url("**/my/draw/**")
    assert "140" in here.page.content()
    assert loans() == before
    # The answer to a form that came without a session is a refusal, which the browser reports.
    here.complaints[:] = [each for each in here.complaints if "403" not in each]


def test_a_frozen_facility_cannot_be_drawn_on_until_it_is_freed(tab, portals, loans):
    with portals.database.connect() as owner:
        ((code,),) = owner.execute(
            "SELECT facility.code FROM financing_facility AS facility"
            " JOIN parties_party AS party ON party.id = facility.supplier_id"
            " WHERE party.code = %s",
            [portals.people["supplier"].firm],
        ).fetchall()
    operator, supplier = tab("operator"), tab("supplier", width=PHONE)

    operator.open("/house/facilities/")
    operator.page.click(f"text={code}")
    operator.page.click("main a[href*='/freeze/']")
    operator.page.fill("main [name=reason]", "goods under inspection")
    operator.page.click("main form button.btn")
    supplier.open("/")
    expect(supplier.page.locator("main")).to_contain_text("goods under inspection")
    assert supplier.page.locator(DRAW).count() == 0

    operator.page.click("main a[href*='/unfreeze/']")
    operator.page.fill("main [name=reason]", "inspected")
    operator.page.click("main form button.btn")
    supplier.open("/")
    expect(supplier.page.locator(DRAW).first).to_be_visible()
