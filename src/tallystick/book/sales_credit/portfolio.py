"""Advances out of sales looked for among many, and what those found come to."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

from django.db.models import Count, F, QuerySet, Sum

from tallystick.book.sales_credit.models import STILL_IN_FORCE, Advance, AdvancePosition

DAYS_BEHIND = {"1-30": (1, 30), "31-90": (31, 90), "91+": (91, None)}
"""Days behind the least pace, from–to, as a list is asked for them."""


@dataclass(frozen=True, slots=True)
class AdvancesWanted:
    """What advances are looked for; what is None or empty does not matter.

    ``behind`` is one of DAYS_BEHIND and asks for those that the last close found behind.
    """

    merchant_id: int | None = None
    line: str = ""
    status: str = ""
    behind: str = ""
    code_prefix: str = ""


class AdvancesTotal(NamedTuple):
    """What advances in one currency come to; minor units."""

    currency: str
    advances: int
    advanced_minor: int
    collected_minor: int
    principal_minor: int


def advances_wanted(
    advances: QuerySet[Advance], wanted: AdvancesWanted, *, on: date
) -> QuerySet[Advance]:
    """Those of ``advances`` that are wanted; ``on`` is the day that days behind are counted to."""
    equal = {
        "line__merchant_id": wanted.merchant_id,
        "line__code": wanted.line or None,
        "status": wanted.status or None,
        "code__startswith": wanted.code_prefix or None,
    }
    found = advances.filter(**{name: value for name, value in equal.items() if value is not None})
    if wanted.behind:
        least, most = DAYS_BEHIND[wanted.behind]
        found = found.filter(behind_since_date__lte=on - timedelta(days=least))
        if most is not None:
            found = found.filter(behind_since_date__gte=on - timedelta(days=most))
    return found


def totals_of(advances: QuerySet[Advance]) -> list[AdvancesTotal]:
    """What the advances come to, by currency; principal is of those that were paid out."""
    held = (
        AdvancePosition.objects.filter(
            superseded_date=STILL_IN_FORCE, advance__in=advances.order_by().values("pk")
        )
        .values(currency=F("advance__currency"))
        .annotate(collected=Sum("collected_minor"), principal=Sum("principal_minor"))
    )
    of_positions = {row["currency"]: row for row in held}
    return [
        AdvancesTotal(
            row["currency"],
            row["advances"],
            int(row["advanced"]),
            int(of_positions.get(row["currency"], {}).get("collected", 0)),
            int(of_positions.get(row["currency"], {}).get("principal", 0)),
        )
        for row in advances.order_by("currency")
        .values("currency")
        .annotate(advances=Count("pk"), advanced=Sum("advance_minor"))
    ]


def positions_now(advance_ids: Collection[int]) -> dict[int, AdvancePosition]:
    """The positions in force, by advance; none for an advance that has not been paid out."""
    rows = AdvancePosition.objects.filter(
        advance__in=list(advance_ids), superseded_date=STILL_IN_FORCE
    )
    return {row.advance_id: row for row in rows}
