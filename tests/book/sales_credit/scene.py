"""A merchant that sells on a market, and a lender who advances money out of those sales."""

from datetime import date, timedelta
from itertools import count

from tests.book.servicing.scene import CALLER, START, Scene, let_days_be_open, opened

from tallystick.book.parties.models import Party
from tallystick.book.payments.bank_answers import take_answers
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.sales_credit.draw import GrantedAdvance, draw_advance
from tallystick.book.sales_credit.models import Advance
from tallystick.book.sales_credit.open_line import LineLimit, NewSalesLine, open_line
from tallystick.book.sales_credit.positions import advance_called, events_of, folded
from tallystick.book.sales_credit.programmes import sales_preset
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.settle import settle
from tallystick.book.servicing.settled import Settled
from tallystick.book.trade.record_documents import record_document
from tallystick.rules.bank_answers import BankMessage
from tallystick.rules.sales_programme import SalesProgrammeTerms, stored_sales_programme
from tallystick.rules.sales_share import SalesShareState
from tallystick.rules.trade_documents import TradeDocument

FEE = "market.sales_advance"
DAILY = "market.sales_daily"
DAY = timedelta(days=1)

_numbers = count(1)

__all__ = ["CALLER", "DAILY", "DAY", "FEE", "START", "Scene", "let_days_be_open", "opened"]


def sold(
    scene: Scene, merchant: str, amount_minor: int, *, on: date | None = None, currency: str = "CNY"
) -> str:
    """The market reconciled a settlement statement with the merchant; returns the claim's code."""
    number = f"ST-{next(_numbers)}"
    issue_date = on or scene.today
    record_document(
        TradeDocument(
            kind="statement",
            issuer="MARKET",
            supplier=merchant,
            obligor="MARKET",
            number=number,
            issue_date=issue_date,
            due_date=issue_date + 7 * DAY,
            currency=currency,
            amount_minor=amount_minor,
        ),
        caller=CALLER,
        key=f"statement-{number}",
        legal_entity_id=scene.legal_entity_id,
    )
    return f"MARKET:statement:{number}"


def has_sold_for_three_months(
    scene: Scene, merchant: str = "M1", *, a_week_minor: int = 7_700_000
) -> None:
    """Thirteen weekly statements, the last one today: 90 days have the last thirteen of them."""
    for weeks in range(13):
        sold(scene, merchant, a_week_minor, on=scene.today - 7 * weeks * DAY)


def a_line(
    scene: Scene,
    *,
    merchant: str = "M1",
    programme: SalesProgrammeTerms | str = FEE,
    code: str = "SL-1",
) -> LineLimit:
    terms = sales_preset(programme) if isinstance(programme, str) else programme
    return open_line(
        NewSalesLine(code, merchant, terms, scene.today + 365 * DAY),
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
        key=f"open-{code}",
    )


def paced(programme: str = FEE, *, period_days: int = 5) -> SalesProgrammeTerms:
    """A programme that asks for a sixtieth of the debt every few days, with nothing in between."""
    content = sales_preset(programme).content
    pace = {
        "period_days": period_days,
        "minimum_share": "1/60",
        "counts": "since_payout",
        "grace_days": 0,
    }
    pace["sources"] = dict.fromkeys(pace, "illustrative")
    return stored_sales_programme(
        programme, {**content, "terms": {**content["terms"], "pace": pace}}
    )


def asked(amount_minor: int, *, line: str = "SL-1") -> GrantedAdvance:
    return draw_advance(line, amount_minor, caller=CALLER, key=f"draw-{next(_numbers)}")


def bank_says(
    scene: Scene, granted: GrantedAdvance, outcome: str = "paid", *, value_date: date | None = None
) -> None:
    _bank_answers(
        scene,
        granted.end_to_end_id,
        outcome,
        granted.amount_minor,
        granted.currency,
        value_date or scene.today,
    )


def bank_pays(scene: Scene, order: PaymentOrder) -> None:
    """The bank has paid an order today."""
    _bank_answers(
        scene, order.end_to_end_id, "paid", order.amount_minor, order.currency, scene.today
    )


def _bank_answers(
    scene: Scene,
    end_to_end_id: str,
    outcome: str,
    amount_minor: int,
    currency: str,
    value_date: date,
) -> None:
    reference = f"BANK-{next(_numbers)}"
    take_answers(
        [BankMessage(reference, end_to_end_id, outcome, amount_minor, currency, value_date)],
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
        key=reference,
    )


def paid_out(scene: Scene, amount_minor: int, *, line: str = "SL-1") -> str:
    """An advance of today that the bank has paid out; its code."""
    granted = asked(amount_minor, line=line)
    bank_says(scene, granted)
    return granted.advance


def settled(
    scene: Scene, claim: str, amount_minor: int, *, value_date: date | None = None
) -> Settled:
    """The market pays a claim."""
    if not Party.objects.filter(code="MARKET").exists():
        Party.objects.create(code="MARKET", name="The market")
    return settle(
        Receipt(
            f"R-{next(_numbers)}",
            "MARKET",
            "CNY",
            amount_minor,
            value_date or scene.today,
            ((claim, amount_minor),),
        ),
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
    )


def sells_and_is_settled(
    scene: Scene, amount_minor: int, *, merchant: str = "M1", value_date: date | None = None
) -> Settled:
    claim = sold(scene, merchant, amount_minor, on=value_date)
    return settled(scene, claim, amount_minor, value_date=value_date)


def state_of(code: str, *, on: date, known_on: date | None = None) -> SalesShareState:
    advance = advance_called(code)
    assert advance is not None
    return folded(
        advance, events_of([advance.advance_id])[advance.advance_id], on=on, known_on=known_on
    )


def status_of(code: str) -> str:
    return Advance.objects.get(code=code).status


def granted_before(answer: dict[str, object]) -> GrantedAdvance:
    """An advance as the command line has told it."""
    return GrantedAdvance.from_json(dict(answer), repeated=False)
