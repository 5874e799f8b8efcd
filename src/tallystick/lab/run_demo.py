"""The demo: a simulated marketplace walked through its working days, and told afterwards."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from enum import Enum
from itertools import cycle
from typing import Any

from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller, once
from tallystick.book.calendars import china
from tallystick.book.collections.correspondence import languages, set_correspondence
from tallystick.book.parties.models import LegalEntity
from tallystick.book.watch.verify import verify
from tallystick.lab.bank import OnTimeBank
from tallystick.lab.daily import daily_findings
from tallystick.lab.measures import (
    DayMeasures,
    ProgrammeMeasures,
    RunSummary,
    programmes_measured,
)
from tallystick.lab.stage import DRAWABLE_DAYS_AFTER_END, StageTerms, set_stage
from tallystick.lab.walk import Walk
from tallystick.lab.world.market import CURRENCY, Market
from tallystick.lab.world.merchants import Merchants
from tallystick.lab.world.sellers import Sellers
from tallystick.rules.calendars import add_business_days

START = date(2026, 1, 5)
"""A Monday. The demo's dates are its own, so that the same seed gives the same books any day."""

CALLER = Caller(owner="system", actor="demo", channel="lab")
PROGRAMME, MERCHANTS_PROGRAMME = "jd.jingbaobei", "jd.jingxiaodai"
PAYOUT_REJECTS_PPM = 5_000
FACILITY_LIMIT_MINOR = 5_000_000_000
KEY = "demo"


class DemoState(Enum):
    """What is in the demo's database."""

    EMPTY = "nothing yet"
    CUT_SHORT = "a run that did not end"
    TOLD = "a run with its summary"


@dataclass(frozen=True, slots=True)
class ToldDemo:
    """A finished run: the settings it was asked with, its summary, and what verify found."""

    settings: dict[str, int]
    summary: RunSummary
    findings: Sequence[str]


@dataclass(frozen=True, slots=True)
class DemoRun:
    """A run that is set up and waits to be walked."""

    settings: dict[str, int]
    start: date
    end: date
    walk_: Walk
    summary: RunSummary

    def walk(self, on_day: Callable[[DayMeasures], None]) -> ToldDemo:
        """Walk all days, prove the books, and keep the summary in the database."""
        self.walk_.through(self.summary, start=self.start, end=self.end, on_day=on_day)
        self.summary.programmes = programmes_measured(self.walk_.stage, self.end)
        findings = [str(finding) for finding in verify()]
        told = ToldDemo(self.settings, self.summary, findings)
        with once(CALLER, key=KEY, kind="demo", request=self.settings) as act:
            if act.earlier is None:
                act.answer(_as_json(told))
        return told


def demo_state() -> tuple[DemoState, ToldDemo | None]:
    """What the database in use holds, and the run's summary where there is one."""
    if not LegalEntity.objects.exists():
        return DemoState.EMPTY, None
    act = Act.objects.filter(owner=CALLER.owner, key=KEY).first()
    if act is None:
        return DemoState.CUT_SHORT, None
    return DemoState.TOLD, _from_json(act.answer)


def prepare_demo(*, days: int, suppliers: int, seed: int) -> DemoRun:
    """Set up a demo of so many working days in the database in use, which is empty."""
    calendar = china()
    end = add_business_days(calendar, START, days - 1).date
    market = Market(
        suppliers=suppliers,
        seed=seed,
        start=START,
        end=end,
        calendar=calendar,
        with_merchants=True,
    )
    stage = set_stage(
        StageTerms(
            programme=PROGRAMME,
            currency=CURRENCY,
            facility_limit_minor=FACILITY_LIMIT_MINOR,
            others=dict.fromkeys(market.merchants, MERCHANTS_PROGRAMME),
        ),
        suppliers=market.suppliers,
        start=START,
        end=end,
        caller=CALLER,
    )
    _give_addresses(market.suppliers)
    summary = RunSummary(
        name=f"Simulated marketplace, {days} working days",
        currency=CURRENCY,
        seed=seed,
        assumptions=[
            (
                f"{suppliers:,} suppliers sell to a platform and four other anchors; orders,"
                " receipts, invoices, returns, promotions and settlements are drawn from the seed"
            ),
            "one of the five payers is often late, up to 70 days",
            (
                f"the bank answers on the same day and rejects {PAYOUT_REJECTS_PPM / 10_000:g} % of"
                " the payouts"
            ),
            f"programme {PROGRAMME}, funded by own capital",
            (
                f"{len(market.merchants):,} of them are merchants, who borrow by"
                f" {MERCHANTS_PROGRAMME} and repay in monthly instalments: what settlements leave"
                " they transfer, mostly on the day, some late, and some more than is due"
            ),
            (
                f"{len(market.sellers):,} others draw advances out of their sales once these give"
                " a limit: a share of each settlement repays them; the first sells no more after"
                " a while, and falls behind its pace"
            ),
        ],
        suppliers=suppliers,
    )
    merchants = Merchants(
        [stage.facility_ids[merchant] for merchant in market.merchants], seed, CALLER, summary
    )
    sellers = Sellers(
        market.sellers,
        stage.legal_entity_id,
        end + timedelta(days=DRAWABLE_DAYS_AFTER_END),
        stage.round_to_minor,
        seed,
        CALLER,
        summary,
    )

    def work(on: date) -> None:
        merchants.pay(on)
        sellers.work(on)

    walk = Walk(
        source=market,
        stage=stage,
        bank=OnTimeBank(seed, PAYOUT_REJECTS_PPM),
        caller=CALLER,
        daily_check=daily_findings,
        desk=work,
    )
    settings = {"days": days, "suppliers": suppliers, "seed": seed}
    return DemoRun(settings, START, end, walk, summary)


def _give_addresses(suppliers: Sequence[str]) -> None:
    """Let letters about what is overdue go out, in turns in each language they are written in."""
    for supplier, language in zip(suppliers, cycle(languages())):
        set_correspondence(
            supplier,
            language=language,
            email=f"accounts@{supplier.lower()}.example",
            caller=CALLER,
            key=f"address/{supplier}",
        )


def _as_json(told: ToldDemo) -> dict[str, Any]:
    summary = asdict(told.summary)
    for day in summary["days"]:
        day["date"] = day["date"].isoformat()
    # Seconds are the machine's, not the run's.
    summary["seconds"] = round(told.summary.seconds)
    return {"settings": told.settings, "summary": summary, "findings": list(told.findings)}


def _from_json(answer: dict[str, Any]) -> ToldDemo:
    days = [
        DayMeasures(**day | {"date": date.fromisoformat(day["date"])})
        for day in answer["summary"]["days"]
    ]
    programmes = [ProgrammeMeasures(**each) for each in answer["summary"]["programmes"]]
    summary = RunSummary(**answer["summary"] | {"days": days, "programmes": programmes})
    return ToldDemo(answer["settings"], summary, answer["findings"])
