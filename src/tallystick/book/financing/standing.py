"""What a facility stands at: its limits, what is drawn of them, its pool's base."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from tallystick.book.collateral import bases
from tallystick.book.financing.programmes import terms_with
from tallystick.book.statements import fetched
from tallystick.rules.limits import DrawdownInputs
from tallystick.rules.programme import ProgrammeTerms


class Standing(NamedTuple):
    """One facility with its pool and the limits above it. Amounts are minor units.

    ``supplier_drawn_minor`` is drawn on all the supplier's facilities under the programme, which
    share its cap. A named tuple of the columns of the database's type ``financing_standing``, in
    its order: it is read in every drawdown, while the locks are held.
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
    supplier_drawn_minor: int
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
    """Facilities as they stand, with what a batch has taken from their limits so far."""

    by_facility: dict[str, Standing]
    _taken_minor: Counter[tuple[object, ...]] = field(init=False, default_factory=Counter)

    def take(self, standing: Standing, amount_minor: int) -> None:
        """Count ``amount_minor`` as drawn, for the items of the batch that come after."""
        for limit in _limits_of(standing):
            self._taken_minor[limit] += amount_minor

    def inputs(self, standing: Standing) -> DrawdownInputs:
        """What the decision on a drawdown reads, after what has been taken so far."""
        terms = standing.terms
        own, supplier, programme, funder = (
            self._taken_minor[limit] for limit in _limits_of(standing)
        )
        others_drawn_minor = standing.supplier_drawn_minor + supplier - standing.drawn_minor - own
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
                standing.programme_limit_minor - standing.programme_drawn_minor - programme
            ),
            funder_headroom_minor=(
                standing.funding_limit_minor - standing.funding_drawn_minor - funder
            ),
            drawn_minor=standing.drawn_minor + own,
            base_minor=standing.base_minor,
            cover_minor=standing.cover_minor,
            security_interest_in_force=standing.security_interest_in_force,
        )


def _limits_of(standing: Standing) -> tuple[tuple[object, ...], ...]:
    return (
        ("facility", standing.facility_id),
        ("supplier", standing.supplier_id, standing.programme_limit_id),
        ("programme", standing.programme_limit_id),
        ("funder", standing.funding_line_id),
    )


def read(facilities: Collection[str]) -> Standings:
    """As the facilities stand now, by code; a base that is not current is computed and kept."""
    rows = fetched("SELECT * FROM financing_standing(%s)", [list(facilities)])
    return standings_with_current_bases(Standing(*row) for row in rows)


def standings_with_current_bases(standings: Iterable[Standing]) -> Standings:
    """By code, with a base computed on its business date where the one stored is older.

    A caller that must not be overtaken holds the pools.

    Raises BeyondExactArithmetic.
    """
    by_facility = {standing.facility: standing for standing in standings}
    old = [standing for standing in by_facility.values() if not standing.base_is_current]
    pools_by_date: dict[date, list[int]] = defaultdict(list)
    for standing in old:
        pools_by_date[standing.business_date].append(standing.pool_id)
    computed = {
        pool_id: base
        for on, pool_ids in sorted(pools_by_date.items())
        for pool_id, base in bases.recompute(pool_ids, on=on).items()
    }
    for standing in old:
        base = computed[standing.pool_id]
        by_facility[standing.facility] = standing._replace(
            base_is_current=True, base_minor=base.base_minor, cover_minor=base.cover_minor
        )
    return Standings(by_facility)
