"""Hold Tallystick against reference cases of other projects and published standards.

    python tests/reference/check.py FILE... [--json]

Takes any file of the reference schemas: JSON with cases, or the CSV of a published calendar. Every
case is answered by the product's own functions; what the product does not do yet is reported as
unsupported. Exit status 1 when anything failed.
"""

import argparse
import csv
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def _use_the_project() -> None:
    """Make ``tallystick`` and what it needs importable when plain Python was started.

    Where dependencies are missing, the environment that ``./tally`` has made runs this again.
    Without one, the cases that need them fail and say what is missing.
    """
    if find_spec("tallystick") is None:
        sys.path.insert(0, str(ROOT / "src"))
    if find_spec("pyxirr") and find_spec("chinese_calendar"):
        return
    environment = Path(os.environ.get("TALLY_VENV", ROOT / ".venv"))
    python = environment / "bin" / "python"
    if python.exists() and Path(sys.prefix).resolve() != environment.resolve():
        os.execv(python, [str(python), *sys.argv])


_use_the_project()

from accounts import (  # noqa: E402 - the project is made importable first
    allocation_case,
    balance_assertion_case,
    balance_check_case,
    posting_case,
)
from days import (  # noqa: E402
    business_day_case,
    calendar_day_case,
    china_adjustment_case,
    china_days_between_case,
    day_count_case,
    rounding_case,
)
from loan_facts import FACTS, accrual_facts_case  # noqa: E402
from loan_terms_of_case import UnknownVocabularyError  # noqa: E402
from loan_timeline import due_dates_case, journal_case, timeline_case  # noqa: E402
from outcome import (  # noqa: E402
    Case,
    MalformedCaseError,
    Outcome,
    Result,
    failed,
    unsupported,
)

KINDS: dict[str, Callable[[Case], Outcome]] = {
    "allocation": allocation_case,
    "balance_assertion": balance_assertion_case,
    "balance_check": balance_check_case,
    "posting": posting_case,
    "journal_entry": journal_case,
    "schedule": timeline_case,
    "schedule_timeline": timeline_case,
    "due_dates": due_dates_case,
    "accrual": lambda case: timeline_case(case) if "timeline" in case else accrual_facts_case(case),
    **FACTS,
}
CALENDAR_COLUMNS = {"date", "state_council_workday", "interbank_open"}

Checked = tuple[str, Outcome]


def check_file(path: Path) -> Iterator[Checked]:
    """Every case of a file, by its id, and what came of it."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        yield path.name, failed(f"cannot be read: {error}")
        return
    if path.suffix.lower() == ".csv":
        yield from _check_table(text, path)
        return
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        yield path.name, failed(f"is not JSON: {error}")
        return
    yield from _check_document(document, path)


def _check_table(text: str, path: Path) -> Iterator[Checked]:
    rows = csv.DictReader(text.splitlines())
    if not set(rows.fieldnames or ()) >= CALENDAR_COLUMNS:
        yield path.name, unsupported("a table that is not a published calendar")
        return
    for row in rows:
        yield str(row["date"]), _answer(calendar_day_case, row)


def _check_document(document: Any, path: Path) -> Iterator[Checked]:
    if isinstance(document, list):
        yield from _check_cases(document, case_of_any_kind)
        return
    if not isinstance(document, dict):
        yield path.name, failed("holds neither a list of cases nor an object")
        return
    if "adjust" in document or "business_days_between" in document:
        adjust, between = document.get("adjust", []), document.get("business_days_between", [])
        yield from _check_cases(adjust, lambda case: china_adjustment_case(case, document))
        yield from _check_cases(between, lambda case: china_days_between_case(case, document))
    elif "cases" in document:
        calendar = document.get("calendar")
        yield from _check_cases(
            document["cases"], lambda case: case_of_any_kind(case, calendar=calendar)
        )
    else:
        yield path.name, unsupported("an object without cases")


def _check_cases(cases: Any, check: Callable[[Case], Outcome]) -> Iterator[Checked]:
    if not isinstance(cases, list):
        yield "cases", failed(f"cases are a list, not {type(cases).__name__}")
        return
    for place, case in enumerate(cases, start=1):
        named = isinstance(case, dict) and case.get("id") is not None
        yield str(case["id"]) if named else f"#{place}", _answer(check, case)


def case_of_any_kind(case: Case, *, calendar: Any = None) -> Outcome:
    """A case is known by its form: the schemas have no field in common that names it."""
    if "kind" in case:
        check = KINDS.get(str(case["kind"]))
        return check(case) if check else unsupported(f"kind {case['kind']!r}")
    if "function" in case:
        from timevalues import time_value_case  # the only cases that need pyxirr

        return time_value_case(case)
    if "period" in case:
        return business_day_case(case, calendar if isinstance(calendar, dict) else None)
    if "x" in case and "digits" in case:
        return rounding_case(case)
    if "convention" in case and ("start" in case or "end" in case):
        return day_count_case(case)
    return unsupported("no known kind of case")


def _answer(check: Callable[[Case], Outcome], case: Any) -> Outcome:
    if not isinstance(case, dict):
        return failed(f"malformed case: {type(case).__name__} instead of an object")
    try:
        return check(case)
    except UnknownVocabularyError as unknown:
        return unsupported(str(unknown))
    except MalformedCaseError as malformed:
        return failed(f"malformed case: {malformed}")
    except Exception as error:  # a case may be written in any way; it fails, the others go on
        return failed(f"{type(error).__name__}: {error}")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("files", nargs="+", metavar="FILE")
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and nothing else"
    )
    arguments = parser.parse_args()

    cases = [
        {"file": file, "id": case_id, "result": outcome.result.value, "detail": outcome.detail}
        for file in arguments.files
        for case_id, outcome in check_file(Path(file))
    ]
    counted = Counter(case["result"] for case in cases)
    totals = {result.value: counted[result.value] for result in Result}
    if arguments.json:
        print(json.dumps({"cases": cases, "totals": totals}, ensure_ascii=False, indent=1))
    else:
        _print_table(arguments.files, cases, totals)
    return 1 if totals[Result.FAILED] else 0


def _print_table(files: list[str], cases: list[dict[str, str]], totals: dict[str, int]) -> None:
    print(f"{'passed':>8}{'failed':>8}{'unsupported':>13}  file")
    for file in dict.fromkeys(files):
        counted = Counter(case["result"] for case in cases if case["file"] == file)
        print("{:>8}{:>8}{:>13}  {}".format(*(counted[result.value] for result in Result), file))
    print("{:>8}{:>8}{:>13}  in all".format(*totals.values()))
    for case in cases:
        if case["result"] == Result.FAILED:
            print(f"failed: {case['file']} {case['id']}: {case['detail']}")


if __name__ == "__main__":
    sys.exit(main())
