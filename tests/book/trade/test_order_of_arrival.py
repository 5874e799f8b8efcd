"""Whatever the order in which documents arrive, the claims are the same, and the law holds."""

from collections import defaultdict
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.book.trade.market import Market, day, paper

from tallystick.book.trade.checks import trade_checks
from tallystick.book.trade.claims import claims_of_suppliers
from tallystick.book.trade.models import Claim
from tallystick.rules.frames import STAGES
from tallystick.rules.trade_documents import STAGE_OF, TradeDocument

KINDS = list(STAGE_OF)
_suppliers = count(1)


@st.composite
def units(draw: st.DrawFn) -> list[TradeDocument]:
    """An order and up to five documents that fulfil it, with perhaps a cancellation.

    No two are of one day: what decides between equals is their fingerprint, which is another with
    every supplier.
    """
    amounts = st.integers(min_value=1, max_value=120)
    days = iter(draw(st.permutations(range(7))))
    papers = [paper("order", "0", draw(amounts), on=next(days))]
    for number, kind in enumerate(draw(st.lists(st.sampled_from(KINDS[1:]), max_size=5)), 1):
        earlier = [p for p in papers if KINDS.index(p.kind) < KINDS.index(kind)]
        papers.append(
            paper(kind, str(number), draw(amounts), of=name(draw, earlier), on=next(days))
        )
    if draw(st.booleans()):
        papers.append(
            paper("cancellation", "C", draw(amounts), of=name(draw, papers), on=next(days))
        )
    return papers


def name(draw: st.DrawFn, papers: list[TradeDocument]) -> str:
    named = draw(st.sampled_from(papers))
    return f"{named.kind}:{named.number}"


def of_supplier(papers: list[TradeDocument]) -> list[TradeDocument]:
    """The same papers among firms of their own, so that examples do not meet."""
    number = next(_suppliers)
    supplier, obligor = f"S{number}", f"O{number}"
    return [
        p._replace(
            supplier=supplier,
            obligor=obligor,
            issuer=supplier if p.issuer == "ACME" else obligor,
        )
        for p in papers
    ]


def told(supplier: str, *, on: int) -> dict[str, tuple[int, ...]]:
    """Stage number to face, paid and diluted, on a day."""
    supplier_id = Claim.objects.filter(supplier__code=supplier).first().supplier_id
    return {
        row["claim_id"].partition(":")[2]: (
            row["face_minor"],
            row["paid_minor"],
            row["diluted_minor"],
        )
        for row in claims_of_suppliers([supplier_id], on=day(on)).iter_rows(named=True)
    }


def counted_by_law(papers: list[TradeDocument]) -> int:
    """max(ordered, received, invoiced, settled) of the papers that have arrived."""
    by_stage = defaultdict(int)
    for p in papers:
        if p.kind in STAGE_OF:
            cancelled = sum(
                c.amount_minor
                for c in papers
                if (c.kind, c.fulfils_kind, c.fulfils_number) == ("cancellation", p.kind, p.number)
            )
            by_stage[STAGES.index(STAGE_OF[p.kind])] += max(0, p.amount_minor - cancelled)
    return max(by_stage.values(), default=0)


@pytest.fixture
def market(database) -> Market:
    return Market.opened()


# One database for all examples: each has suppliers of its own.
shared = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@shared
@given(papers=units(), data=st.data())
def test_claims_are_the_same_on_every_day_whatever_the_order_of_arrival(market, papers, data):
    at_once = of_supplier(papers)
    one_by_one = data.draw(st.permutations(of_supplier(papers)))
    market.records(*at_once)
    for p in one_by_one:
        market.records(p)

    for on in (1, 3, 6):
        assert told(one_by_one[0].supplier, on=on) == told(at_once[0].supplier, on=on)
    assert [finding for check in trade_checks() for finding in check.run()] == []


@shared
@given(papers=units(), data=st.data())
def test_after_every_arrival_no_more_counts_than_the_largest_stage(market, papers, data):
    arrivals = data.draw(st.permutations(of_supplier(papers)))
    market.pool(f"POOL-{arrivals[0].supplier}", supplier=arrivals[0].supplier)
    for arrived in range(1, len(arrivals) + 1):
        market.records(arrivals[arrived - 1])
        counting = Claim.objects.filter(supplier__code=arrivals[0].supplier, pool__isnull=False)
        assert sum(claim.face_minor for claim in counting) <= counted_by_law(arrivals[:arrived])


payments = st.tuples(
    st.integers(min_value=0, max_value=9),
    st.integers(min_value=0, max_value=150),
    st.integers(min_value=0, max_value=6),
)
"""Which of the live claims, how much, and with the value date of which day."""


@shared
@given(papers=units(), data=st.data())
def test_payments_in_between_are_neither_lost_nor_counted_twice(market, papers, data):
    arrivals = data.draw(st.permutations(of_supplier(papers)))
    booked = data.draw(st.lists(payments, min_size=len(arrivals), max_size=len(arrivals)))
    paid_minor = 0
    for p, (which, amount_minor, value_day) in zip(arrivals, booked, strict=True):
        market.records(p)
        live = list(Claim.objects.filter(supplier__code=p.supplier, status="open").order_by("pk"))
        if live and amount_minor:
            claim = live[which % len(live)]
            paid_minor += amount_minor - market.pays(claim.code, amount_minor, on=value_day)

    claims = Claim.objects.filter(supplier__code=arrivals[0].supplier)
    assert sum(claim.paid_minor for claim in claims) == paid_minor
    assert [finding for check in trade_checks() for finding in check.run()] == []
