"""Each request is carried out once; its repetitions get the first answer."""

import secrets
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Barrier
from uuid import UUID

import psycopg
import pytest
from django.db import connection, transaction

from tallystick.book.acts.checks import acts_checks
from tallystick.book.acts.models import Act
from tallystick.book.acts.once import (
    Caller,
    KeyConflict,
    KeyUnusable,
    answer_to,
    answers_to_many,
    once,
    record,
    record_many,
    request_sha256,
)
from tallystick.rules.refusal import Refusal

CALLER = Caller("firm:SELLER-7", "wang@example.com", "api", reason="stock for 618")
REQUEST = {"facility": "F-1", "amount_minor": 100, "on": date(2026, 1, 5)}


@pytest.fixture
def key(shared_database):
    return secrets.token_hex(8)


class TooMuch(Refusal):
    """A refusal of the act under test."""


def draw(key, request=REQUEST, *, caller=CALLER, refuse=False):
    """An act that answers with a number nobody else gets."""
    with once(caller, key=key, kind="draw_down", request=request) as act:
        if act.earlier is None:
            if refuse:
                raise TooMuch
            act.answer({"loan": secrets.token_hex(8)})
    return act.earlier or act.given


def test_a_repeated_request_gets_the_first_answer(key):
    assert draw(key) == draw(key)

    act = Act.objects.get(key=key)
    assert (act.owner, act.actor, act.channel) == ("firm:SELLER-7", "wang@example.com", "api")
    assert (act.kind, act.reason) == ("draw_down", "stock for 618")
    assert bytes(act.request_sha256) == request_sha256(REQUEST)


def test_a_repetition_may_come_from_another_person_of_the_same_firm(key):
    colleague = replace(CALLER, actor="li@example.com", channel="portal", reason="")

    assert draw(key) == draw(key, caller=colleague)
    assert Act.objects.get(key=key).actor == "wang@example.com"


def test_the_same_key_with_another_request_is_a_conflict(key):
    first = draw(key)

    with pytest.raises(KeyConflict, match="Give a new request a new key"):
        draw(key, {**REQUEST, "amount_minor": 101})

    assert draw(key) == first


def test_the_same_key_for_another_kind_of_act_is_a_conflict(key):
    draw(key)

    with (
        pytest.raises(KeyConflict, match="draw_down"),
        once(CALLER, key=key, kind="freeze", request=REQUEST),
    ):
        pytest.fail("the act was carried out")


def test_another_firms_equal_key_is_unrelated(key):
    other = replace(CALLER, owner="firm:SELLER-8")

    assert draw(key) != draw(key, {"another": "request"}, caller=other)


def test_a_refusal_writes_nothing_and_leaves_the_key_free(key):
    with pytest.raises(TooMuch):
        draw(key, refuse=True)
    assert not Act.objects.filter(key=key).exists()

    assert draw(key, {"another": "request"})


def test_an_act_without_an_answer_is_a_mistake_and_leaves_nothing(key):
    with (
        pytest.raises(AssertionError, match="without an answer"),
        once(CALLER, key=key, kind="draw_down", request=REQUEST),
    ):
        pass

    assert not Act.objects.filter(key=key).exists()


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x00b", "a\nb"])
def test_a_key_that_cannot_be_stored_is_refused(shared_database, key):
    with pytest.raises(KeyUnusable, match="1 to 200 printable characters"):
        draw(key)


def test_of_eight_equal_requests_at_once_one_is_carried_out(key):
    start = Barrier(8)

    def racing(_):
        try:
            start.wait()
            return draw(key)["loan"]
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(racing, range(8)))

    assert len(set(answers)) == 1
    assert Act.objects.filter(key=key).count() == 1


@pytest.mark.parametrize("refused", [False, True], ids=["first commits", "first is refused"])
def test_the_second_of_two_waits_for_the_end_of_the_first(key, refused):
    def second():
        try:
            return draw(key)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as elsewhere:
        with transaction.atomic():
            first = answer_to(CALLER, key=key, kind="draw_down", request=REQUEST)
            pid = elsewhere.submit(backend_pid).result()
            waiting = elsewhere.submit(second)
            wait_until_blocked(pid)
            assert not waiting.done()
            if refused:
                transaction.set_rollback(True)
            else:
                record(first.act_id, {"loan": "first"})
        answer = waiting.result()

    assert (answer == {"loan": "first"}) is not refused
    assert Act.objects.get(key=key).answer == answer


def backend_pid():
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return cursor.fetchone()[0]


def wait_until_blocked(pid):
    deadline = time.monotonic() + 10
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [pid])
            if cursor.fetchone() == (True,):
                return
            time.sleep(0.005)
    pytest.fail("nobody waited")


def test_a_batch_takes_its_keys_together_and_finds_those_answered(key):
    answered = draw(f"{key}-2")
    requests = {f"{key}-{number}": REQUEST for number in (3, 1, 2)}

    with transaction.atomic():
        taken = answers_to_many(CALLER, kind="draw_down", requests=requests)
        new = {each: act for each, act in taken.items() if act.answer is None}
        record_many({act.act_id: {"loan": each} for each, act in new.items()})

    assert set(taken) == set(requests)
    assert set(new) == {f"{key}-1", f"{key}-3"}
    assert taken[f"{key}-2"].answer == answered
    assert draw(f"{key}-1") == {"loan": f"{key}-1"}


def test_a_batch_with_one_key_in_conflict_is_refused_whole(key):
    draw(f"{key}-2")
    requests = {f"{key}-1": REQUEST, f"{key}-2": {"another": "request"}}

    with pytest.raises(KeyConflict, match=f"{key}-2"), transaction.atomic():
        answers_to_many(CALLER, kind="draw_down", requests=requests)

    assert not Act.objects.filter(key=f"{key}-1").exists()


def test_an_empty_batch_has_no_answers(shared_database):
    assert answers_to_many(CALLER, kind="draw_down", requests={}) == {}


def test_batches_that_share_their_keys_do_not_block_each_other(key):
    keys = [f"{key}-{number}" for number in range(40)]
    start = Barrier(6)

    def racing(turn):
        try:
            start.wait()
            with transaction.atomic():
                ordered = keys if turn % 2 else keys[::-1]
                taken = answers_to_many(
                    CALLER, kind="sweep", requests=dict.fromkeys(ordered, REQUEST)
                )
                new = [act.act_id for act in taken.values() if act.answer is None]
                record_many({act_id: {"by": turn} for act_id in new})
                return len(new)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as threads:
        assert Counter(threads.map(racing, range(6))) == {40: 1, 0: 5}


@pytest.mark.parametrize(
    ("one", "other", "equal"),
    [
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, True, id="order of names"),
        pytest.param({"a": [1, 2]}, {"a": (1, 2)}, True, id="list or tuple"),
        pytest.param({"a": date(2026, 1, 5)}, {"a": "2026-01-05"}, True, id="date or its text"),
        pytest.param({"a": UUID(int=1)}, {"a": str(UUID(int=1))}, True, id="UUID or its text"),
        pytest.param({"a": [1, 2]}, {"a": [2, 1]}, False, id="order of a list"),
        pytest.param({"a": 1}, {"a": "1"}, False, id="a number or a text"),
        pytest.param({"a": 1}, {"a": True}, False, id="a number or a truth"),
        pytest.param({"a": None}, {}, False, id="absent or none"),
        pytest.param({"a": Decimal("0.10")}, {"a": Decimal("0.1")}, False, id="digits"),
        pytest.param({"a": {"b": 1}}, {"a": {"b": 2}}, False, id="inside"),
        pytest.param(
            {"a": datetime(2026, 1, 5, tzinfo=UTC)}, {"a": date(2026, 1, 5)}, False, id="instant"
        ),
    ],
)
def test_requests_are_equal_when_they_spell_the_same(one, other, equal):
    assert (request_sha256(one) == request_sha256(other)) is equal


@pytest.mark.parametrize("value", [0.1, float("nan"), b"bytes", {1, 2}, object()])
def test_a_request_without_an_exact_spelling_is_a_mistake(value):
    with pytest.raises(TypeError, match="no exact spelling"):
        request_sha256({"a": [value]})


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE acts_act SET answer = '{}' WHERE key = %s",
        "UPDATE acts_act SET request_sha256 = 'x' WHERE key = %s",
        "UPDATE acts_act SET reason = 'another' WHERE key = %s",
        "DELETE FROM acts_act WHERE key = %s",
    ],
)
def test_what_was_asked_and_answered_stays(shared_database, key, change):
    draw(key)

    with (
        shared_database.connect() as owner,
        pytest.raises(psycopg.IntegrityError, match="only added to"),
    ):
        owner.execute(change, (key,))


def test_an_act_that_was_never_answered_is_found(shared_database, key):
    (check,) = acts_checks()
    assert list(check.run()) == []

    with transaction.atomic():
        answer_to(CALLER, key=key, kind="draw_down", request=REQUEST)
        (finding,) = check.run()
        transaction.set_rollback(True)

    assert key in finding.subject
