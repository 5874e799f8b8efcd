"""Every page that the navigation leads to: whole, accessible, within the screen, in both languages.

Pictures are kept beside (TALLY_SHOTS names the folder): look at them after a change.
"""

from pathlib import Path

import axe_playwright_python
import pytest
from tests.browser.conftest import DESK, LANGUAGES, PHONE

AXE = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
ASK_AXE = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations.map(
    each => each.id + ": " + each.nodes.map(node => node.target.join(" ")).join(", "))"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [PHONE, DESK])
@pytest.mark.parametrize("role", ["supplier", "operator", "auditor"])
def test_every_page_of_the_navigation_can_be_used_by_everybody(tab, shots, role, width, language):
    here = tab(role, width=width, language=language)
    assert here.open("/") == 200
    paths = here.page.locator(".menu nav a").evaluate_all(
        "links => links.map(link => link.getAttribute('href'))"
    )
    assert paths

    faults = []
    for path in paths:
        status = here.open(path)
        name = f"{role}-{path.strip('/').replace('/', '-')}-{width}-{language}.png"
        here.page.screenshot(path=shots / name, full_page=True)
        here.page.evaluate(AXE)
        faults += [f"{path} answers {status}"] * (status != 200)
        faults += [f"{path} is wider than the screen"] * (here.page.evaluate(TOO_WIDE) > 0)
        faults += [f"{path}: {fault}" for fault in here.page.evaluate(ASK_AXE)]
    assert faults == []
