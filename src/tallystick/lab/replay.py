"""Real data as a run's outside world: documents on the day they were issued, cash on its day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random

import polars as pl

from tallystick.book.trade.imports.conversion import trade_documents
from tallystick.book.trade.imports.mapping import Mapping
from tallystick.book.trade.imports.tables import read_and_convert
from tallystick.lab.events import Agenda, DayEvents, Remittance, Wish
from tallystick.rules.refusal import Refusal
from tallystick.rules.trade_documents import (
    STAGE_OF,
    TradeDocument,
    claim_code,
    fingerprint,
)

PPM = 1_000_000
MAX_FILE_BYTES = 1_000_000_000

LATENESS = ((70, 0, 0), (20, 1, 30), (8, 31, 90), (2, 91, 180))
"""Payers of a set without payment dates: so many in a hundred, from and to days after due."""


class SetHasFaults(Refusal):
    """A set holds rows that the mapping cannot take: it is not the set it should be."""


@dataclass(frozen=True, slots=True)
class ReplayTerms:
    """How suppliers of a replay behave: what share of availability they draw, and for how long."""

    draw_share_ppm: int
    tenor_days: int
    lateness_seed: int


class Recorded:
    """The outside world as a data set tells it."""

    def __init__(self, agenda: Agenda, *, mapping: Mapping, suppliers: Sequence[str],
                 terms: ReplayTerms, first_date: date, last_date: date) -> None:  # fmt: skip
        self.currency = mapping.currency
        self.numbers_repeat = mapping.numbers_repeat
        self.suppliers = suppliers
        self.first_date = first_date
        self.last_date = last_date
        self._agenda = agenda
        self._terms = terms

    def events(self, on: date) -> DayEvents:
        return self._agenda.take(on)

    def wishes(self, on: date) -> Sequence[Wish]:
        """Each supplier asks once a week, on a working day of its own, while the data last."""
        if on > self.last_date or on.weekday() > 4:
            return []
        asking = self.suppliers[on.weekday() :: 5]
        return [
            Wish(supplier, self._terms.draw_share_ppm, self._terms.tenor_days)
            for supplier in asking
        ]

    @property
    def end_date(self) -> date:
        """The last date on which anything happens."""
        return max(self.last_date, self._agenda.last_date() or self.last_date)


def recorded(
    paths: Sequence[Path],
    mapping: Mapping,
    terms: ReplayTerms,
    *,
    from_date: date | None,
    to_date: date | None,
) -> Recorded:
    """The world of a set's files, from the first to the last issue date or the dates given.

    Documents outside these dates are left out; cash of those inside still comes after ``to_date``.
    Raises UnreadableFile, FilesDoNotJoin and SetHasFaults.
    """
    documents = _documents(paths, mapping)
    issued = pl.col("issue_date")
    if from_date:
        documents = documents.filter(issued >= from_date)
    if to_date:
        documents = documents.filter(issued <= to_date)
    if documents.is_empty():
        raise SetHasFaults("the set has no document between these dates; give others")
    agenda = Agenda()
    paid: dict[tuple[date, str, str], list[str]] = {}
    known = zip(
        trade_documents(documents, mapping),
        documents["disputed_date"],
        documents["settled_date"],
        strict=True,
    )
    for document, disputed_date, settled_date in known:
        agenda.documents.setdefault(document.issue_date, []).append(document)
        if document.kind not in STAGE_OF:
            continue
        key = fingerprint(document) if mapping.numbers_repeat else b""
        code = claim_code(document, key=key, numbers_repeat=mapping.numbers_repeat)
        if disputed_date:
            agenda.disputed_claims.setdefault(disputed_date, []).append(code)
        paid_date = settled_date or _paid_date(document, code, terms)
        paid.setdefault((paid_date, document.supplier, document.obligor), []).append(code)
    for (paid_date, supplier, payer), codes in paid.items():
        # The same claim may stand in the data twice: it is one document, and paid once.
        lines = tuple((code, None) for code in dict.fromkeys(codes))
        agenda.remittances.setdefault(paid_date, []).append(
            Remittance(f"{supplier}/{payer}/{paid_date}", payer=payer, lines=lines)
        )
    return Recorded(
        agenda,
        mapping=mapping,
        suppliers=documents["supplier"].unique().sort().to_list(),
        terms=terms,
        first_date=documents["issue_date"].min(),
        last_date=documents["issue_date"].max(),
    )


def _documents(paths: Sequence[Path], mapping: Mapping) -> pl.DataFrame:
    frames = []
    for path, outcome in read_and_convert(paths, mapping, max_bytes=MAX_FILE_BYTES):
        if outcome.refusals:
            first = outcome.refusals[0]
            raise SetHasFaults(
                f"{path.name}: {len(outcome.refusals):,} values cannot be taken, the first in row "
                f"{first.row}, {first.column} = {first.value!r}: {first.remedy}"
            )
        frames.append(outcome.documents)
    return pl.concat(frames).sort("issue_date", maintain_order=True)


def _paid_date(document: TradeDocument, code: str, terms: ReplayTerms) -> date:
    """The due date and some days: the same for a claim whatever else is replayed."""
    chance = Random(f"{terms.lateness_seed}/{code}")
    place = chance.randrange(100)
    for share, earliest_days, latest_days in LATENESS:
        if place < share:
            return document.due_date + timedelta(days=chance.randint(earliest_days, latest_days))
        place -= share
    raise AssertionError("the shares of LATENESS sum to 100")
