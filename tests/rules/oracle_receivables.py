"""The borrowing base, read aloud: one claim at a time, in Python's unbounded integers.

The product computes it on frames; this restates the definition clause by clause and is the
authority to the last minor unit. Slow and obvious on purpose.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from math import ceil, floor
from typing import Any

from tallystick.rules.pool_terms import Terms


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim as it stands; the fields of the claims frame."""

    claim_id: str
    supplier_id: str
    obligor_id: str
    currency: str
    stage: str
    status: str
    face_minor: int
    paid_minor: int
    diluted_minor: int
    issue_date: date
    due_date: date

    @property
    def outstanding_minor(self) -> int:
        return self.face_minor - self.paid_minor - self.diluted_minor

    def days_past_due(self, on: date) -> int:
        return max(0, (on - self.due_date).days)

    def days_to_due(self, on: date) -> int:
        return (self.due_date - on).days


@dataclass(frozen=True, slots=True)
class Pool:
    """Everything that a base depends on."""

    claims: Sequence[Claim]
    terms: Terms
    on: date
    related: Mapping[str, Sequence[str]]
    override_bps: Mapping[str, int]


def reason(claim: Claim, pool: Pool, *, with_too_near: bool = True) -> str:
    """The first reason for which the claim is ineligible, or ""."""
    terms, on = pool.terms, pool.on
    if claim.status == "closed":
        return "closed"
    if claim.status == "disputed":
        return "disputed"
    if claim.status == "assigned_elsewhere":
        return "assigned_elsewhere"
    if claim.days_past_due(on) > terms.max_days_past_due:
        return "past_due"
    if (claim.due_date - claim.issue_date).days > terms.max_tenor_days:
        return "tenor"
    is_too_near = claim.days_past_due(on) == 0 and claim.days_to_due(on) < terms.min_days_to_due
    if is_too_near and with_too_near:
        return "too_near"
    if claim.obligor_id in pool.related.get(claim.supplier_id, ()):
        return "related"
    if is_cross_aged(claim, pool):
        return "cross_aged"
    return ""


def is_cross_aged(claim: Claim, pool: Pool) -> bool:
    """Too large a part of what that obligor owes that supplier is past due."""
    owed = [
        other
        for other in pool.claims
        if (other.supplier_id, other.obligor_id, other.currency)
        == (claim.supplier_id, claim.obligor_id, claim.currency)
    ]
    total = sum(other.outstanding_minor for other in owed)
    past_due = sum(
        other.outstanding_minor
        for other in owed
        if other.days_past_due(pool.on) > pool.terms.max_days_past_due
    )
    return past_due * 10_000 > pool.terms.cross_ageing_share_bps * total


def gross_base_minor(
    claims: Sequence[Claim], pool: Pool, *, with_too_near: bool
) -> tuple[int, int]:
    """Lendable value rounded down, and the gross base, of one supplier and currency."""
    lendable_by_obligor: dict[str, int] = {}
    for claim in claims:
        if reason(claim, pool, with_too_near=with_too_near) == "":
            rate_bps = pool.terms.advance_rate_bps[claim.stage]
            lendable_e4 = claim.outstanding_minor * rate_bps
            earlier = lendable_by_obligor.get(claim.obligor_id, 0)
            lendable_by_obligor[claim.obligor_id] = earlier + lendable_e4
    total = sum(lendable_by_obligor.values())
    counted = 0
    for obligor, lendable_e4 in lendable_by_obligor.items():
        limit_bps = pool.override_bps.get(obligor, pool.terms.concentration_limit_bps)
        counted += min(lendable_e4, floor(Fraction(limit_bps * total, 10_000)))
    return floor(Fraction(total, 10_000)), floor(Fraction(counted, 10_000))


def dilution_ppm(claims: Sequence[Claim], pool: Pool) -> int:
    """Diluted of the claims issued in the window, in parts per million of their face, up."""
    start = pool.on.toordinal() - pool.terms.dilution_window_days
    window = [
        claim for claim in claims if start < claim.issue_date.toordinal() <= pool.on.toordinal()
    ]
    face = sum(claim.face_minor for claim in window)
    diluted = sum(claim.diluted_minor for claim in window)
    return ceil(Fraction(1_000_000 * diluted, face)) if face else 0


def borrowing_base(pool: Pool) -> list[dict[str, Any]]:
    """The answer of ``tally pool base --json``."""
    keys = sorted({(claim.supplier_id, claim.currency) for claim in pool.claims})
    return [_base(supplier, currency, pool) for supplier, currency in keys]


def _base(supplier: str, currency: str, pool: Pool) -> dict[str, Any]:
    claims = [
        claim
        for claim in pool.claims
        if (claim.supplier_id, claim.currency) == (supplier, currency)
    ]
    ineligible: dict[str, int] = {}
    eligible = 0
    for claim in claims:
        why = reason(claim, pool)
        if why:
            ineligible[why] = ineligible.get(why, 0) + claim.outstanding_minor
        else:
            eligible += claim.outstanding_minor
    lendable, gross = gross_base_minor(claims, pool, with_too_near=True)
    _, cover_gross = gross_base_minor(claims, pool, with_too_near=False)
    ppm = dilution_ppm(claims, pool)
    stressed = ceil(Fraction(ppm * pool.terms.dilution_stress_bps, 10_000))
    reserve = ceil(Fraction(gross * stressed, 1_000_000))
    cover_reserve = ceil(Fraction(cover_gross * stressed, 1_000_000))
    return {
        "supplier_id": supplier,
        "currency": currency,
        "outstanding_minor": sum(claim.outstanding_minor for claim in claims),
        "ineligible": {why: amount for why, amount in ineligible.items() if amount},
        "eligible_minor": eligible,
        "lendable_minor": lendable,
        "excess_concentration_minor": lendable - gross,
        "gross_base_minor": gross,
        "dilution_ppm": ppm,
        "dilution_reserve_minor": reserve,
        "base_minor": max(0, gross - reserve),
        "cover_minor": max(0, cover_gross - cover_reserve),
    }
