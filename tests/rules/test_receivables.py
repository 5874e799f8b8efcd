"""The borrowing base, clause by clause, then its laws against the definition read aloud."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from math import ceil, floor
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules import oracle_receivables as oracle
from tests.rules.oracle_receivables import Claim, Pool
from tests.rules.pools import ENGINES, ON, base_on, claims_table, collected, pools, related_table

from tallystick.rules.eligibility import REASONS, remedies
from tallystick.rules.pool_terms import TERM_BOUNDS, Terms
from tallystick.rules.receivables import (
    MAX_FACE_MINOR,
    BeyondExactArithmetic,
    borrowing_base,
    claims_with_reasons,
    refuse_inexact,
)
from tallystick.rules.shares import floor_of, parts_per_million_up, share_down, share_up

TERMS = Terms(
    advance_rate_bps={"order": 5_000, "receipt": 6_000, "invoice": 7_000, "settlement": 8_000},
    max_days_past_due=60,
    max_tenor_days=120,
    min_days_to_due=5,
    cross_ageing_share_bps=5_000,
    concentration_limit_bps=10_000,
    dilution_window_days=90,
    dilution_stress_bps=15_000,
)
GOOD = Claim(
    claim_id="C1",
    supplier_id="S1",
    obligor_id="O1",
    currency="CNY",
    stage="invoice",
    status="open",
    face_minor=10_000,
    paid_minor=0,
    diluted_minor=0,
    issue_date=ON - timedelta(days=10),
    due_date=ON + timedelta(days=30),
)


def due_in(days: int, *, tenor_days: int = 100) -> dict[str, date]:
    """Dates of a claim due so many days after ON, before it when negative."""
    due_date = ON + timedelta(days=days)
    return {"due_date": due_date, "issue_date": due_date - timedelta(days=tenor_days)}


def bases(
    claims: Sequence[Claim],
    *,
    terms: Terms = TERMS,
    related: dict[str, list[str]] | None = None,
    override_bps: dict[str, int] | None = None,
) -> list[dict[str, Any]]:
    pool = Pool(claims, terms, ON, related or {}, override_bps or {})
    return base_on(ENGINES["Polars"], pool)


def base(claims: Sequence[Claim], **how: Any) -> dict[str, Any]:
    [only] = bases(claims, **how)
    return only


# --- eligibility --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({}, None, id="an open claim in time is eligible"),
        pytest.param({"status": "closed"}, "closed", id="closed"),
        pytest.param({"status": "disputed"}, "disputed", id="disputed"),
        pytest.param({"status": "assigned_elsewhere"}, "assigned_elsewhere", id="assigned"),
        pytest.param(due_in(-60), None, id="sixtieth day past due: still eligible"),
        pytest.param(due_in(-61), "past_due", id="sixty-first day past due: excluded"),
        pytest.param(due_in(30, tenor_days=120), None, id="tenor of 120 days: eligible"),
        pytest.param(due_in(30, tenor_days=121), "tenor", id="tenor of 121 days: excluded"),
        pytest.param(due_in(5), None, id="five days to due: far enough"),
        pytest.param(due_in(4), "too_near", id="four days to due: too near"),
        pytest.param(due_in(0), "too_near", id="due today: not past due, too near"),
        pytest.param(due_in(-1), None, id="a day past due: no longer too near"),
        pytest.param(
            {**due_in(-61), "status": "disputed"}, "disputed", id="disputed comes before past due"
        ),
        pytest.param(due_in(-61, tenor_days=121), "past_due", id="past due comes before tenor"),
        pytest.param(due_in(3, tenor_days=121), "tenor", id="tenor comes before too near"),
    ],
)
def test_a_claim_is_ineligible_for_the_first_reason_that_holds(changes, reason):
    # Another claim of the obligor keeps cross-ageing out of the question.
    other = replace(GOOD, claim_id="C2", face_minor=90_000)

    answer = base([replace(GOOD, **changes), other])

    assert answer["ineligible"] == ({reason: 10_000} if reason else {})
    assert answer["eligible_minor"] == 90_000 + (0 if reason else 10_000)
    assert answer["outstanding_minor"] == 100_000


def test_the_outstanding_is_face_less_paid_less_diluted():
    answer = base([replace(GOOD, face_minor=10_000, paid_minor=3_000, diluted_minor=500)])

    assert answer["outstanding_minor"] == answer["eligible_minor"] == 6_500


def test_an_obligor_related_to_the_supplier_is_excluded_for_that_supplier_only():
    other = replace(GOOD, claim_id="C2", supplier_id="S2")

    first, second = bases([GOOD, other], related={"S1": ["O1", "O1", "O9"]})

    assert first["ineligible"] == {"related": 10_000}
    assert second["ineligible"] == {}


def test_too_near_comes_before_related_which_comes_before_cross_aged():
    near = replace(GOOD, claim_id="C2", **due_in(1))
    aged = replace(GOOD, claim_id="C3", face_minor=50_000, **due_in(-61))

    answer = base([GOOD, near, aged], related={"S1": ["O1"]})

    assert answer["ineligible"] == {"too_near": 10_000, "related": 10_000, "past_due": 50_000}


@pytest.mark.parametrize(
    ("aged_minor", "excluded"),
    [
        pytest.param(10_000, False, id="half of the debt past due: not above the share"),
        pytest.param(10_001, True, id="a fen more than half: above"),
    ],
)
def test_an_obligor_is_cross_aged_when_more_than_the_share_of_its_debt_is_past_due(
    aged_minor, excluded
):
    aged = replace(GOOD, claim_id="C2", face_minor=aged_minor, **due_in(-61))

    assert ("cross_aged" in base([GOOD, aged])["ineligible"]) is excluded


@pytest.mark.parametrize("status", ["closed", "disputed", "assigned_elsewhere"])
def test_cross_ageing_looks_at_all_claims_whatever_their_status(status):
    aged = replace(GOOD, claim_id="C2", face_minor=10_001, status=status, **due_in(-61))
    young = replace(GOOD, claim_id="C3", face_minor=2, status=status)

    assert base([GOOD, aged])["ineligible"] == {status: 10_001, "cross_aged": 10_000}
    assert base([GOOD, aged, young])["ineligible"] == {status: 10_003}


def test_cross_ageing_is_per_obligor_and_currency():
    aged = replace(GOOD, claim_id="C2", face_minor=90_000, **due_in(-61))

    elsewhere = base([GOOD, replace(aged, obligor_id="O2")])
    in_yen, in_yuan = sorted(
        bases([GOOD, replace(aged, currency="JPY")]), key=lambda each: -each["outstanding_minor"]
    )

    assert elsewhere["eligible_minor"] == in_yuan["eligible_minor"] == 10_000
    assert in_yen["ineligible"] == {"past_due": 90_000}


def test_every_supplier_and_currency_is_there_also_with_nothing_to_lend_on():
    closed = replace(GOOD, claim_id="C2", supplier_id="S2", currency="JPY", status="closed")
    empty = replace(GOOD, claim_id="C3", supplier_id="S3", face_minor=0)

    answers = bases([GOOD, closed, empty])

    assert [(each["supplier_id"], each["currency"], each["base_minor"]) for each in answers] == [
        ("S1", "CNY", 7_000),
        ("S2", "JPY", 0),
        ("S3", "CNY", 0),
    ]


# --- concentration ------------------------------------------------------------------------------


def test_each_stage_lends_its_own_rate_and_the_fractions_are_kept_until_the_sum():
    # 0.5, 0.6, 0.7 and 0.8 of a fen: 2.6 together.
    claims = [
        replace(GOOD, claim_id=stage, stage=stage, face_minor=1)
        for stage in ("order", "receipt", "invoice", "settlement")
    ]

    assert base(claims)["lendable_minor"] == base(claims)["gross_base_minor"] == 2


def test_an_obligor_counts_up_to_its_share_over_all_its_stages_taken_together():
    terms = replace(TERMS, concentration_limit_bps=4_000)
    claims = [
        replace(GOOD, claim_id="C1", stage="order", face_minor=600_000),  # 300,000
        replace(GOOD, claim_id="C2", stage="invoice", face_minor=400_000),  # 280,000
        replace(GOOD, claim_id="C3", obligor_id="O2", stage="settlement", face_minor=525_000),
    ]

    answer = base(claims, terms=terms)

    # 40 % of 1,000,000 for each of 580,000 and 420,000.
    assert answer["lendable_minor"] == 1_000_000
    assert answer["gross_base_minor"] == 800_000
    assert answer["excess_concentration_minor"] == 200_000


def test_an_override_replaces_the_obligors_limit_upwards_and_downwards():
    terms = replace(TERMS, concentration_limit_bps=4_000)
    claims = [GOOD, replace(GOOD, claim_id="C2", obligor_id="O2")]

    # 7,000 each of 14,000; 40 % of it is 5,600.
    assert base(claims, terms=terms)["gross_base_minor"] == 11_200
    assert base(claims, terms=terms, override_bps={"O2": 10_000})["gross_base_minor"] == 12_600
    assert base(claims, terms=terms, override_bps={"O2": 1_000})["gross_base_minor"] == 7_000
    assert base(claims, terms=terms, override_bps={"O2": 0})["gross_base_minor"] == 5_600


# --- dilution and cover -------------------------------------------------------------------------


def test_the_reserve_is_stressed_dilution_of_the_gross_base_each_step_rounded_up():
    # 1 of 30,000: 33.3… ppm, so 34; × 1.5 = 51; 20,999.3 lendable, gross 20,999.
    answer = base([replace(GOOD, face_minor=30_000, diluted_minor=1)])

    assert answer["dilution_ppm"] == 34
    assert answer["gross_base_minor"] == 20_999
    assert answer["dilution_reserve_minor"] == 2  # 20,999 × 51 ÷ 10⁶ = 1.07…
    assert answer["base_minor"] == 20_997


@pytest.mark.parametrize(
    ("age_days", "counts"),
    [
        pytest.param(0, True, id="issued today"),
        pytest.param(89, True, id="issued 89 days ago: the ninetieth day of the window"),
        pytest.param(90, False, id="issued 90 days ago: before the window"),
    ],
)
@pytest.mark.parametrize("status", ["open", "closed", "disputed", "assigned_elsewhere"])
def test_dilution_is_measured_on_the_claims_issued_in_the_window_of_any_status(
    age_days, counts, status
):
    diluted = replace(
        GOOD,
        claim_id="C2",
        status=status,
        diluted_minor=10_000,
        issue_date=ON - timedelta(days=age_days),
    )

    assert base([GOOD, diluted])["dilution_ppm"] == (500_000 if counts else 0)


def test_a_window_without_face_has_no_dilution():
    assert base([replace(GOOD, **due_in(9))])["dilution_ppm"] == 0
    assert base([replace(GOOD, face_minor=0)])["dilution_ppm"] == 0


def test_a_reserve_above_the_gross_base_leaves_a_base_of_nothing():
    answer = base(
        [GOOD, replace(GOOD, claim_id="C2", diluted_minor=10_000)],
        terms=replace(TERMS, dilution_stress_bps=30_000),
    )

    assert (answer["gross_base_minor"], answer["dilution_reserve_minor"]) == (7_000, 10_500)
    assert (answer["base_minor"], answer["cover_minor"]) == (0, 0)


def test_cover_counts_what_is_too_near_unless_another_reason_excludes_it():
    near = replace(GOOD, claim_id="C2", **due_in(2))

    assert base([near])["base_minor"] == 0
    assert base([near])["cover_minor"] == 7_000
    assert base([near], related={"S1": ["O1"]})["cover_minor"] == 0
    aged = replace(GOOD, claim_id="C3", face_minor=90_000, **due_in(-61))
    assert base([near, aged])["cover_minor"] == 0
    assert base([near, replace(aged, obligor_id="O2")])["cover_minor"] == 7_000


def test_cover_has_its_own_concentration():
    terms = replace(TERMS, concentration_limit_bps=5_000)
    near = replace(GOOD, claim_id="C2", obligor_id="O2", **due_in(2))

    assert base([GOOD, near], terms=terms)["base_minor"] == 3_500
    assert base([GOOD, near], terms=terms)["cover_minor"] == 14_000


@pytest.mark.parametrize("engine", ENGINES)
def test_terms_at_their_widest_switch_the_date_clauses_off(engine):
    widest = TERM_BOUNDS["max_tenor_days"].highest
    terms = replace(
        TERMS,
        max_days_past_due=widest,
        max_tenor_days=widest,
        dilution_window_days=widest,
        min_days_to_due=0,
    )
    first = replace(GOOD, issue_date=date.min, due_date=date.min, diluted_minor=5_000)
    last = replace(GOOD, claim_id="C2", issue_date=date.min, due_date=date.max)
    near = replace(terms, min_days_to_due=widest)

    [answer] = base_on(ENGINES[engine], Pool([first, last], terms, ON, {}, {}))
    [answer_near] = base_on(ENGINES[engine], Pool([first, last], near, ON, {}, {}))

    assert answer["ineligible"] == {}
    assert answer["dilution_ppm"] == 250_000
    assert answer_near["ineligible"] == {"too_near": 10_000}


# --- laws ---------------------------------------------------------------------------------------


@settings(max_examples=100, deadline=None)
@given(pool=pools())
def test_the_borrowing_base_agrees_with_the_definition_read_aloud(pool):
    assert base_on(ENGINES["Polars streaming"], pool) == oracle.borrowing_base(pool)


@pytest.mark.parametrize(("engine", "examples"), [("Polars", 30), ("PyArrow", 30), ("DuckDB", 10)])
def test_every_engine_agrees_with_the_definition_read_aloud(engine, examples):
    @settings(max_examples=examples, deadline=None)
    @given(pool=pools(max_claims=20))
    def agrees(pool):
        assert base_on(ENGINES[engine], pool) == oracle.borrowing_base(pool)

    agrees()


@settings(max_examples=40, deadline=None)
@given(pool=pools())
def test_the_columns_add_up(pool):
    for answer in base_on(ENGINES["Polars"], pool):
        assert answer["outstanding_minor"] == answer["eligible_minor"] + sum(
            answer["ineligible"].values()
        )
        assert answer["lendable_minor"] == (
            answer["gross_base_minor"] + answer["excess_concentration_minor"]
        )
        assert answer["lendable_minor"] <= answer["eligible_minor"]
        assert 0 <= answer["base_minor"] <= answer["gross_base_minor"]


@pytest.mark.parametrize(("engine", "examples"), [("Polars streaming", 60), ("DuckDB", 5)])
def test_the_reason_of_each_claim_is_the_one_its_amount_is_summed_under(engine, examples):
    @settings(max_examples=examples, deadline=None)
    @given(pool=pools())
    def agrees(pool):
        rows = collected(
            claims_with_reasons(
                nw.from_native(ENGINES[engine](claims_table(pool.claims))),
                terms=pool.terms,
                on=pool.on,
                related=nw.from_native(ENGINES[engine](related_table(pool))),
            )
        )
        assert {row["claim_id"]: (row["outstanding_minor"], row["reason"]) for row in rows} == {
            claim.claim_id: (claim.outstanding_minor, oracle.reason(claim, pool))
            for claim in pool.claims
        }

    agrees()


def test_there_is_a_remedy_for_every_reason():
    assert list(remedies(TERMS)) == list(REASONS)


# --- 64 bits ------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ENGINES)
def test_the_largest_exact_total_is_exact(engine):
    claims = [
        replace(GOOD, face_minor=MAX_FACE_MINOR - 1, diluted_minor=MAX_FACE_MINOR // 3),
        replace(GOOD, claim_id="C2", obligor_id="O2", face_minor=1),
    ]
    pool = Pool(
        claims,
        replace(
            TERMS,
            advance_rate_bps=dict.fromkeys(TERMS.advance_rate_bps, 10_000),
            concentration_limit_bps=9_999,
            dilution_stress_bps=10_000_000,
        ),
        ON,
        {},
        {},
    )

    assert base_on(ENGINES[engine], pool) == oracle.borrowing_base(pool)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "faces_minor",
    [
        pytest.param([MAX_FACE_MINOR, 1], id="a minor unit too much"),
        pytest.param([2**63 - 1], id="one face of 63 bits"),
        pytest.param([2**63 - 1, 2**63 - 1, 2, 5_000], id="a sum that wraps to 5,000"),
        pytest.param([2**62] * 4, id="a sum that wraps to 0"),
        pytest.param([MAX_FACE_MINOR] * 20_002, id="twenty thousand faces, each within the limit"),
    ],
)
def test_a_supplier_beyond_exact_arithmetic_is_refused_by_name_and_nobody_else(engine, faces_minor):
    small = [replace(GOOD, supplier_id="S2"), replace(GOOD, currency="JPY")]
    faces = pl.DataFrame({"face_minor": faces_minor}).with_row_index("number")
    large = claims_table([GOOD]).drop("face_minor").join(faces, how="cross")
    # S3 has the same claims, spread over two obligors.
    spread = large.with_columns(
        supplier_id=pl.lit("S3"), obligor_id=pl.format("O{}", pl.col("number") % 2)
    )
    claims = pl.concat(
        [claims_table(small), large.drop("number"), spread.drop("number")], how="diagonal"
    )

    rows = collected(borrowing_base(nw.from_native(ENGINES[engine](claims)), terms=TERMS, on=ON))

    assert {
        (row["supplier_id"], row["currency"]): (row["is_exact"], row["base_minor"]) for row in rows
    } == {
        ("S1", "CNY"): (False, None),
        ("S1", "JPY"): (True, 7_000),
        ("S2", "CNY"): (True, 7_000),
        ("S3", "CNY"): (False, None),
    }
    with pytest.raises(BeyondExactArithmetic, match="S1 in CNY, S3 in CNY") as refused:
        refuse_inexact(nw.from_native(pl.DataFrame(rows)))
    assert refused.value.suppliers == (("S1", "CNY"), ("S3", "CNY"))


totals = st.sampled_from([0, 1, 9_999, 10_000, MAX_FACE_MINOR]) | st.integers(0, MAX_FACE_MINOR)


@pytest.mark.parametrize(
    ("engine", "examples"), [("Polars", 100), ("PyArrow", 100), ("DuckDB", 20)]
)
def test_shares_and_quotients_of_totals_are_exact(engine, examples):
    @settings(max_examples=examples, deadline=None)
    @given(
        total=totals,
        total_e4=st.just(MAX_FACE_MINOR * 10_000) | st.integers(0, MAX_FACE_MINOR * 10_000),
        limit_bps=st.integers(0, 10_000),
        stressed_ppm=st.integers(0, 10**9),
        whole=totals,
    )
    def exact(total, total_e4, limit_bps, stressed_ppm, whole):
        part, whole = min(total, whole), max(total, whole, 1)
        values = {
            "total": total,
            "total_e4": total_e4,
            "limit": limit_bps,
            "stressed": stressed_ppm,
            "part": part,
            "whole": whole,
        }
        answers = nw.from_native(
            ENGINES[engine](pl.DataFrame({name: [value] for name, value in values.items()}))
        ).select(
            floor=floor_of(nw.col("total_e4"), 10_000),
            down=share_down(nw.col("total_e4"), nw.col("limit"), whole=10_000),
            up=share_up(nw.col("total"), nw.col("stressed"), whole=1_000_000),
            ppm=parts_per_million_up(nw.col("part"), nw.col("whole")),
        )

        assert collected(answers) == [
            {
                "floor": total_e4 // 10_000,
                "down": floor(Fraction(total_e4 * limit_bps, 10_000)),
                "up": ceil(Fraction(total * stressed_ppm, 1_000_000)),
                "ppm": ceil(Fraction(part * 1_000_000, whole)),
            }
        ]

    exact()
