"""The close of business days, step by step, and the proof that the books agree."""

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.acts.once import Caller
from tallystick.book.parties.models import LegalEntity
from tallystick.book.servicing.close import MAX_DAYS_AT_ONCE
from tallystick.book.servicing.closing import (
    CLOSE_FAILED,
    close_alone,
    day_closing,
    day_closings,
    is_closing,
    next_to_close,
)
from tallystick.book.watch.models import Verification
from tallystick.book.watch.verifications import (
    is_verifying,
    latest_verification,
    verify_and_keep,
)
from tallystick.book.watch.worklist import items_open
from tallystick.faces.portal.filters import DateField
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.house.background import begin
from tallystick.faces.portal.house.entity_asked import entity_asked, entity_choice
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import CursorUnusable
from tallystick.faces.portal.templatetags.figures import day as shown_day
from tallystick.faces.portal.words import named
from tallystick.rules.money import text_from_minor

DAYS_A_PAGE = 20


class CloseForm(ActForm):
    through = DateField(_("Close through"), required=True)

    def __init__(self, *args: Any, first_date: date, **given: Any) -> None:
        super().__init__(*args, **given)
        self.first_date = first_date
        self.order_fields(["through", "reason"])
        self.fields["reason"].required = False

    def clean_through(self) -> date:
        through: date = self.cleaned_data["through"]
        if through < self.first_date:
            raise forms.ValidationError(
                _now("This day is closed already. The next one to close is %(day)s.")
                % {"day": shown_day(self.first_date)}
            )
        if (through - self.first_date).days >= MAX_DAYS_AT_ONCE:
            raise forms.ValidationError(
                _now("More than %(most)s days are not closed at once. Check the year.")
                % {"most": MAX_DAYS_AT_ONCE}
            )
        return through


@page(May.SEE_HOUSE)
def overview(request: HttpRequest) -> HttpResponse:
    """The day under way, the days that were closed, and when the books were last proved."""
    entity = entity_asked(request)
    before = _day(request.GET.get("before", ""))
    closings = day_closings(entity.pk, before_date=before, limit=DAYS_A_PAGE + 1)
    return render(
        request,
        "portal/house/close.html",
        {
            "closings": [
                (closing, duration_text(closing.duration)) for closing in closings[:DAYS_A_PAGE]
            ],
            "older": closings[DAYS_A_PAGE - 1].date.isoformat()
            if len(closings) > DAYS_A_PAGE
            else "",
            "is_latest": before is None,
            **_progress(request, entity),
            **entity_choice(request, entity),
        },
    )


@page(May.SEE_HOUSE)
def progress(request: HttpRequest) -> HttpResponse:
    """The part of the page that changes while a close or a proof is under way."""
    entity = entity_asked(request)
    return render(
        request,
        "portal/house/close_progress.html",
        {**_progress(request, entity), "entity": entity},
    )


@page(May.SEE_HOUSE)
def closed_day(request: HttpRequest, day: str) -> HttpResponse:
    """What each step of a day's close found."""
    entity = entity_asked(request)
    asked = _day(day)
    closing = day_closing(entity.pk, asked) if asked else None
    if closing is None or not closing.done_count:
        raise reach.NotThere("closed day", day[:20])
    return render(
        request,
        "portal/house/close_day.html",
        {
            "closing": closing,
            "steps": [(step, list(_told(step.step, step.figures))) for step in closing.steps],
            **entity_choice(request, entity),
        },
    )


@page(May.CLOSE_DAY)
def start(request: HttpRequest) -> HttpResponse:
    """Begin to close; the answer does not wait for the end."""
    entity = entity_asked(request)
    here = reverse("house-close")
    first_date = next_to_close(entity)
    form = CloseForm(
        request.POST or None,
        first_date=first_date,
        initial={"through": max(first_date, entity.business_date)},
    )
    words = ActPage(
        title=_now("Close the day"),
        lead=_now(
            "Every calendar day through the one you name is closed, one after the other. A closed "
            "day stays closed: what comes later is booked in the next one. It goes on by itself "
            "if you leave the page, and where it was cut off it continues."
        ),
        button=_now("Close"),
        back=here,
        facts=[
            (_now("Legal entity"), entity.code),
            (_now("Open business day"), shown_day(entity.business_date)),
            (_now("Next to close"), shown_day(first_date)),
        ],
    )

    def begun(asked: dict[str, Any], caller: Caller) -> Told:
        # Whoever closes a day, and by what channel, its steps have one natural key each.
        owned = Caller("system", caller.actor, caller.channel, caller.reason)
        if is_closing(entity.pk):
            return Told(here, _now("A close is under way already."))
        begin(
            lambda under_way: close_alone(
                entity.pk, asked["through"], caller=owned, on_started=under_way
            ),
            name=f"close of {entity.code} through {asked['through']}",
        )
        return Told(here, _now("The close has begun."))

    return act_page(request, form, words, begun)


@page(May.VERIFY)
@require_POST
def verify(request: HttpRequest) -> HttpResponse:
    """Begin to prove the books; a second request while it runs begins nothing."""
    who = request.viewer.name
    if is_verifying():
        messages.info(request, _now("The books are being proved already."))
    else:
        begin(
            lambda under_way: verify_and_keep(who, on_started=under_way), name="proof of the books"
        )
        messages.success(request, _now("The proof of the books has begun."))
    return redirect("house-close")


@page(May.SEE_HOUSE)
def verification(request: HttpRequest, verification: int) -> HttpResponse:
    """One run of the checks, and what it found."""
    found: Verification = reach.by_number(
        reach.verifications(request.viewer), "verification", verification
    )
    return render(request, "portal/house/close_verification.html", {"run": found})


def _progress(request: HttpRequest, entity: LegalEntity) -> dict[str, Any]:
    next_date = next_to_close(entity)
    failed = items_open(entity.pk, kind=CLOSE_FAILED)
    closing, verifying = is_closing(entity.pk), is_verifying()
    under_way = day_closing(entity.pk, next_date)
    return {
        "under_way": under_way,
        "current_step": next((step.step for step in under_way.steps if step.figures is None), ""),
        "business_date": entity.business_date,
        "is_closing": closing,
        "is_verifying": verifying,
        "is_busy": closing or verifying,
        "failed": failed[0] if failed else None,
        "run": latest_verification(),
        "may_close": request.viewer.may(May.CLOSE_DAY),
        "may_verify": request.viewer.may(May.VERIFY),
    }


def _day(text: str) -> date | None:
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise CursorUnusable from None


def _told(step: str, figures: Mapping[str, Any] | None) -> Iterator[tuple[str, str]]:
    """The figures of a step as label and text; none while it is not done."""
    if figures is None:
        return
    match step:
        case "roll":
            opened = date.fromisoformat(figures["business_date"])
            yield _now("Open since"), shown_day(opened)
        case "rates":
            yield _now("Loans at a new reference rate"), f"{figures['loans']:,}"
            yield _now("Facilities at a new price"), f"{figures['facilities']:,}"
            for name in figures["missing"]:
                yield _now("Reference rate is missing"), name
        case "dues":
            yield _now("Due dates moved"), f"{len(figures['moved']):,}"
            for moved in figures["moved"]:
                yield moved["loan"], f"{moved['from_date']} → {moved['to_date']}"
        case "accrual":
            for currency, night in figures.items():
                for kind, label in (
                    ("interest_minor", _now("Interest")),
                    ("penalty_minor", _now("Penalty interest")),
                ):
                    yield f"{label}, {currency}", _money(night[kind], currency)
        case "sales":
            for currency, earned_minor in figures["earned_minor"].items():
                yield _now("Fees of advances earned, %s") % currency, _money(earned_minor, currency)
            for stood in figures["pace"]:
                yield (
                    f"{named('pace_state', stood['state'])}, {stood['currency']}",
                    ngettext(
                        "%(advances)s advance, principal %(amount)s",
                        "%(advances)s advances, principal %(amount)s",
                        stood["advances"],
                    )
                    % {
                        "advances": f"{stood['advances']:,}",
                        "amount": _money(stood["principal_minor"], stood["currency"]),
                    },
                )
        case "delinquency":
            for bucket in figures["buckets"]:
                days = bucket["days_past_due"]
                label = _now("Not past due") if days == "0" else _now("%s days past due") % days
                yield (
                    f"{label}, {bucket['currency']}",
                    ngettext(
                        "%(loans)s loan, principal %(amount)s",
                        "%(loans)s loans, principal %(amount)s",
                        bucket["loans"],
                    )
                    % {
                        "loans": f"{bucket['loans']:,}",
                        "amount": _money(bucket["principal_minor"], bucket["currency"]),
                    },
                )
        case "classes" if figures["pack"]:
            yield _now("Rule pack"), figures["pack"]
            yield _now("Loans classed otherwise"), f"{figures['changed']:,}"
            for asset_class, loans in figures["to"].items():
                yield "→ " + named("asset_class", asset_class), f"{loans:,}"
        case "provisions" if figures["pack"]:
            for currency, total in figures["currencies"].items():
                yield (
                    _now("Expected loss, %s") % currency,
                    _money(total["expected_loss_minor"], currency),
                )
                yield _now("Provided for, %s") % currency, _money(total["booked_minor"], currency)
                yield (
                    _now("Interest in suspense, %s") % currency,
                    _money(total["suspended_minor"], currency),
                )
        case "bases":
            for currency, total in figures.items():
                yield _now("Pools, %s") % currency, f"{total['pools']:,}"
                yield _now("Borrowing bases, %s") % currency, _money(total["base_minor"], currency)
                yield _now("Cover, %s") % currency, _money(total["cover_minor"], currency)
        case "seal":
            yield _now("Entries sealed"), f"{figures['entries']:,}"
            yield _now("Seal"), figures["seal"]


def _money(amount_minor: int, currency: str) -> str:
    return text_from_minor(amount_minor, currency, thousands=True)


def duration_text(duration: timedelta | None) -> str:
    """2.4 s, or 3 min 20 s; empty where it is not known."""
    if duration is None:
        return ""
    seconds = duration.total_seconds()
    if seconds < 60:
        return _now("%s s") % f"{seconds:.1f}"
    return _now("%(minutes)s min %(seconds)s s") % {
        "minutes": int(seconds // 60),
        "seconds": int(seconds % 60),
    }
