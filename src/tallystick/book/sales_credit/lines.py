"""Lines out of sales as they are locked, and the sales that were settled to their merchants."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from django.db import connection

from tallystick.book.sales_credit.models import SalesLine
from tallystick.book.sales_credit.programmes import sales_terms_with
from tallystick.rules.refusal import Refusal
from tallystick.rules.sales_limits import SettledSales
from tallystick.rules.sales_programme import SalesProgrammeTerms


class UnknownSalesLine(Refusal):
    """No line out of sales has this code."""

    def __init__(self, line: str) -> None:
        self.line = line
        super().__init__(
            f"There is no line out of sales {line[:80]!r}. Name one that has been opened."
        )


def line_called(code: str) -> SalesLine:
    """The line, not locked. Raises UnknownSalesLine."""
    line = (
        SalesLine.objects.select_related("programme", "merchant", "legal_entity")
        .filter(code=code)
        .first()
        if code.isprintable()
        else None
    )
    if line is None:
        raise UnknownSalesLine(code)
    return line


def terms_of_line(line: SalesLine) -> SalesProgrammeTerms:
    """The programme's terms to which the line is held."""
    return sales_terms_with(bytes(line.programme.sha256))


class LockedLine(NamedTuple):
    """A line as it stands under lock."""

    line_id: int
    merchant_id: int
    currency: str


def lock_lines(
    legal_entity_id: int, *, merchant_ids: Iterable[int] = (), line_ids: Iterable[int] = ()
) -> list[LockedLine]:
    """A legal entity's lines of these merchants, and those named, locked in order of id.

    After the facilities' rows and before the suppliers are held, as everywhere.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, merchant_id, currency FROM sales_credit_salesline"
            " WHERE legal_entity_id = %s AND (merchant_id = ANY(%s) OR id = ANY(%s))"
            " ORDER BY id FOR NO KEY UPDATE",
            [legal_entity_id, list(merchant_ids), list(line_ids)],
        )
        return [LockedLine(*row) for row in cursor.fetchall()]


def settled_sales(merchant_id: int, currency: str, *, window_days: int, on: date) -> SettledSales:
    """What reconciled settlement statements say was settled to a merchant, less what was taken
    off it again by credit notes and cancellations.
    """
    from_date = on - timedelta(days=window_days)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FILTER (WHERE issue_date > %(from)s),"
            " coalesce(sum(face_minor - diluted_minor)"
            "          FILTER (WHERE issue_date > %(from)s), 0)::bigint,"
            " min(issue_date)"
            " FROM trade_claim WHERE supplier_id = %(merchant)s AND stage = 'settlement'"
            " AND currency = %(currency)s AND issue_date <= %(on)s",
            {"from": from_date, "on": on, "merchant": merchant_id, "currency": currency},
        )
        documents, settled_minor, first_date = cursor.fetchone()
    return SettledSales(from_date, on, documents, settled_minor, first_date)
