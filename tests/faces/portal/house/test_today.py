"""The first page of the house: its figures come from the book, and everybody may read it."""

import re
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.faces.portal.house import lending as world
from tests.faces.portal.house.office import LANGUAGES, STAFF, queries_for, signed_in, text_of

from tallystick.book.parties.models import LegalEntity, Role
from tallystick.book.servicing.close import close_day
from tallystick.book.watch.models import Verification
from tallystick.book.watch.today import close_state, figures_today, outstanding_by_programme

URL = reverse("house-today")


@pytest.fixture(scope="module")
def lending(shared_database):
    return world.opened()


def entity(lending):
    return LegalEntity.objects.get(pk=lending.scene.legal_entity_id)


@pytest.mark.parametrize("role", STAFF)
def test_everybody_of_the_house_reads_every_page_of_lending(lending, role):
    client = signed_in(role)

    for url in world.pages(lending):
        assert client.get(url).status_code == 200, url


def test_a_supplier_is_let_into_none_of_them(lending):
    client = signed_in(Role.SUPPLIER)

    for url in world.pages(lending):
        assert client.get(url).status_code in (403, 404), url


def test_who_has_not_signed_in_is_sent_to_do_so(lending):
    client = Client(HTTP_HOST="localhost")

    for url in world.pages(lending):
        assert client.get(url).status_code == 302, url


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_there_in_both_languages_without_inline_script_or_style(lending, language):
    client = signed_in(Role.OPERATOR, language=language)

    for url in world.pages(lending):
        content = client.get(url).content.decode()
        assert f'<html lang="{"zh-CN" if language == "zh-hans" else "en"}">' in content
        assert not re.search(r"<style|\sstyle=", content), url
        assert not re.search(r"<script(?![^>]* src=)", content), url


def test_outstanding_is_the_principal_of_live_loans_and_the_rest_is_on_its_way(lending):
    (figures,) = figures_today(entity(lending))

    # Besides these two every loan that was paid out has been repaid.
    assert figures.outstanding_minor == (
        lending.ours.loan.principal_minor + lending.other.loan.principal_minor
    )
    assert figures.under_way_minor == world.DRAWN_MINOR
    assert (figures.drawn_today, figures.drawn_today_minor) == (1, world.DRAWN_MINOR)


def test_cash_is_what_came_in_less_what_went_out(lending):
    (figures,) = figures_today(entity(lending))

    paid_out = 2 * 100_00 + 1_234_567_08 + 2_345_678_19
    assert figures.cash_minor == scenes.PLENTY_MINOR - paid_out + 2 * 500_00


def test_the_page_says_what_waits_for_a_person(lending):
    some = world.item(lending, "failed_payout", f"loan:{lending.drawn.loan}")

    page = text_of(signed_in(Role.OPERATOR).get(URL))

    assert some.subject in page
    assert "Failed payout" in page


def test_a_page_of_today_takes_a_bounded_number_of_statements(lending):
    assert queries_for(signed_in(Role.OPERATOR), URL) <= 32


def test_a_close_is_shown_step_by_step_and_the_seal_only_once_it_is_there(database):
    lending = world.opened()
    client = signed_in(Role.OPERATOR)
    assert "No day has been sealed yet" in text_of(client.get(URL))

    day = lending.scene.today
    close_day(lending.scene.legal_entity_id, day)

    page = text_of(client.get(URL))
    assert "closed and sealed" in page
    assert "Books agree" not in page
    assert "Books do not agree" not in page
    for findings, told in ((0, "Books agree"), (1, "Books do not agree")):
        Verification.objects.create(
            asked_by="auditor@house.example",
            finished_at=datetime.now(UTC),
            check_count=1,
            finding_count=findings,
            findings=[],
        )
        assert told in text_of(client.get(URL))
    state = close_state(lending.scene.legal_entity_id)
    assert state is not None
    assert state.day == day
    assert state.is_done
    days, series = outstanding_by_programme(
        lending.scene.legal_entity_id, "CNY", from_date=day, to_date=lending.scene.today
    )
    (figures,) = figures_today(entity(lending))
    assert [day, lending.scene.today] == days
    assert series["jd.jingbaobei"] == [figures.outstanding_minor] * 2
    assert figures.counted_minor == figures.outstanding_minor
    assert figures.drawn_today == 0


def test_a_house_without_a_legal_entity_is_told_how_to_begin(database):
    page = signed_in(Role.OPERATOR).get(URL)

    assert page.status_code == 200
    assert "./tally entity open" in text_of(page)
