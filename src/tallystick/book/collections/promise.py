"""A firm promises to pay; the close of day says whether the cash came."""

from collections.abc import Iterable
from datetime import date

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.collections.cases import entity_of, open_case
from tallystick.book.collections.models import Case, PromiseToPay
from tallystick.book.collections.past_due import late_loans
from tallystick.book.parties.business_date import open_day
from tallystick.rules.money import minor_digits
from tallystick.rules.promises import Outcome, check_promise, outcome
from tallystick.rules.refusal import Refusal


class PromiseRuns(Refusal):
    """One promise at a time: the first has neither been kept nor broken."""

    def __init__(self, promised_date: date) -> None:
        self.promised_date = promised_date
        super().__init__(
            f"Payment is promised for {promised_date} already, in the same currency. "
            "Wait for that day, or pay before it."
        )


class NothingPastDue(Refusal):
    """Nothing is past due in the currency of the promise."""

    def __init__(self, currency: str) -> None:
        self.currency = currency
        super().__init__(f"Nothing is past due in {currency}. Promise what is, in its currency.")


def promise(
    case_id: int,
    *,
    currency: str,
    amount_minor: int,
    promised_date: date,
    by_firm: bool,
    caller: Caller,
    key: str,
) -> int:
    """Keep a promise to pay ``amount_minor`` by ``promised_date``; returns its number.

    Until that day is over no letter goes out. Cash that meets the firm's debts counts, from
    now on and a value date from today on. Repeating ``key`` returns the first answer.

    Raises NoOpenCase, UnusablePromise, UnknownCurrency, NothingPastDue, PromiseRuns, KeyConflict.
    """
    minor_digits(currency)
    legal_entity_id = entity_of(case_id)
    request = {
        "case": case_id,
        "currency": currency,
        "amount_minor": amount_minor,
        "promised_date": promised_date,
    }
    with once(caller, key=key, kind="promise_to_pay", request=request) as act:
        if act.earlier is None:
            on = open_day(legal_entity_id)
            check_promise(amount_minor, promised_date=promised_date, on=on)
            case = open_case(case_id)
            _refuse_where_nothing_is_late(case, currency, on)
            running = PromiseToPay.objects.filter(
                case=case, currency=currency, outcome=Outcome.RUNNING
            ).first()
            if running is not None:
                raise PromiseRuns(running.promised_date)
            made = PromiseToPay.objects.create(
                case=case,
                currency=currency,
                amount_minor=amount_minor,
                made_date=on,
                promised_date=promised_date,
                made_by=caller.actor,
                by_firm=by_firm,
                act_id=act.act_id,
            )
            act.answer({"promise": made.pk})
    return int((act.earlier or act.given or {})["promise"])


# Cash that was told of after the promise and met the firm's loans or advances, as known on a day.
_RECEIVED = """
    WITH line AS (
        SELECT promise.id AS promise_id, line.receipt_id, line.amount_minor
        FROM collections_promisetopay AS promise
        JOIN collections_case AS held ON held.id = promise.case_id
        JOIN financing_facility AS facility
          ON facility.supplier_id = held.party_id
         AND facility.legal_entity_id = held.legal_entity_id
         AND facility.currency = promise.currency
        JOIN financing_loan AS loan ON loan.facility_id = facility.id
        JOIN servicing_settlementline AS line ON line.loan_id = loan.id
        WHERE promise.id = ANY(%(promises)s)
        UNION ALL
        SELECT promise.id, line.receipt_id, line.amount_minor
        FROM collections_promisetopay AS promise
        JOIN collections_case AS held ON held.id = promise.case_id
        JOIN sales_credit_salesline AS sales
          ON sales.merchant_id = held.party_id AND sales.legal_entity_id = held.legal_entity_id
         AND sales.currency = promise.currency
        JOIN sales_credit_advance AS advance ON advance.line_id = sales.id
        JOIN servicing_settlementline AS line ON line.advance_id = advance.id
        WHERE promise.id = ANY(%(promises)s)
    )
    SELECT promise.id, coalesce(sum(line.amount_minor), 0)::bigint
    FROM line JOIN collections_promisetopay AS promise ON promise.id = line.promise_id
    JOIN payments_cashreceipt AS receipt ON receipt.id = line.receipt_id
     AND receipt.act_id > promise.act_id
     AND receipt.booking_date BETWEEN promise.made_date AND %(day)s
     AND receipt.value_date BETWEEN promise.made_date AND promise.promised_date
     AND (receipt.reversed_date IS NULL OR receipt.reversed_date > %(day)s)
    GROUP BY 1
"""


def decide_promises(cases: Iterable[Case], *, day: date) -> dict[str, int]:
    """Say of the running promises of these cases what ``day`` has made of them; counts them."""
    running = list(
        PromiseToPay.objects.filter(
            case__in=[case.pk for case in cases], outcome=Outcome.RUNNING
        ).order_by("id")
    )
    counts = {str(Outcome.KEPT): 0, str(Outcome.BROKEN): 0}
    if not running:
        return counts
    received_minor = _received_minor([promise.pk for promise in running], day)
    for each in running:
        minor = received_minor.get(each.pk, 0)
        found = outcome(
            each.amount_minor, received_minor=minor, promised_date=each.promised_date, on=day
        )
        if found is not Outcome.RUNNING:
            counts[str(found)] += 1
            PromiseToPay.objects.filter(pk=each.pk).update(
                outcome=str(found), decided_date=day, received_minor=minor
            )
    return counts


def _received_minor(promise_ids: list[int], day: date) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(_RECEIVED, {"promises": promise_ids, "day": day})
        return dict(cursor.fetchall())


def _refuse_where_nothing_is_late(case: Case, currency: str, on: date) -> None:
    late = late_loans(case.legal_entity_id, [case.party_id], on=on)
    if not any(loan.currency == currency for loan in late.get(case.party_id, [])):
        raise NothingPastDue(currency)
