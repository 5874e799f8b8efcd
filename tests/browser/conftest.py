"""A real browser before a real server: Debian's Chromium, the portals, and a simulated book."""

import os
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from tallystick.faces.served import served
from tallystick.lab.demo_people import SignIn, demo_people
from tallystick.lab.run_demo import prepare_demo
from tallystick.site import databases
from tallystick.site.marks import Purpose, mark
from tallystick.site.server import Server

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESK = 390, 1440
LANGUAGES = ("en", "zh-hans")
SIGN_IN_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Portals:
    """The server's address, and who can sign in there, by role."""

    origin: str
    people: dict[str, SignIn]
    database: Server


@pytest.fixture(scope="session")
def chromium() -> str:
    path = shutil.which("chromium")
    if path is None:
        wanted = "browser tests are not run: they need Debian's package chromium"
        if os.environ.get("CI"):
            pytest.fail(wanted)
        pytest.skip(wanted)
    return path


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Browser]:
    # Playwright keeps an event loop in this thread, which Django would take for ours.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture(scope="session")
def portals(chromium: str, postgres: Server, template: Server) -> Iterator[Portals]:
    """The portals over a marketplace of 25 working days, in a database of the run's own."""
    here = postgres.named("tallystick_browser")
    databases.create(here, at=postgres, template=template.database)
    mark(here, Purpose.TEST)
    databases.use(here)
    told = prepare_demo(days=25, suppliers=12, seed=7).walk(on_day=lambda _day: None)
    assert told.findings == []
    # Of the suppliers the first, who draws on receivables.
    people = {person.role.value: person for person in reversed(demo_people())}
    databases.leave()
    port = _free_port()
    with served(here.url, port):
        yield Portals(f"http://127.0.0.1:{port}", people, here)
    databases.drop(here, at=postgres)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def signed_in(browser: Browser, portals: Portals) -> Callable[[str], object]:
    """The cookies of somebody of a role who signed in by the form, once in a run."""
    kept: dict[str, object] = {}

    def state(role: str) -> object:
        if role not in kept:
            context = browser.new_context(locale="en-GB")
            page = context.new_page()
            page.goto(f"{portals.origin}/account/login/")
            page.fill("input[name=login]", portals.people[role].email)
            page.fill("input[name=password]", portals.people[role].password)
            page.click("main button[type=submit], main button:not([type])")
            page.wait_for_url(lambda url: "/login" not in url, timeout=SIGN_IN_SECONDS * 1_000)
            kept[role] = context.storage_state()
            context.close()
        return kept[role]

    return state


LEFT_MEANWHILE = ("htmx:sendAbort", "htmx:afterRequest")
"""What a page says of a request that is cut off by leaving it; one that fails says more."""


class Tab:
    """A page with everything the browser complained about."""

    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self.origin = origin
        self.complaints: list[str] = []
        page.on(
            "console",
            lambda message: (
                self.complaints.append(f"{page.url}: {message.text}")
                if message.type in ("error", "warning")
                and not message.text.startswith(LEFT_MEANWHILE)
                else None
            ),
        )
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))

    def open(self, path: str) -> int:
        """The status with which a path is answered."""
        answer = self.page.goto(self.origin + path)
        assert answer is not None
        return answer.status


@pytest.fixture
def tab(
    browser: Browser, portals: Portals, signed_in: Callable[[str], object]
) -> Iterator[Callable[..., Tab]]:
    """Open a tab as somebody of a role (none: nobody), at a width, in a language.

    The test fails at its end where the browser complained: of the content policy, a script, a
    file that is missing.
    """
    contexts: list[BrowserContext] = []
    tabs: list[Tab] = []

    def opened(
        role: str | None = None,
        *,
        width: int = DESK,
        language: str = "en",
        javascript: bool = True,
        dark: bool = False,
    ) -> Tab:
        context = browser.new_context(
            storage_state=signed_in(role) if role else None,
            viewport={"width": width, "height": 844 if width == PHONE else 900},
            color_scheme="dark" if dark else "light",
            java_script_enabled=javascript,
            locale="en-GB",
        )
        context.add_cookies([{"name": "django_language", "value": language, "url": portals.origin}])
        contexts.append(context)
        tabs.append(Tab(context.new_page(), portals.origin))
        return tabs[-1]

    yield opened
    for context in contexts:
        context.close()
    assert [complaint for each in tabs for complaint in each.complaints] == []


@pytest.fixture(scope="session")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where pictures of pages are kept: TALLY_SHOTS, else a temporary folder."""
    chosen = os.environ.get("TALLY_SHOTS")
    folder = Path(chosen) if chosen else tmp_path_factory.mktemp("shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder
