"""Waterfalls: who is paid what, in which order, to the last minor unit."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.waterfall import Bucket, Claim, NegativeWaterfall, Paid, pay

units = st.integers(0, 10**12)
claims = st.lists(st.builds(Claim, st.text(max_size=3), units), max_size=5)
bucket_lists = st.lists(
    st.builds(Bucket, st.sampled_from(["fees", "interest"]), claims, st.none() | units), max_size=5
)


def test_cash_pays_bucket_by_bucket_and_the_rest_is_left():
    payout = pay(
        1_000,
        [
            Bucket("fees", [Claim("A", 50), Claim("B", 0)]),
            Bucket("interest", [Claim("A", 300), Claim("B", 200)]),
            Bucket("principal", [Claim("A", 400)]),
        ],
    )

    assert payout.paid == [
        Paid("fees", "A", 50),
        Paid("interest", "A", 300),
        Paid("interest", "B", 200),
        Paid("principal", "A", 400),
    ]
    assert payout.rest_minor == 50


def test_a_claim_is_paid_in_part_when_the_cash_ends_within_it():
    payout = pay(120, [Bucket("principal", [Claim("A", 100), Claim("B", 100), Claim("C", 100)])])

    assert payout.paid == [Paid("principal", "A", 100), Paid("principal", "B", 20)]
    assert payout.rest_minor == 0


def test_a_capped_bucket_leaves_the_rest_to_the_buckets_below_it():
    payout = pay(
        500,
        [
            Bucket("not yet due", [Claim("A", 200), Claim("B", 200)], cap_minor=250),
            Bucket("supplier", [Claim("S", 1_000)], cap_minor=100),
        ],
    )

    assert payout.paid == [
        Paid("not yet due", "A", 200),
        Paid("not yet due", "B", 50),
        Paid("supplier", "S", 100),
    ]
    assert payout.rest_minor == 150


@given(cash=units, buckets=bucket_lists)
def test_every_minor_unit_is_paid_to_somebody_or_left(cash, buckets):
    payout = pay(cash, buckets)

    assert sum(paid.amount_minor for paid in payout.paid) + payout.rest_minor == cash
    assert all(paid.amount_minor > 0 for paid in payout.paid)
    assert payout.rest_minor >= 0


@given(cash=units, dues=st.lists(units, max_size=8))
def test_no_junior_is_paid_before_its_senior_is_whole(cash, dues):
    claims = [Claim(str(place), due) for place, due in enumerate(dues)]
    buckets = [Bucket("senior", claims[:3]), Bucket("junior", claims[3:])]

    paid = {each.claim_id: each.amount_minor for each in pay(cash, buckets).paid}

    for senior, junior in pairwise(claims):
        assert paid.get(senior.claim_id, 0) == senior.due_minor or junior.claim_id not in paid
    assert sum(paid.values()) == min(cash, sum(dues))


@pytest.mark.parametrize(
    ("cash", "bucket"),
    [
        pytest.param(-1, Bucket("fees", []), id="negative cash"),
        pytest.param(1, Bucket("fees", [Claim("A", -5)]), id="negative claim"),
        pytest.param(1, Bucket("fees", [Claim("A", 5)], cap_minor=-1), id="negative cap"),
    ],
)
def test_negative_amounts_are_refused(cash, bucket):
    with pytest.raises(NegativeWaterfall, match="as a claim of the other side"):
        pay(cash, [bucket])
