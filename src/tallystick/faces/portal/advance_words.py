"""What the codes of advances out of sales are called in the language of the page."""

import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

Label = str | Promise

GROUPS: Mapping[str, Mapping[str, Label]] = {
    "advance_event": {
        "settlement": _("Kept of a settlement"),
        "received": _("Paid by the merchant"),
        "refunded": _("Paid back to the merchant"),
        "share_changed": _("Share changed"),
        "fee_adjusted": _("Fee lowered"),
        "reversed": _("Taken back"),
        "charged_off": _("Charged off"),
        "recovered": _("Recovered"),
    },
    "advance_figure": {
        "collected_minor": _("Repaid so far"),
        "fee_minor": _("Fee"),
        "fee_left_minor": _("Fee not yet earned"),
        "principal_minor": _("Principal"),
        "outstanding_minor": _("Outstanding"),
        "expected_minor": _("Expected by now"),
    },
    "pace_period": {
        "open": _("Running"),
        "kept": _("Kept"),
        "near_breach": _("May fall behind its pace"),
        "breached": _("Ended short"),
    },
}

RULES: Mapping[str, Label] = {
    "history_is_long_enough": _("The merchant has sold for long enough"),
    "sales_give_a_limit": _("The sales settled give a limit"),
    "line_is_not_frozen": _("The line is not frozen"),
    "line_has_not_expired": _("The line has not expired"),
    "one_advance_at_a_time": _("No other advance of the line runs"),
    "not_repaid_too_fast_for_its_price": _("Not repaid faster than its price allows"),
    "sales_keep_the_least_pace": _("Sales as they run keep the least pace"),
}

_TERMS: Mapping[str, Label] = {
    "paid out": _("paid out"),
    "has come in": _("has come in"),
    "of it fee or interest": _("of it fee or interest"),
    "charged off": _("charged off"),
    "fee or interest": _("fee or interest"),
    "fee cancelled by the charge-off": _("fee cancelled by the charge-off"),
    "earned": _("earned"),
    "cancelled by the charge-off": _("cancelled by the charge-off"),
    "fixed fee agreed": _("fixed fee agreed"),
    "taken off it since": _("taken off it since"),
    "interest so far, at the daily rate": _("interest so far, at the daily rate"),
    "more was expected by now": _("more was expected by now"),
    "kept of a settlement": _("kept of a settlement"),
    "paid by the merchant": _("paid by the merchant"),
    "paid back to the merchant": _("paid back to the merchant"),
}

_DATED = re.compile(r"(?P<term>.+) on (?P<day>\d{4}-\d\d-\d\d)")


def term_told(name: str) -> str:
    """A term as ``rules.sales_explanation`` names it, for the reader; unknown ones as they are."""
    if dated := _DATED.fullmatch(name):
        term = _TERMS.get(dated["term"], dated["term"])
        return _now("%(term)s on %(day)s") % {"term": term, "day": dated["day"]}
    return str(_TERMS.get(name, name))
