"""Waterfalls: cash that flows through ordered buckets, every minor unit traceable.

A bucket holds claims of one kind, in the order in which they are paid. A claim waits for the one
above it, and a bucket for the bucket above it; what no claim takes is the rest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from tallystick.rules.refusal import Refusal


class Claim(NamedTuple):
    """What one creditor is owed: ``claim_id`` names it, ``due_minor`` is zero or more."""

    claim_id: str
    due_minor: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """Claims of one kind, first paid first; ``cap_minor`` is the most they get together."""

    name: str
    claims: Sequence[Claim]
    cap_minor: int | None = None


class Paid(NamedTuple):
    """What one claim received from one bucket; always above zero."""

    bucket: str
    claim_id: str
    amount_minor: int


class Payout(NamedTuple):
    """Where the cash went: payments in the order they were made, and the rest."""

    paid: list[Paid]
    rest_minor: int


class NegativeWaterfall(Refusal):
    """Cash, a claim or a cap is below zero, so there is nothing to pay it with or from."""

    def __init__(self, what: str, amount_minor: int) -> None:
        self.what = what
        self.amount_minor = amount_minor
        super().__init__(
            f"{what} is {amount_minor} minor units. A waterfall pays amounts of zero or more: "
            "book a negative amount as a claim of the other side."
        )


def pay(cash_minor: int, buckets: Iterable[Bucket]) -> Payout:
    """Pay ``cash_minor`` down the buckets; paid amounts and the rest sum to the cash.

    Raises NegativeWaterfall.
    """
    if cash_minor < 0:
        raise NegativeWaterfall("Cash", cash_minor)
    paid: list[Paid] = []
    rest_minor = cash_minor
    for bucket in buckets:
        if bucket.cap_minor is not None and bucket.cap_minor < 0:
            raise NegativeWaterfall(f"The cap of {bucket.name}", bucket.cap_minor)
        allowed_minor = (
            rest_minor if bucket.cap_minor is None else min(rest_minor, bucket.cap_minor)
        )
        for claim in bucket.claims:
            if claim.due_minor < 0:
                raise NegativeWaterfall(f"Claim {claim.claim_id} in {bucket.name}", claim.due_minor)
            amount_minor = min(claim.due_minor, allowed_minor)
            if amount_minor:
                paid.append(Paid(bucket.name, claim.claim_id, amount_minor))
                allowed_minor -= amount_minor
                rest_minor -= amount_minor
    return Payout(paid, rest_minor)
