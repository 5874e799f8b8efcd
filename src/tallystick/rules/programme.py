"""Programmes: product × funding × terms × access, read from a file and checked whole.

A file holds one or more groups of programmes, ``[jd.jingbaobei]`` being programme ``jingbaobei``
of group ``jd``, and the list of sources to which its terms refer. Every term says where it comes
from in the ``sources`` table beside it: ``[13, C]`` is number 13 of the list, of grade C;
``illustrative`` marks a value that nobody published.
"""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

from tallystick.rules.calendars import Adjustment
from tallystick.rules.fee_terms import NO_FEES, FeeTerms, fees_in, refuse_costly_fees
from tallystick.rules.money import minor_digits
from tallystick.rules.pool_terms import TERM_BOUNDS, Terms, terms_in
from tallystick.rules.price_terms import PriceTerms, price_in, rate_when_defined
from tallystick.rules.rate_ceilings import Lender
from tallystick.rules.refusal import Refusal
from tallystick.rules.repayment import AT_ONCE, RepaymentTerms, repayment_in
from tallystick.rules.settlement_terms import SettlementTerms, settlement_in
from tallystick.rules.terms_file import Table, TermError, refuse_dangling_citations, syntax_error
from tallystick.rules.toml_lines import key_lines

MAX_LIMIT_MINOR = 2**62 - 1
"""A limit and an amount under it can be added within 64 bits."""

MAX_TENOR_DAYS = 3_660
MAX_CODE_LENGTH = 64

AnyProgramme = TypeVar("AnyProgramme")


class Product(StrEnum):
    """What is financed, and how; see ``docs/products``."""

    RECEIVABLES_POOL = "receivables_pool"


class Funding(StrEnum):
    """Whose money is lent."""

    OWN_CAPITAL = "own_capital"


class InvalidProgramme(Refusal):
    """A programme file cannot be used; each error names its line, key, value and remedy."""

    def __init__(self, errors: list[TermError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.line))
        super().__init__("\n".join(str(error) for error in self.errors))


@dataclass(frozen=True, slots=True)
class AccessTerms:
    """Who may have a facility. ``min_contract_months``: age of the contract with the anchor."""

    min_contract_months: int


@dataclass(frozen=True, slots=True)
class DrawdownTerms:
    """What may be asked for in one drawdown, and how its due date moves to a business day."""

    min_tenor_days: int
    max_tenor_days: int
    min_draw_minor: int
    due_date_adjustment: Adjustment


@dataclass(frozen=True, slots=True)
class LimitTerms:
    """How much the programme, and one supplier in it, may have drawn; minor units."""

    programme_minor: int
    per_supplier_minor: int


@dataclass(frozen=True, slots=True)
class Published:
    """Something known of the product that is not one of its terms, with its source."""

    says: str
    source: str


@dataclass(frozen=True, slots=True)
class ProgrammeTerms:
    """One programme, checked.

    ``content`` is what was written, and what is stored: ``{"terms": …, "sources": …}`` in plain
    values. ``stored_programme`` reads it again.
    """

    code: str
    title: str
    product: Product
    funding: Funding
    lender: Lender
    currency: str
    access: AccessTerms
    price: PriceTerms
    drawdown: DrawdownTerms
    repayment: RepaymentTerms
    limits: LimitTerms
    pool: Terms
    settlement: SettlementTerms
    fees: FeeTerms
    published: tuple[Published, ...]
    content: Mapping[str, Any]

    def source_of(self, term: str) -> str:
        """Where a term comes from: of ``drawdown.min_tenor_days``, ``[13, C]: …``."""
        *sections, key = term.split(".")
        table = self.content["terms"]
        for section in sections:
            table = table[section]
        return str(table["sources"][key])


def read_programmes(
    text: str, *, file: str, defined_on: date | None = None
) -> list[ProgrammeTerms]:
    """Every programme of a file's text, in the file's order.

    ``defined_on``: the day on which the programmes are defined, whose legal ceilings they may not
    exceed; None where they have been defined before.

    Raises InvalidProgramme with everything that is wrong, not only the first.
    """
    return programmes_told(
        text,
        file=file,
        told=lambda code, table, sources: _programme(
            code, table, sources=sources, defined_on=defined_on
        ),
    )


def programmes_told(
    text: str, *, file: str, told: Callable[[str, Table, Mapping[str, Any]], AnyProgramme]
) -> list[AnyProgramme]:
    """What ``told`` makes of each programme's table of a file's text, given its code and the list
    of sources.

    Raises InvalidProgramme.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidProgramme([syntax_error(error, text=text, file=file)]) from None
    errors: list[TermError] = []
    top = Table(content, file=file, lines=key_lines(text), errors=errors)
    sources = top.table("sources")
    groups = [(name, top.table(name)) for name in top.others()]
    programmes = [
        told(f"{group}.{name}", table.table(name), sources.content)
        for group, table in groups
        for name in table.others()
    ]
    if not programmes:
        top.refuse("", "It holds no programme. Add one, such as a table [jd.jingbaobei].")
    refuse_dangling_citations(top, sources)
    if errors:
        raise InvalidProgramme(errors)
    return programmes


def stored_programme(code: str, content: Mapping[str, Any]) -> ProgrammeTerms:
    """The programme whose ``content`` was stored; it is checked as a file would be.

    Raises InvalidProgramme.
    """
    return told_again(
        code,
        content,
        told=lambda code, table, sources: _programme(code, table, sources=sources, defined_on=None),
    )


def told_again(
    code: str,
    content: Mapping[str, Any],
    *,
    told: Callable[[str, Table, Mapping[str, Any]], AnyProgramme],
) -> AnyProgramme:
    """What ``told`` makes of the ``content`` that was stored of a programme.

    Raises InvalidProgramme.
    """
    errors: list[TermError] = []
    table = Table(content["terms"], file=f"programme {code}", lines={}, errors=errors)
    programme = told(code, table, content["sources"])
    if errors:
        raise InvalidProgramme(errors)
    return programme


def _programme(
    code: str, table: Table, *, sources: Mapping[str, Any], defined_on: date | None
) -> ProgrammeTerms:
    if len(code) > MAX_CODE_LENGTH:
        table.refuse("", f"Its name is too long. Shorten it to {MAX_CODE_LENGTH} characters.")
    lender = lender_in(table)
    drawdown = _drawdown(table.table("drawdown"))
    programme = ProgrammeTerms(
        code=code,
        title=table.text("title"),
        product=table.choice("product", Product),
        funding=table.choice("funding", Funding),
        lender=lender,
        currency=currency_in(table),
        access=_access(table.table("access")),
        price=price_in(table.table("price"), lender=lender, defined_on=defined_on),
        drawdown=drawdown,
        repayment=_repayment(table, drawdown),
        limits=_limits(table.table("limits")),
        pool=_pool(table.table("pool")),
        settlement=settlement_in(table.table("settlement")),
        fees=fees_in(table.table("fees")) if "fees" in table.content else NO_FEES,
        published=tuple(published_in(each) for each in table.tables("published")),
        content={"terms": table.content, "sources": sources},
    )
    if defined_on is not None and not table.errors:
        _refuse_costly_fees(table, programme, on=defined_on)
    stated = ("lender",) if "lender" in table.content else ()
    table.finish(cited=("product", "funding", *stated, "currency"))
    return programme


def _refuse_costly_fees(table: Table, programme: ProgrammeTerms, *, on: date) -> None:
    """Note fees that take the price above the ceiling of the day on which they are defined."""
    annual_rate = rate_when_defined(programme.price, on)
    if programme.fees == NO_FEES or annual_rate is None:
        return
    table.checked(
        "fees",
        lambda: refuse_costly_fees(
            programme.fees,
            lender=programme.lender,
            on=on,
            annual_rate=annual_rate,
            day_count=programme.price.day_count,
            penalty_rate=programme.price.penalty.highest_on_top(annual_rate),
            min_amount_minor=programme.drawdown.min_draw_minor,
            min_tenor_days=programme.drawdown.min_tenor_days,
        ),
    )


def lender_in(table: Table) -> Lender:
    """Who lends, for the legal ceilings: a factor where the file does not say."""
    if "lender" not in table.content:
        return Lender.COMMERCIAL_FACTOR
    return table.choice("lender", Lender)


def currency_in(table: Table) -> str:
    currency = table.text("currency", instead="CNY")
    table.checked("currency", lambda: minor_digits(currency))
    return currency


def _access(table: Table) -> AccessTerms:
    terms = AccessTerms(table.whole_number("min_contract_months", lowest=0, highest=1_200))
    table.finish(cited=("min_contract_months",))
    return terms


def _drawdown(table: Table) -> DrawdownTerms:
    terms = DrawdownTerms(
        min_tenor_days=table.whole_number("min_tenor_days", lowest=1, highest=MAX_TENOR_DAYS),
        max_tenor_days=table.whole_number("max_tenor_days", lowest=1, highest=MAX_TENOR_DAYS),
        min_draw_minor=table.whole_number("min_draw_minor", lowest=1, highest=MAX_LIMIT_MINOR),
        due_date_adjustment=table.choice("due_date_adjustment", Adjustment),
    )
    if terms.max_tenor_days < terms.min_tenor_days:
        table.refuse("max_tenor_days", f"Give {terms.min_tenor_days} days, the shortest, or more.")
    table.finish(
        cited=("min_tenor_days", "max_tenor_days", "min_draw_minor", "due_date_adjustment")
    )
    return terms


def _repayment(table: Table, drawdown: DrawdownTerms) -> RepaymentTerms:
    """How drawdowns come back: whole on their due date where the file does not say."""
    if "repayment" not in table.content:
        return AT_ONCE
    return repayment_in(table.table("repayment"), max_tenor_days=drawdown.max_tenor_days)


def _limits(table: Table) -> LimitTerms:
    terms = LimitTerms(
        programme_minor=table.whole_number("programme_minor", lowest=0, highest=MAX_LIMIT_MINOR),
        per_supplier_minor=table.whole_number(
            "per_supplier_minor", lowest=0, highest=MAX_LIMIT_MINOR
        ),
    )
    table.finish(cited=("programme_minor", "per_supplier_minor"))
    return terms


def _pool(table: Table) -> Terms:
    terms = terms_in(table)
    table.finish(cited=("advance_rate_bps", *TERM_BOUNDS))
    return terms


def published_in(table: Table) -> Published:
    published = Published(says=table.text("says"), source=table.origin("source"))
    table.finish()
    return published
