"""How fast pages are: every page that links lead to, asked of a real server again and again."""

import re
import statistics
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve

from tallystick.lab.bench.figures import Figure

MAX_P95_MS = 150
MAX_FIRST_PAGE_KB = 200
LINK = re.compile(r'href="(/[^"#]*)"')
ASSET = re.compile(r'(?:href|src)="(/static/[^"]+)"')
NOT_PAGES = ("account", "mfa", "usersessions", "set_language", "static", "api", "health")


@dataclass(frozen=True, slots=True)
class PageSpeed:
    """One page of a role: the address it was asked at, its answers' times, its bytes."""

    role: str
    name: str
    path: str
    milliseconds: tuple[float, ...]
    kilobytes: float

    @property
    def p95_ms(self) -> float:
        return statistics.quantiles(self.milliseconds, n=20)[-1]


def measure_pages(
    host: str, port: int, cookies: Mapping[str, str], *, runs: int
) -> tuple[list[PageSpeed], list[Figure]]:
    """Ask each page ``runs`` times after a first that is not counted.

    ``cookies``: the session cookie of a person, by role. Pages are found by following links from
    the first page, one address for each of the portal's views. Times are those of whole answers
    over loopback, so a little above the server's own.
    """
    speeds = []
    first_kb = 0.0
    for role, cookie in cookies.items():
        browser = _Browser(host, port, cookie)
        pages = browser.pages_from("/")
        speeds += [
            PageSpeed(role, name, path, browser.times(path, runs), browser.kilobytes(path))
            for name, path in pages.items()
        ]
        first_kb = max(first_kb, browser.first_page_kilobytes())
    slowest = max(speeds, key=lambda speed: speed.p95_ms)
    largest = max(speeds, key=lambda speed: speed.kilobytes)
    return speeds, [
        Figure("pages measured", len(speeds), ""),
        Figure(
            f"95th percentile of the slowest, {slowest.name} of {slowest.role}",
            slowest.p95_ms,
            "ms",
            bound=MAX_P95_MS,
        ),
        Figure("median of all pages' medians", _median(speeds), "ms"),
        Figure(f"largest page, {largest.name}", largest.kilobytes, "KB"),
        Figure("first page with its style and script", first_kb, "KB", bound=MAX_FIRST_PAGE_KB),
    ]


def _median(speeds: list[PageSpeed]) -> float:
    return statistics.median(statistics.median(speed.milliseconds) for speed in speeds)


class _Browser:
    """A person's connection: follows links and redirects, keeps the address."""

    def __init__(self, host: str, port: int, cookie: str) -> None:
        self._connection = HTTPConnection(host, port, timeout=60)
        self._headers = {"Cookie": cookie, "Accept": "text/html"}

    def pages_from(self, start: str) -> dict[str, str]:
        """The portal's views that links lead to, each with the first address found."""
        waiting, found, seen = deque([start]), dict[str, str](), {start}
        while waiting:
            path = waiting.popleft()
            name = _view(path)
            if name in found or name.startswith(NOT_PAGES):
                continue
            status, kind, body, location = self._get(path)
            if status in (301, 302):
                waiting.append(urlsplit(location).path)
            if status != 200 or not kind.startswith("text/html"):
                continue
            found[name] = path
            for link in LINK.findall(body.decode()):
                target = link.replace("&amp;", "&")
                if target not in seen:
                    seen.add(target)
                    waiting.append(target)
        return found

    def times(self, path: str, runs: int) -> tuple[float, ...]:
        self._get(path)
        taken = []
        for _ in range(runs):
            began = time.perf_counter()
            status, *_ = self._get(path)
            taken.append(1_000 * (time.perf_counter() - began))
            assert status == 200, f"{path} answered {status}"
        return tuple(taken)

    def kilobytes(self, path: str) -> float:
        return len(self._get(path)[2]) / 1_000

    def first_page_kilobytes(self) -> float:
        """All that a browser loads to show the first page after signing in."""
        _, _, _, location = self._get("/")
        body = self._get(urlsplit(location).path)[2]
        assets = set(ASSET.findall(body.decode()))
        return (len(body) + sum(len(self._get(path)[2]) for path in assets)) / 1_000

    def _get(self, path: str) -> tuple[int, str, bytes, str]:
        self._connection.request("GET", path, headers=self._headers)
        answer = self._connection.getresponse()
        if "attachment" in answer.headers.get("Content-Disposition", ""):
            # A file of the whole book is no page: it is not waited for.
            self._connection.close()
            return answer.status, "", b"", ""
        body = answer.read()
        kind = answer.headers.get("Content-Type", "")
        return answer.status, kind, body, answer.headers.get("Location", "")


def _view(path: str) -> str:
    try:
        return resolve(urlsplit(path).path).view_name or ""
    except Resolver404:
        return "static"
