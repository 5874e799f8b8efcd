"""A marketplace and its payers that misbehave: the simulated market, told and paid wrongly.

It stands between ``market.Market`` and the platform. What goes wrong with a document or a payment
is drawn from the seed and the object's own name, so that a run repeats exactly.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

from tallystick.lab.events import DayEvents, Remittance, Wish
from tallystick.lab.world.market import TENORS_DAYS, Market
from tallystick.lab.world.wrong_documents import cancelled, corrected, garbled, promotion
from tallystick.rules.calendars import is_business_day
from tallystick.rules.trade_documents import STAGE_OF, TradeDocument, claim_code

PPM = 1_000_000
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class MarketFaults:
    """How often each thing goes wrong: millionths of the documents, payments or days it names."""

    # Of the documents.
    resends_ppm: int = 60_000
    corrects_ppm: int = 40_000
    cancels_ppm: int = 40_000
    delays_ppm: int = 100_000
    loses_ppm: int = 10_000
    garbles_ppm: int = 15_000
    disputes_ppm: int = 60_000
    """of the statements"""

    # Of the payments, of which at most one of these happens to each ...
    misses_ppm: int = 40_000
    pays_late_ppm: int = 50_000
    pays_short_ppm: int = 50_000
    nets_promotion_ppm: int = 50_000
    pays_over_ppm: int = 30_000
    names_others_claim_ppm: int = 25_000
    pays_in_other_currency_ppm: int = 15_000
    tells_late_ppm: int = 80_000
    tells_early_ppm: int = 15_000
    # ... and any of these.
    repeats_payment_ppm: int = 40_000
    retells_payment_ppm: int = 20_000
    pays_twice_ppm: int = 30_000
    recalls_ppm: int = 40_000

    # Of the days; and of the suppliers, a working day.
    goes_silent_days_ppm: int = 25_000
    asks_unasked_ppm: int = 120_000
    """asks for a part of what there is, whatever its habits are"""


class Telling(NamedTuple):
    """Something to be told on a day. ``fault``: what is wrong with it; empty where nothing is.

    ``refusal`` names the refusal with which the platform must answer it.
    """

    kind: str  # a field of DayEvents
    what: TradeDocument | Remittance | str
    fault: str = ""
    refusal: str = ""


class MisbehavingMarket:
    """A source of events (``lab.events.Source``) that goes wrong in every way that partners do.

    ``did`` counts what went wrong, ``refusals`` the answers that this must have had by now.
    """

    def __init__(self, market: Market, seed: int, faults: MarketFaults) -> None:
        self.market = market
        self.seed = seed
        self.faults = faults
        self.currency = market.currency
        self.suppliers: Sequence[str] = market.suppliers
        self.numbers_repeat = False
        self.did: Counter[str] = Counter()
        self.refusals: Counter[str] = Counter()
        self._agenda: dict[date, list[Telling]] = defaultdict(list)
        self._statements: dict[str, TradeDocument] = {}
        self._meant: dict[str, tuple[tuple[str, int], ...]] = {}
        self._speaks_again_date = date.min

    def wishes(self, on: date) -> Sequence[Wish]:
        """The market's own, and those of suppliers that have made a habit of asking."""
        wishes = {wish.supplier: wish for wish in self.market.wishes(on)}
        for supplier in self.suppliers if is_business_day(self.market.calendar, on) else ():
            chance = Random(f"{self.seed}/asks/{supplier}/{on}")
            if _hits(chance, self.faults.asks_unasked_ppm) and supplier not in wishes:
                share_ppm = chance.randrange(100_000, 500_000)
                wishes[supplier] = Wish(supplier, share_ppm, chance.choice(TENORS_DAYS))
                self.did["asked for money again and again"] += 1
        return list(wishes.values())

    def events(self, on: date) -> DayEvents:
        told = self.market.events(on)
        for document in told.documents:
            self._tell(document, on)
        for remittance in told.remittances:
            self._pay(remittance, on)
        tellings = self._feed(self._agenda.pop(on, []), on)
        for telling in tellings:
            if telling.fault:
                self.did[telling.fault] += 1
            if telling.refusal:
                self.refusals[telling.refusal] += 1
        of_kind = defaultdict(list)
        for telling in tellings:
            of_kind[telling.kind].append(telling.what)
        return DayEvents(**of_kind)

    def meant(self, reference: str) -> tuple[tuple[str, int], ...]:
        """What a payer says when it is asked which claims it had paid; empty: it does not know."""
        return self._meant.get(reference, ())

    def _feed(self, tellings: list[Telling], on: date) -> list[Telling]:
        """What gets through: a silent feed holds everything back but cash, which the bank tells.

        When it speaks again, all that was held back comes at once and in no order.
        """
        chance = Random(f"{self.seed}/feed/{on}")
        if on > self._speaks_again_date and _hits(chance, self.faults.goes_silent_days_ppm):
            self._speaks_again_date = on + chance.randrange(2, 10) * DAY
            self.did["went silent (times)"] += 1
        if on < self._speaks_again_date:
            cash = [each for each in tellings if each.kind in ("remittances", "recalled_receipts")]
            held_back = [each for each in tellings if each not in cash]
            self._agenda[self._speaks_again_date][:0] = held_back
            return cash
        if on == self._speaks_again_date:
            chance.shuffle(tellings)
        return tellings

    # --- documents --------------------------------------------------------------------------------

    def _tell(self, document: TradeDocument, on: date) -> None:
        chance = Random(f"{self.seed}/{document.issuer}/{document.kind}/{document.number}")
        faults = self.faults
        if document.kind == "statement":
            self._statements[_code(document)] = document
        if _hits(chance, faults.loses_ppm):
            self.did["never sent a document"] += 1
            return
        arrives = on
        if _hits(chance, faults.delays_ppm):
            arrives += chance.randrange(1, 15) * DAY
            self._put(arrives, "documents", document, "sent a document late, out of order")
        else:
            self._put(arrives, "documents", document)
        if _hits(chance, faults.resends_ppm):
            again = arrives + chance.choice((0, 1, 30)) * DAY
            self._put(again, "documents", document, "sent a document again")
        if _hits(chance, faults.corrects_ppm):
            # Which of the two is refused depends on which gets through first.
            later = arrives + chance.randrange(0, 20) * DAY
            other = corrected(document, chance)
            self._put(later, "documents", other, "gave a number to other content")
        if _hits(chance, faults.garbles_ppm):
            self._put(
                arrives,
                "documents",
                garbled(document, chance),
                "sent a document that cannot be right",
                "UnacceptableDocument",
            )
        if document.kind in STAGE_OF and _hits(chance, faults.cancels_ppm):
            cancelled_on = max(on, arrives + chance.randrange(-5, 40) * DAY)
            cancellation = cancelled(document, cancelled_on, chance)
            self._put(cancelled_on, "documents", cancellation, "cancelled a document")
        if document.kind == "statement" and _hits(chance, faults.disputes_ppm):
            self._dispute(document, arrives, chance)

    def _dispute(self, document: TradeDocument, arrives: date, chance: Random) -> None:
        code = _code(document)
        disputed = arrives + chance.randrange(0, 20) * DAY
        self._put(disputed, "disputed_claims", code, "disputed a claim")
        if chance.randrange(3):
            self._put(disputed + chance.randrange(1, 40) * DAY, "resolved_claims", code)

    # --- payments ---------------------------------------------------------------------------------

    def _pay(self, remittance: Remittance, on: date) -> None:
        chance = Random(f"{self.seed}/{remittance.reference}")
        self._meant[remittance.reference] = remittance.lines
        if told := self._told_wrongly(remittance, on, chance):
            paid, told_on = told
            self._afterwards(paid, told_on, chance)

    def _told_wrongly(
        self, remittance: Remittance, on: date, chance: Random
    ) -> tuple[Remittance, date] | None:
        """The payment as it is told of, and when; None where it is never made."""
        faults = self.faults
        wrongs = (
            (faults.misses_ppm, self._missed),
            (faults.pays_late_ppm, self._paid_late),
            (faults.pays_short_ppm, self._paid_short),
            (faults.nets_promotion_ppm, self._promotion_netted),
            (faults.pays_over_ppm, self._paid_over),
            (faults.names_others_claim_ppm, self._named_others_claim),
            (faults.pays_in_other_currency_ppm, self._paid_in_other_currency),
            (faults.tells_late_ppm, self._told_late),
            (faults.tells_early_ppm, self._told_early),
        )
        place = chance.randrange(PPM)
        for ppm, wrong in wrongs:
            if place < ppm:
                return wrong(remittance, on, chance)
            place -= ppm
        self._put(on, "remittances", remittance)
        return remittance, on

    def _missed(self, _remittance: Remittance, _on: date, _chance: Random) -> None:
        self.did["never paid"] += 1

    def _paid_late(
        self, remittance: Remittance, on: date, chance: Random
    ) -> tuple[Remittance, date]:
        late = on + chance.randrange(5, 120) * DAY
        self._put(late, "remittances", remittance, "paid late")
        return remittance, late

    def _paid_short(
        self, remittance: Remittance, on: date, chance: Random
    ) -> tuple[Remittance, date]:
        short, rest = _parted(remittance, percent=chance.randrange(1, 40))
        self._put(on, "remittances", short, "paid short")
        if chance.randrange(2):
            self._put(on + chance.randrange(10, 40) * DAY, "remittances", rest)
        return short, on

    def _promotion_netted(
        self, remittance: Remittance, on: date, chance: Random
    ) -> tuple[Remittance, date]:
        """The payer nets what the supplier credits afterwards, or never."""
        short, rest = _parted(remittance, percent=chance.randrange(1, 16))
        self._put(on, "remittances", short, "netted a promotion")
        [(code, netted_minor)] = rest.lines
        if chance.randrange(4):
            told_on = on + chance.randrange(0, 25) * DAY
            note = promotion(self._statements[code], netted_minor, told_on, chance)
            self._put(told_on, "documents", note)
        return short, on

    def _paid_over(
        self, remittance: Remittance, on: date, chance: Random
    ) -> tuple[Remittance, date]:
        [(code, owed_minor)] = remittance.lines
        paid_minor = owed_minor * chance.randrange(101, 140) // 100
        if chance.randrange(2):
            over = replace(remittance, lines=((code, paid_minor),))
        else:
            over = replace(remittance, amount_minor=paid_minor)
        self._put(on, "remittances", over, "paid too much")
        return over, on

    def _named_others_claim(
        self, remittance: Remittance, on: date, chance: Random
    ) -> tuple[Remittance, date]:
        [(code, owed_minor)] = remittance.lines
        others_code = f"{remittance.payer}:statement:NOT-OURS-{remittance.reference}"
        others_minor = chance.choice((owed_minor, owed_minor // 2))
        lines = [(others_code, others_minor), (code, owed_minor - others_minor)]
        wrong = replace(remittance, lines=tuple(line for line in lines if line[1]))
        self._put(on, "remittances", wrong, "paid a claim that is not ours")
        return wrong, on

    def _paid_in_other_currency(
        self, remittance: Remittance, on: date, chance: Random
    ) -> tuple[Remittance, date]:
        wrong = replace(remittance, currency="USD")
        self._put(on, "remittances", wrong, "paid in another currency")
        right = replace(remittance, reference=f"{remittance.reference}-CNY")
        self._meant[remittance.reference] = ()
        self._put(on + chance.randrange(3, 12) * DAY, "remittances", right)
        return wrong, on

    def _told_late(
        self, remittance: Remittance, on: date, chance: Random
    ) -> tuple[Remittance, date]:
        """Cash that had arrived days ago: it counts from then."""
        dated = replace(remittance, value_date=on)
        told_on = on + chance.randrange(1, 15) * DAY
        self._put(told_on, "remittances", dated, "told late of cash")
        return dated, told_on

    def _told_early(
        self, remittance: Remittance, on: date, chance: Random
    ) -> tuple[Remittance, date]:
        """Cash announced for a day that has not come; told again when it has."""
        dated = replace(remittance, value_date=on + chance.randrange(1, 4) * DAY)
        self._put(on, "remittances", dated, "told of cash to come", "InvalidReceipt")
        assert dated.value_date is not None
        self._put(dated.value_date, "remittances", dated)
        return dated, dated.value_date

    def _afterwards(self, paid: Remittance, told_on: date, chance: Random) -> None:
        """A payment that has been told of is told again, otherwise, made twice, or taken back."""
        if _hits(chance, self.faults.repeats_payment_ppm):
            # As it was told first: the day it counts from belongs to it.
            again = replace(paid, value_date=paid.value_date or told_on)
            self._put(
                told_on + chance.choice((0, 1, 25)) * DAY, "remittances", again, "told cash again"
            )
        if _hits(chance, self.faults.retells_payment_ppm):
            other = replace(paid, payer=f"{paid.payer}-2", value_date=paid.value_date or told_on)
            self._put(
                told_on + chance.randrange(1, 25) * DAY,
                "remittances",
                other,
                "gave a reference to other cash",
                "ReceiptConflict",
            )
        if _hits(chance, self.faults.pays_twice_ppm):
            twice = replace(paid, reference=f"{paid.reference}-TWICE", value_date=None)
            self._put(told_on + chance.randrange(1, 10) * DAY, "remittances", twice, "paid twice")
        if _hits(chance, self.faults.recalls_ppm):
            recalled_on = told_on + chance.randrange(0, 60) * DAY
            self._put(recalled_on, "recalled_receipts", paid.reference, "took a credit back")
            if chance.randrange(2):
                anew = replace(paid, reference=f"{paid.reference}-ANEW", value_date=None)
                self._meant[anew.reference] = self._meant[paid.reference]
                self._put(recalled_on + chance.randrange(1, 30) * DAY, "remittances", anew)

    def _put(
        self,
        on: date,
        kind: str,
        what: TradeDocument | Remittance | str,
        fault: str = "",
        refusal: str = "",
    ) -> None:
        self._agenda[on].append(Telling(kind, what, fault, refusal))


def _hits(chance: Random, ppm: int) -> bool:
    return chance.randrange(PPM) < ppm


def _code(document: TradeDocument) -> str:
    return claim_code(document, key=b"", numbers_repeat=False)


def _parted(remittance: Remittance, *, percent: int) -> tuple[Remittance, Remittance]:
    """The payment less so many per cent (at least one minor unit), and the rest of it."""
    [(code, owed_minor)] = remittance.lines
    rest_minor = max(1, owed_minor * percent // 100)
    return (
        replace(remittance, lines=((code, owed_minor - rest_minor),)),
        replace(remittance, reference=f"{remittance.reference}-REST", lines=((code, rest_minor),)),
    )
