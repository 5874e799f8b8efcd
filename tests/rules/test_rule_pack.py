"""Rule packs: dated thresholds with their law, and everything that is wrong told at once."""

from datetime import date

import pytest
from tests.rules.packs import FILE, pack

from tallystick.rules.rule_pack import (
    InvalidRulePack,
    Limit,
    Standing,
    read_rule_packs,
    stored_rule_pack,
)

TEXT = FILE.read_text("utf-8")


def test_every_threshold_of_the_package_names_its_law_and_how_well_it_is_known():
    for code in ("cn.bank", "cn.factor", "cn.microloan"):
        for each in pack(code).thresholds:
            assert each.law
            assert (each.standing is Standing.SOURCED) is each.source.startswith("[")


def test_a_pack_reads_the_same_from_its_stored_content():
    bank = pack("cn.bank")

    assert stored_rule_pack("cn.bank", bank.content) == bank


def test_a_pack_is_in_force_once_all_is_that_no_class_can_be_told_without():
    factor = pack("cn.factor")

    assert factor.first_date == date(2019, 10, 31)
    assert Limit.SUBSTANDARD_OVER_DAYS in factor.limits(on=date(2019, 10, 31))
    assert Limit.SUBSTANDARD_OVER_DAYS not in factor.limits(on=date(2019, 10, 30))


def test_a_threshold_is_in_force_from_its_day_until_the_next_of_its_name():
    later = TEXT.replace(
        "[cn.bank.loss]",
        """[[cn.bank.thresholds]]
name = "special_mention_over_days"
value = 3
from_date = 2027-01-01
law = "a later rule"
standing = "illustrative"
source = "a test"

[cn.bank.loss]""",
        1,
    )
    bank = read_rule_packs(later, file="cn.toml")[0]

    assert Limit.SPECIAL_MENTION_OVER_DAYS not in bank.limits(on=date(2023, 6, 30))
    assert bank.limits(on=date(2023, 7, 1))[Limit.SPECIAL_MENTION_OVER_DAYS] == 7
    assert bank.limits(on=date(2026, 12, 31))[Limit.SPECIAL_MENTION_OVER_DAYS] == 7
    assert bank.limits(on=date(2027, 1, 1))[Limit.SPECIAL_MENTION_OVER_DAYS] == 3


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param("value = 270", "value = 80", "do not ascend", id="doubtful before bad"),
        pytest.param('source = "[20, C]"', 'source = "somewhere"', "cites where", id="no source"),
        pytest.param("from_date = 2023-07-01", 'from_date = "soon"', "such as", id="no day"),
        pytest.param("value = 270", "value = -1", "whole number", id="below zero"),
        pytest.param('name = "loss_over_days"', 'name = "late"', "Use one of", id="unknown name"),
        pytest.param(
            'name = "stage_3_over_days"', 'name = "reserve_bps"', "is missing", id="none for stage"
        ),
        pytest.param(
            'non_accrual_from = "substandard"', 'non_accrual_from = "normal"', "or worse",
            id="suspending everything",
        ),
        pytest.param("days = 90\n", "days = 30\n", "ascend", id="term structure not ascending"),
        pytest.param("over_days = -1", "over_days = 5", "Begin with", id="matrix with a hole"),
        pytest.param("[[cn.factor.loss.matrix]]", "[[cn.factor.loss.x]]", "either", id="no model"),
    ],
)  # fmt: skip
def test_a_pack_that_cannot_be_used_is_refused_with_its_remedy(old, new, told):
    assert old in TEXT

    with pytest.raises(InvalidRulePack, match=told):
        read_rule_packs(TEXT.replace(old, new), file="cn.toml")


def test_text_that_is_no_pack_is_refused():
    for text in ("[cn", "", "[cn.bank]\n"):
        with pytest.raises(InvalidRulePack):
            read_rule_packs(text, file="cn.toml")
