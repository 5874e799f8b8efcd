"""Rule packs: by which law a legal entity classifies its loans and provides for their losses.

A pack is data. Each threshold has the day from which it is in force, the law that says so, and
whether its text was seen (``sourced``), is known only at second hand (``to_verify``), or is the
house's own choice (``illustrative``). A pack without a threshold does not have that clause. ::

    [[cn.bank.thresholds]]
    name = "substandard_over_days"
    value = 90
    from_date = 2023-07-01
    law = "Rules on the Risk Classification of Financial Assets of Commercial Banks (2023 No. 1)"
    standing = "sourced"
    source = "[20, C]"
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from tallystick.rules.expected_loss import LossTerms, MatrixRate, PdPoint
from tallystick.rules.pool_terms import BASIS_POINTS, DAYS, Bounds
from tallystick.rules.refusal import Refusal
from tallystick.rules.terms_file import Table, TermError, refuse_dangling_citations, syntax_error
from tallystick.rules.toml_lines import key_lines

MAX_CODE_LENGTH = 64
_CITED = re.compile(r"(?:\[\d+, [ABCD]\])+(?:: .+)?")


class AssetClass(StrEnum):
    """The five categories, best first."""

    NORMAL = "normal"
    SPECIAL_MENTION = "special_mention"
    SUBSTANDARD = "substandard"
    DOUBTFUL = "doubtful"
    LOSS = "loss"

    @property
    def rank(self) -> int:
        """0 for the best, 4 for the worst."""
        return list(AssetClass).index(self)


NON_PERFORMING = AssetClass.SUBSTANDARD
"""The best of the classes that are non-performing."""


class Limit(StrEnum):
    """What a threshold is about. Of those of switch kind 1 is in force and 0 is not."""

    SPECIAL_MENTION_OVER_DAYS = "special_mention_over_days"
    SUBSTANDARD_OVER_DAYS = "substandard_over_days"
    DOUBTFUL_OVER_DAYS = "doubtful_over_days"
    LOSS_OVER_DAYS = "loss_over_days"
    DIVERTED_USE = "diverted_use"
    CREDIT_IMPAIRED = "credit_impaired"
    DOUBTFUL_OVER_LOSS_BPS = "doubtful_over_loss_bps"
    LOSS_OVER_LOSS_BPS = "loss_over_loss_bps"
    DEBTOR_NON_PERFORMING = "debtor_non_performing"
    DEBTOR_OVER_SHARE_BPS = "debtor_over_share_bps"
    ELSEWHERE_OVER_SHARE_BPS = "elsewhere_over_share_bps"
    CURE_NEEDS_NO_ARREARS = "cure_needs_no_arrears"
    CURE_AFTER_MONTHS = "cure_after_months"
    STAGE_2_OVER_DAYS = "stage_2_over_days"
    STAGE_3_OVER_DAYS = "stage_3_over_days"
    RESERVE_BPS = "reserve_bps"


_SWITCH = Bounds(0, 1)
_OF_UNIT = {"bps": BASIS_POINTS, "days": DAYS, "months": Bounds(0, 60)}
_BOUNDS: Mapping[Limit, Bounds] = {
    limit: _OF_UNIT.get(limit.rpartition("_")[2], _SWITCH) for limit in Limit
}

_IN_ORDER = (
    (
        Limit.SPECIAL_MENTION_OVER_DAYS,
        Limit.SUBSTANDARD_OVER_DAYS,
        Limit.DOUBTFUL_OVER_DAYS,
        Limit.LOSS_OVER_DAYS,
    ),
    (Limit.DOUBTFUL_OVER_LOSS_BPS, Limit.LOSS_OVER_LOSS_BPS),
    (Limit.STAGE_2_OVER_DAYS, Limit.STAGE_3_OVER_DAYS),
)
"""Of each row, a later one is never below an earlier one: worse takes longer."""

REQUIRED = (Limit.SUBSTANDARD_OVER_DAYS, Limit.STAGE_2_OVER_DAYS, Limit.STAGE_3_OVER_DAYS)


class Standing(StrEnum):
    """How well a threshold is known."""

    SOURCED = "sourced"
    TO_VERIFY = "to_verify"
    ILLUSTRATIVE = "illustrative"


@dataclass(frozen=True, slots=True)
class Threshold:
    """One number of a law. In force from ``from_date`` until the next of the same limit."""

    limit: Limit
    value: int
    from_date: date
    law: str
    standing: Standing
    source: str


@dataclass(frozen=True, slots=True)
class RulePack:
    """A pack, checked. ``content`` is what was written, and what is stored.

    ``non_accrual_from``: the best class whose interest does not go to income.
    """

    code: str
    title: str
    non_accrual_from: AssetClass
    thresholds: tuple[Threshold, ...]
    loss: LossTerms
    content: Mapping[str, Any]

    @property
    def first_date(self) -> date:
        """The first day on which all is in force that no class can be told without."""
        return max(
            min(each.from_date for each in self.thresholds if each.limit is limit)
            for limit in REQUIRED
        )

    def threshold(self, limit: Limit, *, on: date) -> Threshold | None:
        """The threshold in force on a day; None where the pack does not have that clause then."""
        in_force = [
            each for each in self.thresholds if each.limit is limit and each.from_date <= on
        ]
        return max(in_force, key=lambda each: each.from_date, default=None)

    def limits(self, *, on: date) -> dict[Limit, int]:
        """The numbers in force on a day; a switch that is off is left out."""
        found = {limit: self.threshold(limit, on=on) for limit in Limit}
        return {
            limit: each.value
            for limit, each in found.items()
            if each is not None and (each.value or _BOUNDS[limit] is not _SWITCH)
        }


class InvalidRulePack(Refusal):
    """A file of rule packs cannot be used; each error names its line, key, value and remedy."""

    def __init__(self, errors: Sequence[TermError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.line))
        super().__init__("\n".join(str(error) for error in self.errors))


def read_rule_packs(text: str, *, file: str) -> list[RulePack]:
    """Every pack of a file's text: ``[cn.bank]`` is pack ``bank`` of group ``cn``.

    Raises InvalidRulePack with everything that is wrong, not only the first.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidRulePack([syntax_error(error, text=text, file=file)]) from None
    errors: list[TermError] = []
    top = Table(content, file=file, lines=key_lines(text), errors=errors)
    sources = top.table("sources")
    packs = [
        _pack(f"{group}.{name}", groups.table(name), sources=sources.content)
        for group in list(top.others())
        for groups in [top.table(group)]
        for name in list(groups.others())
    ]
    if not packs:
        top.refuse("", "It holds no rule pack. Add one, such as a table [cn.bank].")
    refuse_dangling_citations(top, sources)
    if errors:
        raise InvalidRulePack(errors)
    return packs


def stored_rule_pack(code: str, content: Mapping[str, Any]) -> RulePack:
    """The pack whose ``content`` was stored; it is checked as a file would be.

    Raises InvalidRulePack.
    """
    errors: list[TermError] = []
    table = Table(content["terms"], file=f"rule pack {code}", lines={}, errors=errors)
    pack = _pack(code, table, sources=content["sources"])
    if errors:
        raise InvalidRulePack(errors)
    return pack


def _pack(code: str, table: Table, *, sources: Mapping[str, Any]) -> RulePack:
    if len(code) > MAX_CODE_LENGTH:
        table.refuse("", f"Its name is too long. Shorten it to {MAX_CODE_LENGTH} characters.")
    thresholds = tuple(_threshold(each) for each in table.tables("thresholds"))
    _check_thresholds(table, thresholds)
    pack = RulePack(
        code=code,
        title=table.text("title"),
        non_accrual_from=table.choice("non_accrual_from", AssetClass),
        thresholds=thresholds,
        loss=_loss(table.table("loss")),
        content={"terms": _plain(table.content), "sources": dict(sources)},
    )
    if pack.non_accrual_from.rank < NON_PERFORMING.rank:
        table.refuse("non_accrual_from", f"Let it be {NON_PERFORMING} or worse.")
    table.finish(cited=("non_accrual_from",))
    return pack


def _threshold(table: Table) -> Threshold:
    limit = table.choice("name", Limit)
    bounds = _BOUNDS[limit]
    threshold = Threshold(
        limit=limit,
        value=table.whole_number("value", lowest=bounds.lowest, highest=bounds.highest),
        from_date=table.day("from_date"),
        law=table.text("law"),
        standing=table.choice("standing", Standing),
        source=table.text("source"),
    )
    if threshold.standing is Standing.SOURCED and not _CITED.fullmatch(threshold.source):
        table.refuse("source", 'What is sourced cites where: "[20, C]". Or let it be to_verify.')
    table.finish()
    return threshold


def _check_thresholds(table: Table, thresholds: Sequence[Threshold]) -> None:
    """Each limit once a day, the needed ones there, and none worse before one better."""
    seen = [(each.limit, each.from_date) for each in thresholds]
    if len(set(seen)) < len(seen):
        table.refuse("thresholds", "Two are of one name and day. Leave one of them.")
    for limit in REQUIRED:
        if limit not in {each.limit for each in thresholds}:
            table.refuse("thresholds", f"{limit} is missing. Add it.")
    for day in {each.from_date for each in thresholds}:
        in_force = {
            each.limit: each.value
            for each in sorted(thresholds, key=lambda each: each.from_date)
            if each.from_date <= day
        }
        for row in _IN_ORDER:
            values = [in_force[limit] for limit in row if limit in in_force]
            if values != sorted(values):
                table.refuse("thresholds", f"From {day} on {', '.join(row)} do not ascend.")


def _loss(table: Table) -> LossTerms:
    curve = tuple(_pd_point(each) for each in table.tables("pd_curve"))
    matrix = tuple(_matrix_rate(each) for each in table.tables("matrix"))
    if bool(curve) == bool(matrix):
        table.refuse("", "Give either a pd_curve (stages) or a matrix (simplified), not both.")
    if [each.days for each in curve] != sorted({each.days for each in curve}) or (
        [each.cumulative_ppm for each in curve] != sorted(each.cumulative_ppm for each in curve)
    ):
        table.refuse("pd_curve", "Let days ascend, and cumulative_ppm never fall.")
    if matrix and (
        [each.over_days for each in matrix] != sorted({each.over_days for each in matrix})
        or matrix[0].over_days >= 0
        or [each.loss_ppm for each in matrix] != sorted(each.loss_ppm for each in matrix)
    ):
        table.refuse("matrix", "Begin with over_days = -1; let it ascend, and loss_ppm never fall.")
    terms = LossTerms(
        lgd_bps=table.whole_number("lgd_bps", lowest=0, highest=10_000),
        min_horizon_days=table.whole_number("min_horizon_days", lowest=1, highest=365),
        curve=curve,
        matrix=matrix,
    )
    table.finish(cited=("lgd_bps", "min_horizon_days", "pd_curve" if curve else "matrix"))
    return terms


def _pd_point(table: Table) -> PdPoint:
    point = PdPoint(
        days=table.whole_number("days", lowest=1, highest=36_600),
        cumulative_ppm=table.whole_number("cumulative_ppm", lowest=0, highest=1_000_000),
    )
    table.finish()
    return point


def _matrix_rate(table: Table) -> MatrixRate:
    rate = MatrixRate(
        over_days=table.whole_number("over_days", lowest=-1, highest=36_600),
        loss_ppm=table.whole_number("loss_ppm", lowest=0, highest=1_000_000),
    )
    table.finish()
    return rate


def _plain(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content as JSON can keep it: days as text, which ``Table.day`` reads as well."""
    return {key: _plain_value(value) for key, value in content.items()}


def _plain_value(value: Any) -> Any:
    if isinstance(value, dict):
        return _plain(value)
    if isinstance(value, list):
        return [_plain_value(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value
