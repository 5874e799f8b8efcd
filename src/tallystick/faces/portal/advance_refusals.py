"""Why an advance out of sales is not granted, and what helps, in the language of the page."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tallystick.book.sales_credit.draw import AdvanceRefused
from tallystick.faces.portal.drawdown_words import Said

_REFUSED: Mapping[str, tuple[Promise, Promise]] = {
    "line_is_not_frozen": (
        _("Nothing new is drawn on this line at present."),
        _("Call us: we tell you why, and what helps."),
    ),
    "line_has_not_expired": (_("The line has expired."), _("Ask us to renew it.")),
    "dated_on_the_open_business_date": (
        _("The request is dated on another day than the one that is open."),
        _("Open the form anew."),
    ),
    "one_advance_at_a_time": (
        _("An advance of this line is not repaid yet."),
        _("Draw again once it has been repaid."),
    ),
    "amount_is_available": (
        _("This is more than can be drawn now."),
        _("Ask for less."),
    ),
    "amount_reaches_the_minimum": (
        _("This is less than the smallest advance."),
        _("Ask for more."),
    ),
    "not_repaid_too_fast_for_its_price": (
        _("Your sales would repay it so soon that its fee would cost too much a year."),
        _("Ask for more, which takes longer to come back."),
    ),
    "sales_keep_the_least_pace": (
        _("Your sales, as they run, would repay it too slowly."),
        _("Ask for less."),
    ),
}


def refusal_told(refusal: AdvanceRefused) -> list[Said]:
    """Every rule that stands against an advance, and what helps."""
    return [
        Said(*(str(words) for words in _REFUSED[verdict.rule]))
        for verdict in refusal.decision.verdicts
        if not verdict.passed
    ]
