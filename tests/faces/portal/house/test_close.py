"""The close from the portal: it begins at once, goes on by itself, and is told step by step."""

from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import START
from tests.faces.portal.house.office import LANGUAGES, STAFF, key_in, signed_in, text_of

from tallystick.book.acts.models import Act
from tallystick.book.parties.models import Role
from tallystick.book.servicing import close as closing
from tallystick.book.servicing.closing import day_closing, is_closing
from tallystick.book.servicing.models import DayStep
from tallystick.book.watch.alone import CLOSE_RUN_LOCK, alone
from tallystick.book.watch.models import Verification, WorkItem
from tallystick.book.watch.verifications import latest_verification
from tallystick.faces.portal.house import background, close

PAGE = "/house/close/"
BEGIN = "/house/close/start/"
VERIFY = "/house/close/verify/"


@pytest.fixture
def scene(database):
    scene = scenes.opened()
    scenes.lent(scenes.facility(scene, "SELLER"), 1_000_000_00)
    return scene


@pytest.fixture
def begun(monkeypatch) -> list[Thread]:
    """What was begun in the background, to be waited for."""
    threads: list[Thread] = []

    def noted(work, *, name):
        threads.append(background.begin(work, name=name))

    monkeypatch.setattr(close, "begin", noted)
    yield threads
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()


def started(client, through, **fields):
    return client.post(
        BEGIN,
        {
            "key": key_in(client.get(BEGIN)),
            "through": through.isoformat(),
            "reason": "end of day",
            **fields,
        },
    )


def wait_for(threads: list[Thread]) -> None:
    for thread in threads:
        thread.join(60)


def test_all_look_at_the_close_and_only_operators_start_it(scene):
    for role in STAFF:
        client = signed_in(role)
        assert client.get(PAGE).status_code == 200
        assert client.get(f"{PAGE}progress/").status_code == 200
        assert client.get(BEGIN).status_code == (200 if role is Role.OPERATOR else 403)
        assert (BEGIN in client.get(PAGE).content.decode()) is (role is Role.OPERATOR)
    client = signed_in(Role.SUPPLIER)
    assert client.get(PAGE).status_code == client.get(BEGIN).status_code == 403
    assert client.post(VERIFY).status_code == 403


@pytest.mark.parametrize("language", LANGUAGES)
def test_days_are_closed_in_the_background_and_told_step_by_step(scene, begun, language):
    client = signed_in(Role.OPERATOR, language=language)

    answer = started(client, START + timedelta(days=1))
    wait_for(begun)

    assert answer.status_code == 302
    assert scene.today == START + timedelta(days=2)
    page = client.get(PAGE)
    assert [each.date for each, _ in page.context["closings"]] == [
        START + timedelta(days=1),
        START,
    ]
    assert all(each.is_closed and took for each, took in page.context["closings"])
    day = client.get(f"{PAGE}day/{START}/")
    assert day.status_code == 200
    night = DayStep.objects.get(date=START, step="accrual").figures["CNY"]["interest_minor"]
    assert f"{night // 100:,}.{night % 100:02}" in text_of(day)


def test_each_step_is_an_act_of_who_asked_for_it(scene, begun):
    started(signed_in(Role.OPERATOR), START)
    wait_for(begun)

    acts = Act.objects.filter(kind__startswith="close_")
    assert set(acts.values_list("actor", "channel", "reason")) == {
        ("operator@house.example", "portal", "end of day")
    }
    assert acts.count() == len(closing.STEPS)


def test_a_day_closed_already_is_not_closed_again_from_anywhere(scene, begun):
    started(signed_in(Role.OPERATOR), START)
    wait_for(begun)

    assert closing.close_day(scene.legal_entity_id, START).figures["seal"]["entries"] >= 1
    assert DayStep.objects.filter(date=START).count() == len(closing.STEPS)


def test_while_one_runs_a_second_begins_nothing_and_the_page_asks_again(scene, begun):
    client = signed_in(Role.OPERATOR)
    key = key_in(client.get(BEGIN))
    with alone(CLOSE_RUN_LOCK, scene.legal_entity_id) as is_ours:
        assert is_ours
        assert is_closing(scene.legal_entity_id)
        page = client.get(PAGE).content.decode()
        answer = client.post(BEGIN, {"key": key, "through": START.isoformat(), "reason": ""})

    assert 'hx-trigger="every 2s"' in page
    assert "Look again" in page  # without a script too
    assert BEGIN not in page
    assert answer.status_code == 302
    assert begun == []
    assert not is_closing(scene.legal_entity_id)
    assert "hx-trigger" not in client.get(PAGE).content.decode()


def test_a_close_that_was_cut_off_says_so_and_goes_on_after_its_last_step(
    scene, begun, monkeypatch, caplog
):
    client = signed_in(Role.OPERATOR)

    def broken(*_given):
        raise RuntimeError("the disk is full")

    steps = dict(closing.STEPS)
    monkeypatch.setitem(closing.STEPS, "delinquency", broken)
    started(client, START)
    wait_for(begun)

    page = client.get(PAGE)
    assert "the disk is full" in text_of(page)
    assert "Go on closing" in text_of(page)
    before = list(steps).index("delinquency")
    assert day_closing(scene.legal_entity_id, START).done_count == before
    assert WorkItem.objects.get(kind="close_failed").closed_at is None

    monkeypatch.setitem(closing.STEPS, "delinquency", steps["delinquency"])
    started(client, START)
    wait_for(begun)

    assert day_closing(scene.legal_entity_id, START).is_closed
    assert WorkItem.objects.get(kind="close_failed").closed_by == "operator@house.example"
    assert "the disk is full" not in text_of(client.get(PAGE))


def test_a_day_that_cannot_be_closed_is_told_beside_the_field(scene, begun):
    client = signed_in(Role.OPERATOR)
    for through in (START - timedelta(days=1), START + timedelta(days=366), "tomorrow"):
        answer = client.post(BEGIN, {"key": "k", "through": str(through), "reason": ""})

        assert answer.status_code == 422, through
        assert answer.context["form"].errors["through"], through
    assert begun == []


def test_a_day_that_was_not_closed_is_answered_so(scene):
    client = signed_in(Role.AUDITOR)

    assert client.get(f"{PAGE}day/2019-01-01/").status_code == 404
    for day in ("2026-13-01", "x"):
        assert client.get(f"{PAGE}day/{day}/").status_code == 422


def test_the_proof_of_the_books_is_kept_with_its_time(database, begun):
    scenes.opened()  # with its capital, and no loan that a test has put in place by hand
    client = signed_in(Role.AUDITOR)
    assert latest_verification() is None

    assert client.post(VERIFY).status_code == 302
    wait_for(begun)

    run = latest_verification()
    assert run.asked_by == "auditor@house.example"
    assert run.finished_at >= run.started_at
    assert (run.finding_count, run.findings) == (0, [])
    assert "Books agree" in text_of(client.get(PAGE))
    assert client.get(f"{PAGE}verifications/{run.pk}/").status_code == 200


def test_what_does_not_agree_is_named(scene, database, begun):
    with database.connect() as owner:
        owner.execute("ALTER TABLE financing_facility DISABLE TRIGGER ALL")
        owner.execute("UPDATE financing_facility SET drawn_minor = drawn_minor + 1")
    client = signed_in(Role.AUDITOR)

    client.post(VERIFY)
    wait_for(begun)

    run = latest_verification()
    assert run.finding_count >= 1
    assert "Books do not agree" in text_of(client.get(PAGE))
    shown = text_of(client.get(f"{PAGE}verifications/{run.pk}/"))
    assert run.findings[0]["subject"] in shown


def test_a_finished_run_is_never_rewritten(scene, begun):
    signed_in(Role.AUDITOR).post(VERIFY)
    wait_for(begun)
    run = latest_verification()

    with pytest.raises(Exception, match="only added to"):
        Verification.objects.filter(pk=run.pk).update(finding_count=0, check_count=1)
    connection.close()
