"""What is drawn, on facilities and on the limits above them, follows the loans' principal.

Likewise what is drawn on lines out of sales, which share those limits, follows the advances'.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

from django.db import connection

# One row after the other, in the house's order: two batches sharing a limit cannot wait for each
# other in a circle.
_RAISED_ABOVE = """
    UPDATE {table} AS above SET drawn_minor = above.drawn_minor + change.amount_minor
    FROM (
        SELECT held.id, changed.amount_minor
        FROM (SELECT id, sum(amount_minor) AS amount_minor
              FROM (SELECT facility.{reference} AS id, item.amount_minor
                    FROM unnest(%(ids)s::bigint[], %(amounts)s::bigint[]) AS item (id, amount_minor)
                    JOIN {holder} facility ON facility.id = item.id
                    UNION ALL
                    SELECT * FROM unnest({others}) AS item (id, amount_minor)) AS each
              GROUP BY 1) AS changed
        JOIN {table} AS held ON held.id = changed.id
        ORDER BY held.id FOR NO KEY UPDATE OF held
    ) AS change
    WHERE above.id = change.id AND change.amount_minor <> 0
"""


_NOTHING_ELSE = "ARRAY[]::bigint[], ARRAY[]::bigint[]"

Holder = Literal["financing_facility", "sales_credit_salesline"]


def change_drawn(
    changes_minor: Mapping[int, int],
    lines_minor: Mapping[int, int] = MappingProxyType({}),
    *,
    holder: Holder = "financing_facility",
) -> None:
    """Add to what is drawn, by id of a facility (or ``holder``), on it, its programme and its
    funding line.

    ``lines_minor``: by how much more is drawn on funding lines besides, because of shares that
    others hold. No limit is asked: money that is owed again was lent before. The caller holds the
    holders' locks.
    """
    changes = {facility_id: minor for facility_id, minor in changes_minor.items() if minor}
    if not changes and not lines_minor:
        return
    arguments = {
        "ids": list(changes),
        "amounts": list(changes.values()),
        "line_ids": list(lines_minor),
        "line_amounts": list(lines_minor.values()),
    }
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {holder} AS facility"
            " SET drawn_minor = drawn_minor + change.amount_minor"
            " FROM unnest(%(ids)s::bigint[], %(amounts)s::bigint[]) AS change (id, amount_minor)"
            " WHERE facility.id = change.id",
            arguments,
        )
        for table, reference, others in (
            ("financing_programmelimit", "programme_limit_id", _NOTHING_ELSE),
            (
                "funding_fundingline",
                "funding_line_id",
                "%(line_ids)s::bigint[], %(line_amounts)s::bigint[]",
            ),
        ):
            raised = _RAISED_ABOVE.format(
                table=table, reference=reference, others=others, holder=holder
            )
            cursor.execute(raised, arguments)
