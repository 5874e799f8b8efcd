"""Firms that pay late: the list with what is past due, and a case with everything in it."""

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.access.viewer import Viewer
from tallystick.book.collections.models import Message, Note, PromiseToPay
from tallystick.book.collections.overview import (
    CaseOn,
    Happened,
    ageing,
    case_on,
    cases_on,
    promises_made,
    proposals_of,
    story,
)
from tallystick.book.payments.models import CashReceipt
from tallystick.book.proposals.models import Proposal
from tallystick.faces.portal.drawdown_words import amount
from tallystick.faces.portal.filters import ANY, FilterForm
from tallystick.faces.portal.house.entity_asked import entity_asked, entity_choice
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import Slice
from tallystick.faces.portal.proposal_words import proposal_told
from tallystick.faces.portal.templatetags.figures import day
from tallystick.faces.portal.words import actor_named, named
from tallystick.rules.dunning import Next, Why, bucket_names

ROWS_A_PAGE = 50
BAR_LENGTH = 1_000
MINE, NOBODY = "mine", "nobody"

SORTS: Mapping[str, Callable[[CaseOn], Any]] = {
    "days": lambda each: (-each.days_past_due, each.case.pk),
    # Currencies are not added up: the largest amount in any of them counts.
    "amount": lambda each: (-max(each.amounts.values(), default=0), each.case.pk),
    "firm": lambda each: (each.case.party.name.casefold(), each.case.pk),
    "assignee": lambda each: (each.case.assignee.email if each.case.assignee else "", each.case.pk),
    "since": lambda each: (each.case.opened_date, each.case.pk),
}


class CasesForm(FilterForm):
    """Which cases, and in which order."""

    bucket = forms.ChoiceField(
        label=_("Days past due"),
        required=False,
        choices=[ANY, *((name, name) for name in bucket_names())],
    )
    assignee = forms.ChoiceField(
        label=_("Assigned to"),
        required=False,
        choices=[ANY, (MINE, _("Me")), (NOBODY, _("Nobody"))],
    )
    sort = forms.ChoiceField(
        label=_("Sorted by"),
        required=False,
        choices=[
            ("days", _("Days past due")),
            ("amount", _("Amount")),
            ("firm", _("Firm")),
            ("assignee", _("Assigned to")),
            ("since", _("Open since")),
        ],
    )
    entity = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


@page(May.SEE_HOUSE)
def listed(request: HttpRequest) -> HttpResponse:
    """The open cases, with what is past due by currency and age."""
    entity = entity_asked(request)
    form = CasesForm(request.GET, viewer=request.viewer)
    own = reach.late_payers(request.viewer)
    found = cases_on(own, entity, on=entity.business_date)
    shown: list[CaseOn] = []
    if form.is_valid():
        asked = form.cleaned_data
        shown = sorted(
            (each for each in found if _is_wanted(each, asked, request.viewer)),
            key=SORTS[asked["sort"] or "days"],
        )
    part = _part(shown, request.GET.get("cursor", ""))
    kept = promises_made([each.case.pk for each in part.rows])
    return render(
        request,
        "portal/house/collections.html",
        {
            "form": form,
            "part": part,
            "rows": [
                {
                    "each": each,
                    "amounts": sorted(each.amounts.items()),
                    "next": next_told(each.next),
                    "kept": kept.get(each.case.pk, (0, 0)),
                }
                for each in part.rows
            ],
            "ageing": [
                {"currency": currency, "bars": _bars(buckets), "total": sum(buckets.values())}
                for currency, buckets in sorted(ageing(shown).items())
            ],
            "waiting": reach.proposals(request.viewer)
            .filter(legal_entity=entity, approved=None)
            .count(),
            "open_cases": len(found),
            **entity_choice(request, entity),
        },
        status=200 if form.is_valid() else 422,
    )


@page(May.SEE_HOUSE)
def one(request: HttpRequest, number: int) -> HttpResponse:
    """A case: its loans, the next step, what waits for a decision, and its story."""
    case = reach.late_payer(request.viewer, number)
    found = case_on(case, on=case.legal_entity.business_date)
    viewer = request.viewer
    return render(
        request,
        "portal/house/collection.html",
        {
            "case": case,
            "each": found,
            "amounts": sorted(found.amounts.items()),
            "next": next_told(found.next),
            "proposals": [
                {"row": row, "told": _proposal_told(row), "is_own": row.maker.email == viewer.name}
                for row in proposals_of(case).filter(approved=None)
            ],
            "story": [told_of(line) for line in story(case)],
            "may_collect": case.is_open and viewer.may(May.COLLECT),
            "may_propose": case.is_open and viewer.may(May.PROPOSE_RELIEF),
            "may_decide": viewer.may(May.DECIDE_RELIEF),
        },
    )


def next_told(following: Next) -> str:
    """What comes next in a case, in the language of the page."""
    match following.why:
        case Why.DUE:
            assert following.step is not None
            return _now("%(letter)s is due: it is made ready by the next close of day.") % {
                "letter": named("dunning_letter", following.step.letter)
            }
        case Why.PAUSED:
            return _now("Letters are held back until %(day)s.") % {"day": day(following.until_date)}
        case Why.PROMISED:
            return _now("Payment is promised for %(day)s.") % {"day": day(following.until_date)}
        case Why.WAITS:
            return _now("The next letter waits until %(day)s.") % {"day": day(following.until_date)}
        case Why.NOT_REACHED:
            return _now("The first step is not reached yet.")
        case Why.ALL_SENT:
            return _now("Waits for the next step of the ladder.")
    return _now("Nothing is past due.")


def told_of(line: Happened) -> dict[str, Any]:
    """A line of the story: a title, a detail, and of a letter its words."""
    told: dict[str, Any] = {"date": line.date, "at": line.at, "state": "", "group": "", "body": ""}
    row = line.row
    match row:
        case Note():
            told |= _note_told(row)
        case Message():
            told |= {
                "title": named("dunning_letter", row.letter),
                "detail": ", ".join([named("dunning_channel", row.channel), *row.addresses]),
                "state": row.state,
                "group": "letter_state",
                "body": row.body,
                "letter": row.pk if row.state == "dead" else None,
            }
        case PromiseToPay() if line.kind == "promise_decided":
            told |= {
                "title": _now("Promise decided"),
                "detail": _now("%(amount)s came by %(day)s.")
                % {
                    "amount": amount(row.received_minor or 0, row.currency),
                    "day": day(row.promised_date),
                },
                "state": row.outcome,
                "group": "promise",
            }
        case PromiseToPay():
            told |= {
                "title": _now("Promise to pay"),
                "detail": _now("%(amount)s by %(day)s, said by %(who)s.")
                % {
                    "amount": amount(row.amount_minor, row.currency),
                    "day": day(row.promised_date),
                    "who": row.made_by,
                },
            }
        case Proposal() if line.kind == "proposal_decided":
            told |= {
                "title": named("proposal_state", row.state),
                "detail": (
                    f"{_proposal_told(row)} · {row.checker or row.maker} {row.decision_reason}"
                ).strip(),
            }
        case Proposal():
            told |= {
                "title": _now("Proposed"),
                "detail": f"{_proposal_told(row)} · {row.maker}: {row.reason}",
            }
        case CashReceipt():
            told |= {
                "title": _now("Cash received"),
                "detail": f"{amount(row.met_minor, row.currency)} · {row.bank_reference}",
            }
    return told


def _note_told(row: Note) -> dict[str, Any]:
    titles = {
        "opened": _now("Case opened"),
        "closed": _now("Case closed"),
        "note": _now("Note"),
        "assigned": _now("Assigned"),
        "paused": _now("Letters held back"),
    }
    text = {"closed": named("case_end", row.text), "assigned": row.text or _now("to nobody")}
    detail = text.get(row.kind, row.text)
    return {"title": titles[row.kind], "detail": detail, "by": actor_named(row.author)}


def _proposal_told(row: Proposal) -> str:
    return f"{named('proposal_kind', row.kind)} · {row.about}: {proposal_told(row)}"


def _is_wanted(each: CaseOn, asked: Mapping[str, str], viewer: Viewer) -> bool:
    if asked["bucket"] and each.bucket != asked["bucket"]:
        return False
    assignee = each.case.assignee
    match asked["assignee"]:
        case "mine":
            return assignee is not None and assignee.email == viewer.name
        case "nobody":
            return assignee is None
    return True


def _part(rows: list[CaseOn], cursor: str) -> Slice:
    """A page of rows that were sorted here: late payers are few, and sorted by what runs daily."""
    first = int(cursor) if cursor.isdecimal() and len(cursor) < 10 else 0
    return Slice(
        rows[first : first + ROWS_A_PAGE],
        before=str(max(0, first - ROWS_A_PAGE)) if first else "",
        after=str(first + ROWS_A_PAGE) if first + ROWS_A_PAGE < len(rows) else "",
    )


def _bars(buckets: Mapping[str, int]) -> list[dict[str, Any]]:
    """A bar for each bucket, the longest as long as there is room."""
    longest = max(1, *buckets.values())
    return [
        {
            "bucket": bucket,
            "amount_minor": minor,
            "width": max(4 if minor else 0, minor * BAR_LENGTH // longest),
        }
        for bucket, minor in buckets.items()
    ]
