"""``tally loan schedule`` and ``tally loan state``, from a file, without a database."""

import json
import sys

import pytest

from tallystick.faces.cli.main import main

CASE = {
    "currency": "CNY",
    "principal_minor": 100_000_000,
    "annual_rate": "0.10",
    "day_count": "ACT/360",
    "method": "bullet",
    "start": "2026-01-05",
    "maturity": "2026-04-03",
    "rounding": "half_up",
    "events": [{"kind": "received", "value_date": "2026-02-01", "amount_minor": 5_000_000}],
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
    def write(content):
        path = tmp_path / "case.json"
        if isinstance(content, bytes):
            path.write_bytes(content)
        else:
            path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
        return path

    return write


def with_event(**event):
    return {**CASE, "events": [event]}


def without(field):
    return {name: value for name, value in CASE.items() if name != field}


def test_the_schedule_lists_what_falls_due_when(tally, case_file):
    status, output, _ = tally("loan", "schedule", case_file(CASE), "--json")

    assert status == 0
    assert json.loads(output) == {
        "rows": [
            {
                "n": 1,
                "due_date": "2026-04-03",
                "principal_minor": 100_000_000,
                "interest_minor": 2_444_444,  # 88 days × 27,777.78 fen
                "fee_minor": 0,
                "balance_minor": 0,
            }
        ]
    }


@pytest.mark.parametrize(
    ("method", "due_dates", "principal_minor"),
    [
        ("interest_only", ["02-05", "03-05", "04-03"], [0, 0, 100_000_000]),
        ("equal_principal", ["02-05", "03-05", "04-03"], [33_333_333, 33_333_333, 33_333_334]),
    ],
)
def test_instalments_come_monthly_unless_the_case_says_otherwise(
    tally, case_file, method, due_dates, principal_minor
):
    _, output, _ = tally("loan", "schedule", case_file({**CASE, "method": method}), "--json")

    rows = json.loads(output)["rows"]
    assert [row["due_date"] for row in rows] == [f"2026-{day}" for day in due_dates]
    assert [row["principal_minor"] for row in rows] == principal_minor


def test_the_time_between_instalments_is_given_as_a_frequency(tally, case_file):
    case = {**CASE, "method": "equal_instalments", "frequency": "4W"}

    _, output, _ = tally("loan", "schedule", case_file(case), "--json")

    rows = json.loads(output)["rows"]
    assert [row["due_date"] for row in rows] == [
        "2026-02-02",
        "2026-03-02",
        "2026-03-30",
        "2026-04-03",
    ]


def test_the_state_is_that_of_maturity_unless_a_day_is_given(tally, case_file):
    path = case_file(CASE)

    _, at_maturity, _ = tally("loan", "state", path, "--json")
    _, on_the_day, _ = tally("loan", "state", path, "--on", "2026-02-01", "--json")

    state = json.loads(at_maturity)
    assert state["on"] == "2026-04-03"
    assert state["principal_minor"] == 95_750_000
    assert state["interest_accrued_minor"] == 2_372_431
    assert state["interest_due_minor"] == 1_622_431
    assert state["days_past_due"] == 0
    assert json.loads(on_the_day)["interest_due_minor"] == 0


def test_the_state_shows_the_days_behind_its_interest(tally, case_file):
    _, output, _ = tally("loan", "state", case_file(CASE), "--json")

    assert json.loads(output)["segments"] == [
        {
            "from": "2026-01-05",
            "to": "2026-02-01",
            "principal_minor": 100_000_000,
            "rate": "0.10",
            "days": 27,
            "interest": "750000.000000",
        },
        {
            "from": "2026-02-01",
            "to": "2026-04-03",
            "principal_minor": 95_750_000,
            "rate": "0.10",
            "days": 61,
            "interest": "1622430.555555",
        },
    ]


def test_the_principal_is_paid_out_on_the_first_day_unless_a_payout_is_given(tally, case_file):
    paid_out_later = with_event(kind="disbursed", value_date="2026-01-15", amount_minor=60_000_000)

    _, whole, _ = tally("loan", "state", case_file(without("events")), "--json")
    _, part, _ = tally("loan", "state", case_file(paid_out_later), "--json")

    assert json.loads(whole)["segments"][0]["from"] == "2026-01-05"
    assert json.loads(part)["segments"][0]["from"] == "2026-01-15"
    assert json.loads(part)["principal_minor"] == 60_000_000


def test_a_case_may_order_single_kinds_of_receipt_and_run_by_instalment(tally, case_file):
    case = {
        **CASE,
        "method": "equal_principal",
        "axis": "by_instalment",
        "orders": {
            "repaid": ["principal_due", "principal_not_due", "interest", "penalty", "fees"],
            "charged_back": ["interest", "penalty", "fees", "principal"],
        },
        "events": [
            {"kind": "repaid", "value_date": "2026-01-15", "amount_minor": 5_000_000},
            {"kind": "remitted", "value_date": "2026-01-15", "amount_minor": 100_000},
            {"kind": "charged_back", "value_date": "2026-01-15", "amount_minor": 100_001},
        ],
    }

    _, output, _ = tally("loan", "state", case_file(case), "--on", "2026-01-15", "--json")

    # Ten nights cost 277,778: they are owed whole again, and one minor unit of principal.
    state = json.loads(output)
    assert (state["interest_due_minor"], state["principal_minor"]) == (277_778, 95_000_001)


@pytest.mark.parametrize("reverses", ["r1", 2], ids=["its id", "its number in the list"])
def test_a_reversal_names_its_event(tally, case_file, reverses):
    receipt = {"kind": "received", "value_date": "2026-02-01", "amount_minor": 5_000_000}
    if reverses == "r1":
        receipt["id"] = "r1"
    case = {
        **CASE,
        "events": [
            {"kind": "fee_charged", "value_date": "2026-02-01", "amount_minor": 7},
            receipt,
            {"kind": "reversed", "value_date": "2026-02-10", "reverses": reverses},
        ],
    }

    _, output, _ = tally("loan", "state", case_file(case), "--json")

    state = json.loads(output)
    assert (state["principal_minor"], state["fees_due_minor"]) == (100_000_000, 7)


def test_a_rate_may_be_a_number_and_is_never_a_binary_fraction(tally, case_file):
    as_number = json.dumps(CASE).replace('"0.10"', "0.100000001")
    as_text = json.dumps(CASE).replace('"0.10"', '"0.100000001"')

    assert tally("loan", "state", case_file(as_number), "--json") == tally(
        "loan", "state", case_file(as_text), "--json"
    )


@pytest.mark.parametrize(
    ("command", "shown"),
    [("schedule", ["2026-04-03", "24,444.44"]), ("state", ["957,500.00", "16,224.31", "61"])],
)
def test_without_json_amounts_are_written_in_major_units(tally, case_file, command, shown):
    status, output, _ = tally("loan", command, case_file(CASE))

    assert status == 0
    assert all(text in output for text in shown)


REFUSED = [
    ("not JSON", "{", ["line 1", "not JSON"]),
    ("no object", "[]", ["not a JSON object"]),
    ("not text", b"\xff\xfe\x00", ["UTF-8"]),
    ("nested without end", "[" * 100_000, ["not a case"]),
    ("a number of 5,000 digits", '{"principal_minor": ' + "9" * 5_000 + "}", ["not a case"]),
    ("a field given twice", '{"start": "2026-01-05", "start": "2026-01-06"}', ["given twice"]),
    ("not a number", '{"principal_minor": NaN}', ["NaN is no number"]),
    ("a field missing", without("maturity"), ["maturity is missing"]),
    ("an unknown field", {**CASE, "freqency": "1M"}, ['freqency is "1M"', "frequency"]),
    ("an unknown currency", {**CASE, "currency": "RMB"}, ['currency is "RMB"', "ISO 4217"]),
    ("an unknown day count", {**CASE, "day_count": "ACT/361"}, ["ACT/361", "ACT/360"]),
    ("an unknown method", {**CASE, "method": "balloon"}, ['method is "balloon"', "bullet"]),
    ("an unknown rounding", {**CASE, "rounding": "off"}, ['rounding is "off"', "half_up"]),
    ("a day count without days", {**CASE, "day_count": "ACT/ACT ICMA"}, ["fixed denominator"]),
    ("an impossible date", {**CASE, "start": "2026-02-30"}, ['start is "2026-02-30"', "exists"]),
    ("a date in another form", {**CASE, "start": "20260105"}, ["YYYY-MM-DD"]),
    ("a maturity before the start", {**CASE, "maturity": "2026-01-05"}, ["not after start"]),
    ("a principal of zero", {**CASE, "principal_minor": 0}, ["principal_minor is 0"]),
    ("a principal with a point", {**CASE, "principal_minor": 1.5}, ["is", "without a point"]),
    ("a principal as text", {**CASE, "principal_minor": "100"}, ["without quotes"]),
    ("a principal of true", {**CASE, "principal_minor": True}, ["is true", "whole number"]),
    ("a negative rate", {**CASE, "annual_rate": "-0.1"}, ["annual_rate -0.1", "outside"]),
    ("a rate in words", {**CASE, "annual_rate": "ten"}, ['annual_rate is "ten"', "0.10"]),
    ("a rate of ten decimals", {**CASE, "annual_rate": "0.1234567891"}, ["nine decimals"]),
    ("a rate that is huge", json.dumps(CASE).replace('"0.10"', "1e999999999"), ["outside"]),
    ("a frequency in words", {**CASE, "frequency": "monthly"}, ["frequency", "1M"]),
    ("a receipt order with a gap", {**CASE, "receipt_order": ["fees"]}, ["receipt_order is fees"]),
    ("an order of two debts", {**CASE, "orders": {"recovered": ["fees"]}}, ["recovered is fees"]),
    ("an order of no kind", {**CASE, "orders": {"received": []}}, ["orders: received is []"]),
    ("an axis of none", {**CASE, "axis": "horizontal"}, ["axis", "by_instalment; by_part"]),
    ("events that are no list", {**CASE, "events": {}}, ["events is {}", "list"]),
    ("an event that is no object", {**CASE, "events": [5]}, ["event 1 is 5"]),
    (
        "an unknown kind",
        with_event(kind="recieved", value_date="2026-02-01", amount_minor=5),
        ["event 1", "recieved", "received"],
    ),
    (
        "a negative amount",
        with_event(kind="received", value_date="2026-02-01", amount_minor=-5),
        ["amount_minor -5"],
    ),
    (
        "an amount with a point",
        with_event(kind="received", value_date="2026-02-01", amount_minor=5.0),
        ["event 1", "amount_minor", "without a point"],
    ),
    (
        "an amount on a change of rate",
        with_event(kind="rate_changed", value_date="2026-02-01", annual_rate="0.2", amount_minor=5),
        ["event 1", "amount_minor", "no such field"],
    ),
    (
        "an event before the start",
        with_event(kind="received", value_date="2026-01-04", amount_minor=5),
        ["2026-01-04", "start"],
    ),
    (
        "a reversal of nothing",
        with_event(kind="reversed", value_date="2026-02-01", reverses="r9"),
        ["event 1", 'reverses is "r9"'],
    ),
    (
        "two events of one name",
        {
            **CASE,
            "events": [
                {"id": "a", "kind": "fee_charged", "value_date": "2026-02-01", "amount_minor": 5},
                {"id": "a", "kind": "fee_charged", "value_date": "2026-02-01", "amount_minor": 5},
            ],
        },
        ["event 2", "named so already"],
    ),
    (
        "a payout above the principal",
        with_event(kind="disbursed", value_date="2026-02-01", amount_minor=100_000_001),
        ["100000001", "100000000"],
    ),
]


@pytest.mark.parametrize(
    ("content", "said"), [pytest.param(*case[1:], id=case[0]) for case in REFUSED]
)
def test_bad_input_is_refused_with_file_field_value_and_remedy(tally, case_file, content, said):
    path = case_file(content)

    status, output, errors = tally("loan", "state", path, "--json")

    assert (status, output) == (2, "")
    assert errors.startswith(str(path))
    assert all(text in errors for text in said)
    assert "Traceback" not in errors


def test_a_file_that_is_not_there_is_refused(tally, tmp_path):
    status, output, errors = tally("loan", "schedule", tmp_path / "none.json")

    assert (status, output) == (2, "")
    assert "none.json: cannot be read" in errors


def test_a_folder_in_place_of_a_file_is_refused(tally, tmp_path):
    status, _, errors = tally("loan", "schedule", tmp_path)

    assert status == 2
    assert "cannot be read" in errors


def test_a_file_above_the_limit_is_refused(tally, case_file):
    status, _, errors = tally("loan", "state", case_file(b" " * (16 * 1024 * 1024 + 1)))

    assert status == 2
    assert "larger than 16777216 bytes" in errors


def test_a_schedule_that_cannot_be_made_is_refused(tally, case_file):
    case = {**CASE, "method": "interest_only", "frequency": "1D", "maturity": "2036-01-05"}

    status, _, errors = tally("loan", "schedule", case_file(case))

    assert status == 2
    assert "case.json: No schedule can be made" in errors


@pytest.mark.parametrize("day", ["2026-02-30", "tomorrow", "2025-12-31"])
def test_a_day_that_does_not_exist_or_lies_before_the_start_is_refused(tally, case_file, day):
    status, output, errors = tally("loan", "state", case_file(CASE), "--on", day)

    assert (status, output) == (2, "")
    assert day in errors


LIFE = [
    {"kind": "interest_paused", "value_date": "2026-01-10", "to_date": "2026-01-19"},
    {"kind": "prepaid", "value_date": "2026-02-01", "amount_minor": 1_000_000, "keeps": "term"},
    {"kind": "extended", "value_date": "2026-03-01", "days": 30, "currency": "CNY"},
    {
        "kind": "due_moved",
        "value_date": "2026-03-02",
        "due_date": "2026-05-03",
        "to_date": "2026-05-06",
    },
    {"kind": "charged_back", "value_date": "2026-03-03", "amount_minor": 300},
    {"kind": "waived", "value_date": "2026-03-04", "amount_minor": 700, "waives": "interest"},
    {"kind": "re_aged", "value_date": "2026-03-05", "to_date": "2026-06-05"},
    {
        "kind": "restructured",
        "value_date": "2026-03-06",
        "to_date": "2026-07-06",
        "annual_rate": "0.08",
    },
    {"kind": "charged_off", "value_date": "2026-03-10"},
    {"kind": "recovered", "value_date": "2026-04-01", "amount_minor": 900},
]


def test_all_that_can_happen_to_a_loan_can_be_told_in_a_file(tally, case_file):
    case = case_file({**CASE, "events": LIFE})

    status, output, _ = tally("loan", "state", case, "--on", "2026-03-09", "--json")
    before = json.loads(output)
    assert (status, before["due_date"], before["interest_waived_minor"]) == (0, "2026-07-06", 700)
    assert before["principal_repaid_minor"] == 1_000_000 - 472_222 - 300  # 17 days

    status, output, _ = tally("loan", "explain", case, "--on", "2026-04-01", "--json")
    after = json.loads(output)
    assert (status, after["owed_minor"], after["recovered_minor"]) == (0, 0, 900)
    figures = {figure["name"]: figure for figure in after["figures"]}
    assert [term["name"] for term in figures["principal_minor"]["terms"]] == [
        "paid out 2026-01-05 (event 0)",
        "repaid 2026-02-01 (event 2)",
        "charged back 2026-03-03 (event 5)",
        "charged off 2026-03-10 (event 9)",
    ]
    assert "recovered 2026-04-01" in tally("loan", "explain", case, "--on", "2026-04-01")[1]


def test_penalty_bands_are_written_as_contracts_do(tally, case_file):
    bands = {
        "penalty_daily_rate": "0.0005",
        "penalty_bands": [{"days_past_due": 30, "penalty_daily_rate": "0.0008"}],
        "events": [],
    }

    _, output, _ = tally(
        "loan", "state", case_file({**CASE, **bands}), "--on", "2026-05-13", "--json"
    )

    assert json.loads(output)["penalty_due_minor"] == 100_000_000 * (30 * 5 + 10 * 8) // 10_000


@pytest.mark.parametrize(
    ("case", "says"),
    [
        pytest.param(
            with_event(kind="received", value_date="2026-02-01", amount_minor=5, currency="USD"),
            "the event is in USD and the loan in CNY",
            id="another currency",
        ),
        pytest.param(
            {**CASE, "penalty_rate": "0.1", "penalty_multiple": "1.5"},
            "give one of",
            id="two rates",
        ),
        pytest.param({**CASE, "penalty_bands": [{"days_past_due": 3}]}, "rate", id="no rate"),
        pytest.param({**CASE, "penalty_bands": [5]}, "such as", id="no band"),
        pytest.param({**CASE, "revolving": 1}, "give true or false", id="yes or no"),
        pytest.param(
            with_event(kind="waived", value_date="2026-02-01", amount_minor=5, waives="principal"),
            "possible: fees; penalty; interest",
            id="a waiver of principal",
        ),
        pytest.param(
            {
                **CASE,
                "events": [
                    {"id": "a", "kind": "received", "value_date": "2026-02-01", "amount_minor": 5},
                    {"id": "b", "kind": "reversed", "value_date": "2026-02-02", "reverses": "a"},
                    {"kind": "reversed", "value_date": "2026-02-03", "reverses": "b"},
                ],
            },
            "which is itself a reversal",
            id="a reversal of a reversal",
        ),
    ],
)
def test_a_case_that_cannot_be_is_refused_with_what_may_be(tally, case_file, case, says):
    for command in ("state", "explain"):
        status, _, errors = tally("loan", command, case_file(case))

        assert status == 2
        assert says in errors
