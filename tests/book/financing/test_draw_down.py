"""A drawdown is granted once and recorded whole, or refused with numbers and a remedy."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from django.db import connection
from tests.book.financing.market import MILLION, OPERATOR, SUPPLIER, TODAY, Market, open_market

from tallystick.book.acts.models import Act, OutboxMessage
from tallystick.book.acts.once import KeyConflict, KeyUnusable
from tallystick.book.financing.checks import financing_checks
from tallystick.book.financing.draw_down import Drawdown, draw_down, draw_down_many
from tallystick.book.financing.freeze import freeze
from tallystick.book.financing.models import Decision, Facility, Loan, Reservation
from tallystick.book.financing.refusals import (
    AmountNotOffered,
    DrawdownExceedsAvailability,
    DrawdownNotDatedToday,
    FacilityExpired,
    FacilityFrozen,
    NoSecurityInterest,
    TenorNotOffered,
    UnknownFacility,
)
from tallystick.book.funding.models import Participation
from tallystick.book.ledger.models import Entry, Posting
from tallystick.book.parties.models import LegalEntity
from tallystick.book.payments.models import PaymentOrder

TABLES = (
    "acts_act",
    "acts_outboxmessage",
    "financing_decision",
    "financing_loan",
    "financing_reservation",
    "funding_participation",
    "ledger_entry",
    "ledger_posting",
    "payments_paymentorder",
)


def rows_written() -> dict[str, int]:
    counts = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM {table}")
            counts[table] = cursor.fetchone()[0]
    return counts


def findings() -> list[object]:
    return [finding for check in financing_checks() for finding in check.run()]


# --- granted -----------------------------------------------------------------------------------


def test_a_drawdown_leaves_a_pending_loan_with_everything_that_belongs_to_it(
    market: Market,
) -> None:
    facility = market.facility("F1")

    drawdown = draw_down(market.request("F1", 3 * MILLION))

    loan = Loan.objects.get(code=drawdown.loan)
    assert (loan.status, loan.principal_minor, loan.facility_id) == (
        "pending",
        3 * MILLION,
        facility.pk,
    )
    assert (loan.annual_rate_ppb, loan.penalty_rate_ppb) == (100_000_000, 50_000_000)
    assert loan.day_count == "ACT/360"
    assert Decision.objects.get().amount_minor == 3 * MILLION
    assert Reservation.objects.get().fate == ""
    assert Participation.objects.get().share_ppm == 1_000_000
    order = PaymentOrder.objects.get()
    assert (order.end_to_end_id, order.status) == (drawdown.end_to_end_id, "ordered")
    assert (order.amount_minor, order.beneficiary_id) == (3 * MILLION, facility.supplier_id)
    message = OutboxMessage.objects.get()
    assert (message.topic, message.subject) == ("payment_ordered", f"loan:{drawdown.loan}")
    assert findings() == []


def test_the_commitment_is_a_memorandum_entry(market: Market) -> None:
    market.facility("F1")

    drawdown = draw_down(market.request("F1", 3 * MILLION))

    entry = Entry.objects.get()
    assert (entry.event, entry.reference) == ("drawdown_committed", f"loan:{drawdown.loan}")
    assert (entry.value_date, entry.booking_date) == (TODAY, TODAY)
    postings = Posting.objects.order_by("line").values_list("account__name", "side", "amount_minor")
    assert list(postings) == [
        ("committed_drawdowns", 1, 3 * MILLION),
        ("committed_drawdowns_contra", -1, 3 * MILLION),
    ]


def test_availability_and_every_limit_above_fall_at_once(market: Market) -> None:
    market.facility("F1", base_minor=10 * MILLION)

    drawdown = draw_down(market.request("F1", 3 * MILLION))

    assert drawdown.available_minor == 7 * MILLION
    assert Facility.objects.get().drawn_minor == 3 * MILLION
    market.programme_limit.refresh_from_db()
    market.funding_line.refresh_from_db()
    assert market.programme_limit.drawn_minor == 3 * MILLION
    assert market.funding_line.drawn_minor == 3 * MILLION


def test_the_decision_keeps_what_was_read_and_a_verdict_per_rule(market: Market) -> None:
    market.facility("F1", base_minor=10 * MILLION)

    draw_down(market.request("F1", 3 * MILLION))

    decision = Decision.objects.get()
    assert decision.inputs["base_minor"] == 10 * MILLION
    assert decision.inputs["drawn_minor"] == 0
    assert {verdict["rule"] for verdict in decision.verdicts} >= {
        "amount_is_available",
        "programme_has_headroom",
        "security_interest_is_in_force",
    }
    assert all(verdict["passed"] for verdict in decision.verdicts)
    assert decision.rule_version


def test_the_act_says_who_asked_through_what_and_why(market: Market) -> None:
    market.facility("F1")
    caller = replace(SUPPLIER, reason="stock for spring festival")

    draw_down(market.request(caller=caller))

    act = Act.objects.get()
    assert (act.kind, act.owner, act.actor) == ("draw_down", caller.owner, caller.actor)
    assert (act.channel, act.reason) == ("cli", "stock for spring festival")


@pytest.mark.parametrize(
    ("tenor_days", "due_date"),
    [
        pytest.param(30, date(2026, 2, 4), id="a Wednesday: stays"),
        pytest.param(19, date(2026, 1, 26), id="Saturday 24 January: the Monday after"),
        pytest.param(26, date(2026, 1, 30), id="Saturday 31 January: back, not into February"),
        pytest.param(43, date(2026, 2, 24), id="in the spring festival: the first day after it"),
    ],
)
def test_the_due_date_is_modified_following(
    market: Market, tenor_days: int, due_date: date
) -> None:
    market.facility("F1")

    drawdown = draw_down(market.request(tenor_days=tenor_days))

    assert (drawdown.due_date, drawdown.due_date_provisional) == (due_date, False)


def test_a_due_date_in_a_year_not_yet_published_is_provisional(database: object) -> None:
    market = open_market()
    LegalEntity.objects.update(business_date=date(2026, 11, 23))
    market.entity.business_date = date(2026, 11, 23)
    market.facility("F1")

    drawdown = draw_down(market.request(tenor_days=90, on=date(2026, 11, 23)))

    assert drawdown.due_date == date(2027, 2, 22)  # 21 February 2027 is a Sunday
    assert drawdown.due_date_provisional
    assert Loan.objects.get().due_date_provisional


# --- once --------------------------------------------------------------------------------------


def test_repeating_the_key_returns_the_first_answer_and_writes_nothing(market: Market) -> None:
    market.facility("F1", base_minor=MILLION)
    request = market.request("F1", MILLION)
    first = draw_down(request)
    written = rows_written()

    assert draw_down(request) == first
    assert rows_written() == written


def test_a_used_key_with_another_body_is_refused(market: Market) -> None:
    market.facility("F1")
    request = market.request("F1", MILLION)
    draw_down(request)

    with pytest.raises(KeyConflict, match=r"was used on .* for another request"):
        draw_down(replace(request, amount_minor=2 * MILLION))


def test_another_firms_equal_key_is_unrelated(market: Market) -> None:
    market.facility("F1")
    request = market.request("F1", MILLION)

    first = draw_down(request)
    second = draw_down(replace(request, caller=replace(SUPPLIER, owner="firm:OTHER")))

    assert first.loan != second.loan


# --- refused -----------------------------------------------------------------------------------


def test_a_refusal_writes_nothing_and_leaves_the_key_free(market: Market) -> None:
    market.facility("F1", base_minor=MILLION)
    request = market.request("F1", MILLION + 1)
    written = rows_written()

    with pytest.raises(DrawdownExceedsAvailability):
        draw_down(request)

    assert rows_written() == written
    assert Facility.objects.get().drawn_minor == 0
    assert draw_down(replace(request, amount_minor=MILLION)).amount_minor == MILLION


def test_above_availability_the_numbers_and_what_binds_are_told(market: Market) -> None:
    market.facility("F1", base_minor=5 * MILLION, limit_minor=9 * MILLION)
    draw_down(market.request("F1", 2 * MILLION))

    with pytest.raises(DrawdownExceedsAvailability) as refusal:
        draw_down(market.request("F1", 4 * MILLION))

    assert refusal.value.available_minor == 3 * MILLION
    assert refusal.value.limit_minor == 9 * MILLION
    assert refusal.value.binding == "base"
    assert f"Ask for {3 * MILLION} or less" in str(refusal.value)


@pytest.mark.parametrize(
    ("base", "limit", "programme", "funder", "binding"),
    [
        (3, 9, 9, 9, "base"),
        (9, 3, 9, 9, "facility limit"),
        (99, 99, 99, 99, "programme cap per supplier"),
        (9, 9, 3, 9, "programme headroom"),
        (9, 9, 9, 3, "funder headroom"),
    ],
)
def test_the_tightest_limit_binds(
    database: object, base: int, limit: int, programme: int, funder: int, binding: str
) -> None:
    market = open_market(programme_minor=programme * MILLION, funder_minor=funder * MILLION)
    market.facility("F1", base_minor=base * MILLION, limit_minor=limit * MILLION)
    available_minor = 3 * MILLION if binding != "programme cap per supplier" else 50 * MILLION

    with pytest.raises(DrawdownExceedsAvailability) as refusal:
        draw_down(market.request("F1", available_minor + 1))

    assert (refusal.value.binding, refusal.value.available_minor) == (binding, available_minor)
    assert draw_down(market.request("F1", available_minor)).available_minor == 0


def test_the_cap_per_supplier_counts_all_its_facilities(market: Market) -> None:
    market.facility("F1", supplier="S", base_minor=40 * MILLION, limit_minor=40 * MILLION)
    market.facility("F2", supplier="S", base_minor=40 * MILLION, limit_minor=40 * MILLION, rank=2)
    draw_down(market.request("F1", 30 * MILLION))

    with pytest.raises(DrawdownExceedsAvailability) as refusal:
        draw_down(market.request("F2", 20 * MILLION + 1))

    assert refusal.value.available_minor == 20 * MILLION  # of a cap of CNY 50 m
    assert refusal.value.binding == "programme cap per supplier"


@pytest.mark.parametrize("day", [TODAY - timedelta(days=1), TODAY + timedelta(days=1)])
def test_a_draw_dated_other_than_the_open_business_day_is_refused(
    market: Market, day: date
) -> None:
    market.facility("F1")

    with pytest.raises(DrawdownNotDatedToday, match=f"Date the draw {TODAY}"):
        draw_down(market.request(on=day))


def test_a_draw_on_a_frozen_facility_is_refused_with_the_reason(market: Market) -> None:
    market.facility("F1")
    freeze("F1", caller=OPERATOR, key="freeze")

    with pytest.raises(FacilityFrozen, match="frozen: suspected double pledge"):
        draw_down(market.request())


def test_a_draw_after_the_facilitys_last_day_is_refused(market: Market) -> None:
    market.facility("F1")
    Facility.objects.update(expiry_date=TODAY)
    draw_down(market.request())
    LegalEntity.objects.update(business_date=TODAY + timedelta(days=1))
    connection.cursor().execute("UPDATE collateral_pool SET base_date = base_date + 1")

    with pytest.raises(FacilityExpired, match=f"up to and including {TODAY}"):
        draw_down(market.request(on=TODAY + timedelta(days=1)))


@pytest.mark.parametrize("tenor_days", [14, 91, -5])
def test_a_tenor_that_is_not_offered_is_refused(market: Market, tenor_days: int) -> None:
    market.facility("F1")

    with pytest.raises(TenorNotOffered, match="Ask for 15 to 90 days"):
        draw_down(market.request(tenor_days=tenor_days))


@pytest.mark.parametrize("amount_minor", [0, -1, 9_999])
def test_an_amount_below_the_smallest_draw_is_refused(market: Market, amount_minor: int) -> None:
    market.facility("F1")

    with pytest.raises(AmountNotOffered, match="Ask for"):
        draw_down(market.request(amount_minor=amount_minor))


def test_an_amount_that_no_book_can_hold_is_refused_like_any_other(market: Market) -> None:
    market.facility("F1")

    with pytest.raises(DrawdownExceedsAvailability):
        draw_down(market.request(amount_minor=10**30))


@pytest.mark.parametrize("days", [0, -1], ids=["ends today", "ended yesterday"])
def test_without_a_security_interest_in_force_nothing_is_drawn(market: Market, days: int) -> None:
    market.facility("F1", secured_days=days)

    with pytest.raises(NoSecurityInterest, match="registered"):
        draw_down(market.request())


@pytest.mark.parametrize("code", ["F9", "", "F1\x00", "\ud800", "x" * 5_000])
def test_an_unknown_facility_is_refused(market: Market, code: str) -> None:
    market.facility("F1")

    with pytest.raises(UnknownFacility, match="There is no facility"):
        draw_down(market.request(code))


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x00b"])
def test_a_key_that_cannot_be_kept_is_refused(market: Market, key: str) -> None:
    market.facility("F1")

    with pytest.raises(KeyUnusable, match="1 to 200 printable characters"):
        draw_down(market.request(key=key))


def test_all_reasons_are_told_at_once(market: Market) -> None:
    market.facility("F1", base_minor=MILLION)

    with pytest.raises(DrawdownNotDatedToday) as refusal:
        draw_down(market.request("F1", 2 * MILLION, tenor_days=5, on=date(2026, 1, 9)))

    message = str(refusal.value)
    assert "Date the draw" in message
    assert "Ask for 15 to 90 days" in message
    assert f"Ask for {MILLION} or less" in message


# --- many at a time ----------------------------------------------------------------------------


def test_in_a_batch_what_one_takes_is_not_available_to_the_next(market: Market) -> None:
    market.facility("F1", base_minor=5 * MILLION)
    market.facility("F2", base_minor=5 * MILLION)

    outcomes = draw_down_many(
        [
            market.request("F1", 3 * MILLION),
            market.request("F1", 3 * MILLION),
            market.request("F2", 3 * MILLION),
            market.request("F9", 3 * MILLION),
            market.request("F1", 2 * MILLION),
        ]
    )

    granted = [isinstance(outcome, Drawdown) for outcome in outcomes]
    assert granted == [True, False, True, False, True]
    assert isinstance(outcomes[1], DrawdownExceedsAvailability)
    assert outcomes[1].available_minor == 2 * MILLION
    assert isinstance(outcomes[3], UnknownFacility)
    assert Loan.objects.count() == 3
    assert findings() == []


def test_a_batch_shares_the_headroom_of_programme_and_funder(database: object) -> None:
    market = open_market(programme_minor=5 * MILLION, funder_minor=4 * MILLION)
    for code in ("F1", "F2", "F3"):
        market.facility(code)

    outcomes = draw_down_many([market.request(code, 2 * MILLION) for code in ("F1", "F2", "F3")])

    assert [isinstance(outcome, Drawdown) for outcome in outcomes] == [True, True, False]
    assert outcomes[2].binding == "funder headroom"
    assert findings() == []


def test_a_key_twice_in_a_batch_acts_once(market: Market) -> None:
    market.facility("F1")
    request = market.request()

    first, second, other = draw_down_many(
        [request, request, replace(request, amount_minor=2 * MILLION)]
    )

    assert first == second
    assert isinstance(other, KeyConflict)
    assert Loan.objects.count() == 1


def test_an_empty_batch_is_no_batch(market: Market) -> None:
    assert draw_down_many([]) == []
