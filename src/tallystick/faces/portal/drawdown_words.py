"""What the rules of a drawdown say about a request, in the reader's language and major units."""

from datetime import date
from typing import NamedTuple

from django.utils.translation import gettext as _

from tallystick.faces.portal.templatetags.figures import SYMBOLS
from tallystick.faces.portal.templatetags.figures import day as day_text
from tallystick.rules.limits import DrawdownInputs, Value
from tallystick.rules.money import text_from_minor


class Said(NamedTuple):
    """Why something is not possible, and what to do about it."""

    reason: str
    remedy: str = ""


def amount(amount_minor: int, currency: str) -> str:
    """¥ 1,284,500.00 as plain text."""
    sign = "−" if amount_minor < 0 else ""
    figure = text_from_minor(abs(amount_minor), currency, thousands=True)
    return f"{sign}{SYMBOLS.get(currency, currency)} {figure}"


def said_of(rule: str, value: Value, inputs: DrawdownInputs) -> Said:
    """Why a rule of ``rules.limits`` does not let ``value`` pass, and what would."""
    currency = inputs.currency
    days = {"shortest": inputs.min_tenor_days, "longest": inputs.max_tenor_days}
    match rule:
        case "amount_is_positive":
            return Said(_("The amount is not above zero."), _("Ask for an amount above zero."))
        case "currency_is_the_facilitys":
            return Said(
                _("The facility is in %(currency)s.") % {"currency": currency},
                _("Ask for an amount in that currency."),
            )
        case "facility_is_not_frozen":
            return Said(
                _("The facility is frozen: %(reason)s.")
                % {"reason": inputs.frozen_reason.rstrip(".")},
                _("Settle the reason with us; we can then lift the freeze."),
            )
        case "facility_has_not_expired":
            return Said(
                _("The facility could be drawn until %(day)s.")
                % {"day": day_text(inputs.expiry_date)},
                _("Ask us to renew it."),
            )
        case "dated_on_the_open_business_date":
            return Said(
                _("A new business day has begun: it is now %(day)s.")
                % {"day": day_text(inputs.business_date)},
                _("Look at the due date and the price again, then confirm."),
            )
        case "tenor_is_long_enough" | "tenor_is_short_enough":
            return Said(
                _("%(days)s days are not offered.") % {"days": value},
                _("Ask for %(shortest)s to %(longest)s days.") % days,
            )
        case "amount_reaches_the_minimum":
            return Said(
                _("%(asked)s is less than the smallest draw.")
                % {"asked": amount(int(str(value)), currency)},
                _("Ask for %(smallest)s or more.")
                % {"smallest": amount(inputs.min_draw_minor, currency)},
            )
        case "amount_is_available" | "programme_has_headroom" | "funder_has_headroom":
            return _too_much(int(str(value)), inputs)
        case "security_interest_is_in_force":
            return Said(
                _("The claims are not registered as security yet, or no longer."),
                _("Ask us to have the registration made or renewed."),
            )
    raise AssertionError(f"no words for the rule {rule}")


def _too_much(asked_minor: int, inputs: DrawdownInputs) -> Said:
    currency = inputs.currency
    reason = _("%(asked)s was asked for; %(available)s is available now.") % {
        "asked": amount(asked_minor, currency),
        "available": amount(inputs.available_minor, currency),
    }
    if inputs.available_minor < max(1, inputs.min_draw_minor):
        return Said(
            reason,
            _(
                "Nothing can be drawn at the moment: the smallest draw is %(smallest)s. Repay a "
                "loan, or wait until more of your claims count."
            )
            % {"smallest": amount(inputs.min_draw_minor, currency)},
        )
    return Said(
        reason,
        _("Ask for %(available)s or less.")
        % {"available": amount(inputs.available_minor, currency)},
    )


def compared(rule: str, value: Value, threshold: Value, currency: str) -> tuple[str, str]:
    """What a rule read, and what it accepts, as a reader sees them."""
    match rule:
        case "amount_is_positive":
            return amount(int(str(value)), currency), _("above zero")
        case "amount_reaches_the_minimum":
            smallest = amount(int(str(threshold)), currency)
            return amount(int(str(value)), currency), _("at least %(figure)s") % {
                "figure": smallest
            }
        case "amount_is_available":
            most = amount(int(str(threshold)), currency)
            return amount(int(str(value)), currency), _("at most %(figure)s") % {"figure": most}
        # What is left for everybody is not for one supplier to read.
        case "programme_has_headroom" | "funder_has_headroom":
            return amount(int(str(value)), currency), _("what is left for everybody")
        case "tenor_is_long_enough":
            return _days(value), _("at least %(figure)s") % {"figure": _days(threshold)}
        case "tenor_is_short_enough":
            return _days(value), _("at most %(figure)s") % {"figure": _days(threshold)}
        case "facility_has_not_expired":
            return _day(value), _("up to %(figure)s") % {"figure": _day(threshold)}
        case "dated_on_the_open_business_date":
            return _day(value), _day(threshold)
        case "facility_is_not_frozen":
            return (str(value) or _("not frozen")), _("not frozen")
        case "security_interest_is_in_force":
            return (_("in force") if value else _("not in force")), _("in force")
    return str(value), str(threshold)


def _days(value: Value) -> str:
    return _("%(days)s days") % {"days": value}


def _day(value: Value) -> str:
    return day_text(value if isinstance(value, date) else date.fromisoformat(str(value)))
