"""The terms of a programme as a reader meets them: name, value and where each comes from."""

from collections.abc import Mapping
from typing import Any, NamedTuple

ILLUSTRATIVE = "illustrative"


class Term(NamedTuple):
    """``name`` with its sections, ``drawdown.min_tenor_days``; ``source`` as it is written."""

    name: str
    value: str
    source: str

    @property
    def is_illustrative(self) -> bool:
        """Nobody published it: the value is ours."""
        return self.source.startswith(ILLUSTRATIVE)


def told_terms(table: Mapping[str, Any], above: str = "") -> list[Term]:
    """Every term of ``content["terms"]``, in the file's order."""
    sources = table.get("sources", {})
    terms = [Term(f"{above}{key}", _written(table[key]), source) for key, source in sources.items()]
    for key, value in table.items():
        if isinstance(value, dict) and key != "sources" and key not in sources:
            terms += told_terms(value, f"{above}{key}.")
    return terms


def _written(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_written(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(_written(item) for item in value)
    return f"{value:,}" if isinstance(value, int) else str(value)
