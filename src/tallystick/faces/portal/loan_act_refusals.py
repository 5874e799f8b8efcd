"""What people are refused in acts on a loan, for readers of other languages than English."""

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from tallystick.book.acts.reasons import ReasonMissing
from tallystick.book.parties import two_people
from tallystick.book.proposals import propose
from tallystick.book.servicing.charge_fee import NotAFee
from tallystick.book.servicing.charge_off import WaiverAboveOwed
from tallystick.book.servicing.reverse_event import NotReversible
from tallystick.faces.portal.drawdown_words import Said
from tallystick.rules import loan_events, loan_losses, loan_plan, loan_steps, rate_ceilings
from tallystick.rules.refusal import Refusal

_LOAN = _("Look at the loan again.")

BROAD: Mapping[type[Refusal], tuple[str | Promise, str | Promise]] = {
    ReasonMissing: (_("A reason is missing."), _("Say why, for those who read it later.")),
    two_people.RoleMissing: (
        _("Your role does not permit this."),
        _("Ask somebody who has it, or an operator to change your role."),
    ),
    two_people.NothingProposed: (
        _("There is nothing of this number to decide on."),
        _("Look it up in its list, and choose one of those."),
    ),
    two_people.CheckedByMaker: (
        _("You proposed it, so somebody else has to decide."),
        _("Ask another approver."),
    ),
    two_people.NotItsMaker: (
        _("Somebody else proposed it, who alone can withdraw it."),
        _("An approver approves or rejects it."),
    ),
    two_people.AlreadyDecided: (
        _("This is decided already."),
        _("Propose another one to change what it did."),
    ),
    propose.ProposedAlready: (
        _("The same was proposed already and is not decided yet."),
        _("Have it approved, rejected or withdrawn first."),
    ),
    propose.RateFollowsReference: (
        _("The loan follows a reference rate, which sets its rate anew on its reset dates."),
        _("Restructure the loan if another rate was agreed."),
    ),
    rate_ceilings.RateAboveCeiling: (
        _("The rate would be above what the law in force allows."),
        _("Lower it."),
    ),
    rate_ceilings.LateChargeTooHigh: (
        _("The loan's penalty rate would be too high above this rate."),
        _("Type a higher rate."),
    ),
    NotAFee: (_("This is no fee."), _("Type an amount above zero.")),
    NotReversible: (_("This event cannot be taken back by itself."), _LOAN),
    loan_events.InvalidRate: (
        _("This is no rate."),
        _("Type it in per cent a year, with seven decimals at most."),
    ),
    loan_events.InvalidLoanEvent: (
        _("The loan's terms do not allow this."),
        _("Check the days and amounts, and look at the loan again."),
    ),
    loan_events.ContradictoryEvents: (
        _("This contradicts what has happened to the loan."),
        _("Check the day from which it shall count."),
    ),
    loan_losses.TakenBackAboveReceived: (
        _("The loan has not received that much."),
        _("Type no more than what was paid."),
    ),
    loan_plan.ExtensionTooShort: (
        _("The loan would fall due before the day on which this is agreed."),
        _("Give more days."),
    ),
    loan_plan.DueNotMovable: (
        _("This due date cannot move there: it has passed, or another lies between."),
        _("Extend the loan, or plan it anew."),
    ),
    loan_steps.EventAfterChargeOff: (_("The loan is charged off."), _LOAN),
}

EXACT: Mapping[type[Refusal], Callable[[Any], Said]] = {
    propose.ExtensionUnusable: lambda refusal: Said(
        _now("The loan would not fall due after today, or too late."),
        _now("Give %(first)s to %(last)s days.")
        % {
            "first": refusal.min_days,
            "last": max(refusal.min_days, propose.MAX_DAYS_EXTENDED),
        },
    ),
    WaiverAboveOwed: lambda refusal: Said(
        _now("More would be waived than is owed of it.")
        if refusal.owed_minor
        else _now("The loan owes nothing of it on that day.")
    ),
}
