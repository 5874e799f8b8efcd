"""``tally loan schedule|state`` for advances out of sales and statement cycles, from a file."""

import json
import sys

import pytest

from tallystick.faces.cli.main import main

# Fineract's working-capital loan (WorkingCapitalAmortizationSchedule.feature, commit 00f9a45).
ADVANCE = {
    "credit": "sales_share",
    "currency": "EUR",
    "advance_minor": 900_000,
    "fee_minor": 100_000,
    "start": "2019-01-01",
    "share_bps": 1_800,
    "yearly_sales_minor": 10_000_000,
    "year_days": 360,
    "rounding": "half_even",
    "pace": {"every": "60D", "minimum_share": "1/6", "counts": "since_payout"},
}
# JD's corporate credit purchase, billed monthly.
LINE = {
    "credit": "statement_cycle",
    "currency": "CNY",
    "opened_date": "2026-09-01",
    "cycle": "monthly",
    "cycle_day": 1,
    "due_days": 19,
    "statement_fee_rate": "0.006",
    "late_bands": [
        {"from_days": 1, "daily_rate": "0.0005"},
        {"from_days": 31, "daily_rate": "0.0008"},
    ],
    "max_instalments": 3,
    "instalment_fee_rate": "0.005",
    "events": [{"kind": "purchased", "value_date": "2026-09-15", "amount_minor": 1_000_000}],
}


@pytest.fixture
def tally(monkeypatch, capsys, tmp_path):
    """Run ``tally loan``, the case told as a value: exit status, output and errors."""

    def run(command, case, *options):
        path = tmp_path / "case.json"
        path.write_text(json.dumps(case), "utf-8")
        monkeypatch.setattr(sys, "argv", ["tally", "loan", command, str(path), *options])
        monkeypatch.setenv("COLUMNS", "200")
        with pytest.raises(SystemExit) as end:
            main()
        written = capsys.readouterr()
        return end.value.code or 0, written.out, written.err

    return run


def test_the_plan_of_an_advance_is_fineracts(tally):
    status, out, _ = tally("schedule", ADVANCE, "--json")

    told = json.loads(out)
    assert status == 0
    assert (told["daily_minor"], told["payments"], told["end_date"]) == (5_000, 200, "2019-07-20")
    assert told["effective_daily_rate"].startswith("0.0010678144878")
    # (1 + the daily rate) ^ 365 − 1
    assert told["apr_percent"] == "47.63"
    assert told["rows"][0] == {
        "n": 1,
        "date": "2019-01-02",
        "payment_minor": 5_000,
        "fee_earned_minor": 961,
        "balance_minor": 895_961,
        "fee_left_minor": 99_039,
    }


def test_the_state_of_an_advance_tells_fee_pace_and_movements(tally):
    events = [
        {"id": "big", "kind": "received", "value_date": "2019-01-02", "amount_minor": 123_400},
        {"kind": "settlement", "value_date": "2019-01-10", "amount_minor": 100_000},
        {"kind": "received", "value_date": "2019-01-11", "amount_minor": 1},
        {"kind": "reversed", "value_date": "2019-01-12", "reverses": "3"},
    ]

    _, out, _ = tally("state", {**ADVANCE, "events": events}, "--on", "2019-01-02", "--json")
    assert json.loads(out)["fee_left_minor"] == 77_553
    _, out, _ = tally("state", {**ADVANCE, "events": events}, "--json")
    told = json.loads(out)
    assert (told["on"], told["collected_minor"]) == ("2019-01-12", 123_400 + 18_000)
    assert told["pace"][0]["minimum_minor"] == 166_667
    assert [each["kind"] for each in told["movements"]] == ["received", "settlement"]


def test_the_state_of_a_line_tells_its_statements(tally):
    status, out, _ = tally("state", LINE, "--on", "2026-10-21", "--json")

    told = json.loads(out)
    assert status == 0
    assert told["statements"][0]["closing_minor"] == 1_006_000
    assert told["statements"][0]["paid_in_full"] is False
    assert (told["late_charges_minor"], told["days_past_due"]) == (503, 1)


@pytest.mark.parametrize("command", ["schedule", "state"])
def test_without_json_a_table_is_printed_in_major_units(tally, command):
    status, out, _ = tally(command, ADVANCE)

    assert status == 0
    assert "9,000.00" in out


def test_a_line_is_printed_as_a_table(tally):
    status, out, _ = tally("state", LINE, "--on", "2026-10-01")

    assert status == 0
    assert "10,060.00" in out


def without(case, field):
    return {name: value for name, value in case.items() if name != field}


@pytest.mark.parametrize(
    ("command", "case", "says"),
    [
        ("state", {**ADVANCE, "credit": "sale_share"}, "sales_share; statement_cycle"),
        ("schedule", LINE, "has no schedule"),
        ("schedule", without(ADVANCE, "share_bps"), "share_bps is missing"),
        ("schedule", {**ADVANCE, "share_bps": 0}, "1 to 10000"),
        ("schedule", {**ADVANCE, "daily_rate": "0.001"}, "exactly one"),
        ("schedule", {**ADVANCE, "yearly_sales_minor": 100}, "comes to 0 minor units"),
        ("schedule", {**ADVANCE, "fee": 1}, "there is no such field"),
        ("state", {**ADVANCE, "pace": {"every": "60D", "minimum_share": "2"}}, "such as 1/6"),
        ("state", {**ADVANCE, "pace": {"every": "60D", "minimum_share": 0.1}}, "text"),
        ("state", {**ADVANCE, "pace": {"every": "60", "minimum_share": "1/6"}}, "1M"),
        (
            "state",
            {
                **ADVANCE,
                "events": [{"kind": "refunded", "value_date": "2019-01-02", "amount_minor": 1}],
            },
            "credit was 0",
        ),
        (
            "state",
            {
                **ADVANCE,
                "events": [{"kind": "reversed", "value_date": "2019-01-02", "reverses": "x"}],
            },
            "name the id of an event",
        ),
        ("state", {**LINE, "cycle_day": 32}, "give 1 to 31"),
        ("state", {**LINE, "late_bands": [{"from_days": 2, "daily_rate": "0"}]}, "begin on days 2"),
        (
            "state",
            {
                **LINE,
                "events": [{"kind": "converted", "value_date": "2026-09-02", "instalments": 2}],
            },
            "between the day of a statement",
        ),
    ],
)
def test_a_case_that_cannot_be_is_refused_in_one_message(tally, command, case, says):
    status, out, err = tally(command, case)

    assert (status, out) == (2, "")
    assert "case.json" in err
    assert says in err
    assert "Traceback" not in err


@pytest.mark.parametrize("case", [ADVANCE, LINE], ids=["advance", "line"])
def test_a_day_beyond_all_use_is_refused(tally, case):
    status, _, err = tally("state", case, "--on", "9999-12-31")

    assert status == 2
    assert "Check the year" in err


# A loan at a floating rate: its resets become events, each at the value published by then.
FLOATING = {
    "currency": "CNY",
    "principal_minor": 36_000_000,
    "day_count": "ACT/360",
    "method": "bullet",
    "start": "2024-09-25",
    "maturity": "2024-12-24",
    "floating": {
        "reference_rate": "lpr_1y",
        "spread_bps": 600,
        "reset": "monthly",
        "series": [
            {"publish_date": "2024-09-20", "rate": "0.0335"},
            {"publish_date": "2024-10-21", "rate": "0.0310"},
            {"publish_date": "2024-11-20", "rate": "0.0310"},
        ],
    },
}


def test_a_loan_at_a_floating_rate_takes_its_resets(tally):
    status, out, _ = tally("state", FLOATING, "--json")

    told = json.loads(out)
    assert status == 0
    assert [(each["from"], each["rate"], each["days"]) for each in told["segments"]] == [
        ("2024-09-25", "0.0935", 30),
        ("2024-10-25", "0.091", 60),
    ]
    # 360,000.00 at 9.35 % for 30 days and at 9.10 % for 60.
    assert told["interest_accrued_minor"] == 280_500 + 546_000
    schedule = json.loads(tally("schedule", FLOATING, "--json")[1])
    assert schedule["rows"][0]["interest_minor"] == 841_500  # as if the first rate stayed


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"series": FLOATING["floating"]["series"][1:]}, "its first value is of 2024-10-21"),
        ({"series": FLOATING["floating"]["series"][:1]}, "a publication is missing"),
        ({"series": []}, "none of its values is known"),
        ({"series": FLOATING["floating"]["series"][:1] * 2}, "give each day once"),
        ({"reset": "weekly"}, "monthly"),
        ({"spread_bps": -400}, "outside 0 to"),
        ({"spread": 1}, "no such field"),
    ],
)
def test_a_floating_rate_that_cannot_be_taken_is_refused(tally, change, says):
    case = {**FLOATING, "floating": {**FLOATING["floating"], **change}}

    status, _, err = tally("state", case, "--json")

    assert status == 2
    assert says in err


def test_a_loan_has_one_rate(tally):
    status, _, err = tally("state", {**FLOATING, "annual_rate": "0.1"}, "--json")

    assert status == 2
    assert "annual_rate" in err
