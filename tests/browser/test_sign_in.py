"""Signing in, as somebody does it."""

import pytest
from tests.browser.conftest import DESK, LANGUAGES, PHONE


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_first_page_asks_to_sign_in(tab, shots, width, language):
    here = tab(width=width, language=language)

    assert here.open("/") == 200

    assert "/account/login/" in here.page.url
    here.page.screenshot(path=shots / f"sign-in-{width}-{language}.png", full_page=True)


def test_signing_out_ends_it(tab, browser, portals):
    here = tab()
    here.open("/account/login/")
    here.page.fill("input[name=login]", portals.people["auditor"].email)
    here.page.fill("input[name=password]", portals.people["auditor"].password)
    here.page.click("main button[type=submit], main button:not([type])")
    here.page.wait_for_url("**/house/**")

    here.page.click("header > .who form[action*=logout] button")
    here.page.wait_for_url("**/account/login/**")

    here.open("/house/")
    assert "/account/login/" in here.page.url
