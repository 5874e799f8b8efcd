"""Loans worked out elsewhere, held to the code; ``loans.json`` names the source of each."""

import json
from datetime import date
from itertools import pairwise
from pathlib import Path

import pytest

from tallystick.faces.cli.loan_case import read_case
from tallystick.rules.loan import fold

CASES = json.loads(Path(__file__).with_name("loans.json").read_text("utf-8"))
STATES = [(case, state) for case in CASES for state in case["states"]]


@pytest.mark.parametrize(
    ("case", "expected"),
    [pytest.param(case, state, id=f"{case['id']}, on {state['on']}") for case, state in STATES],
)
def test_a_loan_stands_as_its_source_says(case, expected, tmp_path):
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case["case"]), "utf-8")
    loan = read_case(path)

    state = fold(
        loan.terms, loan.events, on=date.fromisoformat(expected["on"]), known_on=date.max
    ).as_json()

    assert {name: state[name] for name in expected} == expected


def test_a_year_of_daily_accruals_adds_up_to_the_year(tmp_path):
    """100,000.00 at 4.35 % over ACT/365F: 11.9178… a day, 4,350.00 a year.

    Source: public test code of a bank's loan state (repository name not recorded; the first ten
    nights and the total of its carried remainder). Rounding each night by itself gives 4,350.80.
    """
    case = {
        "currency": "CNY",
        "principal_minor": 10_000_000,
        "annual_rate": "0.0435",
        "day_count": "ACT/365F",
        "method": "bullet",
        "start": "2025-01-01",
        "maturity": "2026-01-01",
    }
    path = tmp_path / "case.json"
    path.write_text(json.dumps(case), "utf-8")
    loan = read_case(path)
    first = loan.terms.start.toordinal()

    running = [
        fold(
            loan.terms, loan.events, on=date.fromordinal(first + nights), known_on=date.max
        ).balances.interest_accrued_minor
        for nights in range(366)
    ]

    nightly = [after - before for before, after in pairwise(running)]
    assert nightly[:10] == [1192, 1192, 1191, 1192, 1192, 1192, 1191, 1192, 1192, 1192]
    assert sum(nightly) == 435_000
