"""What lists are filtered by: typed in the address, refused beside the field."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from tallystick.book.access import reach
from tallystick.book.access.viewer import Viewer
from tallystick.faces.portal import words
from tallystick.rules.money import text_from_minor
from tallystick.rules.typed_amounts import UnreadableTypedAmount, minor_from_typed

ANY = ("", _("Any"))


class FirmField(forms.CharField):
    """A firm's code; becomes the firm, once the form knows who asks."""

    def __init__(self, label: Any) -> None:
        super().__init__(label=label, required=False, max_length=64)
        self.widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}


class DateField(forms.DateField):
    """A day, picked or typed as 2026-11-22."""

    def __init__(self, label: Any, *, required: bool = False) -> None:
        super().__init__(
            label=label, required=required, widget=forms.DateInput(attrs={"type": "date"})
        )
        self.widget.format = "%Y-%m-%d"
        self.error_messages["invalid"] = _("This is no day. Type it as 2026-11-22.")


class WordField(forms.ChoiceField):
    """One code of a group of ``words.WORDS``, or any."""

    def __init__(self, label: Any, group: str, codes: tuple[str, ...]) -> None:
        super().__init__(
            label=label,
            required=False,
            choices=[ANY, *((code, words.WORDS[group].get(code, code)) for code in codes)],
        )
        self.error_messages["invalid_choice"] = _("There is no such choice. Take one of the list.")


class FilterForm(forms.Form):
    """Filters of a list; nothing typed asks for everything.

    Of two days, or two amounts, the first may not be above the second.
    """

    ranges: Mapping[str, str] = {}

    def __init__(self, asked: QueryDict, *, viewer: Viewer) -> None:
        super().__init__(asked, label_suffix="")
        self.viewer = viewer

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, field in self.fields.items():
            if isinstance(field, FirmField) and cleaned.get(name):
                firm = reach.parties(self.viewer).filter(code=cleaned[name].strip()).first()
                if firm is None:
                    self.add_error(name, _("No firm has this code. Look it up among the firms."))
                cleaned[name] = firm
        for first, last in self.ranges.items():
            low, high = cleaned.get(first), cleaned.get(last)
            if low not in (None, "") and high not in (None, "") and low > high:
                self.add_error(last, _("This lies before the start of the range."))
        return cleaned

    @property
    def is_used(self) -> bool:
        """Something was asked for: a look at the list as it is shows everything."""
        return any(self.data.get(name) for name in self.fields)


def minor_typed(text: str, currency: str) -> int | None:
    """The minor units typed, None where nothing was. Raises ValidationError."""
    if not text:
        return None
    try:
        return minor_from_typed(text, currency)
    except UnreadableTypedAmount:
        raise forms.ValidationError(
            _("This is no amount. Type it in digits, such as %(example)s."),
            params={"example": text_from_minor(123_456, currency)},
        ) from None
