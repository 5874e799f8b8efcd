"""A small book to try servicing on: one legal entity, suppliers with facilities, loans, claims.

Loans are put in place as a drawdown and the bank's answer leave them; everything that servicing
itself does goes through its own acts.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count

from tallystick.book import calendars
from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.models import Pool, PoolTerms
from tallystick.book.financing.draw_down import plan_kept
from tallystick.book.financing.models import Decision, Facility, Loan, ProgrammeLimit
from tallystick.book.financing.programmes import preset, stored, terms_with
from tallystick.book.funding.models import FundingLine
from tallystick.book.ledger.models import Book
from tallystick.book.ledger.post import post
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import LegalEntity, Party
from tallystick.book.servicing.drawn import change_drawn
from tallystick.book.servicing.events import NewLoanEvent, record_events
from tallystick.book.trade.record_documents import record_document
from tallystick.rules.accounting import Booking, capital_paid_in, loan_disbursed
from tallystick.rules.loan_events import EventKind, rate_from_ppb
from tallystick.rules.loan_terms import RECEIPT_ORDER, Bucket
from tallystick.rules.programme import ProgrammeTerms, stored_programme
from tallystick.rules.repayment import Agreed, instalments
from tallystick.rules.settlement_terms import Sweep
from tallystick.rules.trade_documents import TradeDocument

CALLER = Caller(owner="system", actor="tests", channel="internal", reason="a test")
START = date(2026, 3, 2)
PLENTY_MINOR = 10**14
TEN_PER_CENT_PPB = 100_000_000

_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Scene:
    """A legal entity that has opened on START, with its own capital and one book of loans."""

    legal_entity_id: int
    book_id: int
    currency: str

    @property
    def today(self) -> date:
        return LegalEntity.objects.get(pk=self.legal_entity_id).business_date


def opened(*, code: str = "LENDER", currency: str = "CNY", on: date = START) -> Scene:
    party = Party.objects.create(code=code, name=code)
    entity = LegalEntity.objects.create(
        code=code,
        party=party,
        time_zone="Asia/Shanghai",
        calendar="China",
        opened_date=on,
        business_date=on,
    )
    book = Book.objects.create(
        legal_entity=entity,
        programme="jd.jingbaobei",
        funder=party,
        currency=currency,
        asset_class="normal",
    )
    with an_act("capital") as act:
        post(
            capital_paid_in(
                Booking(entity.pk, currency, "capital", on, on), amount_minor=PLENTY_MINOR
            ),
            act_id=act.act_id,
        )
        act.answer({})
    return Scene(entity.pk, book.pk, currency)


def let_days_be_open(scene: Scene, days: int) -> None:
    """Let the business date be so many days later, nothing having been closed."""
    LegalEntity.objects.filter(pk=scene.legal_entity_id).update(
        business_date=scene.today + timedelta(days=days)
    )


def an_act(kind: str):
    return once(CALLER, key=f"{kind}-{next(_numbers)}", kind=kind, request={})


def programme(
    *,
    sweep: Sweep = Sweep.ALL,
    waterfall: tuple[Bucket, ...] = RECEIPT_ORDER,
    orders: Mapping[str, Sequence[str]] | None = None,
    fees: Mapping[str, int] | None = None,
    **choices: int | str,
) -> ProgrammeTerms:
    """The JD preset with another sweep or order of payment, or ``choices`` of its settlement.

    ``orders``: those of single kinds of transaction. ``fees``: what the programme charges.
    """
    terms = preset("jd.jingbaobei")
    written = terms.content["terms"]
    settlement = {
        **written["settlement"],
        "sweep": str(sweep),
        "waterfall": [str(bucket) for bucket in waterfall],
        **choices,
    }
    settlement["sources"] = settlement["sources"] | dict.fromkeys(choices, "illustrative")
    if orders:
        settlement["orders"] = {
            **{kind: [str(each) for each in order] for kind, order in orders.items()},
            "sources": dict.fromkeys(orders, "illustrative"),
        }
    written = {**written, "settlement": settlement}
    if fees:
        written["fees"] = {**fees, "sources": dict.fromkeys(fees, "illustrative")}
    return replace(terms, content={**terms.content, "terms": written})


def facility(
    scene: Scene, supplier: str, terms: ProgrammeTerms | None = None, *, named: str = ""
) -> Facility:
    """A facility of ``supplier`` with an empty pool; limits never bind.

    ``named`` tells apart the facilities of one supplier.
    """
    entity = LegalEntity.objects.get(pk=scene.legal_entity_id)
    party, _ = Party.objects.get_or_create(code=supplier, defaults={"name": supplier})
    limit, _ = ProgrammeLimit.objects.get_or_create(
        legal_entity=entity,
        programme="jd.jingbaobei",
        currency=scene.currency,
        defaults={"limit_minor": PLENTY_MINOR},
    )
    line, _ = FundingLine.objects.get_or_create(
        legal_entity=entity,
        programme="jd.jingbaobei",
        funder=entity.party,
        currency=scene.currency,
        defaults={"limit_minor": PLENTY_MINOR},
    )
    pool_terms, _ = PoolTerms.objects.get_or_create(
        sha256=hashlib.sha256(b"pool").digest(), defaults={"terms": POOL_TERMS}
    )
    pool = Pool.objects.create(
        code=f"POOL-{supplier}{named}",
        legal_entity=entity,
        supplier=party,
        currency=scene.currency,
        terms=pool_terms,
        rank=1 + Pool.objects.filter(supplier=party).count(),
    )
    return Facility.objects.create(
        code=f"F-{supplier}{named}",
        legal_entity=entity,
        supplier=party,
        programme=stored(terms or preset("jd.jingbaobei")),
        pool=pool,
        programme_limit=limit,
        funding_line=line,
        currency=scene.currency,
        limit_minor=PLENTY_MINOR,
        annual_rate_ppb=TEN_PER_CENT_PPB,
        opened_date=entity.opened_date,
        expiry_date=date(2030, 1, 1),
    )


POOL_TERMS = {
    "advance_rate_bps": {"order": 5000, "receipt": 5000, "invoice": 5000, "settlement": 5000},
    "max_days_past_due": 30,
    "max_tenor_days": 365,
    "min_days_to_due": 0,
    "cross_ageing_share_bps": 10_000,
    "concentration_limit_bps": 10_000,
    "dilution_window_days": 90,
    "dilution_stress_bps": 10_000,
}


def lent(
    facility: Facility,
    amount_minor: int,
    *,
    days: int = 60,
    rate_ppb: int = TEN_PER_CENT_PPB,
    penalty_rate_ppb: int = 50_000_000,
    penalty_steps: list[tuple[int, int]] | None = None,
    day_count: str = "ACT/360",
    value_date: date | None = None,
    on: date | None = None,
) -> int:
    """A loan of today (or ``on``) that the bank has paid out; returns its id."""
    with an_act("draw_down") as act:
        today = on or open_day(facility.legal_entity_id)
        decision = Decision.objects.create(
            facility=facility,
            date=today,
            amount_minor=amount_minor,
            inputs={},
            verdicts=[],
            rule_version="test",
            act_id=act.act_id,
        )
        due_date, of_plan = today + timedelta(days=days), {}
        terms = terms_with(bytes(facility.programme.sha256))
        if terms.repayment.in_instalments:
            agreed = agreed_in(terms, amount_minor, rate_ppb=rate_ppb, days=days, on=today)
            due_date = agreed.rows[0].due_date
            of_plan = {
                "maturity_date": agreed.rows[-1].due_date,
                "agreed_plan": plan_kept(agreed.plan, calendars.named("China")),
            }
        loan = Loan.objects.create(
            code=f"{facility.code}-{next(_numbers)}",
            facility=facility,
            decision=decision,
            book=Book.objects.get(
                legal_entity=facility.legal_entity,
                programme="jd.jingbaobei",
                asset_class="normal",
            ),
            currency=facility.currency,
            principal_minor=amount_minor,
            annual_rate_ppb=rate_ppb,
            penalty_rate_ppb=penalty_rate_ppb,
            day_count=day_count,
            tenor_days=days,
            drawn_date=today,
            penalty_steps=penalty_steps,
            due_date=due_date,
            due_date_provisional=False,
            **of_plan,
        )
        # What a drawdown reserves, the payout keeps.
        change_drawn({facility.pk: amount_minor})
        post(
            loan_disbursed(
                Booking(
                    facility.legal_entity_id,
                    facility.currency,
                    f"loan:{loan.code}",
                    value_date or today,
                    today,
                ),
                book=loan.book_id,
                amount_minor=amount_minor,
            ),
            act_id=act.act_id,
        )
        record_events(
            [
                NewLoanEvent(
                    loan_id=loan.pk,
                    kind=EventKind.DISBURSED,
                    value_date=value_date or today,
                    reference="bank:test",
                    act_id=act.act_id,
                    amount_minor=amount_minor,
                )
            ],
            booking_date=today,
        )
        act.answer({})
    return loan.pk


def in_instalments(
    method: str = "equal_principal", every: str = "1M", keeps: str | None = None
) -> ProgrammeTerms:
    """The JD preset, repaid in instalments on business days, for up to two years."""
    terms = preset("jd.jingbaobei")
    written = dict(terms.content["terms"])
    repayment = {"method": method, "every": every} | ({"prepaid_keeps": keeps} if keeps else {})
    written["repayment"] = repayment | {"sources": dict.fromkeys(repayment, "illustrative")}
    written["drawdown"] = {**written["drawdown"], "max_tenor_days": 750}
    return stored_programme(terms.code, {**terms.content, "terms": written})


def agreed_in(
    terms: ProgrammeTerms, amount_minor: int, *, rate_ppb: int, days: int, on: date
) -> Agreed:
    """What a draw of ``days`` comes back in under a programme with instalments."""
    return instalments(
        terms.repayment,
        amount_minor=amount_minor,
        annual_rate=rate_from_ppb(rate_ppb),
        day_count=terms.price.day_count,
        drawn_date=on,
        tenor_days=days,
        max_tenor_days=terms.drawdown.max_tenor_days,
        calendar=calendars.named("China"),
        adjustment=terms.drawdown.due_date_adjustment,
    )


def owes(
    facility: Facility,
    amount_minor: int,
    *,
    days: int = 60,
    obligor: str = "JD",
    currency: str = "CNY",
) -> str:
    """The obligor owes the supplier an invoice of today; returns the claim's code."""
    number = f"INV-{next(_numbers)}"
    today = LegalEntity.objects.get(pk=facility.legal_entity_id).business_date
    record_document(
        TradeDocument(
            kind="invoice",
            issuer=facility.supplier.code,
            supplier=facility.supplier.code,
            obligor=obligor,
            number=number,
            issue_date=today,
            due_date=today + timedelta(days=days),
            currency=currency,
            amount_minor=amount_minor,
        ),
        caller=CALLER,
        key=f"document-{number}",
        legal_entity_id=facility.legal_entity_id,
    )
    return f"{facility.supplier.code}:invoice:{number}"
