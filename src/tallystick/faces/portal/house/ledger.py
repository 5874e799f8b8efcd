"""The ledger browser: what each account holds, how it came to it, and the proof of an entry."""

from datetime import date

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.ledger.browse import Place, chart_totals, posted_lines, statement_page
from tallystick.book.ledger.labels import labelled
from tallystick.book.ledger.models import Entry, Seal
from tallystick.book.ledger.prove import prove
from tallystick.book.ledger.queries import balances
from tallystick.book.ledger.seal import sealed, seals
from tallystick.book.parties.models import LegalEntity
from tallystick.faces.portal.filters import DateField
from tallystick.faces.portal.house.entity_asked import entity_asked, entity_choice
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import ROWS_A_PAGE, CursorUnusable, sliced
from tallystick.rules.chart import CHART
from tallystick.rules.journal import Side
from tallystick.rules.proofs import proof_file, seals_file
from tallystick.rules.seals import leaf_hash


class DatesForm(forms.Form):
    """The two dates of every question about the books."""

    entity = forms.CharField(required=False, widget=forms.HiddenInput)
    on = DateField(_("Value dates up to"))
    known_on = DateField(_("As known on"))


class PeriodForm(forms.Form):
    """The booking dates of a statement."""

    from_date = DateField(_("Booked from"))
    to_date = DateField(_("Booked to"))


@page(May.SEE_HOUSE)
def trial_balance(request: HttpRequest) -> HttpResponse:
    entity = entity_asked(request)
    form, days = _days(request, entity)
    lines = chart_totals(entity.pk, **days)
    by_currency = [
        {
            "currency": currency,
            "lines": sorted(
                (line for line in lines if line.currency == currency),
                key=lambda line: CHART[line.name].number,
            ),
            "debit_minor": sum(
                line.balance.debit_minor for line in lines if line.currency == currency
            ),
            "credit_minor": sum(
                line.balance.credit_minor for line in lines if line.currency == currency
            ),
        }
        for currency in sorted({line.currency for line in lines})
    ]
    return render(
        request,
        "portal/house/ledger.html",
        {"form": form, "days": days, "by_currency": by_currency, **entity_choice(request, entity)},
    )


@page(May.SEE_HOUSE)
def accounts(request: HttpRequest, name: str, currency: str) -> HttpResponse:
    """The accounts of one name of the chart, with their balances."""
    entity = entity_asked(request)
    form, days = _days(request, entity)
    named = reach.accounts(request.viewer).filter(legal_entity=entity, name=name, currency=currency)
    part = sliced(named, by=["pk"], cursor=request.GET.get("cursor", ""))
    ids = [account.pk for account in part.rows]
    totals = balances(ids, **days)
    return render(
        request,
        "portal/house/ledger_accounts.html",
        {
            "form": form,
            "days": days,
            "name": name,
            "currency": currency,
            "part": part,
            "lines": [(each, totals[each.account_id]) for each in labelled(ids)],
            **entity_choice(request, entity),
        },
    )


@page(May.SEE_HOUSE)
def statement(request: HttpRequest, account: int) -> HttpResponse:
    """An account's postings in the order in which they were booked, with its balance after each."""
    found = reach.by_number(
        reach.accounts(request.viewer).select_related("legal_entity"), "account", account
    )
    (named,) = labelled([found.pk])
    today = found.legal_entity.business_date
    form = PeriodForm(request.GET if request.GET else None)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    from_date = asked.get("from_date") or today.replace(day=1)
    to_date = asked.get("to_date") or today
    if not form.is_bound:
        form = PeriodForm(initial={"from_date": from_date, "to_date": to_date})
    shown = statement_page(
        found.pk,
        from_date=from_date,
        to_date=to_date,
        after=_place(request.GET.get("after", "")),
        limit=ROWS_A_PAGE,
    )
    place = shown.next_place
    return render(
        request,
        "portal/house/ledger_statement.html",
        {
            "account": named,
            "found": found,
            "form": form,
            "from_date": from_date,
            "to_date": to_date,
            "shown": shown,
            "after": place and f"{place.booking_date}.{place.entry_id}.{place.line}",
            "is_first": "after" not in request.GET,
        },
    )


@page(May.SEE_HOUSE)
def entry(request: HttpRequest, entry: int) -> HttpResponse:
    """An entry, the act that caused it, what reverses it, and the seal of its day."""
    found = _entry(request, entry)
    rows = reach.entries(request.viewer)
    header = sealed(found.legal_entity_id, found.booking_date)
    return render(
        request,
        "portal/house/ledger_entry.html",
        {
            "entry": found,
            "lines": posted_lines([found.pk])[found.pk],
            "debit": Side.DEBIT,
            "act": found.act,
            "reversed_by": rows.filter(reverses=found.pk).first(),
            "seal": header,
            "seal_hex": header and header.seal().hex(),
            "sees_audit": request.viewer.may(May.SEE_AUDIT),
        },
    )


@page(May.SEE_HOUSE)
def entry_proof(request: HttpRequest, entry: int) -> HttpResponse:
    """The path from an entry to the seal of its day. Reads the whole day."""
    found = _entry(request, entry)
    proof = prove(found.pk)
    return render(
        request,
        "portal/house/ledger_proof.html",
        {
            "entry": found,
            "proof": proof,
            "place": f"{proof.leaf_index + 1:,}",
            "path": [sibling.hex() for sibling in proof.path],
            "leaf_hex": leaf_hash(proof.entry).hex(),
            "root_hex": proof.header.merkle_root.hex(),
            "seal_hex": proof.header.seal().hex(),
            "previous_hex": proof.header.previous_seal.hex(),
        },
    )


@page(May.SEE_HOUSE)
def proof_download(request: HttpRequest, entry: int) -> HttpResponse:
    """The bytes that ``tally ledger prove`` writes."""
    found = _entry(request, entry)
    return _file(proof_file(prove(found.pk)), f"entry-{found.pk}-proof.json")


@page(May.SEE_HOUSE)
def seal_list(request: HttpRequest) -> HttpResponse:
    entity = entity_asked(request)
    part = sliced(
        Seal.objects.filter(legal_entity=entity),
        by=["-date", "-id"],
        cursor=request.GET.get("cursor", ""),
    )
    return render(
        request,
        "portal/house/ledger_seals.html",
        {
            "part": part,
            "lines": [(seal, bytes(seal.seal_hash).hex()) for seal in part.rows],
            **entity_choice(request, entity),
        },
    )


@page(May.SEE_HOUSE)
def seals_download(request: HttpRequest) -> HttpResponse:
    """The bytes that ``tally ledger seals`` writes: of all legal entities, or of one."""
    ours = reach.entities(request.viewer).order_by("code")
    code = request.GET.get("entity", "")
    if code:
        ours = [reach.entity(request.viewer, code)]
    content = seals_file(header for entity in ours for header in seals(entity.pk))
    return _file(content, f"seals-{code or 'all'}.jsonl")


def _days(request: HttpRequest, entity: LegalEntity) -> tuple[DatesForm, dict[str, date]]:
    """The dates asked for; the open business day for one that is not, or not readable."""
    form = DatesForm(request.GET or None)
    asked = form.cleaned_data if form.is_bound and form.is_valid() else {}
    days = {name: asked.get(name) or entity.business_date for name in ("on", "known_on")}
    if not form.is_bound or form.is_valid():
        form = DatesForm(initial={"entity": request.GET.get("entity", ""), **days})
    return form, days


def _entry(request: HttpRequest, number: int) -> Entry:
    rows = reach.entries(request.viewer).select_related("legal_entity", "act")
    found: Entry = reach.by_number(rows, "entry", number)
    return found


def _place(text: str) -> Place | None:
    if not text:
        return None
    try:
        day, entry_id, line = text.split(".")
        place = Place(date.fromisoformat(day), int(entry_id), int(line))
    except ValueError:
        raise CursorUnusable from None
    if not (0 <= place.entry_id < 2**63 and 0 <= place.line < 2**15):
        raise CursorUnusable
    return place


def _file(content: bytes, name: str) -> HttpResponse:
    answer = HttpResponse(content, content_type="application/json")
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
