"""A programme file is checked whole; what it refuses it names with line, value and remedy."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from tallystick.rules.instalment_terms import Axis
from tallystick.rules.loan_terms import Bucket, Debt
from tallystick.rules.programme import (
    InvalidProgramme,
    ProgrammeTerms,
    read_programmes,
    stored_programme,
)
from tallystick.rules.reference_rates import FloatingTerms, Reset
from tallystick.rules.settlement_terms import Sweep

JD = Path(__file__).parents[2] / "src/tallystick/programmes/jd.toml"


def jingbaobei() -> ProgrammeTerms:
    (programme,) = read_programmes(JD.read_text(encoding="utf-8"), file="jd.toml")
    return programme


def refused(old: str, new: str) -> tuple[str, ...]:
    """What is said of the JD file in which ``old`` is written ``new``."""
    text = JD.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} must stand in the file once"
    with pytest.raises(InvalidProgramme) as refusal:
        read_programmes(text.replace(old, new), file="jd.toml")
    return tuple(str(error) for error in refusal.value.errors)


def line_with(start: str) -> int:
    lines = JD.read_text(encoding="utf-8").splitlines()
    return 1 + next(n for n, line in enumerate(lines) if line.startswith(start))


def test_jingbaobei_has_the_published_terms() -> None:
    programme = jingbaobei()

    assert programme.code == "jd.jingbaobei"
    assert programme.currency == "CNY"
    assert programme.access.min_contract_months == 3
    assert (programme.drawdown.min_tenor_days, programme.drawdown.max_tenor_days) == (15, 90)
    assert programme.price.annual_rate == Decimal("0.10")
    assert programme.settlement.sweep is Sweep.ALL
    assert programme.pool.concentration_limit_bps == 10_000


def test_the_stage_ratios_of_jingbaobei_lie_inside_the_published_50_to_80_per_cent() -> None:
    rates_bps = jingbaobei().pool.advance_rate_bps

    assert all(5_000 <= rate_bps <= 8_000 for rate_bps in rates_bps.values())
    assert rates_bps["order"] < rates_bps["receipt"] < rates_bps["invoice"]
    assert rates_bps["invoice"] < rates_bps["settlement"]


@pytest.mark.parametrize(
    "term",
    [
        "pool.advance_rate_bps",
        "pool.concentration_limit_bps",
        "pool.cross_ageing_share_bps",
        "price.day_count",
        "price.penalty_rate",
    ],
)
def test_what_was_not_published_of_jingbaobei_is_marked_illustrative(term: str) -> None:
    assert jingbaobei().source_of(term).startswith("illustrative")


@pytest.mark.parametrize(
    ("term", "tag"),
    [
        ("access.min_contract_months", "[12, B]"),
        ("drawdown.min_tenor_days", "[13, C]"),
        ("drawdown.max_tenor_days", "[14, C]"),
        ("price.annual_rate", "[12, B]"),
    ],
)
def test_what_was_published_of_jingbaobei_names_its_source_and_grade(term: str, tag: str) -> None:
    assert tag in jingbaobei().source_of(term)


def test_what_is_stored_of_a_programme_reads_back_as_the_same_programme() -> None:
    programme = jingbaobei()
    stored = json.loads(json.dumps(programme.content))

    assert stored_programme("jd.jingbaobei", stored) == programme


def test_a_file_may_hold_several_groups_and_programmes() -> None:
    text = JD.read_text(encoding="utf-8")
    terms, sources = text.split("[sources]\n")
    other = terms.replace("jd.jingbaobei", "sn.zhangsurong")

    both = read_programmes(f"{terms}{other}[sources]\n{sources}", file="two.toml")

    assert [programme.code for programme in both] == ["jd.jingbaobei", "sn.zhangsurong"]


@pytest.mark.parametrize(
    ("old", "new", "key", "remedy"),
    [
        ("min_tenor_days = 15", "min_tenor_days = 0", "drawdown.min_tenor_days = 0", "from 1 to"),
        ("max_tenor_days = 90", "max_tenor_days = 9", "drawdown.max_tenor_days = 9", "15 days"),
        ("max_tenor_days = 180", "max_tenor_days = true", "pool.max_tenor_days = True", "number"),
        ('annual_rate = "0.10"', "annual_rate = 0.10", "price.annual_rate = 0.1", "in quotes"),
        ('annual_rate = "0.10"', 'annual_rate = "NaN"', "annual_rate = 'NaN'", "in quotes"),
        ('annual_rate = "0.10"', 'annual_rate = "1000"', "annual_rate = '1000'", "0.10 is ten"),
        ('day_count = "ACT/360"', 'day_count = "ACT/361"', "day_count = 'ACT/361'", "ACT/365F"),
        ('day_count = "ACT/360"', 'day_count = "ACT/ACT ICMA"', "day_count =", "calendar days"),
        ('currency = "CNY"', 'currency = "RMB"', "currency = 'RMB'", "ISO 4217"),
        ('sweep = "all"', 'sweep = "some"', "settlement.sweep = 'some'", "all; cover"),
        ('"fees", "penalty"', '"fees", "fees"', "settlement.waterfall", "each of these once"),
        (
            '"principal_due", "principal_not_due"',
            '"principal_not_due", "principal_due"',
            "settlement.waterfall",
            "principal_due come before",
        ),
        ("invoice = 7_500", "invoice = 75_000", "advance_rate_bps.invoice = 75000", "0 to 10000"),
        ("invoice = 7_500, ", "", "advance_rate_bps.invoice", "missing"),
        ("invoice = 7_500", "invioce = 7_500", "advance_rate_bps.invioce", "Was invoice meant?"),
        ("per_supplier_minor = 5", "per_supplier_minor = -5", "per_supplier_minor = -5", "from 0"),
        ('min_contract_months = "[12, B]"', 'min_contract_months = "[12]"', "months", "[13, C]"),
        (
            'min_contract_months = "[12, B]"',
            'min_contract_months = "[99, B]"',
            "months",
            "[sources",
        ),
        ('min_contract_months = "[12, B]"\n', "", "sources.min_contract_months", "missing"),
        ('source = "[27, D]"', 'source = "[3, A]"', "sources.27", "Nothing refers"),
        (
            "[jd.jingbaobei.limits]\n",
            "[jd.jingbaobei.limit]\n",
            "jingbaobei.limit",
            "limits meant?",
        ),
        ('title = "', 'title = ["', "not TOML", "Correct the line"),
    ],
)
def test_a_wrong_value_is_refused_with_file_line_key_value_and_remedy(
    old: str, new: str, key: str, remedy: str
) -> None:
    errors = refused(old, new)

    assert any(
        error.startswith("jd.toml, line ") and key in error and remedy in error for error in errors
    ), errors


def test_the_line_is_that_of_the_value() -> None:
    (error,) = refused("max_days_past_due = 30", "max_days_past_due = -30")

    assert f"line {line_with('max_days_past_due')}: " in error


def test_a_missing_key_is_reported_at_its_table() -> None:
    error = refused("dilution_window_days = 90\n", "")[0]

    assert f"line {line_with('[jd.jingbaobei.pool]')}: " in error
    assert "dilution_window_days: It is missing" in error


def test_a_missing_table_is_one_error_not_one_for_each_of_its_keys() -> None:
    text = JD.read_text(encoding="utf-8")
    start = text.index("[jd.jingbaobei.limits]")
    end = text.index("[jd.jingbaobei.pool]")

    errors = refused(text[start:end], "")

    (error,) = [error for error in errors if "jd.jingbaobei.limits" in error]
    assert f"line {line_with('[jd.jingbaobei]')}: jd.jingbaobei.limits: It is missing" in error


def test_all_that_is_wrong_is_said_at_once() -> None:
    text = JD.read_text(encoding="utf-8")
    wrong = text.replace("min_draw_minor", "min_darw_minor").replace('"all"', '"al"')

    with pytest.raises(InvalidProgramme) as refusal:
        read_programmes(wrong, file="jd.toml")

    assert len(refusal.value.errors) == 5
    assert "min_darw_minor" in str(refusal.value)
    assert "settlement.sweep" in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["", "[jd]\n", "x = 1\n", "[jd]\njingbaobei = 3\n", "\x00", "[[jd]]"]
)
def test_a_file_without_a_programme_is_refused_not_a_fault(text: str) -> None:
    with pytest.raises(InvalidProgramme, match=r"^empty\.toml, line \d"):
        read_programmes(text, file="empty.toml")


def test_a_sweep_down_to_cover_wants_principal_not_due_last() -> None:
    text = JD.read_text(encoding="utf-8").replace('sweep = "all"', 'sweep = "cover"')
    first = text.replace(
        '"fees", "penalty", "interest", "principal_due", "principal_not_due"',
        '"principal_not_due", "fees", "penalty", "interest", "principal_due"',
    )

    assert read_programmes(text, file="jd.toml")[0].settlement.sweep is Sweep.COVER
    with pytest.raises(InvalidProgramme, match="principal_not_due come last"):
        read_programmes(first, file="jd.toml")


SETTLED = 'sweep = "all"  # or "cover": principal not yet due only down to the cover left\n'
SETTLED_SOURCES = "\n[jd.jingbaobei.settlement.sources]\n"
BUCKETS = '["principal_due", "principal_not_due", "interest", "penalty", "fees"]'
ORDERS = f"""
[jd.jingbaobei.settlement.orders]
repaid = {BUCKETS}
charged_back = ["interest", "principal", "penalty", "fees"]

[jd.jingbaobei.settlement.orders.sources]
repaid = "illustrative"
charged_back = "illustrative"
"""


def ordered_text() -> str:
    """The JD file with an axis, and orders of single kinds of transaction."""
    text = JD.read_text(encoding="utf-8")
    assert text.count(SETTLED) == text.count(SETTLED_SOURCES) == 1
    return text.replace(SETTLED, f'{SETTLED}axis = "by_instalment"\n').replace(
        SETTLED_SOURCES, f'{ORDERS}{SETTLED_SOURCES}axis = "illustrative"\n'
    )


def test_a_programme_may_pay_by_instalment_and_order_single_kinds_of_transaction() -> None:
    (programme,) = read_programmes(ordered_text(), file="jd.toml")

    settlement = programme.settlement
    assert settlement.axis is Axis.BY_INSTALMENT
    assert settlement.orders.remitted is settlement.orders.recovered is None
    assert settlement.orders.repaid == (
        Bucket.PRINCIPAL_DUE,
        Bucket.PRINCIPAL_NOT_DUE,
        Bucket.INTEREST,
        Bucket.PENALTY,
        Bucket.FEES,
    )
    assert settlement.orders.charged_back[0] is Debt.INTEREST
    assert stored_programme(programme.code, json.loads(json.dumps(programme.content))) == programme


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('axis = "by_instalment"', 'axis = "vertical"', "by_instalment; by_part"),
        ("repaid = [", "refunded = [", "settlement.orders.refunded"),
        ('back = ["interest", ', 'back = ["principal_due", ', "each of these once"),
        ('back = ["interest", ', "back = [", "fees, penalty, interest, principal"),
        (
            '"principal_due", "principal_not_due", "interest", "penalty", "fees"]',
            '"principal_not_due", "principal_due", "interest", "penalty", "fees"]',
            "settlement.orders.repaid = .*principal_due come before",
        ),
        ('repaid = "illustrative"\n', "", "settlement.orders.sources.repaid"),
        (
            ORDERS,
            "\n[jd.jingbaobei.settlement.orders]\n",
            "settlement.orders: Give an order for remitted or repaid",
        ),
    ],
)
def test_an_order_that_no_loan_could_follow_is_refused(old: str, new: str, says: str) -> None:
    text = ordered_text()
    assert text.count(old) == 1
    with pytest.raises(InvalidProgramme, match=says):
        read_programmes(text.replace(old, new), file="jd.toml")


FIXED = 'annual_rate = "0.10"\n'
FIXED_SOURCE = 'annual_rate = "[12, B]: about 10 % a year all-in, interest and JD\'s commission"\n'
FLOATING = 'reference_rate = "lpr_1y"\nspread_bps = 700\nreset = "anniversary"\n'
FLOATING_SOURCE = "".join(
    f'{key} = "illustrative"\n' for key in ("reference_rate", "spread_bps", "reset")
)


def floating_text() -> str:
    text = JD.read_text(encoding="utf-8")
    assert FIXED in text
    assert FIXED_SOURCE in text
    return text.replace(FIXED, FLOATING).replace(FIXED_SOURCE, FLOATING_SOURCE)


def test_a_price_may_follow_a_reference_rate() -> None:
    (programme,) = read_programmes(floating_text(), file="jd.toml")

    assert programme.price.annual_rate is None
    assert programme.price.floating == FloatingTerms("lpr_1y", 700, Reset.ANNIVERSARY)
    assert stored_programme(programme.code, json.loads(json.dumps(programme.content))) == programme


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("spread_bps = 700", "spread_bps = 7.0", "spread_bps = 7.0"),
        ("spread_bps = 700", "spread_bps = 20_000", "from -10000 to 10000"),
        ('reset = "anniversary"', 'reset = "weekly"', "monthly; quarterly"),
        ('"lpr_1y"', '"LPR"', "small letters"),
        ("spread_bps = 700", 'spread_bps = 700\nannual_rate = "0.1"', "annual_rate = '0.1'"),
    ],
)
def test_a_floating_price_that_cannot_be_is_refused(old: str, new: str, says: str) -> None:
    with pytest.raises(InvalidProgramme, match=says):
        read_programmes(floating_text().replace(old, new), file="jd.toml")


@pytest.mark.parametrize(
    ("text", "old", "new", "key", "says"),
    [
        ("fixed", 'annual_rate = "0.10"', 'annual_rate = "0.36"', "price.annual_rate", "24.00 %"),
        ("fixed", 'annual_rate = "0.10"', 'annual_rate = "0.24"', "price.annual_rate", "24.33 %"),
        (
            "fixed",
            'currency = "CNY"\n',
            'currency = "CNY"\nlender = "private_lender"\n',
            "price.annual_rate",
            "12.00 % that a private lender",
        ),
        ("floating", "spread_bps = 700", "spread_bps = 2_200", "price.spread_bps", "25.35 %"),
    ],
)
def test_a_price_above_the_ceiling_in_force_is_refused_when_the_programme_is_defined(
    text: str, old: str, new: str, key: str, says: str
) -> None:
    written = JD.read_text(encoding="utf-8") if text == "fixed" else floating_text()
    written = written.replace(old, new, 1)
    if "lender" in new:
        written = written.replace(
            "[jd.jingbaobei.sources]\n", '[jd.jingbaobei.sources]\nlender = "illustrative"\n'
        )

    with pytest.raises(InvalidProgramme) as refusal:
        read_programmes(written, file="jd.toml", defined_on=date(2026, 11, 1))

    (error,) = refusal.value.errors
    assert error.key == f"jd.jingbaobei.{key}"
    assert error.line > 1
    assert says in error.remedy
    # What was defined before a ceiling was in force can still be read.
    assert read_programmes(written, file="jd.toml")
