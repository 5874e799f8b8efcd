"""What people are refused in collections, for readers of other languages than English."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.collections import cases, letters, promise
from tallystick.book.servicing.receive import LoanTakesNothing
from tallystick.faces.portal.drawdown_words import Said
from tallystick.faces.portal.templatetags.figures import day
from tallystick.rules.promises import MAX_DAYS_AHEAD, UnusablePromise
from tallystick.rules.refusal import Refusal

_CASE = _("Look at the case again.")

BROAD: Mapping[type[Refusal], tuple[str | Promise, str | Promise]] = {
    cases.NoOpenCase: (_("The case has ended."), _("Look for an open one in the list.")),
    cases.NotOneOfOurs: (
        _("The case cannot be given to this address."),
        _("Name somebody of the house who signs in."),
    ),
    cases.PauseOutOfReach: (
        _("Letters cannot be held back until that day."),
        _("Choose today, which ends a pause, or a day within half a year."),
    ),
    promise.NothingPastDue: (
        _("Nothing is past due in this currency."),
        _("Promise what is past due, in its currency."),
    ),
    letters.MessageNotDead: (_("This letter was not given up."), _CASE),
    letters.NoAddress: (
        _("The letter has no address to go to."),
        _("Say how the firm is written to, or add a user of the firm."),
    ),
    LoanTakesNothing: (
        _("The loan cannot take this cash."),
        _("Name a live loan in the receipt's currency, and no more than waits in suspense."),
    ),
    UnusablePromise: (
        _("This cannot be promised."),
        _("Give an amount above zero and a day from today on, within 90 days."),
    ),
}

EXACT: Mapping[type[Refusal], Callable[[Any], Said]] = {
    promise.PromiseRuns: lambda refusal: Said(
        _now("Payment is promised for %(day)s already.") % {"day": day(refusal.promised_date)},
        _now("Wait for that day, or pay before it."),
    ),
}

assert MAX_DAYS_AHEAD == 90, "the words of UnusablePromise name it"
