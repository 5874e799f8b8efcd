"""The house's first page: where it stands today, and what needs a person."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import get_language

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.parties.models import LegalEntity
from tallystick.book.watch.today import (
    close_state,
    figures_today,
    last_seal,
    outstanding_by_programme,
)
from tallystick.book.watch.verifications import latest_verification
from tallystick.faces import charts
from tallystick.faces.portal.house.approvals import things_to_approve
from tallystick.faces.portal.house.worklist import link_of
from tallystick.faces.portal.pages import page
from tallystick.rules.money import minor_digits

ITEMS_SHOWN = 6
DAYS_SHOWN = 60


@page(May.SEE_HOUSE)
def house_today(request: HttpRequest) -> HttpResponse:
    entities = reach.entities(request.viewer).order_by("code")[:10]
    items = reach.work_items(request.viewer).filter(closed_at=None)
    return render(
        request,
        "portal/house/today.html",
        {
            "entities": [_standing(entity) for entity in entities],
            "items": [
                {"item": item, "link": link_of(item)}
                for item in items.order_by("-pk")[:ITEMS_SHOWN]
            ],
            "open_items": items.count(),
            "to_approve": things_to_approve(request.viewer),
            "run": latest_verification(),
        },
    )


def _standing(entity: LegalEntity) -> dict[str, Any]:
    return {
        "entity": entity,
        "seal": last_seal(entity.pk),
        "close": close_state(entity.pk),
        "currencies": [
            {"figures": figures, "out": _outstanding(entity, figures.currency)}
            for figures in figures_today(entity)
        ],
    }


def _outstanding(entity: LegalEntity, currency: str) -> dict[str, Any]:
    """Principal by programme, day by day, as a picture and as a table of weeks."""
    # Up to the day before the open one: what no draw of today can change is drawn once a day.
    last = entity.business_date - timedelta(days=1)
    first = max(entity.opened_date, last - timedelta(days=DAYS_SHOWN - 1))
    days, series = outstanding_by_programme(entity.pk, currency, from_date=first, to_date=last)
    is_chinese = (get_language() or "").startswith("zh")
    step, step_named = (10_000, "万") if is_chinese else (1_000_000, "m")
    unit = 10 ** minor_digits(currency) * step
    picture = ""
    if len(days) > 1 and any(values[-1] for values in series.values()):
        picture = charts.cached(
            charts.stacked_areas,
            days,
            {name: [minor / unit for minor in values] for name, values in series.items()},
            unit=f"{currency} {step_named}",
        )
    weekly = sorted({*range(len(days) - 1, -1, -7)}, reverse=True)
    return {
        "picture": picture,
        "programmes": list(series),
        "latest": [(name, values[-1]) for name, values in series.items() if values],
        "rows": [
            {
                "day": days[place],
                "amounts_minor": [values[place] for values in series.values()],
                "total_minor": sum(values[place] for values in series.values()),
            }
            for place in weekly
        ],
    }
