"""``tally loan schedule`` and ``state`` of a loan of instalments, from a file."""

import json
import re
import sys
from pathlib import Path

import pytest

from tallystick.faces.cli.main import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "instalment-case-file.md"

CASE = {
    "currency": "EUR",
    "principal_minor": 300_000,
    "annual_rate": "0.12",
    "day_count": "ACT/365F",
    "method": "equal_instalments",
    "start": "2023-01-01",
    "number_of_periods": 3,
    "frequency": "1M",
    "rounding": "half_even",
    "instalments": {
        "interest_on": "original",
        "accrual": "whole_periods",
        "interest_rounding": "each_period",
        "instalment_multiple_minor": 100,
    },
    "events": [
        {"kind": "disbursed", "value_date": "2023-01-01", "amount_minor": 300_000},
        {"id": "part", "kind": "received", "value_date": "2023-02-01", "amount_minor": 50_000},
    ],
}


@pytest.fixture
def tally(monkeypatch, capsys):
    """Run the command line in this process: exit status, output and errors."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["tally", *map(str, arguments)])
        monkeypatch.setenv("COLUMNS", "120")
        with pytest.raises(SystemExit) as end:
            main()
        written = capsys.readouterr()
        return end.value.code or 0, written.out, written.err

    return run


@pytest.fixture
def case_file(tmp_path):
    def write(**changes):
        path = tmp_path / "case.json"
        path.write_text(json.dumps(CASE | changes), "utf-8")
        return path

    return write


def test_the_schedule_takes_the_decisions_of_the_product(tally, case_file):
    status, output, _ = tally("loan", "schedule", case_file(), "--json")

    rows = json.loads(output)["rows"]
    assert status == 0
    assert [row["due_date"] for row in rows] == ["2023-02-01", "2023-03-01", "2023-04-01"]
    assert {(row["principal_minor"], row["interest_minor"]) for row in rows} == {(100_000, 3_000)}


def test_the_state_is_the_table_with_what_was_paid(tally, case_file):
    """3,000.00 at 12 % flat; 500.00 come on the first due date: interest first."""
    status, output, _ = tally("loan", "state", case_file(), "--json")

    state = json.loads(output)
    assert status == 0
    assert (state["status"], state["outstanding_minor"]) == ("active", 259_000)
    first = state["rows"][0]
    assert (first["interest_paid_minor"], first["principal_paid_minor"]) == (3_000, 47_000)
    assert state["movements"][1]["principal_minor_after"] == 253_000


def test_the_state_on_a_day_leaves_later_events_out(tally, case_file):
    _, output, _ = tally("loan", "state", case_file(), "--on", "2023-01-31", "--json")

    assert json.loads(output)["outstanding_minor"] == 309_000


def test_for_people_there_are_tables(tally, case_file):
    _, schedule, _ = tally("loan", "schedule", case_file())
    _, state, _ = tally("loan", "state", case_file())

    assert "2023-04-01" in schedule
    assert "1,030.00" in state
    assert "Active loan in EUR" in state


def test_the_case_on_the_page_of_the_format_can_be_read(tally, tmp_path):
    (text,) = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    case = tmp_path / "case.json"
    case.write_text(text)

    _, schedule, _ = tally("loan", "schedule", case, "--json")
    _, state, errors = tally("loan", "state", case, "--json")

    assert errors == ""
    assert [row["due_date"] for row in json.loads(schedule)["rows"][:2]] == [
        "2026-03-01",
        "2026-03-31",
    ]
    assert json.loads(state)["rows"][0]["outstanding_minor"] == 0


def test_every_kind_of_event_can_be_told(tally, case_file):
    order = ["penalty", "fee", "interest", "principal"]
    events = [
        *CASE["events"],
        {
            "kind": "charged",
            "value_date": "2023-02-05",
            "due_date": "2023-02-10",
            "amount_minor": 500,
            "is_penalty": True,
        },
        {
            "kind": "received",
            "receipt": "goodwill",
            "value_date": "2023-02-11",
            "amount_minor": 500,
        },
        {"kind": "charged_back", "value_date": "2023-02-12", "amount_minor": 100},
        {"kind": "credit_refunded", "value_date": "2023-02-12", "amount_minor": 100},
        {"kind": "interest_paused", "value_date": "2023-02-12", "due_date": "2023-02-13"},
        {"kind": "rate_changed", "value_date": "2023-03-01", "annual_rate": "0.10"},
        {
            "kind": "rescheduled",
            "value_date": "2023-02-15",
            "due_date": "2023-03-01",
            "new_due_date": "2023-03-15",
        },
        {"kind": "closed_day", "value_date": "2023-02-16"},
        {"kind": "charged_off", "value_date": "2023-02-17"},
        {"kind": "reversed", "value_date": "2023-02-18", "reverses": "part"},
    ]

    status, output, errors = tally(
        "loan",
        "state",
        case_file(
            events=events,
            allocation={"past_due": order, "due": order, "in_advance": order, "ahead": "last"},
            recalculation={"rest": "period", "interest_on_interest": True},
            joining="next",
            begins="agreed_day",
            pays_down_at_once=False,
        ),
        "--json",
    )

    state = json.loads(output)
    assert (status, errors) == (0, "")
    assert [row["due_date"] for row in state["rows"]] == ["2023-02-01", "2023-03-15", "2023-04-15"]
    assert "received" in {m["kind"] for m in state["movements"]}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"number_of_periods": 0}, "0 periods were asked for. Give 1 to 1200 periods."),
        ({"number_of_periods": 10_000}, "10000 periods were asked for"),
        (
            {"instalments": {"agreed_instalment_minor": 100}},
            "does not cover the interest of 3058 on the whole principal",
        ),
        (
            {"instalments": {"first_due_date": "2022-12-31"}},
            "first_due_date 2022-12-31 is not after the start 2023-01-01",
        ),
        ({"instalments": {"evend": True}}, "instalments: evend is true: there is no such field"),
        ({"instalments": {"accrual": "weekly"}}, "possible: daily; whole_periods"),
        ({"instalments": 7}, "instalments is 7: give an object, in braces."),
        ({"principal_minor": 0}, "principal is 0"),
    ],
)
def test_terms_that_make_no_schedule_are_refused_with_a_remedy(tally, case_file, changes, message):
    path = case_file(**changes)

    status, output, errors = tally("loan", "schedule", path)

    assert (status, output) == (2, "")
    assert message in errors
    assert str(path) in errors


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"kind": "charged", "amount_minor": 5}, "has no due_date: give it"),
        ({"kind": "received", "amount_minor": 0}, "give an amount above zero"),
        ({"kind": "reversed", "reverses": "none"}, "name the id of an event in this file"),
        ({"kind": "paid"}, "possible: disbursed; received"),
    ],
)
def test_events_that_cannot_be_are_refused_with_a_remedy(tally, case_file, event, message):
    events = [*CASE["events"], {"value_date": "2023-02-01", **event}]

    status, _, errors = tally("loan", "state", case_file(events=events))

    assert status == 2
    assert message in errors
