"""Five-category classification: what the rules say, clause by clause, and what always holds."""

from datetime import date

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.rules.packs import pack

from tallystick.rules.classification import DEBTOR_CLAUSES, classified
from tallystick.rules.rule_pack import NON_PERFORMING, AssetClass, Limit

ON = date(2026, 6, 30)
BANK, FACTOR = (pack(code).limits(on=ON) for code in ("cn.bank", "cn.factor"))
SPOTLESS = {
    "debtor_id": 1,
    "currency": "CNY",
    "owed_minor": 100_000,
    "days_past_due": 0,
    "is_retail": False,
    "diverted_use": False,
    "credit_impaired": False,
    "expected_loss_bps": 0,
    "elsewhere_bps": 0,
    "rebuts_stage_2": False,
    "rebuts_stage_3": False,
    "rank_before": 0,
    "months_observed": 0,
}


def loans_of(*differences: dict) -> pl.DataFrame:
    return pl.DataFrame([{"loan_id": n} | SPOTLESS | each for n, each in enumerate(differences)])


def classes_of(*differences: dict, limits=BANK) -> list[tuple[AssetClass, str, int]]:
    """Class, clause and stage of loans that differ so from spotless ones of one debtor."""
    frame = classified(nw.from_native(loans_of(*differences)), limits=limits).to_native()
    return [
        (list(AssetClass)[rank], clause, stage)
        for rank, clause, stage in frame.sort("loan_id")
        .select("class_rank", "clause", "stage")
        .rows()
    ]


def class_of(difference: dict, *, limits=BANK) -> AssetClass:
    return classes_of(difference, limits=limits)[0][0]


# Rules on the Risk Classification of Financial Assets of Commercial Banks, 2023 No. 1.
@pytest.mark.parametrize(
    ("days_past_due", "expected"),
    [
        pytest.param(0, "normal", id="not past due: normal"),
        pytest.param(7, "normal", id="a slip of seven days: still normal"),
        pytest.param(8, "special_mention", id="beyond seven days: special mention"),
        pytest.param(90, "special_mention", id="ninetieth day: special mention"),
        pytest.param(91, "substandard", id="beyond 90 days: substandard"),
        pytest.param(270, "substandard", id="270th day: substandard"),
        pytest.param(271, "doubtful", id="beyond 270 days: doubtful"),
        pytest.param(360, "doubtful", id="360th day: doubtful"),
        pytest.param(361, "loss", id="beyond 360 days: loss"),
    ],
)
def test_a_bank_classes_by_days_past_due(days_past_due, expected):
    assert class_of({"days_past_due": days_past_due}) == expected


# 银保监办发〔2019〕205号: overdue and uncollected for 90 days is non-performing.
@pytest.mark.parametrize(
    ("days_past_due", "expected"),
    [(8, "normal"), (90, "normal"), (91, "substandard"), (400, "substandard")],
)
def test_a_factor_classes_what_is_beyond_90_days_as_non_performing(days_past_due, expected):
    assert class_of({"days_past_due": days_past_due}, limits=FACTOR) == expected


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        pytest.param({"diverted_use": True}, "special_mention", id="diverted use"),
        pytest.param({"credit_impaired": True}, "substandard", id="credit impaired"),
        pytest.param(
            {"credit_impaired": True, "expected_loss_bps": 5_000},
            "substandard",
            id="credit impaired, half expected lost",
        ),
        pytest.param(
            {"credit_impaired": True, "expected_loss_bps": 5_001},
            "doubtful",
            id="credit impaired, more than half expected lost",
        ),
        pytest.param(
            {"credit_impaired": True, "expected_loss_bps": 9_001},
            "loss",
            id="credit impaired, more than nine tenths expected lost",
        ),
        pytest.param(
            {"expected_loss_bps": 9_999}, "normal", id="no impairment: its share says nothing"
        ),
        pytest.param({"elsewhere_bps": 2_000}, "normal", id="a fifth overdue elsewhere"),
        pytest.param(
            {"elsewhere_bps": 2_001}, "substandard", id="more than a fifth overdue elsewhere"
        ),
        pytest.param(
            {"elsewhere_bps": 2_001, "is_retail": True},
            "normal",
            id="a retail debtor's debts elsewhere do not count",
        ),
    ],
)
def test_a_bank_classes_by_recorded_facts(facts, expected):
    assert class_of(facts) == expected


def test_one_bad_debt_of_a_firm_makes_its_others_special_mention():
    bad = {"days_past_due": 91, "owed_minor": 100}
    good = {"owed_minor": 900}

    assert classes_of(bad, good) == [
        ("substandard", "substandard_over_days", 3),
        ("special_mention", "debtor_non_performing", 1),
    ]


def test_more_than_a_tenth_of_a_firms_debts_bad_makes_all_of_them_bad():
    bad = {"days_past_due": 91, "owed_minor": 101}
    good = {"owed_minor": 899}

    assert classes_of(bad, good)[1] == ("substandard", "debtor_over_share_bps", 3)


def test_a_debtors_debts_stand_together_and_nobody_elses():
    bad = {"days_past_due": 400}

    assert classes_of(bad, {"debtor_id": 2})[1] == ("normal", "", 1)


def test_the_shares_of_two_currencies_are_never_added_up():
    """A tenth of the yuan is bad; however many yen there are, they are another share."""
    bad = {"days_past_due": 91, "owed_minor": 200}
    good = {"owed_minor": 800}
    yen = {"owed_minor": 10**9, "currency": "JPY"}

    assert [found[0] for found in classes_of(bad, good, yen)] == ["substandard"] * 3


def test_a_retail_debtors_debts_are_classed_one_by_one():
    bad = {"days_past_due": 91, "is_retail": True}

    assert classes_of(bad, {"is_retail": True})[1] == ("normal", "", 1)


@pytest.mark.parametrize(
    ("difference", "expected"),
    [
        pytest.param(
            {"days_past_due": 1},
            ("substandard", "cure_needs_no_arrears", 3),
            id="a day of arrears: not yet",
        ),
        pytest.param(
            {"months_observed": 5},
            ("substandard", "cure_after_months", 3),
            id="fifth month: not yet",
        ),
        pytest.param({"months_observed": 6}, ("normal", "", 1), id="six months: it performs again"),
        pytest.param(
            {"rank_before": 4},
            ("substandard", "cure_after_months", 3),
            id="a loss that was paid up",
        ),
        pytest.param({"rank_before": 1}, ("normal", "", 1), id="special mention: lifted at once"),
        pytest.param({"is_retail": True}, ("normal", "", 1), id="retail: lifted at once"),
        pytest.param(
            {"days_past_due": 300},
            ("doubtful", "doubtful_over_days", 3),
            id="worse: by its own days",
        ),
    ],
)
def test_what_was_non_performing_performs_again_after_arrears_are_paid_and_six_months(
    difference, expected
):
    assert classes_of({"rank_before": 2, **difference})[0] == expected


def test_a_debt_under_observation_is_non_performing_for_its_debtors_others():
    assert classes_of({"rank_before": 2}, {})[1] == ("special_mention", "debtor_non_performing", 1)


# IFRS 9, 5.5.11 and B5.5.37.
@pytest.mark.parametrize(
    ("difference", "stage"),
    [
        pytest.param({"days_past_due": 30}, 1, id="thirtieth day: twelve months"),
        pytest.param({"days_past_due": 31}, 2, id="beyond 30 days: lifetime"),
        pytest.param({"days_past_due": 90}, 2, id="ninetieth day: lifetime"),
        pytest.param({"days_past_due": 91}, 3, id="beyond 90 days: impaired"),
        pytest.param({"days_past_due": 31, "rebuts_stage_2": True}, 1, id="30 days rebutted"),
        pytest.param({"days_past_due": 91, "rebuts_stage_2": True}, 3, id="only 30 days rebutted"),
        pytest.param({"days_past_due": 91, "rebuts_stage_3": True}, 2, id="90 days rebutted"),
        pytest.param(
            {"days_past_due": 91, "rebuts_stage_2": True, "rebuts_stage_3": True},
            2,
            id="both rebutted: beyond 90 days it is lifetime still",
        ),
        pytest.param(
            {"credit_impaired": True, "rebuts_stage_2": True, "rebuts_stage_3": True},
            3,
            id="impaired by evidence: nothing rebuts it",
        ),
        pytest.param(
            {"credit_impaired": True, "days_past_due": 95, "rebuts_stage_3": True},
            3,
            id="impaired by evidence and late: nothing rebuts it",
        ),
    ],
)
def test_stages_presume_by_days_unless_rebutted(difference, stage):
    assert classes_of(difference)[0][2] == stage


loan = st.fixed_dictionaries(
    {
        "debtor_id": st.integers(1, 3),
        "currency": st.sampled_from(["CNY", "JPY"]),
        "owed_minor": st.integers(0, 10**14),
        "days_past_due": st.sampled_from([0, 1, 7, 8, 30, 31, 90, 91, 270, 271, 360, 361, 5_000]),
        "is_retail": st.booleans(),
        "diverted_use": st.booleans(),
        "credit_impaired": st.booleans(),
        "expected_loss_bps": st.sampled_from([0, 5_000, 5_001, 9_000, 9_001]),
        "elsewhere_bps": st.sampled_from([0, 2_000, 2_001]),
        "rebuts_stage_2": st.booleans(),
        "rebuts_stage_3": st.booleans(),
        "rank_before": st.integers(0, 4),
        "months_observed": st.sampled_from([0, 5, 6]),
    }
)
books = st.lists(loan, min_size=1, max_size=8)


@given(book=books, place=st.integers(0, 7), more_days=st.integers(0, 400))
@settings(max_examples=60)
def test_more_days_past_due_never_better_any_loan(book, place, more_days):
    later = [dict(each) for each in book]
    later[place % len(book)]["days_past_due"] += more_days

    for each, before, after in zip(book, classes_of(*book), classes_of(*later), strict=True):
        assert after[0].rank >= before[0].rank
        # What a rebuttal is about begins with the days.
        assert after[2] >= before[2] or each["rebuts_stage_3"]


@given(book=books)
@settings(max_examples=60)
def test_no_debt_of_a_firm_is_better_than_what_its_bad_debts_allow(book):
    found = classes_of(*book)
    own = [classes_of({**each, "elsewhere_bps": 0})[0][0] for each in book]
    for each, (asset_class, clause, _) in zip(book, found, strict=True):
        siblings = [
            (other, rank.rank)
            for other, rank in zip(book, own, strict=True)
            if other["debtor_id"] == each["debtor_id"]
        ]
        has_bad = any(rank >= NON_PERFORMING.rank for _, rank in siblings)
        if each["is_retail"]:
            assert clause not in {str(limit) for limit, *_ in DEBTOR_CLAUSES}
            continue
        if has_bad:
            assert asset_class.rank >= AssetClass.SPECIAL_MENTION.rank
        for currency in ("CNY", "JPY"):
            amounts = [(o["owed_minor"], r) for o, r in siblings if o["currency"] == currency]
            bad = sum(minor for minor, rank in amounts if rank >= NON_PERFORMING.rank)
            if bad * 10 > sum(minor for minor, _ in amounts):
                assert asset_class.rank >= NON_PERFORMING.rank


@given(book=books)
@settings(max_examples=40)
def test_a_clause_is_named_exactly_where_a_loan_is_not_normal(book):
    for asset_class, clause, _ in classes_of(*book):
        assert (clause == "") is (asset_class is AssetClass.NORMAL)
        assert clause == "" or Limit(clause) in BANK


@given(book=books)
@settings(max_examples=40)
def test_the_order_of_the_loans_decides_nothing(book):
    assert classes_of(*book) == list(reversed(classes_of(*reversed(book))))
