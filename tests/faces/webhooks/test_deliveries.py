"""What happens in the book is told to whom it concerns: signed, in order, until it is taken."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection
from tests.faces.webhooks.receiver import Receiver, is_signed, receiving

from tallystick.book.acts.models import OutboxMessage
from tallystick.book.acts.once import Caller, once
from tallystick.book.financing.freeze import freeze, unfreeze
from tallystick.book.webhooks import deliveries
from tallystick.book.webhooks.deliveries import (
    MAX_ATTEMPTS,
    DeliveryNotEnded,
    backoff,
    replay,
    replay_dead,
)
from tallystick.book.webhooks.endpoints import (
    NewEndpoint,
    UnknownEndpoint,
    UnknownTopic,
    add_endpoint,
    disable_endpoint,
    rotate_secret,
)
from tallystick.book.webhooks.models import Delivery, Endpoint
from tallystick.faces.webhooks.worker import deliver_all_due, deliver_until
from tallystick.lab.stage import StageTerms, set_stage

OPERATOR = Caller("system", "operator@factor.example", "cli", "a test")


@pytest.fixture(autouse=True)
def loopback(settings_of_webhooks) -> None:
    """Receivers of these tests stand on this machine."""


@pytest.fixture
def settings_of_webhooks(monkeypatch) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "WEBHOOK_ALLOW_LOOPBACK", True)


@pytest.fixture
def receiver(database) -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def firms(database) -> None:
    from datetime import date

    set_stage(
        StageTerms("jd.jingbaobei", "CNY", facility_limit_minor=10**10),
        suppliers=("ANNA", "BORIS"),
        start=date(2026, 3, 2),
        end=date(2027, 3, 2),
        caller=OPERATOR,
    )
    OutboxMessage.objects.filter(sent_at=None).update(sent_at="2026-03-02T00:00:00Z")


def told(subject: str, *numbers: int, topic: str = "facility_freeze") -> None:
    """Messages of one object, as an act writes them."""
    with once(OPERATOR, key=f"{subject} {numbers}", kind="tell", request={}) as act:
        for number in numbers:
            OutboxMessage.objects.create(
                act_id=act.act_id, topic=topic, subject=subject, payload={"number": number}
            )
        act.answer({})


def endpoint(receiver: Receiver, code: str = "ep", **others: object) -> str:
    return add_endpoint(NewEndpoint(code, receiver.url, **others), caller=OPERATOR).secret


def let_time_pass(days: int = 1) -> None:
    """All that waits is due."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE webhooks_delivery SET next_attempt_at = next_attempt_at - %s",
            [timedelta(days=days)],
        )
        cursor.execute("UPDATE webhooks_endpoint SET busy_until = NULL")


def test_a_message_arrives_signed(receiver):
    secret = endpoint(receiver)
    told("facility:F", 1)

    assert deliver_all_due() == 1

    ((headers, body),) = receiver.requests
    assert is_signed(headers, body, secret=secret)
    assert not is_signed(headers, body + b" ", secret=secret)
    (content,) = receiver.bodies
    assert content["type"] == "facility_freeze"
    assert content["data"] == {"subject": "facility:F", "number": 1}
    assert headers["content-type"] == "application/json"
    assert Delivery.objects.get().state == "delivered"


def test_nothing_is_sent_twice_once_it_was_taken(receiver):
    endpoint(receiver)
    told("facility:F", 1)
    deliver_all_due()
    let_time_pass()

    assert deliver_all_due() == 0


def test_the_secret_stands_nowhere_in_the_database(receiver):
    secret = endpoint(receiver)

    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(e)::text FROM webhooks_endpoint AS e")
        kept = "".join(row[0] for row in cursor.fetchall())
        cursor.execute("SELECT row_to_json(a)::text FROM acts_act AS a")
        kept += "".join(row[0] for row in cursor.fetchall())

    assert secret.removeprefix("whsec_") not in kept


def test_after_a_rotation_both_secrets_hold_for_a_day_and_then_the_new_one(receiver):
    old = endpoint(receiver)
    new = rotate_secret("ep", caller=OPERATOR).secret
    told("facility:F", 1)
    deliver_all_due()
    Endpoint.objects.update(rotated_at="2026-01-01T00:00:00Z")
    told("facility:F", 2)
    deliver_all_due()

    first, second = receiver.requests
    assert [is_signed(*first, secret=secret) for secret in (old, new)] == [True, True]
    assert [is_signed(*second, secret=secret) for secret in (old, new)] == [False, True]


def test_an_endpoint_hears_of_its_topics_only(receiver):
    endpoint(receiver, topics=("payment_paid",))
    told("loan:L", 1)
    told("loan:L", 2, topic="payment_paid")

    deliver_all_due()

    assert [body["data"]["number"] for body in receiver.bodies] == [2]


def test_a_firm_hears_of_its_own_objects_only(receiver, firms):
    endpoint(receiver, "annas", party_code="ANNA")
    freeze("F-BORIS", caller=OPERATOR, key="1")
    freeze("F-ANNA", caller=OPERATOR, key="2")
    told("payment:P-of-nobody", 3)

    deliver_all_due()

    assert [body["data"]["subject"] for body in receiver.bodies] == ["facility:F-ANNA"]


def test_the_house_hears_of_everything_since_its_endpoint_was_added(receiver, firms):
    freeze("F-BORIS", caller=OPERATOR, key="before")
    endpoint(receiver)
    unfreeze("F-BORIS", caller=OPERATOR, key="after")

    deliver_all_due()

    assert [body["data"]["frozen_reason"] for body in receiver.bodies] == [""]


def test_a_receiver_that_fails_is_asked_again_later_under_the_same_id(receiver):
    endpoint(receiver)
    receiver.answers = [500, 204]
    told("facility:F", 1)

    first = deliver_all_due()
    at_once = deliver_all_due()
    let_time_pass()
    later = deliver_all_due()

    assert (first, at_once, later) == (1, 0, 1)
    assert len(set(receiver.ids)) == 1
    assert len(receiver.ids) == 2
    assert Delivery.objects.get().state == "delivered"


def test_the_wait_grows_and_is_bounded():
    seconds = [backoff(attempts, jitter=0).total_seconds() for attempts in range(1, MAX_ATTEMPTS)]

    assert seconds[:4] == [5, 15, 45, 135]
    assert max(seconds) == 12 * 3600
    assert sum(seconds) > 24 * 3600
    assert backoff(1, jitter=-1).total_seconds() == 4
    assert backoff(1, jitter=1).total_seconds() == 6


def test_it_is_given_up_after_the_last_attempt_and_replayed_by_a_person(receiver):
    endpoint(receiver)
    receiver.answers = [*[503] * MAX_ATTEMPTS, 204]
    told("facility:F", 1)
    for _ in range(MAX_ATTEMPTS + 3):
        deliver_all_due()
        let_time_pass()
    dead = Delivery.objects.get()
    assert (dead.state, dead.attempts, dead.last_status) == ("dead", MAX_ATTEMPTS, 503)

    assert replay_dead("ep", caller=OPERATOR) == 1
    deliver_all_due()

    assert Delivery.objects.get().state == "delivered"
    assert len(receiver.requests) == MAX_ATTEMPTS + 1
    assert len(set(receiver.ids)) == 1


def test_what_waits_is_not_replayed(receiver):
    endpoint(receiver)
    told("facility:F", 1)
    deliveries.fan_out()

    with pytest.raises(DeliveryNotEnded):
        replay(Delivery.objects.get().pk, caller=OPERATOR)
    with pytest.raises(DeliveryNotEnded):
        replay(10**12, caller=OPERATOR)


def test_what_was_delivered_can_be_replayed_more_than_once(receiver):
    endpoint(receiver)
    told("facility:F", 1)
    deliver_all_due()
    for _ in range(2):
        replay(Delivery.objects.get().pk, caller=OPERATOR)
        deliver_all_due()

    assert len(receiver.requests) == 3


def test_a_later_message_of_an_object_waits_for_the_earlier_and_other_objects_do_not(receiver):
    endpoint(receiver)
    receiver.answers = [500, 204]
    told("facility:A", 1, 2, 3)
    told("facility:B", 4)

    deliver_all_due()
    let_time_pass()
    deliver_all_due()

    assert [body["data"]["number"] for body in receiver.bodies] == [1, 4, 1, 2, 3]


def test_once_the_earlier_message_is_given_up_the_later_ones_go_on(receiver):
    endpoint(receiver)
    receiver.answers = [*[500] * MAX_ATTEMPTS, 204]
    told("facility:A", 1, 2)
    for _ in range(MAX_ATTEMPTS):
        deliver_all_due()
        let_time_pass()
    deliver_all_due()

    assert [body["data"]["number"] for body in receiver.bodies] == [1] * MAX_ATTEMPTS + [2]
    assert list(Delivery.objects.order_by("id").values_list("state", flat=True)) == [
        "dead",
        "delivered",
    ]


def test_a_receiver_that_hangs_is_hung_up_on(receiver):
    endpoint(receiver)
    receiver.answers = [0]
    told("facility:F", 1)

    deliver_all_due(answer_seconds=0.2)

    delivery = Delivery.objects.get()
    assert delivery.state == "waiting"
    assert delivery.last_error == "no answer within 0.2 seconds"


def test_a_receiver_that_hangs_holds_up_nobody_else(receiver):
    with receiving() as other:
        endpoint(receiver, "hangs")
        endpoint(other, "well")
        receiver.answers = [0]
        told("facility:A", 1)
        told("facility:B", 2)
        deliveries.fan_out()
        first = deliveries.claim()
        second = deliveries.claim()

        assert first is not None
        assert second is not None
        assert {first.code, second.code} == {"hangs", "well"}
        assert deliveries.claim() is None  # each has one under way


def test_a_redirect_inward_is_not_followed(receiver):
    with receiving() as inner:
        endpoint(receiver)
        receiver.answers = [307]
        receiver.location = inner.url
        told("facility:F", 1)

        deliver_all_due()

        assert inner.requests == []
        assert Delivery.objects.get().last_status == 307
        assert "redirects" in Delivery.objects.get().last_error


def test_who_dies_between_sending_and_recording_leaves_it_to_be_sent_again(receiver):
    endpoint(receiver)
    told("facility:F", 1)
    deliveries.fan_out()
    assert deliveries.claim() is not None  # and then it dies

    assert deliver_all_due() == 0  # the lease holds
    let_time_pass()
    assert deliver_all_due() == 1
    assert Delivery.objects.get().state == "delivered"


def test_who_comes_back_after_its_lease_changes_nothing_any_more(receiver):
    endpoint(receiver)
    told("facility:F", 1)
    deliveries.fan_out()
    slow = deliveries.claim()
    let_time_pass()
    deliver_all_due()

    deliveries.record_failed(slow, status=None, error="too late", jitter=0)

    assert Delivery.objects.get().state == "delivered"


def test_several_workers_send_each_message_once_and_in_order(receiver):
    endpoint(receiver)
    told("facility:A", *range(10))
    told("facility:B", *range(10, 20))
    stop = threading.Event()
    receiver.before_answer = lambda: stop.set() if len(receiver.requests) == 20 else None

    worker = threading.Thread(target=deliver_until, args=[stop])
    worker.start()
    worker.join(timeout=60)

    numbers = [body["data"]["number"] for body in receiver.bodies]
    assert sorted(numbers) == list(range(20))
    assert [number for number in numbers if number < 10] == list(range(10))
    assert [number for number in numbers if number >= 10] == list(range(10, 20))


def test_an_endpoint_switched_off_is_sent_nothing_more(receiver):
    endpoint(receiver)
    told("facility:F", 1)
    disable_endpoint("ep", caller=OPERATOR)

    assert deliver_all_due() == 0
    with pytest.raises(UnknownEndpoint):
        disable_endpoint("ep", caller=OPERATOR)


def test_a_topic_that_there_is_not_is_refused(receiver):
    with pytest.raises(UnknownTopic):
        endpoint(receiver, topics=("payment_payed",))
