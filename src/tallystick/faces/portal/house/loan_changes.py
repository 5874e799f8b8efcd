"""A loan, or a supplier's credit, before and after an act, figure by figure."""

from django.utils.translation import gettext as _

from tallystick.book.servicing.rehearse import Rehearsal, Standing
from tallystick.faces.portal.drawdown_words import amount
from tallystick.faces.portal.house.act_pages import Changed
from tallystick.faces.portal.templatetags.figures import day, rate_percent
from tallystick.faces.portal.words import named


def changes_of(rehearsal: Rehearsal) -> list[Changed]:
    """What stands of the loan today, and what would stand after the act."""
    before, after = _figures(rehearsal.before), _figures(rehearsal.after)
    changes = [Changed(label, before[label], after[label]) for label in before]
    # Of a loan without penalty, fees or credit there is nothing to say about them.
    nothing = amount(0, rehearsal.before.currency)
    return [each for each in changes if (each.before, each.after) != (nothing, nothing)]


def changes_of_credit(before_minor: int, after_minor: int, currency: str) -> list[Changed]:
    """A supplier's credit today, and after a refund."""
    before, after = amount(before_minor, currency), amount(after_minor, currency)
    return [Changed(_("Supplier's credit"), before, after)]


def _figures(standing: Standing) -> dict[str, str]:
    owed, currency = standing.owed, standing.currency
    return {
        _("State"): named("loan_status", standing.status),
        _("Last due date"): day(owed.due_date),
        _("Days past due"): str(owed.days_past_due),
        _("Rate"): rate_percent(standing.annual_rate_ppb),
        _("Principal"): amount(owed.principal_minor, currency),
        _("Interest owed"): amount(owed.interest_due_minor, currency),
        _("Penalty interest owed"): amount(owed.penalty_due_minor, currency),
        _("Fees owed"): amount(owed.fees_due_minor, currency),
        _("To be paid to settle it today"): amount(owed.owed_minor, currency),
        _("Still to be paid, if paid when due"): amount(standing.to_come_minor, currency),
        _("Supplier's credit"): amount(owed.credit_minor, currency),
        _("Charged off"): amount(owed.charged_off_minor, currency),
    }
