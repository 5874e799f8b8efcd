"""The canonical claims frame: column names, types, units, and what makes a row valid.

One row is one claim as it stands at a cut-off. Amounts are integer minor units of ``currency``.
The checks are written once for every engine; a frame that passes them is what
``rules.receivables`` may be asked about.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from typing import Any

import narwhals as nw
from narwhals.typing import FrameT

from tallystick.rules.money import MINOR_DIGITS
from tallystick.rules.refusal import Refusal

# A unit of trade counts once, at its latest stage.
STAGES = ("order", "receipt", "invoice", "settlement")
STATUSES = ("open", "disputed", "assigned_elsewhere", "closed")

IDS = ("claim_id", "supplier_id", "obligor_id")
TEXTS = (*IDS, "currency", "stage", "status")
AMOUNTS = ("face_minor", "paid_minor", "diluted_minor")
DATES = ("issue_date", "due_date")

CLAIMS: Mapping[str, nw.dtypes.DType] = {
    **{name: nw.String() for name in TEXTS},
    **{name: nw.Int64() for name in AMOUNTS},
    **{name: nw.Date() for name in DATES},
}
"""Columns of a claims frame. claim_id: unique; face, paid (received so far) and diluted (credit
notes, rebates, returns: reductions without cash), each from 0, paid + diluted up to face."""

ROW = "row"
"""Optional column with a claim's place in its source, which ``faults`` reports."""

MAX_ID_CHARACTERS = 200
MAX_SHOWN_CHARACTERS = 80
MAX_TOLD_PROBLEMS = 20

_CONTROL_CHARACTERS = r"[\x00-\x1f\x7f]"
_INTEGERS = (nw.Int8, nw.Int16, nw.Int32, nw.Int64, nw.UInt8, nw.UInt16, nw.UInt32)
_KINDS = {
    nw.String: "text",
    nw.Int64: "whole numbers of at most 64 bits",
    nw.Date: "dates without a time",
}


class NotClaims(Refusal):
    """A frame has other columns or types than a claims frame."""

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        told = list(problems[:MAX_TOLD_PROBLEMS])
        if len(problems) > MAX_TOLD_PROBLEMS:
            told.append(f"and {len(problems) - MAX_TOLD_PROBLEMS:,} more")
        super().__init__("\n".join(told))


@dataclass(frozen=True, slots=True)
class Check:
    """What must not be true of a column's value, and what would be accepted."""

    column: str
    at_fault: nw.Expr
    remedy: str


def refuse_other_columns(names: Collection[str]) -> None:
    """Raise NotClaims unless ``names`` are the columns of a claims frame, in any order."""
    missing = [name for name in CLAIMS if name not in names]
    problems = [f"column {name} is missing; add it" for name in missing]
    for name in names:
        if name not in CLAIMS:
            meant = get_close_matches(name, missing, n=1)
            what = f"rename it to {meant[0]}" if meant else "remove it"
            problems.append(f"column {name[:MAX_SHOWN_CHARACTERS]!r} is unknown; {what}")
    if problems:
        raise NotClaims(problems)


def claims_frame(frame: FrameT) -> FrameT:
    """The frame with the columns and types of a claims frame, and its ``row`` if it has one.

    Narrower integers are widened and categories become text; nothing else is converted.
    Raises NotClaims.
    """
    schema = frame.collect_schema()
    refuse_other_columns([name for name in schema if name != ROW])
    problems = [
        f"column {name} holds {schema[name]}; it must hold {_KINDS[type(wanted)]}"
        for name, wanted in CLAIMS.items()
        if not _can_become(schema[name], wanted)
    ]
    if problems:
        raise NotClaims(problems)
    kept = [ROW] if ROW in schema else []
    return frame.select(*kept, *(nw.col(name).cast(kind) for name, kind in CLAIMS.items()))


def _can_become(found: nw.dtypes.DType, wanted: nw.dtypes.DType) -> bool:
    if isinstance(wanted, nw.Int64):
        return isinstance(found, _INTEGERS)
    if isinstance(wanted, nw.String):
        return isinstance(found, (nw.String, nw.Categorical, nw.Enum))
    return isinstance(found, nw.Date)


def checks(*, on: date) -> list[Check]:
    """Everything that a single row of a claims frame is checked for, on a date."""
    face, paid, diluted = (nw.col(name) for name in AMOUNTS)
    issued, due = (nw.col(name) for name in DATES)
    # Clipped, since one engine stops where the difference of two wrong amounts leaves 64 bits.
    unpaid = face.clip(lower_bound=0) - paid.clip(lower_bound=0)
    return [
        *(Check(name, nw.col(name).is_null(), "It is missing; give a value.") for name in CLAIMS),
        *(check for name in IDS for check in _id_checks(name)),
        _one_of("currency", list(MINOR_DIGITS), "Give an ISO 4217 code in capitals, such as CNY."),
        _one_of("stage", STAGES, f"Give one of {', '.join(STAGES)}."),
        _one_of("status", STATUSES, f"Give one of {', '.join(STATUSES)}."),
        *(Check(name, nw.col(name) < 0, "Give 0 or more minor units.") for name in AMOUNTS),
        Check(
            "diluted_minor",
            (diluted > unpaid) & (face >= 0) & (paid >= 0),
            "Paid and diluted together are at most the face; correct one of the three.",
        ),
        Check("due_date", due < issued, "Give the issue date or a later one."),
        Check("issue_date", issued > on, f"Give {on} or an earlier date, or ask for a later day."),
    ]


def _id_checks(name: str) -> list[Check]:
    text = nw.col(name)
    return [
        Check(name, text == "", "It is empty; give a value."),
        Check(
            name,
            text.str.len_chars() > MAX_ID_CHARACTERS,
            f"Give at most {MAX_ID_CHARACTERS} characters.",
        ),
        Check(
            name, text.str.contains(_CONTROL_CHARACTERS), "Remove line breaks, tabs and the like."
        ),
    ]


def _one_of(name: str, accepted: Sequence[Any], remedy: str) -> Check:
    return Check(name, ~nw.col(name).is_in(accepted), remedy)


def faulty(claims: FrameT, *, on: date) -> FrameT:
    """The rows that fail at least one of the checks."""
    at_fault = [check.at_fault for check in checks(on=on)]
    return claims.filter(nw.any_horizontal(*at_fault, ignore_nulls=True))


def faults(claims: FrameT, *, on: date) -> FrameT:
    """One row for each check that a claim fails: row, column, value, remedy.

    In: a claims frame with ``row``; give it the ``faulty`` rows, it looks at every row many times.
    """
    # "nw.concat" of filtered parts rather than one expression: a row may have several faults.
    return nw.concat(
        [
            claims.filter(check.at_fault).select(
                ROW,
                column=nw.lit(check.column),
                value=nw.col(check.column).cast(nw.String).str.slice(0, MAX_SHOWN_CHARACTERS),
                remedy=nw.lit(check.remedy),
            )
            for check in checks(on=on)
        ]
    )


def repeated(claims: FrameT) -> FrameT:
    """Claims that stand more than once: claim_id, row of the first, row of the last."""
    return (
        claims.group_by("claim_id")
        .agg(first_row=nw.col(ROW).min(), last_row=nw.col(ROW).max())
        .filter(nw.col("first_row") < nw.col("last_row"))
    )
