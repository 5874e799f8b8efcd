"""Check a proof against the seals that an auditor kept: the rule of ``tally ledger verify-proof``.

Nothing is read from the books: what is shown is proved by the two files alone.
"""

import json
from typing import Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.access.permissions import May
from tallystick.faces.portal.pages import page
from tallystick.rules.money import MINOR_DIGITS, text_from_minor
from tallystick.rules.proofs import NotProven, Proof, SealsUnreadable, seals_from, verify_proof

MAX_PROOF_BYTES = 1_000_000
MAX_SEALS_BYTES = 16_000_000
"""A day is about 400 bytes: a hundred years of one legal entity."""


class ProofForm(forms.Form):
    """A proof and the kept seals, each as the command or the portal wrote it."""

    proof = forms.FileField(
        label=_("Proof"),
        help_text=_("The file that was downloaded with the entry."),
        error_messages={"required": _("Choose the proof's file."), "empty": _("It is empty.")},
    )
    seals = forms.FileField(
        label=_("Kept seals"),
        help_text=_("The file of seals that you kept outside this system."),
        error_messages={"required": _("Choose your file of seals."), "empty": _("It is empty.")},
    )

    def clean_proof(self) -> bytes:
        return _content(self.cleaned_data["proof"], MAX_PROOF_BYTES)

    def clean_seals(self) -> bytes:
        return _content(self.cleaned_data["seals"], MAX_SEALS_BYTES)


@page(May.SEE_HOUSE)
def verify(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        return _shown(request, ProofForm(), 200)
    form = ProofForm(request.POST, request.FILES)
    if not form.is_valid():
        return _shown(request, form, 422)
    seals_content = form.cleaned_data["seals"]
    try:
        proven = verify_proof(form.cleaned_data["proof"], seals_content)
    except (NotProven, SealsUnreadable) as refusal:
        fault = "seals" if isinstance(refusal, SealsUnreadable) else "proof"
        return _shown(request, form, 200, fails=str(refusal), fault=fault)
    return _shown(request, form, 200, proven=_told(proven), days=len(seals_from(seals_content)))


def _shown(request: HttpRequest, form: ProofForm, status: int, **outcome: object) -> HttpResponse:
    return render(request, "portal/house/proof.html", {"form": form, **outcome}, status=status)


def _content(file: UploadedFile, most: int) -> bytes:
    if file.size is None or file.size > most:
        raise forms.ValidationError(
            _now("The file is larger than %(most)s MB, so it is not one that the ledger wrote.")
            % {"most": most // 1_000_000}
        )
    return bytes(file.read())


def _told(proof: Proof) -> dict[str, object]:
    """What the files prove, for a reader: the entry as it was sealed, whatever it says.

    That both files agree says nothing of how an entry is made, so nothing of it is relied on.
    """
    entry = proof.entry
    postings = entry["postings"] if isinstance(entry["postings"], list) else []
    return {
        "entry": str(entry["entry"]),
        "event": str(entry["event"]),
        "reference": str(entry["reference"]),
        "value_date": str(entry["value_date"]),
        "legal_entity": proof.header.legal_entity,
        "date": proof.header.date,
        "place": f"{proof.leaf_index + 1:,}",
        "count": f"{proof.header.entry_count:,}",
        "seal": proof.header.seal().hex(),
        "postings": [_posting(each, entry["currency"]) for each in postings],
        "whole": json.dumps(entry, ensure_ascii=False, indent=2),
    }


def _posting(posting: Any, currency: Any) -> dict[str, str]:
    if not isinstance(posting, dict):
        return {"account": str(posting), "side": "", "amount": ""}
    account = posting.get("account")
    parts = account if isinstance(account, dict) else {}
    book = parts.get("book")
    book_parts = list(book.values()) if isinstance(book, dict) else []
    named = [parts.get("name"), parts.get("party"), *book_parts]
    amount = str(posting.get("amount_minor"))
    if currency in MINOR_DIGITS and amount.isascii() and amount.isdecimal() and len(amount) < 30:
        amount = f"{text_from_minor(int(amount), currency, thousands=True)} {currency}"
    return {
        "account": ":".join(str(part) for part in named if part),
        "side": str(posting.get("side")),
        "amount": amount,
    }
