"""The statement: on the screen, as CSV, and as a workbook."""

from collections.abc import Iterator
from datetime import date, timedelta

from django import forms
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.permissions import May
from tallystick.book.servicing.supplier_statement import SupplierStatement, supplier_statement
from tallystick.faces.files.tables import Amount, Cell, csv_bytes, xlsx_bytes
from tallystick.faces.portal.drawdown_words import Said
from tallystick.faces.portal.filters import DateField
from tallystick.faces.portal.pages import page
from tallystick.faces.portal.refusals import refusal_page, told
from tallystick.faces.portal.words import named
from tallystick.rules.refusal import Refusal

USUAL_DAYS = 31
ROWS_A_PAGE = 100
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class PeriodForm(forms.Form):
    """Which days, and which currency where there are several."""

    from_date = DateField(_("From"))
    to_date = DateField(_("To"))
    currency = forms.ChoiceField(label=_("Currency"), required=False)

    def __init__(self, asked: QueryDict, *, currencies: list[str]) -> None:
        super().__init__(asked, label_suffix="")
        self.fields["currency"].choices = [(code, code) for code in currencies]
        if len(currencies) < 2:
            self.fields["currency"].widget = forms.HiddenInput()


class NoStatement(Refusal):
    """The period asked for is no period, or the firm has no facility to state."""

    def __init__(self) -> None:
        super().__init__(
            "There is no statement for what was asked. Give both days as 2026-11-22, the first "
            "day first, and a currency in which the firm has a facility."
        )


@page(May.SEE_OWN)
def statement(request: HttpRequest) -> HttpResponse:
    """Every movement of the period with the balance after it, a page at a time."""
    form, found, said = _asked(request)
    shown = Paginator(found.lines if found else (), ROWS_A_PAGE).get_page(request.GET.get("page"))
    return render(
        request,
        "portal/supplier/statement.html",
        {"form": form, "statement": found, "page": shown, "said": said},
        status=422 if said else 200,
    )


@page(May.SEE_OWN)
def statement_csv(request: HttpRequest) -> HttpResponse:
    """The whole statement as CSV."""
    return _file(request, "csv", "text/csv; charset=utf-8")


@page(May.SEE_OWN)
def statement_xlsx(request: HttpRequest) -> HttpResponse:
    """The whole statement as a workbook."""
    return _file(request, "xlsx", WORKBOOK)


def _file(request: HttpRequest, ending: str, content_type: str) -> HttpResponse:
    _form, found, _said = _asked(request)
    if found is None:
        return refusal_page(request, NoStatement())
    header = [_now("Date"), _now("Movement"), _now("Loan"), _now("Reference"), _now("Currency")]
    header += [_now("Amount"), _now("Balance")]
    rows = _rows(found)
    if ending == "csv":
        content = csv_bytes(header, rows)
    else:
        content = xlsx_bytes(header, rows, _now("Statement"))
    name = f"statement-{request.viewer.party_code}-{found.from_date}-{found.to_date}.{ending}"
    return HttpResponse(
        content,
        content_type=content_type,
        headers={"Content-Disposition": f'attachment; filename="{_plain(name)}"'},
    )


def _rows(found: SupplierStatement) -> Iterator[list[Cell]]:
    currency = found.currency
    yield [
        found.from_date,
        _now("Balance before"),
        "",
        "",
        currency,
        None,
        Amount(found.opening_minor, currency),
    ]
    for line in found.lines:
        yield [
            line.value_date,
            named("movement", line.kind),
            line.loan,
            line.reference,
            currency,
            Amount(line.amount_minor, currency),
            Amount(line.balance_minor, currency),
        ]
    yield [
        found.to_date,
        _now("Balance after"),
        "",
        "",
        currency,
        None,
        Amount(found.closing_minor, currency),
    ]


def _asked(request: HttpRequest) -> tuple[PeriodForm, SupplierStatement | None, list[Said]]:
    """The form, the statement it asks for, and why there is none."""
    facilities = reach.facilities(request.viewer).select_related("legal_entity").order_by("code")
    lines = list(facilities.values_list("currency", "legal_entity__business_date", "supplier_id"))
    currencies = list(dict.fromkeys(currency for currency, _day, _supplier in lines))
    today = max((business_date for _code, business_date, _supplier in lines), default=None)
    asked = request.GET.copy()
    if today is not None:
        asked.setdefault("to_date", today.isoformat())
        asked.setdefault("from_date", (today - timedelta(days=USUAL_DAYS - 1)).isoformat())
        asked.setdefault("currency", currencies[0])
    form = PeriodForm(asked, currencies=currencies)
    if today is None or not form.is_valid():
        return form, None, []
    from_date: date | None = form.cleaned_data["from_date"]
    to_date: date | None = form.cleaned_data["to_date"]
    if from_date is None or to_date is None:
        return form, None, told(NoStatement())
    try:
        found = supplier_statement(
            lines[0][2],
            form.cleaned_data["currency"] or currencies[0],
            from_date=from_date,
            to_date=to_date,
        )
    except Refusal as refusal:
        return form, None, told(refusal)
    return form, found, []


def _plain(name: str) -> str:
    """A file's name out of a firm's code, which may hold anything that prints."""
    return "".join(
        letter if (letter.isalnum() and letter.isascii()) or letter in "-." else "_"
        for letter in name
    )
