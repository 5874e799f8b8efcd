"""The portal in Chinese: every string has its translation, and no page shows English beside it."""

import re
from collections.abc import Iterator
from gettext import GNUTranslations
from html.parser import HTMLParser
from io import BytesIO

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils.translation import gettext, override
from tests.faces.portal.test_walk import ADDRESSES, places
from tests.faces.portal.two_firms import SIGNED_IN, person, two_firms

from tallystick.book.access.permissions import GRANTED
from tallystick.book.financing.programmes import presets
from tallystick.book.parties.models import Role, User
from tallystick.book.sales_credit.programmes import sales_presets
from tallystick.book.servicing.close import EarlierDayNotClosed
from tallystick.faces.portal import catalogue, words
from tallystick.faces.portal.loan_words import term_told
from tallystick.faces.portal.refusals import told
from tallystick.rules.refusal import Refusal

CHINESE = {"HTTP_HOST": "localhost", "HTTP_ACCEPT_LANGUAGE": "zh-hans"}
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def test_every_string_of_the_portal_has_chinese():
    assert catalogue.untranslated() == [], (
        "Strings without Chinese. Run `python -m tallystick.faces.portal.catalogue`, write their "
        "Chinese in django.po as docs/reference/glossary-zh.md has it, and run it again"
    )


def test_no_word_of_a_template_is_left_unmarked():
    assert catalogue.unmarked() == [], "Words that every reader would see in English: mark them"


def test_a_translation_keeps_the_places_that_figures_go_to():
    wrong = []
    for entry in catalogue.chinese():
        if not entry.id:
            continue
        # The plural names every figure; Chinese has one form for both.
        source = entry.id if isinstance(entry.id, str) else entry.id[-1]
        chinese = entry.string if isinstance(entry.string, str) else entry.string[0]
        if sorted(_PLACEHOLDER.findall(source)) != sorted(_PLACEHOLDER.findall(chinese)):
            wrong.append((source, chinese))

    assert wrong == []


def test_what_is_compiled_is_what_is_written_down():
    written = strings_of(catalogue.compiled(catalogue.chinese()))

    assert len(written) > 1_000
    assert strings_of(catalogue.MO.read_bytes()) == written


def strings_of(compiled: bytes) -> dict[object, str]:
    """As Django reads them, without the header that tells who compiled them and when."""
    strings = dict(GNUTranslations(BytesIO(compiled))._catalog)
    del strings[""]
    return strings


def test_the_catalogue_is_found_for_the_portals_chinese():
    with override("zh-hans"):
        assert gettext("Value date") == "起息日"


def test_what_allauth_says_for_us_is_chinese_as_well():
    from allauth.account.adapter import get_adapter as account
    from allauth.mfa.adapter import get_adapter as second_factor

    with override("zh-hans"):
        said = {**account().error_messages, **second_factor().error_messages}
        english = {name: str(text) for name, text in said.items() if not _HAN.search(str(text))}

    assert english == {}


def test_every_code_of_the_book_has_a_chinese_word():
    with override("zh-hans"):
        english = [
            (group, code)
            for group, labels in words.WORDS.items()
            for code, label in labels.items()
            if not _HAN.search(str(label))
        ]

    assert english == []


def test_a_refusal_is_told_in_chinese():
    from datetime import date

    refusal = EarlierDayNotClosed(asked_date=date(2026, 3, 5), next_date=date(2026, 3, 2))
    with override("zh-hans"):
        (said,) = told(refusal)

    assert _HAN.search(said.reason)
    assert _HAN.search(said.remedy)
    assert "tally close" not in said.remedy


def test_a_refusal_without_chinese_says_that_the_rest_is_english():
    class NobodyThoughtOfThis(Refusal):
        """Refused by nothing."""

    with override("zh-hans"):
        (said,) = told(NobodyThoughtOfThis("The cat sits on it. Ask the cat."))

    assert "英文" in said.reason
    assert said.remedy == "The cat sits on it. Ask the cat."


UNREAD = {"script", "style", "code", "pre", "template"}
READ_ATTRIBUTES = {"title", "alt", "aria-label", "placeholder", "data-label"}
WITHOUT_END = {"meta", "link", "input", "br", "img", "hr", "path", "rect", "use", "col"}


@pytest.mark.parametrize(
    "term",
    [
        "paid out 2026-03-02 (event 3)",
        "received from credit 2026-03-02 (event R-1)",
        "2026-03-02 to 2026-04-01: 30 days × 123456 × 0.09 (ACT/360)",
        "rounding (half_up)",
        "days from 2026-03-02 to 2026-04-01",
        "penalty due",
    ],
)
def test_a_term_of_a_figure_is_told_in_chinese_and_kept_in_english(term):
    with override("en"):
        assert term_told(term) == term
    with override("zh-hans"):
        chinese = term_told(term)

    assert _HAN.search(chinese)
    assert re.findall(r"\d+", chinese) == re.findall(r"\d+", term)


class _Seen(HTMLParser):
    """What a reader sees or hears of a page, without scripts, code and what is marked English."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unread: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        is_english = tag != "html" and (named.get("lang") or "").startswith("en")
        if tag not in WITHOUT_END and (self._unread or tag in UNREAD or is_english):
            self._unread.append(tag)
        if not self._unread:
            self.texts += [named[name] or "" for name in READ_ATTRIBUTES & named.keys()]

    def handle_endtag(self, tag: str) -> None:
        if self._unread and self._unread[-1] == tag:
            self._unread.pop()

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.texts.append(data)


ALLOWED = {
    "Tallystick",
    "English",  # the language switch names each language in itself
    "UTC",
    "APR",
    "CSV",
    "XLSX",
    "API",
    "JavaScript",
    "Cookie",
    "PIN",
    "ACT",  # day count conventions: ACT/360
    "CNY",
    "USD",
    "EC",  # a directive of the European Union: 2008/48/EC
    "JPY",
}
"""Names and abbreviations that are the same in Chinese."""

# Codes of the book, e-mail addresses and what is to be typed exactly: not words of a sentence.
_CODES = re.compile(
    r"\S+@\S+|\./tally [\w -]+|https?://\S*|\b[\w.-]+[:=][\w:.=-]+|\b[\w]*[\d_-][\w-]*", re.ASCII
)
_WORD = re.compile(r"[A-Za-z]{2,}")


def english_in(html: str, *, names: set[str]) -> set[str]:
    seen = _Seen()
    seen.feed(html)
    found = {word for text in seen.texts for word in _WORD.findall(_CODES.sub(" ", text))}
    return found - ALLOWED - names


@pytest.fixture(scope="module")
def pages(shared_database) -> dict[str, str]:
    """Every page of the portal over a small book, as somebody who may open it sees it."""
    from tests.faces.portal.test_walk import Stage, lent_out_of_sales

    scene, ours, other = two_firms()
    people: dict[str, User] = {
        role.value: person(role)
        for role in (Role.OPERATOR, Role.RISK_OFFICER, Role.APPROVER, Role.TREASURY, Role.AUDITOR)
    }
    people["own"] = person(Role.SUPPLIER, ours.facility.supplier)
    stage = Stage(ours, other, people, "", lent_out_of_sales(scene, ours))
    return dict(_pages(stage))


def _pages(stage) -> Iterator[tuple[str, str]]:
    clients = {}
    for who, user in stage.people.items():
        clients[who] = Client(**CHINESE)
        clients[who].force_login(user, backend=SIGNED_IN)
    for name, act in ADDRESSES.items():
        who = "own" if name.startswith("supplier-") else None
        for each, user in stage.people.items():
            if who is None and act in GRANTED[Role(user.role)] and each != "own":
                who = each
        assert who is not None, f"nobody may open {name}"
        cache.clear()
        response = clients[who].get(reverse(name, kwargs=places(stage, name)))
        if response.headers.get("Content-Type", "").startswith("text/html"):
            yield name, response.content.decode()
    for name in ("account_change_password", "usersessions_list", "mfa_index"):
        yield name, clients["own"].get(reverse(name), follow=True).content.decode()
    yield "account_login", Client(**CHINESE).get(reverse("account_login")).content.decode()


def test_no_page_shows_english_words_to_a_chinese_reader(pages):
    # Names and codes of this book, and the words that its people gave as reasons.
    names = set(
        _WORD.findall("OURSELLER NEIGHBOUR LENDER MARKET JD normal same group tests a test capital")
    )
    for terms in (*presets().values(), *sales_presets().values()):
        names |= set(_WORD.findall(f"{terms.code} {terms.title}"))
    english = [
        (name, sorted(found))
        for name, html in pages.items()
        if (found := english_in(html, names=names))
    ]

    assert len(pages) > 60
    assert english == []


def test_a_page_says_that_it_is_chinese(pages):
    languages = {
        language
        for html in pages.values()
        for language in re.findall(r'<html[^>]* lang="([^"]+)"', html)
    }

    assert languages == {"zh-CN"}


def test_a_day_in_a_form_is_written_as_browsers_read_it(pages):
    wrong = [
        (name, field)
        for name, html in pages.items()
        for field in re.findall(r'<input type="date"[^>]*>', html)
        if re.search(r' value="(?!\d{4}-\d\d-\d\d")', field)
    ]

    assert any('type="date"' in html for html in pages.values())
    assert wrong == []
