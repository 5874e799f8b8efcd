"""Loans in instalments through their whole life: what a day's close takes at each age.

A thousand loans of 24 monthly instalments with daily interest, the load that Apache Fineract
publishes for its close of business: drawn by the book's own act, paid out by the bank's answers,
paid as they fall due, and closed day by day.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from tallystick.book.financing.draw_down import DrawRequest, draw_down_many
from tallystick.book.financing.models import Loan
from tallystick.book.financing.open_facility import NewFacility, Waiver, open_facilities
from tallystick.book.financing.programmes import preset
from tallystick.book.impairment.packs import adopt
from tallystick.book.impairment.packs import preset as preset_pack
from tallystick.book.parties.open_entity import NewLegalEntity, open_legal_entity
from tallystick.book.payments.bank_answers import take_answers
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.servicing.close import close_day
from tallystick.book.servicing.dues import dues_of
from tallystick.book.servicing.models import Position
from tallystick.book.servicing.refold import refolded
from tallystick.book.servicing.repay import repay
from tallystick.book.trade.record_documents import TradeDocument, record_document
from tallystick.lab.bench.figures import Figure, seconds
from tallystick.lab.bench.taken_over import PROGRAMME, RULE_PACK, bench_caller
from tallystick.lab.bench.turns import in_monthly_instalments
from tallystick.rules.bank_answers import BankMessage

OPENED = date(2024, 1, 2)
LOANS, MONTHS = 1_000, 24
AGES_DAYS = (1, 7, 30, 100, 300, 700)
AMOUNT_MINOR = 1_000_000
TENOR_DAYS = 731
MAX_RATIO = 1.5
"""Between the slowest and the fastest of days on which nothing falls due."""


@dataclass(frozen=True, slots=True)
class Lived:
    """Seconds of each close by the age of the loans, and what is wrong in the end."""

    close_seconds: dict[int, float]
    days_of_dues: frozenset[int]
    wrong: int


def measure(lived: Lived) -> list[Figure]:
    """Of each age the median of the closes of three days, the one of that age and the next two."""
    figures = [
        Figure(
            f"close of {LOANS:,} loans in {MONTHS} instalments, day {age}",
            sorted(lived.close_seconds[age + n] for n in range(3))[1],
            "s",
        )
        for age in AGES_DAYS
    ]
    of_dues = [lived.close_seconds[day] for day in sorted(lived.days_of_dues)]
    return [
        *figures,
        Figure(
            "slowest of these to fastest",
            max(figure.measured for figure in figures) / min(figure.measured for figure in figures),
            "×",
            bound=MAX_RATIO,
        ),
        Figure("the night before all of them fall due, first", of_dues[0], "s"),
        Figure("the same, last", of_dues[-1], "s"),
        Figure("differences from a fold of every loan", lived.wrong, "", bound=0),
    ]


def live(*, loans: int = LOANS, last_age_days: int = AGES_DAYS[-1] + 2) -> Lived:
    """Draw so many loans in an empty database, and close every day up to that age."""
    legal_entity_id, facility = _opened()
    _drawn(legal_entity_id, facility, loans)
    close_seconds: dict[int, float] = {}
    days_of_dues = set()
    for age in range(last_age_days + 1):
        day = OPENED + timedelta(days=age)
        _pay_what_is_due(facility, day)
        close_seconds[age] = seconds(lambda day=day: close_day(legal_entity_id, day))
        if Position.objects.filter(booking_date=day + timedelta(days=1)).exists():
            days_of_dues.add(age)
    return Lived(close_seconds, frozenset(days_of_dues), sum(1 for _ in refolded()))


def _opened() -> tuple[int, str]:
    legal_entity_id = open_legal_entity(
        NewLegalEntity("BENCH", "Bench", "Asia/Shanghai", "China", OPENED),
        caller=bench_caller(),
        key="entity",
    )
    adopt(legal_entity_id, preset_pack(RULE_PACK), caller=bench_caller(), key="rule pack")
    open_facilities(
        [
            NewFacility(
                code="F",
                supplier="S",
                programme=in_monthly_instalments(preset(PROGRAMME), max_tenor_days=TENOR_DAYS),
                currency="CNY",
                limit_minor=10**12,
                expiry_date=OPENED + timedelta(days=365),
                waived=frozenset({Waiver.CONTRACT_AGE}),
            )
        ],
        legal_entity_id=legal_entity_id,
        caller=bench_caller(),
        key="facility",
    )
    record_document(
        TradeDocument(
            "invoice",
            issuer="S",
            supplier="S",
            obligor="JD",
            number="1",
            issue_date=OPENED,
            currency="CNY",
            amount_minor=10**11,
            due_date=OPENED + timedelta(days=90),
        ),
        caller=bench_caller(),
        key="invoice",
        legal_entity_id=legal_entity_id,
    )
    return legal_entity_id, "F"


def _drawn(legal_entity_id: int, facility: str, loans: int) -> None:
    """The loans, drawn one by one in one batch, and paid out by the bank on the same day."""
    draw_down_many(
        [
            DrawRequest(facility, AMOUNT_MINOR, TENOR_DAYS, OPENED, bench_caller(), f"draw {n}")
            for n in range(loans)
        ]
    )
    take_answers(
        [
            BankMessage(
                f"bank {order.pk}",
                order.end_to_end_id,
                "paid",
                order.amount_minor,
                order.currency,
                OPENED,
            )
            for order in PaymentOrder.objects.order_by("id")
        ],
        legal_entity_id=legal_entity_id,
        caller=bench_caller(),
        key="paid out",
    )


def _pay_what_is_due(facility: str, day: date) -> None:
    due = list(Loan.objects.filter(facility__code=facility, status="live", due_date__lte=day))
    total_minor = sum(each.total_minor for each in dues_of(due, on=day))
    if total_minor:
        repay(facility, total_minor, value_date=None, caller=bench_caller(), key=f"dues {day}")
