"""Programmes of advances out of sales: the presets of the package, and what a line is held to."""

import tomllib
from datetime import date
from functools import cache, lru_cache
from importlib import resources
from pathlib import Path

from tallystick.book.financing.models import Programme
from tallystick.book.financing.programmes import UnknownProgramme, text_of
from tallystick.rules.sales_programme import (
    SalesProduct,
    SalesProgrammeTerms,
    read_sales_programmes,
    stored_sales_programme,
)


@cache
def sales_presets() -> dict[str, SalesProgrammeTerms]:
    """Every programme of advances out of sales that comes with the package, by code."""
    folder = resources.files("tallystick.programmes") / "sales_share"
    files = sorted(folder.iterdir(), key=lambda file: file.name)
    return {
        programme.code: programme
        for file in files
        if file.name.endswith(".toml")
        for programme in read_sales_programmes(file.read_text(encoding="utf-8"), file=file.name)
    }


def sales_preset(code: str) -> SalesProgrammeTerms:
    """The package's programme ``code``, such as ``market.sales_advance``.

    Raises UnknownProgramme.
    """
    programmes = sales_presets()
    if code not in programmes:
        raise UnknownProgramme(code, list(programmes))
    return programmes[code]


def is_of_sales(file: Path) -> bool:
    """True where a file holds programmes of advances out of sales; raises UnreadableProgrammeFile.

    It is so where any programme in it says so: a file holds programmes of one kind.
    """
    try:
        groups = tomllib.loads(text_of(file)).values()
    except tomllib.TOMLDecodeError:
        return False
    return any(
        isinstance(programme, dict) and programme.get("product") == SalesProduct.SALES_SHARE
        for group in groups
        if isinstance(group, dict)
        for programme in group.values()
    )


def sales_programmes_in(file: Path, *, defined_on: date) -> list[SalesProgrammeTerms]:
    """The programmes of a file of one's own, held to the legal ceilings of the day.

    Raises UnreadableProgrammeFile, and InvalidProgramme with everything that is wrong in it.
    """
    return read_sales_programmes(text_of(file), file=file.name, defined_on=defined_on)


def sales_programme_in(file: Path, *, defined_on: date) -> SalesProgrammeTerms:
    """The one programme of a file of one's own; raises UnknownProgramme when there are several,
    and what ``sales_programmes_in`` raises.
    """
    programmes = sales_programmes_in(file, defined_on=defined_on)
    if len(programmes) != 1:
        raise UnknownProgramme(file.name, [programme.code for programme in programmes])
    return programmes[0]


@lru_cache(maxsize=1_000)
def sales_terms_with(content_sha256: bytes) -> SalesProgrammeTerms:
    """The stored terms of that content; read once, since content under a hash never changes."""
    programme = Programme.objects.get(sha256=content_sha256)
    return stored_sales_programme(programme.code, programme.terms)
