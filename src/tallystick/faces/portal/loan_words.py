"""The terms that a loan's figures are sums of, in the language of the page."""

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

_TERMS: Mapping[str, str | Promise] = {
    "paid out": _("paid out"),
    "repaid": _("repaid"),
    "repaid from credit": _("repaid from credit"),
    "received": _("received"),
    "received from credit": _("received from credit"),
    "charged": _("charged"),
    "left over": _("left over"),
    "waived": _("waived"),
    "charged off": _("charged off"),
    "charged back": _("charged back"),
    "refunded": _("refunded"),
    "recovered": _("recovered"),
    "principal charged off": _("principal charged off"),
    "interest charged off": _("interest charged off"),
    "penalty charged off": _("penalty charged off"),
    "fees charged off": _("fees charged off"),
    "used": _("used"),
    "interest accrued": _("interest accrued"),
    "penalty accrued": _("penalty accrued"),
    "fees due": _("fees due"),
    "penalty due": _("penalty due"),
    "interest due": _("interest due"),
    "principal": _("principal"),
}

_DATED = re.compile(r"(?P<term>.+) (?P<day>\d{4}-\d\d-\d\d) \(event (?P<event>.+)\)")
_CHARGED_OFF = re.compile(r"(?P<term>.+ charged off) (?P<day>\d{4}-\d\d-\d\d)")
_ACCRUED = re.compile(
    r"(?P<start>\S+) to (?P<end>\S+): (?P<days>\S+) days × (?P<principal>\S+) × (?P<rate>\S+) "
    r"\((?P<day_count>.+)\)"
)
_ROUNDED = re.compile(r"rounding \((?P<rounding>.+)\)")
_COUNTED = re.compile(r"days from (?P<start>\S+) to (?P<end>\S+)")


def term_told(name: str) -> str:
    """A term as ``rules.loan_explanation`` names it, for the reader; unknown ones as they are."""
    if dated := _DATED.fullmatch(name):
        return _now("%(term)s %(day)s (event %(event)s)") % {
            **dated.groupdict(),
            "term": _TERMS.get(dated["term"], dated["term"]),
        }
    if charged_off := _CHARGED_OFF.fullmatch(name):
        return f"{_TERMS.get(charged_off['term'], charged_off['term'])} {charged_off['day']}"
    if accrued := _ACCRUED.fullmatch(name):
        return (
            _now("%(start)s to %(end)s: %(days)s days × %(principal)s × %(rate)s (%(day_count)s)")
            % accrued.groupdict()
        )
    if rounding := _ROUNDED.fullmatch(name):
        return _now("rounding (%(rounding)s)") % rounding.groupdict()
    if counted := _COUNTED.fullmatch(name):
        return _now("days from %(start)s to %(end)s") % counted.groupdict()
    return str(_TERMS.get(name, name))
