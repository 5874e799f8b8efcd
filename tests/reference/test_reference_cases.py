"""The harness itself, and what it finds in the reference cases beside the repository."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

CHECK = Path(__file__).with_name("check.py")
CASES = Path(__file__).resolve().parents[3] / "shared" / "reference"

ARITHMETIC = [
    "daycount/daycount_cases.json",
    "daycount/business_day_convention_cases.json",
    "daycount/rounding_cases.json",
    "daycount/china_business_days.json",
    "daycount/china_calendar_2022_2025.csv",
    "xirr/tvm_cases.json",
]
LOANS = [
    "loans/fineract_cases.json",
    "loans/frappe_cases.json",
    "loans/scf_cases.json",
    "accounting/accounting_cases.json",
]
LATER = [
    "abs/waterfall_cases.json",
    "scorecard/scorecard_cases.json",
    "scorecard/germancredit.csv",
    "messages/manifest.json",
    "messages/peppol_rule_cases.json",
    "messages/schemas.json",
]

DIFFERENCES = set(
    re.findall(
        r"^\| `([A-Z0-9][\w-]+)` \|",
        (Path(__file__).resolve().parents[2] / "docs/reference/differences.md").read_text(),
        re.MULTILINE,
    )
)


def reference(name):
    if not CASES.exists() and os.environ.get("CI") != "true":
        pytest.skip("the reference cases are not here")
    return CASES / name


def run(*files):
    """Exit status and answer of the command as anybody would call it."""
    command = [sys.executable, str(CHECK), *map(str, files), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.stderr
    return done.returncode, json.loads(done.stdout)


def results(*files):
    _, answer = run(*files)
    return {case["id"]: case["result"] for case in answer["cases"]}


@pytest.fixture
def written(tmp_path):
    """A file holding what is given, as JSON unless it is text."""

    def write(content, name="cases.json"):
        path = tmp_path / name
        path.write_text(content if isinstance(content, str) else json.dumps(content))
        return path

    return write


def test_every_case_of_arithmetic_is_answered_as_published():
    status, answer = run(*(reference(name) for name in ARITHMETIC))

    assert [case for case in answer["cases"] if case["result"] != "passed"] == []
    assert status == 0
    assert answer["totals"]["passed"] == len(answer["cases"]) > 1600


def cases_of(name):
    """Ids of a family where the cases are here; nothing to ask where they are not."""
    path = CASES / name
    if not path.exists():
        return []
    document = json.loads(path.read_text())
    cases = document["cases"] if isinstance(document, dict) else document
    return [pytest.param(name, case["id"], id=case["id"]) for case in cases]


@pytest.fixture(scope="module")
def answered():
    """What came of every case of loans and accounting."""
    _, answer = run(*(reference(name) for name in LOANS))
    return {(Path(case["file"]).name, case["id"]): case for case in answer["cases"]}


@pytest.mark.parametrize(("name", "case_id"), [case for name in LOANS for case in cases_of(name)])
def test_a_case_of_loans_or_accounting_is_answered_as_published(answered, name, case_id):
    """Or the page of differences says why not."""
    case = answered[Path(name).name, case_id]

    if case_id in DIFFERENCES:
        assert case["result"] != "passed", f"{case_id} passes now: take it off the page"
    else:
        assert case["result"] == "passed", case["detail"]


def test_the_cases_of_loans_and_accounting_are_there_to_be_asked():
    assert all(cases_of(name) for name in LOANS if reference(name))


GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "instalment_loans.json"


@pytest.fixture(scope="module")
def golden():
    _, answer = run(GOLDEN)
    return {case["id"]: case for case in answer["cases"]}


@pytest.mark.parametrize("case_id", [case["id"] for case in json.loads(GOLDEN.read_text())])
def test_a_worked_table_of_instalments_is_reached(golden, case_id):
    assert golden[case_id]["result"] == "passed", golden[case_id]["detail"]


def test_a_figure_of_a_table_that_is_off_by_a_cent_is_found(golden, tmp_path):
    cases = json.loads(GOLDEN.read_text())
    changed = [case for case in cases if _a_cent_more(case)]
    path = tmp_path / "changed.json"
    path.write_text(json.dumps(changed))

    assert set(results(path).values()) == {"failed"}
    assert len(changed) > 20


def _a_cent_more(case):
    """Change the last row's principal of the first table; False where a case has none."""
    for step in case.get("timeline", ()):
        if step.get("check") == "schedule":
            row = step["rows"][-1]
            row["principal"] = f"{float(row['principal']) + 0.01:.2f}"
            return True
    return False


def loan_case(*steps, **inputs):
    """A loan of 100.00 without interest over two months, and what is told of it."""
    terms = {
        "submitted_on": "2026-01-01",
        "principal": "100.00",
        "annual_rate_pct": "0",
        "amortization": "EQUAL_INSTALLMENTS",
        "interest_type": None,
        "repay_every": 1,
        "repay_unit": "MONTHS",
        "number_of_repayments": 2,
        "product_settings": {"family": "progressive", "rounding": None},
        **inputs,
    }
    paid_out = {"event": "disburse", "date": "2026-01-01", "amount": "100.00"}
    return {
        "id": "one",
        "kind": "schedule_timeline",
        "inputs": terms,
        "timeline": [paid_out, *steps],
    }


def owes(amount):
    return {"check": "outstanding", "amount": amount}


def repaid(**changes):
    return {"event": "repayment", "date": "2026-02-01", "amount": "50.00", **changes}


def told(**columns):
    row = {"date": "2026-02-01", "type": "Repayment", "principal": "50", **columns}
    paid_out = {"date": "2026-01-01", "type": "Disbursement", "amount": "100.00"}
    return {"check": "transactions", "rows": [paid_out, row]}


CHARGED = {"event": "charge", "due_date": "2026-01-10", "amount": "9.00"}
CLOSED = [{"event": "business_date", "date": "2026-01-11"}, {"event": "close_of_business"}]


@pytest.mark.parametrize(
    ("case", "result"),
    [
        pytest.param(loan_case(owes("100.00")), "passed", id="null is what is not stated"),
        pytest.param(loan_case(owes("99.00")), "failed", id="another amount"),
        pytest.param(loan_case(), "failed", id="nothing is checked"),
        pytest.param(loan_case(repaid(), told(reason=None)), "passed", id="a null column"),
        pytest.param(loan_case(repaid(), told(reason="x")), "unsupported", id="unknown column"),
        pytest.param(loan_case(repaid(), told(fees="1")), "failed", id="another fee"),
        pytest.param(
            loan_case(owes("100.00"), {"check": "mood"}), "unsupported", id="unknown check"
        ),
        pytest.param(
            loan_case(owes("99.00"), {"check": "mood"}), "failed", id="wrong before the unknown"
        ),
        pytest.param(
            loan_case({"event": "barter"}, owes("1.00")), "unsupported", id="unknown event"
        ),
        pytest.param(
            loan_case(repaid(date="01 February 2026"), owes("50")), "passed", id="date in words"
        ),
        pytest.param(
            loan_case(repaid(date=[2026, 2, 1], amount=50), owes("50")),
            "passed",
            id="date as a list, amount as a number",
        ),
        pytest.param(
            loan_case(repaid(event="goodwill_credit"), owes("50")), "passed", id="kind of receipt"
        ),
        pytest.param(
            loan_case(owes("100"), product_settings={"rounding": "SIDEWAYS"}),
            "unsupported",
            id="unknown rounding",
        ),
        pytest.param(loan_case(owes("100"), repay_unit="MOONS"), "unsupported", id="unknown unit"),
        pytest.param(
            loan_case(CHARGED, {"event": "waive_charge"}, owes("100")), "passed", id="waiver"
        ),
        pytest.param(
            loan_case(
                CHARGED, {"event": "waive_charge"}, {"event": "undo_waive_charge"}, owes("109")
            ),
            "passed",
            id="waiver undone",
        ),
        pytest.param(loan_case(owes(True)), "failed", id="an amount that is no number"),
        pytest.param(
            loan_case(owes("100"), grace_on_principal_periods=2), "failed", id="no schedule"
        ),
        pytest.param(
            loan_case(
                CHARGED,
                *CLOSED,
                {
                    "check": "transactions",
                    "rows": [
                        {"date": "2026-01-01", "type": "Disbursement", "amount": "100.00"},
                        {"date": "2026-01-10", "type": "Accrual", "amount": "9.00", "fees": "9.00"},
                    ],
                },
            ),
            "passed",
            id="the close recognises the day before it",
        ),
    ],
)
def test_a_loan_of_a_timeline_passes_fails_or_is_unsupported(written, case, result):
    assert results(written([case])) == {"one": result}


def fact(kind, expected, **inputs):
    return {"id": "one", "kind": kind, "inputs": inputs, "expected": expected}


def of_a_thousand(expected, number_of_repayments=12, **inputs):
    """Figures of the schedule of 1,000 at 6 % a year."""
    inputs |= {"number_of_repayments": number_of_repayments, "annual_rate_pct": "6"}
    return fact("schedule_facts", expected, principal="1000", **inputs)


@pytest.mark.parametrize(
    ("case", "result"),
    [
        pytest.param(
            of_a_thousand(
                {"monthly_interest": "5.00", "last_payment": "1005.00", "total_interest": "60.00"},
                method="INTEREST_FIRST",
            ),
            "passed",
            id="interest first, principal last",
        ),
        pytest.param(
            of_a_thousand(
                {"interest_2": "2.50", "balance_1": "500.00"},
                number_of_repayments=2,
                method="EQUAL_PRINCIPAL",
            ),
            "passed",
            id="figures of a row",
        ),
        pytest.param(
            of_a_thousand(
                {"installment": "86.07", "mood": "good"},
            ),
            "unsupported",
            id="one figure unknown",
        ),
        pytest.param(
            of_a_thousand(
                {"mood": "good", "installment": "86.08"},
            ),
            "failed",
            id="one figure unknown, another wrong",
        ),
        pytest.param(
            fact(
                "dpd",
                {"dpd": [{"date": "2026-01-12", "dpd": 3}, {"date": "2026-01-13", "dpd": 0}]},
                due="2026-01-10",
                paid_full_on="2026-01-13",
            ),
            "passed",
            id="no day past due once paid",
        ),
        pytest.param(
            fact("dpd", {"dpd": [{"date": "2026-01-09", "dpd": 0}]}, due="2026-01-10"),
            "passed",
            id="no day past due before the due date",
        ),
        pytest.param(fact("dpd", {}, due="2026-01-10"), "failed", id="nothing expected"),
    ],
)
def test_a_loan_of_single_figures_passes_fails_or_is_unsupported(written, case, result):
    assert results(written([case])) == {"one": result}


def test_families_of_later_work_are_reported_as_unsupported():
    status, answer = run(*(reference(name) for name in LATER))

    assert status == 0
    assert {case["result"] for case in answer["cases"]} == {"unsupported"}
    assert all(case["detail"] for case in answer["cases"])


def day_count_case(**changes):
    return {
        "id": "one",
        "convention": "ACT/360",
        "start": "2026-01-05",
        "end": "2026-04-03",
        "expected": {"days": 88, "year_fraction": "0.2444444444444"},
        "tolerance": "1e-12",
        **changes,
    }


@pytest.mark.parametrize(
    ("case", "result"),
    [
        pytest.param(day_count_case(), "passed", id="as published"),
        pytest.param(
            day_count_case(expected={"year_fraction": "0.24444444444"}),
            "failed",
            id="outside the tolerance",
        ),
        pytest.param(day_count_case(expected={"days": 89}), "failed", id="another day"),
        pytest.param(day_count_case(expected={}), "failed", id="nothing expected"),
        pytest.param(
            day_count_case(expected={"days": 88, "weeks": 12}), "unsupported", id="more expected"
        ),
        pytest.param(day_count_case(expected_error="any"), "failed", id="a refusal expected"),
        pytest.param(
            day_count_case(convention="ACT/365 Canadian", expected_error="reference period"),
            "passed",
            id="refused as expected",
        ),
        pytest.param(
            day_count_case(convention="ACT/365 Canadian"), "failed", id="refused unexpectedly"
        ),
        pytest.param(day_count_case(convention="ACT/361"), "unsupported", id="unknown convention"),
        pytest.param(day_count_case(start="2026-02-30"), "failed", id="impossible date"),
        pytest.param(
            {"id": "one", "x": "2.5", "digits": 0, "closest_half_even": "2"},
            "passed",
            id="rounding",
        ),
        pytest.param(
            {"id": "one", "x": "2.5", "digits": 0, "floor": "2"}, "unsupported", id="unknown mode"
        ),
        pytest.param(
            {"id": "one", "function": "IRR", "inputs": {"amounts": [-1, -2]}, "expected": None},
            "passed",
            id="no solution, as published",
        ),
        pytest.param(
            {"id": "one", "function": "IRR", "inputs": {"amounts": [-1, 2]}, "expected": None},
            "failed",
            id="a solution where none is published",
        ),
        pytest.param(
            {
                "id": "one",
                "function": "RATE",
                "inputs": {"nper": 10, "pmt": 0, "pv": -3500, "fv": 10000},
                "expected": "0.1106908",
                "tolerance": "1e-12",
            },
            "failed",
            id="a root that is not the root",
        ),
        pytest.param({"id": "one", "function": "XLOOKUP"}, "unsupported", id="unknown function"),
        pytest.param({"id": "one", "kind": "barter"}, "unsupported", id="unknown kind"),
        pytest.param({"id": "one"}, "unsupported", id="no kind at all"),
        pytest.param("one", "failed", id="not even an object"),
    ],
)
def test_a_case_passes_fails_or_is_unsupported(written, case, result):
    status, answer = run(written([case]))

    assert [each["result"] for each in answer["cases"]] == [result]
    assert status == (1 if result == "failed" else 0)
    assert answer["totals"][result] == 1


def accounting_case(kind, inputs, expected):
    return {"id": "one", "kind": kind, "inputs": inputs, "expected": expected}


def posting(send, sources, destination, postings, balances=None):
    operation = {"send": send, "sources_in_order": sources, "destination": destination}
    inputs = {"balances": balances or {}, "operations": [operation]}
    return accounting_case("posting", inputs, {"postings": postings})


@pytest.mark.parametrize(
    ("case", "result"),
    [
        pytest.param(
            accounting_case(
                "allocation",
                {"total_units": 15, "weights": ["80", "8", "12"]},
                {"shares": [13, 1, 1], "largest_remainder_variant": [12, 1, 2]},
            ),
            "passed",
            id="our rule is the largest remainder",
        ),
        pytest.param(
            posting(
                30,
                ["a", {"account": "b", "max": 5}, "world"],
                "z",
                [["a", "z", 10], ["b", "z", 5], ["world", "z", 15]],
                balances={"a": 10, "b": 100},
            ),
            "passed",
            id="sources in order, one of them capped",
        ),
        pytest.param(
            posting(
                200,
                ["a", "b"],
                [{"account": "y", "portion": "1/2"}, {"account": "z", "portion": "remaining"}],
                [["a", "y", 100], ["b", "z", 100]],
                balances={"a": 100, "b": 110},
            ),
            "passed",
            id="portions of a destination",
        ),
        pytest.param(
            posting(
                15,
                ["world"],
                [["a", "80%"], ["b", "8%"], ["c", "12%"]],
                [["world", "a", 13], ["world", "b", 1], ["world", "c", 1]],
            ),
            "unsupported",
            id="left-over units to the first is not our rule",
        ),
        pytest.param(
            posting(
                "all",
                ["a"],
                [{"account": "z", "max": 1000}, {"kept": True}],
                [["a", "z", 1000]],
                balances={"a": 2000},
            ),
            "passed",
            id="a capped destination, the rest kept",
        ),
        pytest.param(
            posting(16, ["a"], "z", [["a", "z", 16]], balances={"a": 15}),
            "failed",
            id="more than there is",
        ),
        pytest.param(
            posting(5, ["a"], "z", [["a", "z", 4]], balances={"a": 15}), "failed", id="less posted"
        ),
        pytest.param(
            accounting_case(
                "balance_check",
                {
                    "postings": [["2026-03-01", "bank", "23.024 CNY"]],
                    "checks": [
                        ["2026-03-02", "bank", "23.02 CNY"],
                        ["2026-03-02", "bank", "23.026 ~ 0.001 CNY"],
                    ],
                },
                {"result": "fail", "difference": "-0.002 CNY"},
            ),
            "passed",
            id="tolerance as written, or of the last decimal",
        ),
        pytest.param(
            accounting_case(
                "balance_assertion",
                {
                    "transactions": [
                        {
                            "date": "2026-03-01",
                            "postings": [
                                {"account": "a", "amount": "$1", "asserted_balance": "$1"},
                                {"account": "a", "amount": "2 EUR", "asserted_balance": "-$1"},
                            ],
                        }
                    ]
                },
                {"result": "pass"},
            ),
            "failed",
            id="a balance in another currency is checked too",
        ),
    ],
)
def test_accounting_cases_in_the_forms_of_the_schema(written, case, result):
    assert results(written([case])) == {"one": result}


def test_wrong_expectations_in_every_family_are_found(written):
    """Each published figure changed by one unit of its kind must fail."""
    found = []
    for name, change in (
        ("daycount/daycount_cases.json", _one_more_day),
        ("daycount/business_day_convention_cases.json", _another_date),
        ("xirr/tvm_cases.json", _another_number),
    ):
        document = json.loads(reference(name).read_text())
        cases = document["cases"] if isinstance(document, dict) else document
        changed = [case["id"] for case in cases if change(case)]
        after = results(written(document, name=Path(name).name))
        found.append({after[case_id] for case_id in changed})

    assert found == [{"failed"}] * 3


def _one_more_day(case):
    if "days" not in case["expected"]:
        return False
    case["expected"]["days"] += 1
    return True


def _another_date(case):
    year, month, day = case["expected"].split("-")
    case["expected"] = f"{year}-{month}-{int(day) - 1 or 2:02}"
    return True


def _another_number(case):
    if case["expected"] is None:
        case["expected"] = "0.1"
    else:
        case["expected"] = repr(float(case["expected"]) + 1e-4)
    return True


@pytest.mark.parametrize(
    ("content", "name"),
    [
        pytest.param("{", "cases.json", id="not JSON"),
        pytest.param("7", "cases.json", id="JSON without cases"),
        pytest.param('{"cases": 7}', "cases.json", id="cases that are no list"),
        pytest.param('{"adjust": [{"id": "one"}]}', "cases.json", id="a case without its fields"),
        pytest.param(
            "date,state_council_workday,interbank_open\n2026-13-01,1,1\n",
            "calendar.csv",
            id="a calendar with an impossible date",
        ),
    ],
)
def test_a_malformed_file_fails_with_its_reason(written, content, name):
    status, answer = run(written(content, name=name))

    assert status == 1
    assert [case["result"] for case in answer["cases"]] == ["failed"]
    assert answer["cases"][0]["detail"]


def test_a_missing_file_fails_and_the_others_are_checked(written, tmp_path):
    there = written([day_count_case()])

    status, answer = run(tmp_path / "missing.json", there)

    assert status == 1
    assert [case["result"] for case in answer["cases"]] == ["failed", "passed"]
    assert answer["cases"][1]["file"] == str(there)


def test_for_people_there_is_a_table(written):
    file = written([day_count_case(), day_count_case(id="two", expected={"days": 1})])

    done = subprocess.run(
        [sys.executable, str(CHECK), str(file)], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert done.stdout.splitlines()[0].split() == ["passed", "failed", "unsupported", "file"]
    assert "two: days: 88, expected 1" in done.stdout
