"""What people of the house do in a case."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import GRANTED, May
from tallystick.book.acts.once import Caller
from tallystick.book.collections.cases import add_note, assign, pause
from tallystick.book.collections.letters import send_again
from tallystick.book.collections.models import Case, Message
from tallystick.book.collections.past_due import LateLoan, late_loans
from tallystick.book.collections.promise import promise
from tallystick.book.parties.models import Role, User
from tallystick.book.watch.raise_case import MAX_SAYS_LENGTH
from tallystick.faces.portal.filters import DateField
from tallystick.faces.portal.house.act_pages import ActForm, ActPage, Told, act_page
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.words import named
from tallystick.rules.typed_amounts import MAX_TYPED_CHARACTERS, minor_from_typed

Act = Callable[[dict[str, Any], Caller], None]


class AssignForm(ActForm):
    """Whose case it becomes."""

    assignee = forms.ChoiceField(label=_("Assigned to"), required=False)

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["reason"].required = False
        collectors = [str(role) for role in Role if May.COLLECT in GRANTED[role]]
        users = User.objects.filter(Q(role__in=collectors), is_active=True, party=None)
        self.fields["assignee"].choices = [
            ("", _("Nobody")),
            *((email, email) for email in users.order_by("email").values_list("email", flat=True)),
        ]


class NoteForm(ActForm):
    """What was said or found out."""

    text = forms.CharField(
        label=_("Note"), max_length=MAX_SAYS_LENGTH, widget=forms.Textarea(attrs={"rows": 5})
    )

    def __init__(self, *args: Any, **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["reason"].required = False
        self.fields["reason"].widget = forms.HiddenInput()


class PauseForm(ActForm):
    until_date = DateField(_("Letters again from"), required=True)


class PromiseForm(ActForm):
    """What a firm has promised, told by one of ours."""

    currency = forms.ChoiceField(label=_("Currency"))
    amount = forms.CharField(
        label=_("Amount"),
        max_length=MAX_TYPED_CHARACTERS,
        widget=forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"}),
    )
    promised_date = DateField(_("To be paid by"), required=True)

    def __init__(self, *args: Any, currencies: list[str], **given: Any) -> None:
        super().__init__(*args, **given)
        self.fields["reason"].required = False
        self.fields["currency"].choices = [(code, code) for code in currencies]


@page(May.COLLECT)
def assign_one(request: HttpRequest, number: int) -> HttpResponse:
    case = reach.late_payer(request.viewer, number)
    form = AssignForm(
        request.POST or None, initial={"assignee": case.assignee.email if case.assignee else ""}
    )

    def act(asked: dict[str, Any], caller: Caller) -> None:
        assign(case.pk, asked["assignee"], caller=caller, key=asked["key"])

    return _act_on(
        request,
        case,
        form,
        title=_now("Assign the case"),
        lead=_now("Who works on it. Letters for a person of ours go to them."),
        button=_now("Assign it"),
        done=_now("The case is assigned."),
        act=act,
    )


@page(May.COLLECT)
def note(request: HttpRequest, number: int) -> HttpResponse:
    case = reach.late_payer(request.viewer, number)

    def act(asked: dict[str, Any], caller: Caller) -> None:
        add_note(case.pk, asked["text"], caller=caller, key=asked["key"])

    return _act_on(
        request,
        case,
        NoteForm(request.POST or None),
        title=_now("Add a note"),
        lead=_now("What was said or found out; it is kept as you write it."),
        button=_now("Keep it"),
        done=_now("The note is kept."),
        act=act,
    )


@page(May.COLLECT)
def hold(request: HttpRequest, number: int) -> HttpResponse:
    case = reach.late_payer(request.viewer, number)
    form = PauseForm(request.POST or None, initial={"until_date": case.legal_entity.business_date})

    def act(asked: dict[str, Any], caller: Caller) -> None:
        pause(case.pk, asked["until_date"], caller=caller, key=asked["key"])

    return _act_on(
        request,
        case,
        form,
        title=_now("Hold letters back"),
        lead=_now("No letter goes out before that day. Today ends a pause."),
        button=_now("Hold them back"),
        done=_now("Letters are held back."),
        act=act,
    )


@page(May.COLLECT)
def promised(request: HttpRequest, number: int) -> HttpResponse:
    case = reach.late_payer(request.viewer, number)
    currencies = sorted({loan.currency for loan in _late(case)})
    form = PromiseForm(
        request.POST or None,
        currencies=currencies,
        initial={"promised_date": case.legal_entity.business_date},
    )

    def act(asked: dict[str, Any], caller: Caller) -> None:
        promise(
            case.pk,
            currency=asked["currency"],
            amount_minor=minor_from_typed(asked["amount"], asked["currency"]),
            promised_date=asked["promised_date"],
            by_firm=False,
            caller=caller,
            key=asked["key"],
        )

    return _act_on(
        request,
        case,
        form,
        title=_now("Keep a promise to pay"),
        lead=_now("Letters wait until its day is over; then the cash that came decides."),
        button=_now("Keep the promise"),
        done=_now("The promise is kept on file."),
        act=act,
    )


@page(May.COLLECT)
def letter_again(request: HttpRequest, number: int) -> HttpResponse:
    rows = Message.objects.filter(case__in=reach.late_payers(request.viewer))
    letter = reach.by_number(
        rows.select_related("case__party", "case__legal_entity"), "letter", number
    )

    def act(asked: dict[str, Any], caller: Caller) -> None:
        send_again(letter.pk, caller=caller, key=asked["key"])

    return _act_on(
        request,
        letter.case,
        ActForm(request.POST or None),
        title=_now("Send the letter again"),
        lead=_now("It goes to the address that the firm has now."),
        button=_now("Send it again"),
        done=_now("The letter waits to be sent."),
        act=act,
        facts=[(_now("Letter"), named("dunning_letter", letter.letter))],
    )


def _act_on(
    request: HttpRequest,
    case: Case,
    form: ActForm,
    *,
    title: str,
    lead: str,
    button: str,
    done: str,
    act: Act,
    facts: list[tuple[str, str]] | None = None,
) -> HttpResponse:
    """The page of one act in a case, which leads back to the case."""
    back = reverse("house-collections-one", args=[case.pk])

    def carry_out(asked: dict[str, Any], caller: Caller) -> Told:
        act(asked, caller)
        return Told(back, done)

    words = ActPage(
        title=title,
        lead=lead,
        button=button,
        back=back,
        facts=[(_now("Firm"), case.party.name), *(facts or [])],
    )
    return act_page(request, form, words, carry_out)


def _late(case: Case) -> list[LateLoan]:
    on = case.legal_entity.business_date
    found = late_loans(case.legal_entity_id, [case.party_id], on=on)
    return found.get(case.party_id, [])
