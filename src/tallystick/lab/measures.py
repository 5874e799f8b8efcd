"""What a run shows of each day: the figures behind the summary and the charts."""

from dataclasses import dataclass, field
from datetime import date

AGEING_BUCKETS = ("not due", "1–30", "31–60", "61–90", "over 90")
"""Days past due of live claims."""


@dataclass(frozen=True, slots=True)
class DayMeasures:
    """One closed day of a run, in minor units of the run's currency.

    ``available`` is what suppliers could still draw at the end of the day, ``base`` the sum of
    borrowing bases, ``ineligible`` outstanding claims left out by reason, ``ageing`` outstanding
    live claims by days past due, ``interest`` what has been earned so far, ``lost`` principal more
    than 90 days past due, ``shortfall`` what is drawn above cover.
    """

    date: date
    outstanding_minor: int
    base_minor: int
    available_minor: int
    drawn_minor: int
    shortfall_minor: int
    interest_minor: int
    lost_minor: int
    ineligible_minor: dict[str, int] = field(default_factory=dict)
    ageing_minor: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class RunSummary:
    """Totals of a run, filled in as it goes."""

    name: str
    currency: str
    seed: int
    assumptions: list[str]
    days: list[DayMeasures] = field(default_factory=list)
    suppliers: int = 0
    documents: int = 0
    repeated_documents: int = 0
    claims_paid_minor: int = 0
    draws: int = 0
    drawn_minor: int = 0
    draws_refused: int = 0
    payouts_rejected: int = 0
    repaid_minor: int = 0
    to_suppliers_minor: int = 0
    suspense_minor: int = 0
    seconds: float = 0.0

    @property
    def last(self) -> DayMeasures:
        return self.days[-1]

    @property
    def peak_drawn_minor(self) -> int:
        return max((day.drawn_minor for day in self.days), default=0)
