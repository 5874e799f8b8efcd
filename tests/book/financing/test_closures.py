"""No draw commits on a base that an earlier closure had lowered."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from django.db import transaction
from tests.book.financing.market import MILLION, OPERATOR, TODAY
from tests.book.financing.races import all_at_once, wait_until_blocked
from tests.book.financing.test_open_facility import FACTOR, INVOICE, new_facility

from tallystick.book.acts.once import once
from tallystick.book.financing.checks import financing_checks
from tallystick.book.financing.draw_down import DrawRequest, draw_down
from tallystick.book.financing.models import Decision
from tallystick.book.financing.open_facility import open_facilities
from tallystick.book.financing.refusals import DrawdownExceedsAvailability
from tallystick.book.parties.models import LegalEntity
from tallystick.book.parties.open_entity import open_legal_entity
from tallystick.book.trade.models import Claim
from tallystick.book.trade.pay_claims import ClaimPayment, pay_claims
from tallystick.book.trade.record_documents import record_documents

LENDABLE_MINOR = 3 * MILLION
"""Of each invoice of 4 m, at 75 %."""


@pytest.fixture
def facility(database: object) -> object:
    """One facility, F1, secured by twelve invoices."""
    entity_id = open_legal_entity(FACTOR, caller=OPERATOR, key="entity")
    record_documents(
        [INVOICE._replace(number=str(number)) for number in range(12)],
        caller=OPERATOR,
        key="invoices",
        legal_entity_id=entity_id,
    )
    return open_facilities(
        [new_facility(limit_minor=40 * MILLION)],
        legal_entity_id=entity_id,
        caller=OPERATOR,
        key="facility",
    )


def asking(amount_minor: int, key: str = "draw", on: date = TODAY) -> DrawRequest:
    return DrawRequest("F1", amount_minor, tenor_days=30, on=on, caller=OPERATOR, key=key)


def close(claim: Claim, *, then: object = None) -> str:
    """Pay a claim in full, in a transaction of its own; ``then`` is called before it commits."""
    with once(OPERATOR, key=f"pay {claim.pk}", kind="pay", request={}) as act:
        payment = ClaimPayment(claim.pk, claim.face_minor)
        pay_claims([payment], value_date=TODAY, booking_date=TODAY, act_id=act.act_id)
        if callable(then):
            then()
        act.answer({})
    return "closed"


def test_a_draw_waits_for_a_closure_in_flight_and_reads_the_base_after_it(
    facility: object,
) -> None:
    with ThreadPoolExecutor(1) as thread:
        draws = []

        def draw_meanwhile() -> None:
            everything = [lambda: draw_down(asking(12 * LENDABLE_MINOR))]
            draws.append(thread.submit(all_at_once, everything))
            wait_until_blocked()

        close(Claim.objects.first(), then=draw_meanwhile)
        (refusal,) = draws[0].result(timeout=30)

    assert isinstance(refusal, DrawdownExceedsAvailability)
    assert refusal.available_minor == 11 * LENDABLE_MINOR


def test_a_closure_waits_for_a_draw_that_has_read_the_base(facility: object) -> None:
    claim = Claim.objects.first()

    with ThreadPoolExecutor(1) as thread:
        with transaction.atomic():
            drawdown = draw_down(asking(12 * LENDABLE_MINOR))
            closure = thread.submit(all_at_once, [lambda: close(claim)])
            wait_until_blocked()
        assert closure.result(timeout=30) == ["closed"]

    assert drawdown.available_minor == 0


@dataclass
class Closures:
    """How many claims are closed and committed at least, and how many at most."""

    committed: int = 0
    begun: int = 0


def test_eight_draw_while_all_claims_are_paid_and_closed(facility: object) -> None:
    closures = Closures()
    read: list[tuple[int, int, int]] = []

    def close_all() -> None:
        for claim in Claim.objects.order_by("pk"):
            closures.begun += 1
            close(claim)
            closures.committed += 1

    def draw(name: int) -> None:
        for number in range(20):
            committed = closures.committed
            try:
                drawdown = draw_down(asking(MILLION // 4, key=f"{name}/{number}"))
            except DrawdownExceedsAvailability as refusal:
                base_minor = refusal.decision.inputs.base_minor
            else:
                decision = Decision.objects.get(loan__code=drawdown.loan)
                base_minor = decision.inputs["base_minor"]
            read.append((committed, base_minor, closures.begun))

    outcomes = all_at_once([close_all, *[lambda name=name: draw(name) for name in range(8)]])

    assert outcomes == [None] * 9
    assert len(read) == 8 * 20
    for committed, base_minor, begun in read:
        assert (12 - begun) * LENDABLE_MINOR <= base_minor <= (12 - committed) * LENDABLE_MINOR
    assert [finding for check in financing_checks() for finding in check.run()] == []
    with pytest.raises(DrawdownExceedsAvailability) as refusal:
        draw_down(asking(MILLION))
    assert refusal.value.decision.inputs.base_minor == 0


def test_a_base_of_an_earlier_day_is_computed_anew(facility: object) -> None:
    first = draw_down(asking(MILLION))
    too_old = INVOICE.due_date + timedelta(days=31)
    LegalEntity.objects.update(business_date=too_old)

    with pytest.raises(DrawdownExceedsAvailability) as refusal:
        draw_down(asking(MILLION, key="second", on=too_old))

    assert first.available_minor == 12 * LENDABLE_MINOR - MILLION
    assert refusal.value.decision.inputs.base_minor == 0
