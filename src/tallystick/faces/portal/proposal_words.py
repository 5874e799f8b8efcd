"""What is proposed for a loan, in words and in the language of the page."""

from datetime import date

from django.utils.translation import gettext as _now

from tallystick.book.proposals.models import Proposal
from tallystick.book.proposals.terms import (
    ChargeBack,
    ChargeOff,
    DueMove,
    EventReversal,
    Extension,
    InterestPause,
    RateChange,
    ReAging,
    Refund,
    Restructuring,
    ShareBuyBack,
    ShareReversal,
    ShareSale,
    Terms,
    Waiver,
    terms_of,
)
from tallystick.book.servicing.models import LoanEvent
from tallystick.faces.portal.drawdown_words import amount
from tallystick.faces.portal.loan_act_words import CHARGES
from tallystick.faces.portal.templatetags.figures import day, ppm_percent, rate_percent
from tallystick.faces.portal.words import named


def proposal_told(proposal: Proposal) -> str:
    """What a proposal asks for."""
    return terms_told(terms_of(proposal.kind, proposal.terms), proposal.currency)


def terms_told(terms: Terms, currency: str) -> str:
    """What is asked for, in a sentence's worth of words."""
    match terms:
        case Extension(days, value_date):
            return _since(_now("It falls due %(days)s days later") % {"days": days}, value_date)
        case DueMove(to_date, value_date):
            return _since(
                _now("It falls due on %(day)s instead") % {"day": day(to_date)}, value_date
            )
        case ReAging(to_date, value_date):
            told = _now("All that is outstanding is planned anew, to be paid by %(day)s")
            return _since(told % {"day": day(to_date)}, value_date)
        case InterestPause(from_date, to_date):
            return _now("No interest runs from %(first)s to %(last)s, both included") % {
                "first": day(from_date),
                "last": day(to_date),
            }
        case RateChange(annual_rate_ppb, value_date):
            told = _now("It bears %(rate)s a year") % {"rate": rate_percent(annual_rate_ppb)}
            return _since(told, value_date)
        case Waiver(waives, amount_minor, value_date):
            told = _now("%(charge)s of %(amount)s is asked for no more") % {
                "charge": CHARGES[waives],
                "amount": amount(amount_minor, currency),
            }
            return _since(told, value_date)
        case Restructuring(annual_rate_ppb, to_date, value_date):
            told = _now("All that is outstanding bears %(rate)s a year, to be paid by %(day)s") % {
                "rate": rate_percent(annual_rate_ppb),
                "day": day(to_date),
            }
            return _since(told, value_date)
        case ChargeOff(value_date):
            return _since(_now("All that it owes leaves the books as a loss"), value_date)
        case ShareSale(funder, share_ppm, price_minor, value_date):
            told = _now("%(share)s of it is sold to %(funder)s %(price)s")
            return _since(told % _share(funder, share_ppm, price_minor, currency), value_date)
        case ShareBuyBack(funder, share_ppm, price_minor, value_date):
            told = _now("%(share)s of it is bought back from %(funder)s %(price)s")
            return _since(told % _share(funder, share_ppm, price_minor, currency), value_date)
        case ShareReversal(transfer):
            return _now("Transfer %(number)s of a share is taken back") % {"number": transfer}
        case EventReversal(event):
            return _event_told(event, currency)
        case ChargeBack(amount_minor, value_date):
            told = _now("%(amount)s that it had received is owed again")
            return _since(told % {"amount": amount(amount_minor, currency)}, value_date)
        case Refund(currency, amount_minor):
            return _now("%(amount)s of the supplier's credit is paid out") % {
                "amount": amount(amount_minor, currency)
            }


def event_told(event: LoanEvent, currency: str) -> str:
    """What happened and when: Fee charged · 4 Mar 2026 · ¥ 50.00."""
    told = [named("loan_event", event.kind), day(event.value_date)]
    if event.amount_minor is not None:
        told.append(amount(event.amount_minor, currency))
    if event.days is not None:
        told.append(_now("days: %(days)s") % {"days": event.days})
    return " · ".join(told)


def _event_told(event_id: int, currency: str) -> str:
    """The event is named by what it was; a number says nothing to who decides."""
    event = LoanEvent.objects.filter(pk=event_id).first()
    told = event_told(event, currency) if event else str(event_id)
    return _now("Taken back: %(event)s") % {"event": told}


def _share(funder: str, share_ppm: int, price_minor: int | None, currency: str) -> dict[str, str]:
    price = _now("at par")
    if price_minor is not None:
        price = _now("for %(amount)s") % {"amount": amount(price_minor, currency)}
    return {"share": ppm_percent(share_ppm), "funder": funder, "price": price}


def _since(told: str, value_date: date | None) -> str:
    if value_date is None:
        return told
    return _now("%(what)s, counted from %(day)s") % {"what": told, "day": day(value_date)}
