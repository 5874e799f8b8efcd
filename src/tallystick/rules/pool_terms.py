"""The terms that decide a pool's borrowing base, and the file in which they may stand."""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tallystick.rules.frames import STAGES
from tallystick.rules.refusal import Refusal
from tallystick.rules.terms_file import Table, TermError, syntax_error
from tallystick.rules.toml_lines import key_lines


@dataclass(frozen=True, slots=True)
class Bounds:
    """Smallest and largest value that a term may take, both included."""

    lowest: int
    highest: int


BASIS_POINTS = Bounds(0, 10_000)
# The highest is more than any two dates are apart: it switches the clause off.
DAYS = Bounds(0, 4_000_000)
# A thousandfold stress: beyond any use, and reserve products still fit 64 bits.
STRESS_BPS = Bounds(0, 10_000_000)

TERM_BOUNDS: Mapping[str, Bounds] = {
    "max_days_past_due": DAYS,
    "max_tenor_days": DAYS,
    "min_days_to_due": DAYS,
    "cross_ageing_share_bps": BASIS_POINTS,
    "concentration_limit_bps": BASIS_POINTS,
    "dilution_window_days": DAYS,
    "dilution_stress_bps": STRESS_BPS,
}


class TermOutOfBounds(Refusal):
    """A pool's term is missing, of the wrong kind, or outside what the rule can work with."""

    def __init__(self, *, key: str, value: object, bounds: Bounds) -> None:
        self.key = key
        self.value = value
        self.bounds = bounds
        super().__init__(
            f"{key} = {value!r} is not possible: it is a whole number "
            f"from {bounds.lowest} to {bounds.highest}. Correct it in the terms."
        )


class AdvanceRatesIncomplete(Refusal):
    """The advance rates do not name each stage of a claim exactly once."""

    def __init__(self, stages: Sequence[str]) -> None:
        self.stages = tuple(stages)
        super().__init__(
            f"advance_rate_bps names {', '.join(sorted(stages)) or 'no stage'}; "
            f"it needs one rate each for {', '.join(STAGES)}, and no other."
        )


@dataclass(frozen=True, slots=True)
class Terms:
    """The terms that decide a pool's borrowing base.

    ``advance_rate_bps`` maps each stage to the part of a claim that is lent, in basis points.
    ``cross_ageing_share_bps`` = 10,000, ``dilution_stress_bps`` = 0 and days at their highest each
    switch a clause off.

    Raises TermOutOfBounds and AdvanceRatesIncomplete.
    """

    advance_rate_bps: Mapping[str, int]
    max_days_past_due: int
    max_tenor_days: int
    min_days_to_due: int
    cross_ageing_share_bps: int
    concentration_limit_bps: int
    dilution_window_days: int
    dilution_stress_bps: int

    def __post_init__(self) -> None:
        if set(self.advance_rate_bps) != set(STAGES):
            raise AdvanceRatesIncomplete(list(self.advance_rate_bps))
        for stage, rate_bps in self.advance_rate_bps.items():
            refuse_outside(BASIS_POINTS, key=f"advance_rate_bps.{stage}", value=rate_bps)
        for key, bounds in TERM_BOUNDS.items():
            refuse_outside(bounds, key=key, value=getattr(self, key))


def refuse_outside(bounds: Bounds, *, key: str, value: object) -> None:
    """Raise TermOutOfBounds unless ``value`` is a whole number within ``bounds``."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if not whole or not bounds.lowest <= value <= bounds.highest:  # type: ignore[operator]
        raise TermOutOfBounds(key=key, value=value, bounds=bounds)


class InvalidPoolTerms(Refusal):
    """A file of terms cannot be used; each error names its line, key, value and remedy."""

    def __init__(self, errors: Sequence[TermError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.line))
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass(frozen=True, slots=True)
class PoolTerms:
    """A whole file: the terms, each supplier's related obligors, each obligor's own limit."""

    terms: Terms
    related: Mapping[str, tuple[str, ...]]
    concentration_override_bps: Mapping[str, int]


def read_pool_terms(text: str, *, file: str) -> PoolTerms:
    """Read a TOML text: the keys of ``Terms`` and, where wanted, the tables ``related``
    (supplier → list of obligors) and ``concentration_override_bps`` (obligor → basis points).

    ``file`` is its name in messages. Raises InvalidPoolTerms with all that is wrong.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidPoolTerms([syntax_error(error, text=text, file=file)]) from error
    errors: list[TermError] = []
    table = Table(content, file=file, lines=key_lines(text), errors=errors)
    pool_terms = PoolTerms(
        terms=terms_in(table),
        related=_related(table.table("related")) if "related" in content else {},
        concentration_override_bps=(
            _overrides(table.table("concentration_override_bps"))
            if "concentration_override_bps" in content
            else {}
        ),
    )
    table.finish()
    if errors:
        raise InvalidPoolTerms(errors)
    return pool_terms


def terms_in(table: Table) -> Terms:
    """The terms that stand in a table of a file, or possible ones where errors were noted."""
    rates = table.table("advance_rate_bps")
    terms = Terms(
        advance_rate_bps={stage: _basis_points(rates, stage) for stage in STAGES},
        **{
            key: table.whole_number(key, lowest=bounds.lowest, highest=bounds.highest)
            for key, bounds in TERM_BOUNDS.items()
        },
    )
    rates.finish()
    return terms


def _related(table: Table) -> dict[str, tuple[str, ...]]:
    for supplier, obligors in table.content.items():
        if not isinstance(obligors, list) or not all(isinstance(each, str) for each in obligors):
            table.refuse(supplier, 'Give the list of its related obligors: ["OBLIGOR", …].')
            return {}
    return {supplier: tuple(obligors) for supplier, obligors in table.content.items()}


def _overrides(table: Table) -> dict[str, int]:
    return {obligor: _basis_points(table, obligor) for obligor in table.content}


def _basis_points(table: Table, key: str) -> int:
    return table.whole_number(key, lowest=BASIS_POINTS.lowest, highest=BASIS_POINTS.highest)
