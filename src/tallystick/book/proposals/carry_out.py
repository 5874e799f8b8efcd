"""What each kind of proposal does once it is agreed: one act of servicing."""

from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from tallystick.book.acts.once import Caller
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
)
from tallystick.book.servicing.change_rate import change_rate
from tallystick.book.servicing.charge_back import charge_back
from tallystick.book.servicing.charge_off import charge_off, waive
from tallystick.book.servicing.extend import extend, move_due_date, re_age
from tallystick.book.servicing.refund import refund_credit
from tallystick.book.servicing.restructure import pause_interest, restructure
from tallystick.book.servicing.reverse_event import reverse_event
from tallystick.book.servicing.sell_share import (
    ShareMoved,
    buy_back_share,
    reverse_transfer,
    sell_share,
)
from tallystick.rules.loan_events import rate_from_ppb


def carry_out(
    about: str,
    terms: Terms,
    *,
    legal_entity_id: int,
    business_date: date,
    caller: Caller,
    key: str,
) -> dict[str, Any]:
    """Do what was proposed for a loan, or for a supplier's credit; returns what it came to.

    ``about``: the code of the loan, or of the supplier. The answer is ready for JSON.

    Raises what the act of servicing raises.
    """
    if isinstance(terms, Refund):
        order = refund_credit(
            about,
            terms.amount_minor,
            currency=terms.currency,
            legal_entity_id=legal_entity_id,
            caller=caller,
            key=key,
        )
        return {"end_to_end_id": order}
    return _on_loan(about, terms, business_date=business_date, caller=caller, key=key)


def _on_loan(
    loan: str, terms: Terms, *, business_date: date, caller: Caller, key: str
) -> dict[str, Any]:
    match terms:
        case Extension(days, value_date):
            due_date = extend(loan, days, caller=caller, key=key, value_date=value_date)
            from_date = due_date - timedelta(days=days)
            return {"from_date": from_date.isoformat(), "to_date": due_date.isoformat()}
        case DueMove(to_date, value_date):
            move_due_date(loan, to_date, caller=caller, key=key, value_date=value_date)
        case ReAging(to_date, value_date):
            re_age(loan, to_date, caller=caller, key=key, value_date=value_date)
        case InterestPause(from_date, to_date):
            pause_interest(loan, from_date, to_date, caller=caller, key=key)
        case RateChange(annual_rate_ppb, value_date):
            rate = rate_from_ppb(annual_rate_ppb)
            on = value_date or business_date
            change_rate(loan, rate, value_date=on, caller=caller, key=key)
        case Waiver(waives, amount_minor, value_date):
            waive(loan, waives, amount_minor, caller=caller, key=key, value_date=value_date)
        case Restructuring(annual_rate_ppb, to_date, value_date):
            rate = rate_from_ppb(annual_rate_ppb)
            restructure(loan, rate, to_date, caller=caller, key=key, value_date=value_date)
        case ChargeOff(value_date):
            lost = asdict(charge_off(loan, caller=caller, key=key, value_date=value_date))
            return {name: value for name, value in lost.items() if name != "loan"}
        case ShareSale(funder, share_ppm, price_minor, value_date):
            sold = sell_share(
                loan,
                funder,
                share_ppm,
                price_minor=price_minor,
                value_date=value_date,
                caller=caller,
                key=key,
            )
            return _agreed(sold)
        case ShareBuyBack(funder, share_ppm, price_minor, value_date):
            bought = buy_back_share(
                loan,
                funder,
                share_ppm,
                price_minor=price_minor,
                value_date=value_date,
                caller=caller,
                key=key,
            )
            return _agreed(bought)
        case ShareReversal(transfer):
            reverse_transfer(loan, transfer, caller=caller, key=key)
        case EventReversal(event):
            reverse_event(loan, event, caller=caller, key=key)
        case ChargeBack(amount_minor, value_date):
            charge_back(loan, amount_minor, caller=caller, key=key, value_date=value_date)
    return {}


def _agreed(moved: ShareMoved) -> dict[str, Any]:
    return {
        "transfer": moved.transfer,
        "par_minor": moved.par_minor,
        "price_minor": moved.price_minor,
    }
