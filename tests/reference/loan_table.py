"""A loan's table as the reference cases print it."""

from collections.abc import Iterable
from datetime import date
from fractions import Fraction
from typing import Any

from loan_terms_of_case import DECIMALS, UnknownVocabularyError
from outcome import Case, day, differs, number, stated, whole

from tallystick.rules.instalment_history import Payout
from tallystick.rules.instalment_loan import InstalmentLoan, Status
from tallystick.rules.instalment_rows import Row
from tallystick.rules.instalment_terms import Joining, Part

PARTS = {
    "principal": Part.PRINCIPAL,
    "interest": Part.INTEREST,
    "fees": Part.FEE,
    "penalties": Part.PENALTY,
}
TOTALS = (*PARTS, "due", "paid", "paid_in_advance", "paid_late", "outstanding")

Line = dict[str, Any]


def lines_of(loan: InstalmentLoan, *, with_payouts: bool) -> list[Line]:
    """The table in the order printed: payouts before what they owe, instalments as they fall due.

    Where payouts have no lines of their own, a payout on a due date is in the balance after it.
    """
    joins_that_day = loan.terms.joining is not Joining.NEXT
    first = loan.payouts[0].date

    def place(item: Payout | Row) -> tuple[date, int]:
        if isinstance(item, Row):
            return item.due_date, 1
        return item.date, 0 if joins_that_day or item.date == first else 2

    lines: list[Line] = []
    balance_minor = 0
    number_of = 0
    waiting = Status.AGREED is loan.status
    for item in sorted([*loan.payouts, *loan.rows], key=place):
        if isinstance(item, Payout):
            balance_minor += item.amount_minor
            lines.append(
                {
                    "due_date": item.date,
                    "balance": item.amount_minor,
                    "fees": 0,
                    "due": 0,
                    "outstanding" if waiting else "paid": 0,
                }
            )
            continue
        number_of += 1
        balance_minor += item.credited_minor - item.owed[Part.PRINCIPAL]
        lines.append(_line_of(item, number_of, balance_minor, first))
    if with_payouts:
        return lines
    for line in lines:
        if "nr" in line:
            later = (p for p in loan.payouts if p.date == line["due_date"] and p.date != first)
            line["balance"] += 0 if joins_that_day else sum(p.amount_minor for p in later)
    return [line for line in lines if "nr" in line]


def _line_of(row: Row, nr: int, balance_minor: int, first: date) -> Line:
    line: Line = {
        "nr": nr,
        "from_date": row.from_date,
        "due_date": row.due_date,
        "days": (row.due_date - row.from_date).days,
        "balance": balance_minor,
        "due": row.owed_minor,
        "emi": row.owed[Part.PRINCIPAL] + row.owed[Part.INTEREST],
        "paid": row.paid_minor,
        "paid_in_advance": row.paid_in_advance_minor,
        "paid_late": row.paid_late_minor,
        "outstanding": row.outstanding_minor,
        "is_met": not row.outstanding_minor,
    }
    line |= {name: row.owed[part] for name, part in PARTS.items()}
    met = row.met_date()
    if met is None and not row.owed_minor:
        met = first  # nothing was ever owed
    if met is not None:
        line["paid_date"] = met
    return line


def compared(lines: list[Line], expected: list[Case]) -> Iterable[str | None]:
    """Every figure of every line that the case prints."""
    yield differs("rows", len(lines), len(expected))
    for line, wanted in zip(lines, expected, strict=False):
        what = f"row {wanted.get('nr', wanted.get('due_date'))}"
        yield differs(f"{what} is an instalment", "nr" in line, "nr" in wanted)
        for name, value in stated(wanted).items():
            yield _differs(f"{what} {name}", line, name, value)
        if "paid_in_advance" in wanted and "nr" in wanted and "paid_date" not in wanted:
            yield differs(f"{what} paid_date", line.get("paid_date"), None)


def _differs(what: str, line: Line, name: str, value: object) -> str | None:
    if name == "sub_periods":
        return _interest_of_parts(what, line, value)
    if name in ("nr", "days"):
        return differs(what, line.get(name), whole(value))
    if name in ("due_date", "from_date", "paid_date"):
        actual = line.get(name)
        return differs(what, actual, day(value))
    if name == "paid" and isinstance(value, bool):
        return differs(what, line["is_met"], value)
    if name not in line:
        raise UnknownVocabularyError(f"column {name!r}")
    return differs(what, Fraction(line[name], 10**DECIMALS), number(value))


def _interest_of_parts(what: str, line: Line, parts: Any) -> str | None:
    owed = sum((number(part["interest"]) for part in parts), start=Fraction(0))
    return differs(what, Fraction(line["interest"], 10**DECIMALS), owed)


def totals_compared(lines: list[Line], expected: Case) -> Iterable[str | None]:
    """The sums that the case prints under its table."""
    for name, value in stated(expected).items():
        if name not in TOTALS:
            raise UnknownVocabularyError(f"total {name!r}")
        total = sum(line.get(name, 0) for line in lines if "nr" in line)
        yield differs(f"total {name}", Fraction(total, 10**DECIMALS), number(value))
