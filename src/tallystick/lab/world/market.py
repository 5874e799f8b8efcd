"""The simulated marketplace: orders, goods receipts, invoices, returns, promotions, settlements.

Figures are drawn from one seeded generator per supplier, so that a world of more suppliers or more
days begins like a smaller one. Shapes are plausible, not calibrated: sizes are log-normal, a week
has a rhythm, one payer in six pays late.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

from tallystick.lab.events import Agenda, DayEvents, Remittance, Wish
from tallystick.rules.calendars import Calendar, is_business_day
from tallystick.rules.trade_documents import TradeDocument, usual_issuer

CURRENCY = "CNY"
PLATFORM = "MALL"
ANCHORS = ("ANCHOR-NORTH", "ANCHOR-SOUTH", "ANCHOR-WEST", "ANCHOR-EAST")
LATE_ANCHOR = "ANCHOR-EAST"
"""The payer that is often late, so that ageing, cross-ageing and shortfalls are seen at work."""

SETTLEMENT_TERMS_DAYS = (30, 45, 60)
TENORS_DAYS = (30, 45, 60, 90)
MERCHANT_EVERY = 5
"""One supplier in so many is a merchant, where a world has merchants: a small shop that sells
through the platform alone and now and then, and borrows seldom and for longer."""

MERCHANT_TENORS_DAYS = (90, 120, 180)
MERCHANT_ORDERS_A_WEEK_PPM = 500_000
MERCHANT_DRAWS_PPM = 30_000
SELLER_EVERY, FIRST_SELLER = 25, 2
"""One supplier in so many draws advances out of its sales, where a world has merchants."""

STOPS_AFTER_DAYS = 70
"""When the first of the sellers sells no more: so that an advance falls behind its pace."""

DAYS_TO_CLOSE_AN_ORDER = 3
PPM = 1_000_000


@dataclass(frozen=True, slots=True)
class Habits:
    """How one supplier trades and borrows."""

    supplier: str
    obligors: tuple[str, ...]
    order_minor: int
    orders_a_week_ppm: int
    return_rate_ppm: int
    promotion_rate_ppm: int
    terms_days: int
    draw_share_ppm: int
    draws_ppm: int
    """chance of asking for money on a working day"""
    tenors_days: tuple[int, ...] = TENORS_DAYS
    stops_after_days: int | None = None


class Market:
    """A seeded world of suppliers selling to one platform and a few other anchors."""

    def __init__(
        self,
        *,
        suppliers: int,
        seed: int,
        start: date,
        end: date,
        calendar: Calendar,
        with_merchants: bool = False,
    ) -> None:
        """Suppliers trade from ``start`` until before ``end``; what they began then runs out."""
        self.currency = CURRENCY
        self.numbers_repeat = False
        self.start = start
        self.end = end
        self.calendar = calendar
        self.habits = [_habits(number, seed) for number in range(1, suppliers + 1)]
        if with_merchants:
            shops = slice(MERCHANT_EVERY - 1, None, MERCHANT_EVERY)
            self.habits[shops] = [_as_merchant(habits) for habits in self.habits[shops]]
            if suppliers > FIRST_SELLER:
                self.habits[FIRST_SELLER] = _stopping(self.habits[FIRST_SELLER])
        self.suppliers: Sequence[str] = [habits.supplier for habits in self.habits]
        self.merchants: Sequence[str] = [
            habits.supplier for habits in self.habits if habits.tenors_days is MERCHANT_TENORS_DAYS
        ]
        self.sellers: Sequence[str] = [
            habits.supplier
            for habits in self.habits[FIRST_SELLER::SELLER_EVERY]
            if with_merchants and habits.tenors_days is not MERCHANT_TENORS_DAYS
        ]
        self._chance = {h.supplier: Random(f"{seed}/{h.supplier}/trade") for h in self.habits}
        self._wishing = {h.supplier: Random(f"{seed}/{h.supplier}/draws") for h in self.habits}
        self._orders = dict.fromkeys(self.suppliers, 0)
        self._agenda = Agenda()

    def events(self, on: date) -> DayEvents:
        if self.start <= on < self.end and is_business_day(self.calendar, on):
            for habits in self.habits:
                orders = self._chance[habits.supplier].randrange(5 * PPM) < habits.orders_a_week_ppm
                if orders and not self._has_stopped(habits, on):
                    self._place_order(habits, on)
        return self._agenda.take(on)

    def _has_stopped(self, habits: Habits, on: date) -> bool:
        after_days = habits.stops_after_days
        return after_days is not None and (on - self.start).days > after_days

    def wishes(self, on: date) -> Sequence[Wish]:
        if not (self.start <= on < self.end and is_business_day(self.calendar, on)):
            return []
        wishes = []
        for habits in self.habits:
            chance = self._wishing[habits.supplier]
            if chance.randrange(PPM) < habits.draws_ppm:
                tenor_days = chance.choice(habits.tenors_days)
                wishes.append(Wish(habits.supplier, habits.draw_share_ppm, tenor_days))
        return wishes

    def _place_order(self, habits: Habits, on: date) -> None:
        """Put down an order and everything that will follow from it."""
        chance = self._chance[habits.supplier]
        self._orders[habits.supplier] += 1
        trade = _Trade(
            habits,
            obligor=chance.choice(habits.obligors),
            number=f"{habits.supplier}-{self._orders[habits.supplier]:05d}",
            chance=chance,
        )
        ordered_minor = habits.order_minor * chance.randrange(40, 180) // 100
        due = on + timedelta(days=7 + habits.terms_days)
        self._put(trade.document("order", "", on, due, ordered_minor))
        received_on = on
        missing_minor = ordered_minor
        parts = 2 if chance.randrange(100) < 25 else 1
        for part in range(1, parts + 1):
            received_on += timedelta(days=chance.randrange(1, 5))
            received_minor = ordered_minor // parts * chance.randrange(88, 103) // 100
            missing_minor -= received_minor
            self._deliver(trade, f"-{part}", received_on, received_minor)
        if missing_minor > 0:
            # What will not be delivered is taken off the order.
            closed_on = received_on + timedelta(days=DAYS_TO_CLOSE_AN_ORDER)
            self._put(
                trade.document("cancellation", "X", closed_on, None, missing_minor, "order", "")
            )

    def _deliver(self, trade: "_Trade", part: str, received_on: date, received_minor: int) -> None:
        """A receipt, its invoice, perhaps a return, the reconciled statement, and the cash."""
        chance, habits = trade.chance, trade.habits
        invoiced_on = received_on + timedelta(days=chance.randrange(1, 4))
        due = received_on + timedelta(days=habits.terms_days)
        self._put(trade.document("receipt", part, received_on, due, received_minor, "order", ""))
        self._put(
            trade.document("invoice", part, invoiced_on, due, received_minor, "receipt", part)
        )
        owed_minor = received_minor
        if chance.randrange(PPM) < habits.return_rate_ppm:
            returned_minor = received_minor * chance.randrange(3, 20) // 100
            returned_on = invoiced_on + timedelta(days=chance.randrange(2, 10))
            self._put(
                trade.document(
                    "credit_note", part + "R", returned_on, None, returned_minor, "invoice", part
                )
            )
            owed_minor -= returned_minor
        reconciled_on = due - timedelta(days=chance.randrange(3, 11))
        self._put(
            trade.document("statement", part, reconciled_on, due, owed_minor, "invoice", part)
        )
        if chance.randrange(PPM) < habits.promotion_rate_ppm:
            # The payer nets its promotion out of the settlement: a reduction without cash.
            netted_minor = owed_minor * chance.randrange(1, 6) // 100
            self._put(
                trade.document(
                    "credit_note", part + "P", due, None, netted_minor, "statement", part
                )
            )
            owed_minor -= netted_minor
        paid_on = due + timedelta(days=_days_late(trade.obligor, chance))
        while not is_business_day(self.calendar, paid_on):
            paid_on += timedelta(days=1)
        number = trade.number + part
        claim = f"{trade.obligor}:statement:ST-{number}"
        self._agenda.remittances.setdefault(paid_on, []).append(
            Remittance(f"RCV-{number}", payer=trade.obligor, lines=((claim, owed_minor),))
        )

    def _put(self, document: TradeDocument) -> None:
        self._agenda.documents.setdefault(document.issue_date, []).append(document)


PREFIX = {
    "order": "PO",
    "receipt": "GR",
    "invoice": "INV",
    "statement": "ST",
    "credit_note": "CN",
    "cancellation": "CX",
}


@dataclass(frozen=True, slots=True)
class _Trade:
    habits: Habits
    obligor: str
    number: str
    chance: Random

    def document(
        self,
        kind: str,
        part: str,
        on: date,
        due: date | None,
        amount_minor: int,
        fulfils_kind: str = "",
        fulfils_part: str = "",
    ) -> TradeDocument:
        supplier = self.habits.supplier
        return TradeDocument(
            kind=kind,
            issuer=usual_issuer(kind, supplier=supplier, obligor=self.obligor),
            supplier=supplier,
            obligor=self.obligor,
            number=f"{PREFIX[kind]}-{self.number}{part}",
            issue_date=on,
            currency=CURRENCY,
            amount_minor=amount_minor,
            due_date=due,
            fulfils_kind=fulfils_kind,
            fulfils_number=(
                f"{PREFIX[fulfils_kind]}-{self.number}{fulfils_part}" if fulfils_kind else ""
            ),
        )


def _habits(number: int, seed: int) -> Habits:
    supplier = f"S{number:04d}"
    chance = Random(f"{seed}/{supplier}/habits")
    others = chance.sample(ANCHORS, k=chance.choice((0, 0, 0, 1, 2)))
    # A log-normal size in whole steps: most suppliers are small, a few are large.
    order_minor = round(chance.lognormvariate(0, 0.9) * 40_000) * 100
    return Habits(
        supplier=supplier,
        obligors=(PLATFORM, PLATFORM, *others),
        order_minor=max(order_minor, 200_000),
        orders_a_week_ppm=chance.randrange(1_000_000, 3_000_000),
        return_rate_ppm=chance.choice((20_000, 60_000, 150_000)),
        promotion_rate_ppm=chance.choice((0, 50_000, 200_000)),
        terms_days=chance.choice(SETTLEMENT_TERMS_DAYS),
        draw_share_ppm=chance.choice((500_000, 700_000, 800_000, 1_000_000)),
        draws_ppm=chance.choice((20_000, 80_000, 200_000)),
    )


def _as_merchant(habits: Habits) -> Habits:
    return replace(
        habits,
        obligors=(PLATFORM,),
        orders_a_week_ppm=MERCHANT_ORDERS_A_WEEK_PPM,
        draws_ppm=MERCHANT_DRAWS_PPM,
        tenors_days=MERCHANT_TENORS_DAYS,
    )


def _stopping(habits: Habits) -> Habits:
    """A seller that does well, is paid soon, and then sells no more."""
    return replace(
        habits,
        obligors=(PLATFORM,),
        terms_days=SETTLEMENT_TERMS_DAYS[0],
        orders_a_week_ppm=3_000_000,
        stops_after_days=STOPS_AFTER_DAYS,
    )


def _days_late(obligor: str, chance: Random) -> int:
    if obligor == PLATFORM:
        return 0
    if obligor == LATE_ANCHOR:
        return chance.choice((0, 5, 12, 25, 40, 70))
    return chance.choice((0, 0, 0, 0, 3, 8))
