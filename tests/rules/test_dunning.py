"""The dunning ladder: which letter is due, and what holds one back."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.rules.dunning import (
    AskedBeforeLadder,
    Channel,
    Ladder,
    Letter,
    PastDue,
    Recipient,
    Sent,
    Standing,
    Step,
    UnusableLadder,
    as_content,
    bucket_of,
    by_bucket,
    default_ladder,
    ladder_from,
    ladder_on,
    next_action,
)
from tallystick.rules.dunning_file import InvalidLadderFile, read_ladder

ON = date(2026, 5, 4)
DAY = timedelta(days=1)
LADDER = default_ladder(date(2026, 1, 1))


def late(days: int, amount_minor: int = 100_00, **also) -> Standing:
    return Standing(past_due=(PastDue("CNY", days, amount_minor),), **also)


def sent(place: int, days_ago: int) -> Sent:
    step = LADDER.steps[place]
    return Sent(step.name, step.min_days_past_due, ON - days_ago * DAY)


@pytest.mark.parametrize(
    ("standing", "step", "clause"),
    [
        pytest.param(Standing(()), None, "Nothing is past due", id="nothing owed: silence"),
        pytest.param(late(0), None, "Nothing is past due", id="due today: silence"),
        pytest.param(late(40, 0), None, "Nothing is past due", id="paid: silence"),
        pytest.param(late(2), None, "reached at 3", id="two days late: a slip of the bank's"),
        pytest.param(late(3), "reminder", "bucket 1-30", id="third day: a reminder"),
        pytest.param(
            late(9, sent=(sent(0, 6),)), None, "was sent", id="a reminder is not repeated"
        ),
        pytest.param(
            late(10, sent=(sent(0, 4),)), None, "waits until 2026-05-05", id="the wait holds back"
        ),
        pytest.param(
            late(10, sent=(sent(0, 5),)), "second reminder", "", id="after the wait it goes out"
        ),
        pytest.param(late(45), "demand", "bucket 31-60", id="found late: one letter, the highest"),
        pytest.param(
            late(45, promised_dates=(ON,)), None, "promised for 2026-05-04", id="a promise holds"
        ),
        pytest.param(
            late(45, promised_dates=(ON - DAY,)), "demand", "", id="a day after it, no longer"
        ),
        pytest.param(
            late(45, paused_until_date=ON + DAY), None, "paused until 2026-05-05", id="a pause"
        ),
        pytest.param(late(45, paused_until_date=ON), "demand", "", id="the pause's end frees"),
        pytest.param(late(400), "hand over", "bucket 61-90", id="at last a person takes over"),
    ],
)
def test_the_next_action_follows_days_past_due_promises_and_pauses(standing, step, clause):
    found = next_action(LADDER, standing, ON)

    assert (found.step and found.step.name) == step
    if step != "hand over":
        assert clause in found.clause


def test_another_ladder_does_not_send_again_what_was_sent_under_the_first():
    first = next_action(LADDER, late(10), ON)
    assert first.step is not None
    renamed = replace(
        LADDER, steps=tuple(replace(step, name=f"new {step.name}") for step in LADDER.steps)
    )
    standing = late(11, sent=(Sent(first.step.name, first.step.min_days_past_due, ON),))

    assert next_action(renamed, standing, ON + DAY).step is None


def test_the_latest_ladder_begun_is_in_force_and_the_last_given_of_one_day():
    strict = replace(LADDER, from_date=ON, max_days_past_due=1)
    stricter = replace(LADDER, from_date=ON, max_days_past_due=0)
    ladders = [LADDER, strict, stricter]

    assert ladder_on(ladders, ON - DAY) is LADDER
    assert ladder_on(ladders, ON) is stricter
    with pytest.raises(AskedBeforeLadder, match="first is in force from 2026-01-01"):
        ladder_on(ladders, date(2025, 12, 31))


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"steps": ()}, "ladder of 0 steps", id="no steps"),
        pytest.param({"steps": LADDER.steps[::-1]}, "later than the one before", id="downwards"),
        pytest.param({"steps": LADDER.steps[:1] * 2}, "name of its own", id="one name twice"),
        pytest.param({"max_days_past_due": 3}, "Open it before that", id="opened after a step"),
        pytest.param(
            {"steps": (replace(LADDER.steps[0], min_wait_days=-1),)}, "wait", id="negative wait"
        ),
    ],
)
def test_a_ladder_that_cannot_be_climbed_is_refused(change, says):
    with pytest.raises(UnusableLadder, match=says):
        replace(LADDER, **change)


def test_a_ladder_survives_being_kept():
    assert ladder_from(as_content(LADDER), from_date=LADDER.from_date) == LADDER


@pytest.mark.parametrize(
    ("days", "bucket"),
    [
        (-1, "0"),
        (0, "0"),
        (1, "1-30"),
        (30, "1-30"),
        (31, "31-60"),
        (360, "181-360"),
        (361, "361+"),
    ],
)
def test_days_past_due_stand_in_buckets(days, bucket):
    assert bucket_of(days) == bucket


def test_amounts_are_summed_by_currency_and_bucket_and_what_is_not_late_is_left_out():
    sums = by_bucket([PastDue("CNY", 3, 5), PastDue("CNY", 30, 7), PastDue("EUR", 0, 9)])

    assert sums["CNY"]["1-30"] == 12
    assert sum(sums["CNY"].values()) == 12
    assert set(sums["EUR"].values()) == {0}


@st.composite
def ladders(draw) -> Ladder:
    days = sorted(draw(st.sets(st.integers(1, 120), min_size=1, max_size=6)))
    return Ladder(
        from_date=date(2026, 1, 1),
        max_days_past_due=draw(st.integers(0, days[0] - 1)),
        steps=tuple(
            Step(
                name=f"step {place}",
                min_days_past_due=day,
                letter=draw(st.sampled_from(Letter)),
                channel=draw(st.sampled_from(Channel)),
                recipient=draw(st.sampled_from(Recipient)),
                min_wait_days=draw(st.integers(0, 20)),
            )
            for place, day in enumerate(days)
        ),
    )


@given(ladder=ladders(), data=st.data())
@settings(max_examples=60)
def test_a_case_worked_day_by_day_climbs_the_ladder_each_step_once(ladder, data):
    """Days are skipped, promises and pauses come and go; the laws hold on every day."""
    messages: list[Sent] = []
    days_late = 0
    on = ON
    for _ in range(data.draw(st.integers(1, 25))):
        gap = data.draw(st.integers(0, 15))
        days_late, on = days_late + gap, on + gap * DAY
        promised = tuple(on + n * DAY for n in data.draw(st.lists(st.integers(-3, 3), max_size=2)))
        paused = data.draw(st.none() | st.integers(-3, 3).map(lambda n, on=on: on + n * DAY))
        standing = Standing(
            past_due=(PastDue("CNY", days_late, 1),),
            sent=tuple(messages),
            promised_dates=promised,
            paused_until_date=paused,
        )
        found = next_action(ladder, standing, on)
        assert found.clause
        if found.step is None:
            continue
        assert found.step.name not in {each.step for each in messages}
        assert not any(on <= day for day in promised)
        assert paused is None or on >= paused
        assert found.step.min_days_past_due <= days_late
        if messages:
            assert found.step.min_days_past_due > messages[-1].min_days_past_due
            assert (on - messages[-1].date).days >= found.step.min_wait_days
        messages.append(Sent(found.step.name, found.step.min_days_past_due, on))


@given(ladder=ladders(), days=st.integers(0, 150), more=st.integers(0, 50))
@settings(max_examples=100)
def test_being_later_never_brings_a_milder_letter(ladder, days, more):
    now = next_action(ladder, late(days), ON).step
    later = next_action(ladder, late(days + more), ON).step

    if now is not None:
        assert later is not None
        assert later.min_days_past_due >= now.min_days_past_due


LADDER_FILE = """
max_days_past_due = 0

[[step]]
name = "call"
min_days_past_due = 1
letter = "reminder"
channel = "task"
recipient = "officer"
min_wait_days = 0
"""


def test_a_ladder_is_read_from_a_file():
    ladder = read_ladder(LADDER_FILE, file="ours.toml", from_date=ON)

    assert ladder == Ladder(
        ON, 0, (Step("call", 1, Letter.REMINDER, Channel.TASK, Recipient.OFFICER, 0),)
    )


@pytest.mark.parametrize(
    ("written", "instead", "says"),
    [
        pytest.param('"task"', '"pigeon"', "line 8.*mail; webhook; task", id="unknown channel"),
        pytest.param("min_wait_days", "wait", "line 4.*is missing", id="a key left out"),
        pytest.param("_due = 1", "_due = 0", "line 6.*from 1 to", id="reached before it is late"),
        pytest.param("[[step]]", "[step]", "as a table", id="steps are a list"),
        pytest.param("= 0", "= 1", "Open it before that", id="opened too late"),
        pytest.param("max_", "max ", "not TOML", id="no TOML"),
    ],
)
def test_a_ladder_file_is_refused_with_line_and_remedy(written, instead, says):
    with pytest.raises(InvalidLadderFile, match=says):
        read_ladder(LADDER_FILE.replace(written, instead, 1), file="ours.toml", from_date=ON)
