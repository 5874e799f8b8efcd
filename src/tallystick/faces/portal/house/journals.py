"""Manual journals: one person proposes an entry, another approves or rejects it."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.acts.once import Caller
from tallystick.book.ledger.manual_journals import (
    MAX_REFERENCE_LENGTH,
    approve,
    propose,
    reject,
)
from tallystick.book.ledger.models import Book, ManualJournal
from tallystick.book.parties.models import LegalEntity, Party
from tallystick.faces.portal.filters import DateField, minor_typed
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.house.entity_asked import entity_asked, entity_choice
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.paging import sliced
from tallystick.faces.portal.words import named
from tallystick.rules.chart import CHART, Scope
from tallystick.rules.journal import AccountName, Posting, Side
from tallystick.rules.money import MINOR_DIGITS, text_from_minor

LINES = 6
MOST_BOOKS = 300


class ProposeForm(ActForm):
    """An entry as it is typed: up to six lines, each an account and an amount on one side.

    ``of`` names what an account is kept for: a loan book's number or a firm's code.
    """

    reference = forms.CharField(
        label=_("About"),
        max_length=MAX_REFERENCE_LENGTH,
        help_text=_("The object it is about, such as loan:JBB-1-7."),
    )
    currency = forms.CharField(label=_("Currency"), min_length=3, max_length=3, initial="CNY")
    value_date = DateField(_("Value date"), required=True)

    def __init__(self, *args: Any, entity: LegalEntity, **given: Any) -> None:
        super().__init__(*args, **given)
        books = Book.objects.filter(legal_entity=entity).select_related("funder").order_by("id")
        self.books = {
            str(book.pk): f"{book.programme}/{book.funder.code}/{book.asset_class} {book.currency}"
            for book in books[:MOST_BOOKS]
        }
        accounts = [("", "—"), *((name, named("account", name)) for name in CHART)]
        for number in range(1, LINES + 1):
            self.fields |= {
                f"account_{number}": forms.ChoiceField(
                    label=_("Account"), required=False, choices=accounts
                ),
                f"book_{number}": forms.ChoiceField(
                    label=_("Loan book"),
                    required=False,
                    choices=[("", "—"), *self.books.items()],
                ),
                f"party_{number}": forms.CharField(
                    label=_("Firm's code"), required=False, max_length=64
                ),
                f"debit_{number}": forms.CharField(
                    label=_("Debit"), required=False, max_length=60, widget=_amount_input()
                ),
                f"credit_{number}": forms.CharField(
                    label=_("Credit"), required=False, max_length=60, widget=_amount_input()
                ),
            }

    def rows(self) -> list[list[forms.BoundField]]:
        """The fields of each line, for the page."""
        return [
            [self[f"{part}_{number}"] for part in ("account", "book", "party", "debit", "credit")]
            for number in range(1, LINES + 1)
        ]

    def head(self) -> list[forms.BoundField]:
        return [self[name] for name in ("reference", "currency", "value_date", "reason")]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        currency = str(cleaned.get("currency", "")).upper()
        if currency not in MINOR_DIGITS:
            self.add_error("currency", _now("There is no such currency. Type its three letters."))
            return cleaned
        postings = [self._posting(number, currency) for number in range(1, LINES + 1)]
        cleaned |= {
            "currency": currency,
            "postings": [posting for posting in postings if posting is not None],
        }
        return cleaned

    def _posting(self, number: int, currency: str) -> Posting | None:
        """One line; None where it is empty or wrong, which is then told beside its field."""
        typed = {
            part: self.cleaned_data.get(f"{part}_{number}") or ""
            for part in ("account", "book", "party", "debit", "credit")
        }
        if not any(typed.values()):
            return None
        if not typed["account"]:
            self.add_error(f"account_{number}", _now("Choose the account of this line."))
            return None
        if bool(typed["debit"]) == bool(typed["credit"]):
            self.add_error(
                f"debit_{number}", _now("Type an amount on one side: as debit or as credit.")
            )
            return None
        side = "debit" if typed["debit"] else "credit"
        try:
            amount_minor = minor_typed(typed[side], currency)
        except forms.ValidationError as error:
            self.add_error(f"{side}_{number}", error)
            return None
        if not amount_minor:
            self.add_error(f"{side}_{number}", _now("The amount must be above zero."))
            return None
        account = self._account(number, typed)
        return account and Posting(account, Side[side.upper()], amount_minor)

    def _account(self, number: int, typed: dict[str, str]) -> AccountName | None:
        name = typed["account"]
        scope = CHART[name].scope
        if scope is Scope.BOOK and not typed["book"]:
            self.add_error(f"book_{number}", _now("This account is kept by loan book: choose one."))
            return None
        if scope is Scope.PARTY:
            firm = Party.objects.filter(code=typed["party"].strip()).first()
            if firm is None:
                self.add_error(
                    f"party_{number}", _now("This account is kept by firm: type a firm's code.")
                )
                return None
            return AccountName(name, party=firm.pk)
        return AccountName(name, book=int(typed["book"]) if scope is Scope.BOOK else None)


class DecideForm(ActForm):
    """Whether the entry is booked, and why."""


@page(May.SEE_HOUSE)
def listed(request: HttpRequest) -> HttpResponse:
    entity = entity_asked(request)
    rows = (
        reach.manual_journals(request.viewer)
        .filter(legal_entity=entity)
        .select_related("maker", "checker")
    )
    part = sliced(rows, by=["-id"], cursor=request.GET.get("cursor", ""))
    return render(
        request,
        "portal/house/journals.html",
        {
            "part": part,
            "lines": [(journal, *_summary(journal)) for journal in part.rows],
            "may_propose": request.viewer.may(May.PROPOSE_JOURNAL),
            **entity_choice(request, entity),
        },
    )


@page(May.SEE_HOUSE)
def one(request: HttpRequest, journal: int) -> HttpResponse:
    found = _journal(request, journal)
    is_maker = found.maker.email == request.viewer.name
    return render(
        request,
        "portal/house/journal.html",
        {
            "journal": found,
            "decided": _state(found),
            "postings": _postings(found),
            "currency": found.proposal["currency"],
            "is_maker": is_maker,
            "may_decide": request.viewer.may(May.DECIDE_JOURNAL)
            and not is_maker
            and found.decided_at is None,
        },
    )


@page(May.PROPOSE_JOURNAL)
def propose_one(request: HttpRequest) -> HttpResponse:
    """Put an entry up for approval; nothing is booked."""
    entity = entity_asked(request)
    form = ProposeForm(
        request.POST or None, entity=entity, initial={"value_date": entity.business_date}
    )
    words = ActPage(
        title=_now("Propose a manual journal"),
        lead=_now(
            "Nothing is booked until an approver, somebody else than you, has approved it. Debits "
            "and credits must come to the same."
        ),
        button=_now("Propose it"),
        back=reverse("house-journals"),
    )

    def proposed(asked: dict[str, Any], caller: Caller) -> Told:
        number = propose(
            caller=caller,
            key=asked["key"],
            maker=request.user,
            legal_entity_id=entity.pk,
            currency=asked["currency"],
            reference=asked["reference"],
            value_date=asked["value_date"],
            postings=asked["postings"],
        )
        return Told(
            reverse("house-journals-one", args=[number]),
            _now("Manual journal %(number)s waits for an approver.") % {"number": number},
        )

    return act_page(request, form, words, proposed, template="portal/house/journal_propose.html")


@page(May.DECIDE_JOURNAL)
def approve_one(request: HttpRequest, journal: int) -> HttpResponse:
    """Book a proposed entry."""
    found = _journal(request, journal)
    words = ActPage(
        title=_now("Approve manual journal %(number)s") % {"number": found.pk},
        lead=_now("It is booked in the open business day, at once and for good."),
        button=_now("Approve and book"),
        back=reverse("house-journals-one", args=[found.pk]),
        facts=_facts(found),
    )

    def approved(asked: dict[str, Any], caller: Caller) -> Told:
        entry = approve(found.pk, caller=caller, key=asked["key"], checker=request.user)
        return Told(
            reverse("house-ledger-entry", args=[entry]),
            _now("Manual journal %(number)s is booked.") % {"number": found.pk},
        )

    return act_page(request, DecideForm(request.POST or None), words, approved)


@page(May.DECIDE_JOURNAL)
def reject_one(request: HttpRequest, journal: int) -> HttpResponse:
    """Decline a proposed entry."""
    found = _journal(request, journal)
    here = reverse("house-journals-one", args=[found.pk])
    words = ActPage(
        title=_now("Reject manual journal %(number)s") % {"number": found.pk},
        lead=_now("Nothing is booked. Whoever proposed it reads your reason."),
        button=_now("Reject it"),
        back=here,
        facts=_facts(found),
        is_grave=True,
    )

    def rejected(asked: dict[str, Any], caller: Caller) -> Told:
        reject(found.pk, caller=caller, key=asked["key"], checker=request.user)
        return Told(here, _now("Manual journal %(number)s is rejected.") % {"number": found.pk})

    return act_page(request, DecideForm(request.POST or None), words, rejected)


def _journal(request: HttpRequest, number: int) -> ManualJournal:
    rows = reach.manual_journals(request.viewer).select_related("maker", "checker", "legal_entity")
    found: ManualJournal = reach.by_number(rows, "manual journal", number)
    return found


def _state(journal: ManualJournal) -> str:
    if journal.approved is None:
        return "open"
    return "approved" if journal.approved else "rejected"


def _summary(journal: ManualJournal) -> tuple[str, str, int]:
    """State, currency, and what the debits come to."""
    proposal = journal.proposal
    debits_minor = sum(
        line["amount_minor"] for line in proposal["postings"] if line["side"] == Side.DEBIT
    )
    return _state(journal), proposal["currency"], debits_minor


def _facts(journal: ManualJournal) -> list[tuple[str, str]]:
    _, currency, debits_minor = _summary(journal)
    return [
        (_now("Proposed by"), journal.maker.email),
        (_now("Why"), journal.reason),
        (_now("About"), journal.proposal["reference"]),
        (_now("Amount"), f"{text_from_minor(debits_minor, currency, thousands=True)} {currency}"),
    ]


def _postings(journal: ManualJournal) -> list[dict[str, Any]]:
    """The lines of the proposal with the names of what their accounts are kept for."""
    lines = journal.proposal["postings"]
    books = {
        book.pk: f"{book.programme}/{book.funder.code}/{book.asset_class}"
        for book in Book.objects.filter(
            pk__in=[line["book"] for line in lines if line["book"]]
        ).select_related("funder")
    }
    firms = dict(
        Party.objects.filter(pk__in=[line["party"] for line in lines if line["party"]]).values_list(
            "pk", "code"
        )
    )
    return [
        {
            "name": line["name"],
            "of": books.get(line["book"]) or firms.get(line["party"]) or "",
            "is_debit": line["side"] == Side.DEBIT,
            "amount_minor": line["amount_minor"],
        }
        for line in lines
    ]


def _amount_input() -> forms.TextInput:
    return forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
