"""A claims frame is checked whole: every fault has its row, column, value and remedy."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from tests.rules.oracle_receivables import Claim
from tests.rules.pools import ENGINES, ON, claims_table, collected

from tallystick.rules.frames import (
    CLAIMS,
    STAGES,
    STATUSES,
    NotClaims,
    claims_frame,
    faults,
    faulty,
    repeated,
)

GOOD = Claim(
    claim_id="C1",
    supplier_id="S1",
    obligor_id="O1",
    currency="CNY",
    stage="invoice",
    status="open",
    face_minor=10_000,
    paid_minor=4_000,
    diluted_minor=6_000,
    issue_date=ON,
    due_date=ON,
)


def found(*claims: Claim, engine: str = "Polars") -> list[tuple[int, str, str, str]]:
    """The faults of claims that stand in rows 1, 2, …, on ON."""
    table = claims_table(claims).with_row_index("row", offset=1)
    bad = faulty(nw.from_native(ENGINES[engine](table)), on=ON)
    return sorted(
        (row["row"], row["column"], row["value"], row["remedy"])
        for row in collected(faults(bad, on=ON))
    )


@pytest.mark.parametrize("stage", STAGES)
@pytest.mark.parametrize("status", STATUSES)
def test_a_claim_used_up_and_dated_today_is_valid(stage, status):
    assert found(replace(GOOD, stage=stage, status=status)) == []


@pytest.mark.parametrize(
    ("changes", "column", "value", "remedy"),
    [
        pytest.param({"face_minor": -1}, "face_minor", "-1", "0 or more", id="face below 0"),
        pytest.param({"paid_minor": -1}, "paid_minor", "-1", "0 or more", id="paid below 0"),
        pytest.param(
            {"diluted_minor": -1}, "diluted_minor", "-1", "0 or more", id="diluted below 0"
        ),
        pytest.param(
            {"diluted_minor": 6_001},
            "diluted_minor",
            "6001",
            "at most the face",
            id="paid and diluted above face",
        ),
        pytest.param(
            {"paid_minor": 2**63 - 1, "diluted_minor": 2**63 - 1},
            "diluted_minor",
            str(2**63 - 1),
            "at most the face",
            id="paid and diluted whose sum wraps",
        ),
        pytest.param(
            {"due_date": ON - timedelta(days=1)},
            "due_date",
            "2026-06-29",
            "or a later one",
            id="due before issue",
        ),
        pytest.param(
            {"issue_date": ON + timedelta(days=1), "due_date": ON + timedelta(days=1)},
            "issue_date",
            "2026-07-01",
            "2026-06-30 or an earlier date",
            id="issue after the date asked",
        ),
        pytest.param({"currency": "RMB"}, "currency", "RMB", "ISO 4217", id="unknown currency"),
        pytest.param({"currency": "cny"}, "currency", "cny", "ISO 4217", id="small letters"),
        pytest.param({"stage": "draft"}, "stage", "draft", "order, receipt", id="unknown stage"),
        pytest.param({"status": "paid"}, "status", "paid", "open, disputed", id="unknown status"),
        pytest.param({"obligor_id": ""}, "obligor_id", "", "It is empty", id="empty id"),
        pytest.param(
            {"supplier_id": "S" * 201}, "supplier_id", "S" * 80, "at most 200", id="overlong id"
        ),
        pytest.param(
            {"claim_id": "C\x001"}, "claim_id", "C\x001", "line breaks", id="control character"
        ),
    ],
)
def test_a_fault_is_reported_with_row_column_value_and_remedy(changes, column, value, remedy):
    [fault] = found(GOOD, replace(GOOD, **changes), GOOD)

    assert fault[:3] == (2, column, value)
    assert remedy in fault[3]


@pytest.mark.parametrize("column", CLAIMS)
def test_a_missing_value_is_a_fault(column):
    [fault] = found(replace(GOOD, **{column: None}))

    assert fault[:3] == (1, column, None)
    assert "missing" in fault[3]


def test_every_engine_finds_the_same_faults():
    # Among them amounts whose difference leaves 64 bits, at which DuckDB would stop.
    wrong = [
        GOOD,
        replace(GOOD, face_minor=-(2**63), paid_minor=2**63 - 1, diluted_minor=2**63 - 1),
        replace(GOOD, obligor_id="", currency="RMB", stage="?", status="?"),
        replace(GOOD, claim_id="\n", supplier_id="京" * 201, due_date=date(2026, 1, 1)),
    ]

    by_engine = [found(*wrong, engine=engine) for engine in ENGINES]

    assert [fault[:2] for fault in by_engine[0]] == [
        (2, "face_minor"),
        (3, "currency"),
        (3, "obligor_id"),
        (3, "stage"),
        (3, "status"),
        (4, "claim_id"),
        (4, "due_date"),
        (4, "supplier_id"),
    ]
    assert all(faults == by_engine[0] for faults in by_engine)


def test_every_fault_of_a_row_is_told_at_once():
    wrong = replace(GOOD, face_minor=-5, stage="draft", due_date=date(2026, 1, 1))

    assert [fault[1] for fault in found(wrong)] == ["due_date", "face_minor", "stage"]


def test_a_claim_that_stands_more_than_once_is_named_with_its_rows():
    table = claims_table([GOOD, replace(GOOD, claim_id="C2"), GOOD, GOOD])

    for engine in ENGINES.values():
        frame = nw.from_native(engine(table.with_row_index("row", offset=2)))
        assert collected(repeated(frame)) == [{"claim_id": "C1", "first_row": 2, "last_row": 5}]


def of_types(**types: Any) -> pl.DataFrame:
    table = claims_table([GOOD])
    return table.with_columns(pl.col(name).cast(kind) for name, kind in types.items())


def test_narrow_integers_and_categories_become_the_frames_types():
    table = of_types(face_minor=pl.Int32, paid_minor=pl.UInt16, stage=pl.Categorical)

    frame = claims_frame(nw.from_native(table))

    assert dict(frame.schema) == dict(CLAIMS)
    assert frame.rows() == claims_table([GOOD]).rows()


def test_columns_may_stand_in_any_order_and_the_row_is_kept():
    table = claims_table([GOOD]).select(reversed(list(CLAIMS))).with_row_index("row")

    assert claims_frame(nw.from_native(table)).columns == ["row", *CLAIMS]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        (of_types(face_minor=pl.Float64), "column face_minor holds Float64"),
        (of_types(face_minor=pl.String), "column face_minor holds String"),
        (of_types(paid_minor=pl.UInt64), "column paid_minor holds UInt64"),
        (of_types(due_date=pl.Datetime("us")), "column due_date holds Datetime"),
        (of_types(issue_date=pl.String), "column issue_date holds String"),
        (of_types(claim_id=pl.Binary), "column claim_id holds Binary"),
        (claims_table([GOOD]).drop("stage"), "column stage is missing"),
        (claims_table([GOOD]).rename({"face_minor": "face_mior"}), "rename it to face_minor"),
        (claims_table([GOOD]).with_columns(note=pl.lit("x")), "column 'note' is unknown; remove"),
    ],
)
def test_other_columns_and_types_are_refused_by_name(table, problem):
    with pytest.raises(NotClaims, match=problem):
        claims_frame(nw.from_native(table))
