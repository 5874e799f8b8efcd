"""What a facility stands at: its limits, what is drawn of them, its pool's base."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from django.db import transaction

from tallystick.book.collateral import bases
from tallystick.book.financing.programmes import terms_with
from tallystick.book.statements import fetched
from tallystick.rules.limits import DrawdownInputs
from tallystick.rules.programme import ProgrammeTerms


class Standing(NamedTuple):
    """One facility with its pool and the limits above it. Amounts are minor units.

    A named tuple of the columns of the database's type ``financing_standing``, in its order: it
    is read in every drawdown, while the locks are held.
    """

    facility_id: int
    facility: str
    legal_entity_id: int
    business_date: date
    calendar: str
    supplier_id: int
    programme_sha256: bytes
    programme_limit_id: int
    funding_line_id: int
    funder_id: int
    book_id: int
    currency: str
    limit_minor: int
    drawn_minor: int
    annual_rate_ppb: int
    expiry_date: date
    frozen_reason: str
    pool_id: int
    base_is_current: bool
    base_minor: int
    cover_minor: int
    programme_limit_minor: int
    programme_drawn_minor: int
    funding_limit_minor: int
    funding_drawn_minor: int
    security_interest_in_force: bool

    @property
    def terms(self) -> ProgrammeTerms:
        return terms_with(self.programme_sha256)


@dataclass(slots=True)
class Standings:
    """Facilities as they stand, with what a batch has taken from their limits so far.

    Holds, besides the facilities asked for, the others of the same suppliers under the same
    programmes: they share the programme's cap per supplier.
    """

    by_facility: dict[str, Standing]
    _of_supplier: dict[tuple[int, int], list[Standing]] = field(init=False)
    _taken_minor: Counter[tuple[str, int]] = field(init=False, default_factory=Counter)

    def __post_init__(self) -> None:
        self._of_supplier = defaultdict(list)
        for standing in self.by_facility.values():
            self._of_supplier[standing.supplier_id, standing.programme_limit_id].append(standing)

    def take(self, standing: Standing, amount_minor: int) -> None:
        """Count ``amount_minor`` as drawn, for the items of the batch that come after."""
        for limit in _limits_of(standing):
            self._taken_minor[limit] += amount_minor

    def inputs(self, standing: Standing) -> DrawdownInputs:
        """What the decision on a drawdown reads, after what has been taken so far."""
        terms = standing.terms
        drawn_minor = self._drawn_minor(standing)
        others_drawn_minor = sum(
            self._drawn_minor(other)
            for other in self._of_supplier[standing.supplier_id, standing.programme_limit_id]
            if other.facility_id != standing.facility_id
        )
        _, programme, funder = _limits_of(standing)
        return DrawdownInputs(
            currency=standing.currency,
            business_date=standing.business_date,
            frozen_reason=standing.frozen_reason,
            expiry_date=standing.expiry_date,
            min_tenor_days=terms.drawdown.min_tenor_days,
            max_tenor_days=terms.drawdown.max_tenor_days,
            min_draw_minor=terms.drawdown.min_draw_minor,
            facility_limit_minor=standing.limit_minor,
            programme_cap_per_supplier_minor=terms.limits.per_supplier_minor - others_drawn_minor,
            programme_headroom_minor=(
                standing.programme_limit_minor
                - standing.programme_drawn_minor
                - self._taken_minor[programme]
            ),
            funder_headroom_minor=(
                standing.funding_limit_minor
                - standing.funding_drawn_minor
                - self._taken_minor[funder]
            ),
            drawn_minor=drawn_minor,
            base_minor=standing.base_minor,
            cover_minor=standing.cover_minor,
            security_interest_in_force=standing.security_interest_in_force,
        )

    def _drawn_minor(self, standing: Standing) -> int:
        facility, _, _ = _limits_of(standing)
        return standing.drawn_minor + self._taken_minor[facility]


def _limits_of(standing: Standing) -> tuple[tuple[str, int], ...]:
    return (
        ("facility", standing.facility_id),
        ("programme", standing.programme_limit_id),
        ("funder", standing.funding_line_id),
    )


def read(facilities: Collection[str]) -> Standings:
    """As the facilities stand now, by code, with current bases; nothing stays locked."""
    standings = _standings(fetched("SELECT * FROM financing_standing(%s)", [list(facilities)]))
    old = [each for each in facilities if not standings.by_facility[each].base_is_current]
    if old:
        with transaction.atomic():
            standings = Standings(standings.by_facility | lock(old, with_limits=False).by_facility)
    return standings


def lock(facilities: Collection[str], *, with_limits: bool) -> Standings:
    """As the facilities stand, and stay until the caller's transaction ends, with current bases.

    By code; codes that no facility has are left out. Locks the business day, the facilities,
    their pools and, ``with_limits``, the programmes' and funders' limits above them. One round
    trip, and more only where a base has to be computed anew.
    """
    standings = _standings(
        fetched(
            "SELECT * FROM financing_lock_for_drawdown(%s, %s)", [list(facilities), with_limits]
        )
    )
    return _with_current_bases(standings, facilities)


def _with_current_bases(standings: Standings, facilities: Iterable[str]) -> Standings:
    """The same, with a base computed on its business date where what is stored is older."""
    pools_by_date: dict[date, list[int]] = defaultdict(list)
    for facility in facilities:
        standing = standings.by_facility.get(facility)
        if standing and not standing.base_is_current:
            pools_by_date[standing.business_date].append(standing.pool_id)
    if not pools_by_date:
        return standings
    computed = {
        pool_id: base
        for on, pool_ids in sorted(pools_by_date.items())
        for pool_id, base in bases.recompute(pool_ids, on=on).items()
    }
    return Standings(
        {
            facility: (
                standing._replace(
                    base_is_current=True,
                    base_minor=computed[standing.pool_id].base_minor,
                    cover_minor=computed[standing.pool_id].cover_minor,
                )
                if standing.pool_id in computed
                else standing
            )
            for facility, standing in standings.by_facility.items()
        }
    )


def _standings(rows: Iterable[tuple[object, ...]]) -> Standings:
    standings = (Standing(*row) for row in rows)  # type: ignore[arg-type]
    return Standings({standing.facility: standing for standing in standings})
