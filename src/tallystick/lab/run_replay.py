"""Replay a data set: the book walks the dates as it would have, with commercial terms as given."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from tallystick.book.acts.once import Caller
from tallystick.book.financing.open_facility import Waiver
from tallystick.book.trade.imports.mapping import preset
from tallystick.book.watch.verify import verify
from tallystick.lab.bank import OnTimeBank
from tallystick.lab.measures import DayMeasures, RunSummary, programmes_measured
from tallystick.lab.replay import LATENESS, Recorded, ReplayTerms, recorded
from tallystick.lab.sets import SETS
from tallystick.lab.stage import StageTerms, set_stage
from tallystick.lab.walk import Walk

CALLER = Caller(owner="system", actor="replay", channel="lab")
PROGRAMME = "jd.jingbaobei"
TENOR_DAYS = 90
FACILITY_LIMIT_MINOR = 5_000_000_000
"""50 million of the currency: the programme's cap per supplier."""


@dataclass(frozen=True, slots=True)
class ReplayRun:
    """A replay that is set up and waits to be walked."""

    first_date: date
    end_date: date
    walk_: Walk
    summary: RunSummary

    def walk(self, on_day: Callable[[DayMeasures], None]) -> RunSummary:
        """Walk until the last cash has come."""
        summary = self.walk_.through(
            self.summary, start=self.first_date, end=self.end_date, on_day=on_day
        )
        summary.programmes = programmes_measured(self.walk_.stage, self.end_date)
        return summary

    def verify(self) -> list[str]:
        """What is wrong with the books, one line each."""
        return [str(finding) for finding in verify()]


def prepare_replay(
    name: str,
    paths: Sequence[Path],
    *,
    draw_share_ppm: int,
    lateness_seed: int,
    from_date: date | None,
    to_date: date | None,
) -> ReplayRun:
    """Set up a replay in the database in use, which is empty.

    The programme's terms apply in the currency of the data; what can only be tested on a firm is
    waived, and every waiver is in the summary's assumptions.
    """
    mapping = preset(SETS[name].mapping)
    terms = ReplayTerms(draw_share_ppm, TENOR_DAYS, lateness_seed)
    source = recorded(paths, mapping, terms, from_date=from_date, to_date=to_date)
    end_date = source.end_date + timedelta(days=1)
    stage = set_stage(
        StageTerms(
            programme=PROGRAMME,
            currency=mapping.currency,
            facility_limit_minor=FACILITY_LIMIT_MINOR,
            waived=frozenset(Waiver),
        ),
        suppliers=source.suppliers,
        start=source.first_date,
        end=end_date,
        caller=CALLER,
    )
    summary = RunSummary(
        name=f"Replay of {name}",
        currency=mapping.currency,
        seed=lateness_seed,
        assumptions=_assumptions(source, terms, mapping_states_payment=bool(mapping.settled_date)),
        suppliers=len(source.suppliers),
    )
    walk = Walk(source=source, stage=stage, bank=OnTimeBank(lateness_seed), caller=CALLER)
    return ReplayRun(source.first_date, end_date, walk, summary)


def _assumptions(
    source: Recorded, terms: ReplayTerms, *, mapping_states_payment: bool
) -> list[str]:
    paid = (
        "obligors pay on the dates that the set states"
        if mapping_states_payment
        else f"the set has no payments: seed {terms.lateness_seed} lets "
        + ", ".join(
            f"{share} % pay {earliest} to {latest} days late"
            if latest
            else f"{share} % pay on the due date"
            for share, earliest, latest in LATENESS
        )
    )
    return [
        (
            f"{len(source.suppliers):,} suppliers, each with a facility under {PROGRAMME}, its"
            f" amounts taken in {source.currency}"
        ),
        (
            "waived: the programme's currency, at least 3 months' contract, physical goods, feed of"
            " the anchor, assignment to others: the set tells nothing of them"
        ),
        (
            f"each supplier asks once a week for {terms.draw_share_ppm / 10_000:g} % of what is"
            f" available, for {terms.tenor_days} days"
        ),
        paid,
        "the bank pays on the day of the drawdown",
    ]
