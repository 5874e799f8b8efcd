"""What a closed day's classes and provisions come to: the table, what changed, one debt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet

from tallystick.book.financing.models import Loan
from tallystick.book.impairment.advances_needed import advance_provided_on
from tallystick.book.impairment.models import AdvanceClass, LoanClass, Reserve
from tallystick.book.impairment.needed import DebtProvided, loan_provided_on
from tallystick.book.impairment.packs import pack_on, pack_with
from tallystick.book.sales_credit.models import Advance
from tallystick.book.servicing.models import DayStep
from tallystick.rules.rule_pack import AssetClass, Limit, RulePack, Threshold

MOST_CHANGES = 200
DAYS_OF_HISTORY = 60


class ClassLine(NamedTuple):
    """The debts of a class in a stage, over all programmes and funders; minor units."""

    currency: str
    asset_class: str
    stage: int
    loans: int
    exposure_minor: int
    suspended_minor: int
    allowance_minor: int
    movement_minor: int

    @property
    def coverage_ppm(self) -> int:
        """Allowance in parts per million of the exposure."""
        return self.allowance_minor * 1_000_000 // self.exposure_minor if self.exposure_minor else 0


class Change(NamedTuple):
    """A debt that is classed otherwise since the day, and by which clause.

    ``loan`` is its code, also of an advance out of sales (``is_advance``).
    """

    is_advance: bool
    loan: str
    supplier: str
    from_class: str
    to_class: str
    from_stage: int
    to_stage: int
    clause: str
    days_past_due: int


@dataclass(frozen=True, slots=True)
class Overview:
    """A closed day's classes and provisions."""

    date: date
    pack: RulePack
    lines: list[ClassLine]
    reserves: list[Reserve]
    changes: list[Change]


@dataclass(frozen=True, slots=True)
class DebtClassed:
    """How a debt stands: its class, the clause that put it there, and what is provided for it.

    ``threshold`` is the clause's number with its law; None where nothing speaks against the debt.
    """

    asset_class: str
    stage: int
    from_date: date | None
    threshold: Threshold | None
    suspended_from_date: date | None
    provided: DebtProvided | None
    on: date


def latest_day(legal_entity_id: int) -> date | None:
    """The last day that has been provided for."""
    days = DayStep.objects.filter(legal_entity=legal_entity_id, step="provisions")
    return days.order_by("-date").values_list("date", flat=True).first()


def overview(legal_entity_id: int, day: date) -> Overview | None:
    """The classes and provisions of a closed day; None where no pack was in force."""
    held_to = pack_on(legal_entity_id, day)
    if held_to is None:
        return None
    return Overview(
        day,
        held_to.pack,
        class_lines(legal_entity_id, day),
        list(Reserve.objects.filter(legal_entity=legal_entity_id, date=day).order_by("currency")),
        changes_on(legal_entity_id, day),
    )


def class_lines(legal_entity_id: int, day: date) -> list[ClassLine]:
    """A line for each currency, class and stage, the best first."""
    lines = [
        ClassLine(*row[:3], *(int(figure) for figure in row[3:]))
        for row in _rows(
            "SELECT book.currency, book.asset_class, row.stage, sum(row.loans),"
            " sum(row.exposure_minor),"
            " sum(row.interest_suspended_minor + row.penalty_suspended_minor"
            "     + row.advance_fee_suspended_minor),"
            " sum(row.allowance_minor), sum(row.movement_minor)"
            " FROM impairment_provision AS row JOIN ledger_book AS book ON book.id = row.book_id"
            " WHERE row.legal_entity_id = %s AND row.date = %s GROUP BY 1, 2, 3",
            [legal_entity_id, day],
        )
    ]
    return sorted(
        lines, key=lambda line: (line.currency, AssetClass(line.asset_class).rank, line.stage)
    )


_CHANGES = """
    SELECT false, loan.code, party.code, coalesce(before.asset_class, 'normal'),
           row.asset_class, coalesce(before.stage, 1), row.stage, row.clause, row.days_past_due
    FROM impairment_loanclass AS row
    JOIN financing_loan AS loan ON loan.id = row.loan_id
    JOIN financing_facility AS facility ON facility.id = loan.facility_id
    JOIN parties_party AS party ON party.id = facility.supplier_id
    LEFT JOIN impairment_loanclass AS before
      ON before.loan_id = row.loan_id AND before.superseded_date = row.from_date
    WHERE facility.legal_entity_id = %(legal_entity_id)s AND row.from_date = %(day)s
    UNION ALL
    SELECT true, advance.code, party.code, coalesce(before.asset_class, 'normal'),
           row.asset_class, coalesce(before.stage, 1), row.stage, row.clause, row.days_past_due
    FROM impairment_advanceclass AS row
    JOIN sales_credit_advance AS advance ON advance.id = row.advance_id
    JOIN sales_credit_salesline AS line ON line.id = advance.line_id
    JOIN parties_party AS party ON party.id = line.merchant_id
    LEFT JOIN impairment_advanceclass AS before
      ON before.advance_id = row.advance_id AND before.superseded_date = row.from_date
    WHERE line.legal_entity_id = %(legal_entity_id)s AND row.from_date = %(day)s
    ORDER BY 7 DESC, 9 DESC, 1, 2 LIMIT %(most)s
"""


def changes_on(legal_entity_id: int, day: date) -> list[Change]:
    """The debts that the close of ``day`` classed otherwise, the worst first."""
    found = _rows(_CHANGES, {"legal_entity_id": legal_entity_id, "day": day, "most": MOST_CHANGES})
    changes = [Change(*row) for row in found]
    return sorted(changes, key=lambda change: -AssetClass(change.to_class).rank)


def allowance_by_day(
    legal_entity_id: int, currency: str, to_date: date
) -> tuple[list[date], dict[str, list[int]]]:
    """What was provided for each class, day by day over the last DAYS_OF_HISTORY; minor units."""
    found: dict[str, dict[date, int]] = {}
    days: set[date] = set()
    for day, asset_class, allowance_minor in _rows(
        "SELECT row.date, book.asset_class, sum(row.allowance_minor)"
        " FROM impairment_provision AS row JOIN ledger_book AS book ON book.id = row.book_id"
        " WHERE row.legal_entity_id = %s AND book.currency = %s"
        " AND row.date > %s::date - %s AND row.date <= %s GROUP BY 1, 2",
        [legal_entity_id, currency, to_date, DAYS_OF_HISTORY, to_date],
    ):
        days.add(day)
        found.setdefault(asset_class, {})[day] = int(allowance_minor)
    in_order = sorted(days)
    return in_order, {
        str(each): [found[each].get(day, 0) for day in in_order]
        for each in AssetClass
        if each in found
    }


def loan_classed(loan: Loan) -> DebtClassed | None:
    """How the last close classed the loan; None before a close under a rule pack."""
    legal_entity_id = loan.facility.legal_entity_id
    on = _classed_last(legal_entity_id)
    if on is None:
        return None
    return _classed(
        LoanClass.objects.filter(loan=loan.pk),
        loan_provided_on(legal_entity_id, loan.pk, on),
        on,
    )


def advance_classed(advance: Advance) -> DebtClassed | None:
    """How the last close classed the advance; None before a close under a rule pack."""
    legal_entity_id = advance.line.legal_entity_id
    on = _classed_last(legal_entity_id)
    if on is None:
        return None
    return _classed(
        AdvanceClass.objects.filter(advance=advance.pk),
        advance_provided_on(legal_entity_id, advance.pk, on),
        on,
    )


def _classed_last(legal_entity_id: int) -> date | None:
    on = latest_day(legal_entity_id)
    return None if on is None or pack_on(legal_entity_id, on) is None else on


def _classed(
    classes: QuerySet[LoanClass] | QuerySet[AdvanceClass], provided: DebtProvided | None, on: date
) -> DebtClassed:
    row = classes.filter(from_date__lte=on, superseded_date__gt=on).select_related("pack").first()
    if row is None:
        return DebtClassed(str(AssetClass.NORMAL), 1, None, None, None, provided, on)
    pack = pack_with(bytes(row.pack.sha256))
    threshold = pack.threshold(Limit(row.clause), on=row.from_date) if row.clause else None
    return DebtClassed(
        row.asset_class,
        row.stage,
        row.from_date,
        threshold,
        row.suspended_from_date,
        provided,
        on,
    )


def _rows(query: str, arguments: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, arguments)
        return cursor.fetchall()
