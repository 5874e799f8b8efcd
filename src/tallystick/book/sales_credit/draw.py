"""An advance is asked for: granted and ordered to be paid out, or refused with every reason."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection

from tallystick.book.acts.models import OutboxMessage
from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.pools import hold_suppliers
from tallystick.book.financing.models import ProgrammeLimit
from tallystick.book.funding.models import FundingLine
from tallystick.book.ledger.post import post
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import LegalEntity
from tallystick.book.payments.models import PaymentKind, PaymentOrder
from tallystick.book.sales_credit.lines import line_called, lock_lines, terms_of_line
from tallystick.book.sales_credit.models import (
    Advance,
    AdvanceStatus,
    DecisionKind,
    SalesDecision,
    SalesLine,
)
from tallystick.book.sales_credit.open_line import limit_inputs
from tallystick.book.servicing.drawn import change_drawn
from tallystick.rules.accounting import Booking, drawdown_committed
from tallystick.rules.discount_fee import NoRepaymentPlan
from tallystick.rules.loan_events import rate_in_ppb
from tallystick.rules.loan_terms import InvalidLoanTerms
from tallystick.rules.pricing import apr_percent_estimate
from tallystick.rules.refusal import Refusal
from tallystick.rules.sales_limits import RULES_VERSION, AdvanceInputs, decide_advance
from tallystick.rules.sales_limits import SalesDecision as Decided
from tallystick.rules.sales_programme import SalesProgrammeTerms
from tallystick.rules.sales_terms import SalesShareTerms, planned_payments
from tallystick.rules.timevalue import CashFlow


class AdvanceRefused(Refusal):
    """A rule did not pass. ``decision`` holds every rule's verdict and what was read."""

    def __init__(self, line: str, decision: Decided) -> None:
        self.line = line
        self.decision = decision
        super().__init__(f"Advance on {line}: {' '.join(decision.reasons)}")


@dataclass(frozen=True, slots=True)
class AdvanceOffer:
    """What an advance would be today. Amounts are minor units of ``currency``.

    ``fee_minor`` is the fixed fee, None at ``daily_rate``; ``charges_minor`` what either comes to
    if sales run as expected. ``apr_percent`` counts all of it.
    """

    line: str
    currency: str
    amount_minor: int
    fee_minor: int | None
    daily_rate: Decimal | None
    share_bps: int
    expected_days: int
    expected_end_date: date
    charges_minor: int
    apr_percent: Decimal | None


@dataclass(frozen=True, slots=True)
class GrantedAdvance:
    """An advance granted: it is pending until the bank has answered the payment order."""

    advance: str
    line: str
    currency: str
    amount_minor: int
    fee_minor: int | None
    daily_rate: str | None
    share_bps: int
    drawn_date: date
    expected_end_date: date
    apr_percent: str | None
    end_to_end_id: str
    repeated: bool = field(default=False, compare=False)

    def as_json(self) -> dict[str, Any]:
        answer = {name: getattr(self, name) for name in self.__slots__ if name != "repeated"}
        for name in ("drawn_date", "expected_end_date"):
            answer[name] = answer[name].isoformat()
        return answer

    @classmethod
    def from_json(cls, answer: dict[str, Any], *, repeated: bool) -> "GrantedAdvance":
        dates = {
            name: date.fromisoformat(answer[name]) for name in ("drawn_date", "expected_end_date")
        }
        return cls(**(answer | dates), repeated=repeated)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request with all that was read and decided of it."""

    line: SalesLine
    decision: Decided
    terms: SalesShareTerms | None
    offer: AdvanceOffer | None


def draw_advance(
    line: str, amount_minor: int, *, on: date | None = None, caller: Caller, key: str
) -> GrantedAdvance:
    """Advance ``amount_minor`` on ``line`` (its code), or refuse. Repeating ``key`` answers again.

    ``on`` is the business day the request is dated, whatever day is open where None. Its terms are
    the programme's, with the sales of its window expected to go on. The decision is kept, the
    payout ordered, and the limits are taken until the bank has answered.

    Raises UnknownSalesLine, AdvanceRefused, KeyConflict. A refusal writes nothing.
    """
    found = line_called(line)
    request = {"line": line, "amount_minor": amount_minor, "on": on}
    with once(caller, key=key, kind="draw_advance", request=request) as act:
        if act.earlier is None:
            business_date = open_day(found.legal_entity_id)
            lock_lines(found.legal_entity_id, line_ids=[found.pk])
            hold_suppliers([found.merchant_id])
            _lock_limits(found)
            asked = _asked(found, amount_minor, on or business_date, business_date)
            if not asked.decision.granted:
                raise AdvanceRefused(line, asked.decision)
            act.answer(_recorded(asked, business_date, act.act_id).as_json())
        return GrantedAdvance.from_json(
            act.earlier or act.given or {}, repeated=act.earlier is not None
        )


def quote_of(line: str, amount_minor: int) -> tuple[AdvanceOffer | None, Decided]:
    """What an advance of ``amount_minor`` would be now, and what each rule says; nothing is kept.

    There is no offer where sales as they run would never bring it back.

    Raises UnknownSalesLine.
    """
    found = line_called(line)
    on = LegalEntity.objects.get(pk=found.legal_entity_id).business_date
    asked = _asked(found, amount_minor, on, on)
    return asked.offer, asked.decision


def offer_of(line: str, amount_minor: int) -> AdvanceOffer:
    """What an advance of ``amount_minor`` would be if it were asked for now; nothing is kept.

    Raises UnknownSalesLine, AdvanceRefused.
    """
    offer, decision = quote_of(line, amount_minor)
    if not decision.granted or offer is None:
        raise AdvanceRefused(line, decision)
    return offer


def available_on(line: str) -> AdvanceInputs:
    """What could be drawn on ``line`` now (``available_minor``), and what bounds it.

    Raises UnknownSalesLine.
    """
    found = line_called(line)
    on = LegalEntity.objects.get(pk=found.legal_entity_id).business_date
    inputs = _asked(found, 0, on, on).decision.inputs
    assert isinstance(inputs, AdvanceInputs)
    return inputs


def _lock_limits(line: SalesLine) -> None:
    """The programme's limit, then the funder's line, as everywhere."""
    for model, pk in (
        (ProgrammeLimit, line.programme_limit_id),
        (FundingLine, line.funding_line_id),
    ):
        model.objects.select_for_update(no_key=True).get(pk=pk)


def _asked(line: SalesLine, amount_minor: int, on: date, business_date: date) -> _Asked:
    line = SalesLine.objects.select_related(
        "programme", "programme_limit", "funding_line", "merchant"
    ).get(pk=line.pk)
    programme = terms_of_line(line)
    limit = limit_inputs(programme, line.merchant_id, on=business_date)
    terms = _terms(programme, amount_minor, limit.sales.settled_minor, on)
    offer = None if terms is None else _offer(line, terms)
    inputs = AdvanceInputs(
        currency=line.currency,
        business_date=business_date,
        frozen_reason=line.frozen_reason,
        expiry_date=line.expiry_date,
        open_advances=Advance.objects.filter(
            line=line,
            status__in=[AdvanceStatus.PENDING, AdvanceStatus.LIVE, AdvanceStatus.CHARGED_OFF],
        ).count(),
        min_draw_minor=programme.draw.min_draw_minor,
        line_limit_minor=line.limit_minor,
        sales_limit_minor=limit.limit_minor,
        per_merchant_minor=limit.per_merchant_minor,
        programme_headroom_minor=(
            line.programme_limit.limit_minor - line.programme_limit.drawn_minor
        ),
        funder_headroom_minor=line.funding_line.limit_minor - line.funding_line.drawn_minor,
        drawn_minor=line.drawn_minor,
        others_drawn_minor=_others_drawn_minor(line),
        settled_minor=limit.sales.settled_minor,
        min_expected_days=programme.draw.min_expected_days,
        max_expected_days=programme.max_expected_days,
        expected_days=None if offer is None else offer.expected_days,
        fee_minor=None if offer is None else offer.fee_minor,
        apr_percent=None if offer is None else offer.apr_percent,
    )
    decision = decide_advance(amount_minor, draw_date=on, inputs=inputs)
    return _Asked(line, decision, terms, offer)


def _others_drawn_minor(line: SalesLine) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum(drawn_minor), 0)::bigint FROM sales_credit_salesline"
            " WHERE merchant_id = %s AND programme_limit_id = %s AND id <> %s",
            [line.merchant_id, line.programme_limit_id, line.pk],
        )
        (others_minor,) = cursor.fetchone()
    return int(others_minor)


def _terms(
    programme: SalesProgrammeTerms, amount_minor: int, settled_minor: int, on: date
) -> SalesShareTerms | None:
    """The advance as it would be agreed; None where sales as they run never bring it back."""
    try:
        return SalesShareTerms(
            currency=programme.currency,
            advance_minor=amount_minor,
            start=on,
            share_bps=programme.share_bps,
            yearly_sales_minor=programme.yearly_sales_minor(settled_minor),
            fee_minor=programme.price.fee_minor(amount_minor),
            daily_rate=programme.price.daily_rate,
            year_days=programme.price.year_days,
            pace=programme.pace,
        )
    except (NoRepaymentPlan, InvalidLoanTerms):
        return None


def _offer(line: SalesLine, terms: SalesShareTerms) -> AdvanceOffer:
    rows = planned_payments(terms)
    flows = [CashFlow(terms.start, terms.advance_minor)]
    flows += [CashFlow(row.date, -row.payment_minor) for row in rows]
    return AdvanceOffer(
        line=line.code,
        currency=line.currency,
        amount_minor=terms.advance_minor,
        fee_minor=terms.fee_minor,
        daily_rate=terms.daily_rate,
        share_bps=terms.share_bps,
        expected_days=len(rows),
        expected_end_date=terms.start + timedelta(days=len(rows)),
        charges_minor=sum(row.payment_minor for row in rows) - terms.advance_minor,
        apr_percent=apr_percent_estimate(flows),
    )


def _recorded(asked: _Asked, on: date, act_id: int) -> GrantedAdvance:
    line, terms, offer = asked.line, asked.terms, asked.offer
    assert terms is not None, "what never comes back is not granted"
    assert offer is not None
    decision = SalesDecision.objects.create(
        line=line,
        kind=DecisionKind.DRAW,
        date=on,
        amount_minor=terms.advance_minor,
        inputs=asked.decision.inputs_as_json(),
        verdicts=asked.decision.verdicts_as_json(),
        rule_version=RULES_VERSION,
        act_id=act_id,
    )
    code = f"{line.code}-{decision.pk}"
    commitment = drawdown_committed(
        Booking(line.legal_entity_id, line.currency, f"advance:{code}", on, on),
        book=line.book_id,
        amount_minor=terms.advance_minor,
    )
    advance = Advance.objects.create(
        code=code,
        line=line,
        decision=decision,
        book_id=line.book_id,
        currency=line.currency,
        advance_minor=terms.advance_minor,
        fee_minor=terms.fee_minor,
        daily_rate_ppb=None if terms.daily_rate is None else rate_in_ppb(terms.daily_rate),
        share_bps=terms.share_bps,
        yearly_sales_minor=terms.yearly_sales_minor,
        year_days=terms.year_days,
        drawn_date=on,
        commitment_id=post(commitment, act_id=act_id),
    )
    order = PaymentOrder.objects.create(
        end_to_end_id=f"S{advance.pk}",
        kind=PaymentKind.PAYOUT,
        legal_entity_id=line.legal_entity_id,
        beneficiary_id=line.merchant_id,
        advance=advance,
        currency=line.currency,
        amount_minor=terms.advance_minor,
        ordered_date=on,
        act_id=act_id,
    )
    granted = GrantedAdvance(
        advance=code,
        line=line.code,
        currency=line.currency,
        amount_minor=terms.advance_minor,
        fee_minor=terms.fee_minor,
        daily_rate=None if terms.daily_rate is None else f"{terms.daily_rate:f}",
        share_bps=terms.share_bps,
        drawn_date=on,
        expected_end_date=offer.expected_end_date,
        apr_percent=None if offer.apr_percent is None else f"{offer.apr_percent:f}",
        end_to_end_id=order.end_to_end_id,
    )
    OutboxMessage.objects.create(
        act_id=act_id,
        topic="payment_ordered",
        subject=f"advance:{code}",
        payload=granted.as_json(),
    )
    change_drawn({line.pk: terms.advance_minor}, holder="sales_credit_salesline")
    return granted
