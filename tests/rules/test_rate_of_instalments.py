"""A new rate evens equal instalments again; other plans stay as they are."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tallystick.rules.calendars import Period, PeriodUnit
from tallystick.rules.daycount import DayCount
from tallystick.rules.loan_events import EventKind, Keeps, LoanEvent
from tallystick.rules.loan_position import Position, opened
from tallystick.rules.loan_schedule import expected_payments, paid_when_due
from tallystick.rules.loan_steps import advance, position_of
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.loan_turns import agreed_due_date, standing_on
from tallystick.rules.schedule import Method

START = date(2026, 3, 2)
EVERY_30_DAYS = Period(30, PeriodUnit.DAYS)


def day(n: int) -> date:
    return START + timedelta(days=n)


def terms(periods: int, *, method=Method.EQUAL_INSTALMENTS, rate="0.36", minor=1_000_000):
    """At 36 % of a year of 360 days each period of thirty days costs 3 %."""
    return LoanTerms(
        currency="CNY",
        principal_minor=minor,
        annual_rate=Decimal(rate),
        day_count=DayCount.ACT_360,
        method=method,
        start=START,
        maturity=day(30 * periods),
        frequency=EVERY_30_DAYS,
    )


def paid_out(minor=1_000_000):
    return LoanEvent(1, EventKind.DISBURSED, START, START, minor)


def new_rate(event_id, *, on, rate):
    return LoanEvent(event_id, EventKind.RATE_CHANGED, day(on), day(on), annual_rate=Decimal(rate))


def received(event_id, *, on, minor):
    return LoanEvent(event_id, EventKind.RECEIVED, day(on), day(on), minor)


def prepaid(event_id, *, on, minor, keeps):
    return LoanEvent(event_id, EventKind.PREPAID, day(on), day(on), minor, keeps=keeps)


def planned(agreed, *events, on):
    position = position_of(agreed, [paid_out(), *events], on=day(on), known_on=date.max)
    return [due.planned_minor for due in position.dues]


def test_on_a_due_date_all_instalments_to_come_are_evened():
    # 3 instalments of 353,530; the first is 30,000 of interest, which leaves 676,470. At 1 % a
    # period two instalments of 676,470 × 1.0201 / 2.01 = 343,317, of which 6,765 are interest.
    paid = received(3, on=30, minor=353_530)

    after = planned(terms(3), new_rate(2, on=30, rate="0.12"), paid, on=30)

    assert after == [323_530, 323_530 + 336_552, 1_000_000]


def test_within_a_period_its_instalment_keeps_its_principal_and_those_after_it_are_evened():
    # 4 instalments of 269,027 repay 239,027 and 246,198, which leave 514,775. At 1 % a period two
    # instalments of 514,775 × 1.0201 / 2.01 = 261,255. Interest by day 60 is 45,219.46 and by day
    # 90 50,367.21, so that 5,148 of the third are interest.
    events = [received(2, on=30, minor=269_027), new_rate(3, on=45, rate="0.12")]

    assert planned(terms(4), *events, on=45) == [239_027, 485_225, 485_225 + 256_107, 1_000_000]


@pytest.mark.parametrize("method", [Method.EQUAL_PRINCIPAL, Method.INTEREST_ONLY, Method.BULLET])
def test_no_other_plan_changes_with_the_rate(method):
    agreed = terms(4, method=method)

    assert planned(agreed, new_rate(2, on=30, rate="0.12"), on=30) == planned(agreed, on=30)


def test_the_rate_that_holds_already_evens_nothing():
    early = received(2, on=10, minor=100_000)

    assert planned(terms(4), early, new_rate(3, on=30, rate="0.36"), on=30) == planned(
        terms(4), early, on=30
    )


def test_what_was_repaid_early_still_meets_the_instalment_it_was_paid_for():
    # Interest of ten days, and the whole principal of the first instalment.
    early = received(2, on=10, minor=10_000 + 239_027)
    changed = new_rate(3, on=30, rate="0.12")

    position = position_of(terms(4), [paid_out(), early, changed], on=day(30), known_on=date.max)

    first, second = expected_payments(position, day(30))[:2]
    assert (first.due_date, first.principal_minor) == (day(30), 0)
    assert second.principal_minor == position.dues[1].planned_minor - 239_027


@pytest.mark.parametrize(
    ("rate", "third_minor"),
    [
        pytest.param("0", 184_598, id="a lower rate: less interest, more principal"),
        # 583,166 are left on day 60, of which 6 % are 34,990.
        pytest.param("0.72", 149_608, id="a higher rate: more interest, less principal"),
    ],
)
def test_instalments_that_a_prepayment_kept_as_high_stay_so_under_another_rate(rate, third_minor):
    # 6 instalments of 184,598. 154,598 and 100,000 are repaid on day 30, and 745,402 are left.
    events = [
        received(2, on=30, minor=184_598),
        prepaid(3, on=30, minor=100_000, keeps=Keeps.INSTALMENT),
    ]
    second = received(4, on=60, minor=184_598)
    kept = planned(terms(6), *events, on=30)

    after = planned(terms(6), *events, new_rate(5, on=60, rate=rate), second, on=60)

    assert after[:2] == kept[:2] == [154_598, 1_000_000 - 583_166]
    assert after[2] - after[1] == third_minor


def test_a_prepayment_that_kept_the_term_is_evened_again():
    lowered = [
        received(2, on=30, minor=269_027),
        prepaid(3, on=30, minor=260_973, keeps=Keeps.TERM),
    ]

    # 500,000 are left over three due dates, without interest from the second of all on.
    after = planned(terms(4), *lowered, new_rate(4, on=60, rate="0"), on=60)

    second = after[1]
    assert after[2] - second in ((1_000_000 - second) // 2, (1_000_000 - second) // 2 + 1)


def test_paying_less_principal_at_a_higher_rate_does_not_look_like_time_that_was_given():
    changed = [new_rate(2, on=30, rate="0.72"), received(3, on=30, minor=269_027)]
    position = position_of(terms(4), [paid_out(), *changed], on=day(30), known_on=date.max)
    second = expected_payments(position, day(30))[0]
    agreed = planned(terms(4), on=0)
    assert second.principal_minor < agreed[1] - agreed[0]

    position, _ = paid_when_due(position, second.due_date)

    assert agreed_due_date(standing_on(position, day(61))) is None


def test_time_that_was_given_is_told_apart_from_a_new_rate():
    extension = LoanEvent(2, EventKind.EXTENDED, day(10), day(10), days=30)
    events = [paid_out(), extension, new_rate(3, on=40, rate="0.12")]

    position = position_of(terms(4), events, on=day(40), known_on=date.max)

    assert position.dues[0].due_date == day(60)
    assert agreed_due_date(position) == day(30)
    position, _ = paid_when_due(standing_on(position, day(60)), day(60))
    assert agreed_due_date(position) == day(60)


# Laws

RATES = [Decimal(text) for text in ("0", "0.03", "0.0385", "0.10", "0.36")]


@st.composite
def annuities(draw):
    """A loan in equal instalments, and a day of its life on which its rate changes."""
    periods = draw(st.integers(2, 14))
    agreed = LoanTerms(
        currency="CNY",
        principal_minor=draw(st.integers(100_000, 5_000_000)),
        annual_rate=draw(st.sampled_from(RATES)),
        day_count=draw(
            st.sampled_from([DayCount.ACT_360, DayCount.ACT_365F, DayCount.ACT_ACT_ISDA])
        ),
        method=Method.EQUAL_INSTALMENTS,
        start=START,
        maturity=day(30 * periods + draw(st.integers(0, 29))),
        frequency=draw(st.sampled_from([EVERY_30_DAYS, Period(1, PeriodUnit.MONTHS)])),
    )
    return agreed, draw(st.integers(0, 30 * periods)), draw(st.sampled_from(RATES))


def paid_to(agreed: LoanTerms, on: date) -> Position:
    """The loan paid on each of its due dates before ``on``."""
    position = advance(opened(agreed), paid_out(agreed.principal_minor))
    for due in position.dues:
        if due.due_date < on:
            position, _ = paid_when_due(position, due.due_date)
    return position


@settings(max_examples=60, deadline=None)
@given(loan=annuities())
def test_after_a_new_rate_all_instalments_to_come_are_equal_but_the_running_and_the_last(loan):
    agreed, on, rate = loan
    assume(rate != agreed.annual_rate and on > 0)

    position = advance(paid_to(agreed, day(on)), new_rate(2, on=on, rate=str(rate)))

    payments = expected_payments(position, day(on))
    assert sum(payment.principal_minor for payment in payments) == position.principal_minor
    begins = [START, *(due.due_date for due in position.dues)]
    begun = sum(begin < day(on) for begin in begins)
    evened = [each for each in payments if each.due_date > begins[begun]][:-1]
    assert {each.total_minor for each in evened} <= {position.level_minor}


@settings(max_examples=40, deadline=None)
@given(loan=annuities())
def test_a_rate_that_holds_from_the_first_day_gives_the_plan_of_a_loan_agreed_at_it(loan):
    agreed, _, rate = loan
    assume(rate != agreed.annual_rate)
    changed = position_of(agreed, [new_rate(1, on=0, rate=str(rate))], on=START, known_on=START)

    at_it = opened(replace(agreed, annual_rate=rate))

    assert (changed.dues, changed.level_minor) == (at_it.dues, at_it.level_minor)


@settings(max_examples=60, deadline=None)
@given(
    loan=annuities(),
    receipts=st.lists(st.tuples(st.integers(0, 200), st.integers(1, 900_000)), max_size=4),
)
def test_what_was_paid_does_not_change_what_a_new_rate_plans_but_by_roundings(loan, receipts):
    agreed, on, rate = loan
    events = [
        paid_out(agreed.principal_minor),
        new_rate(2, on=on, rate=str(rate)),
    ]
    money = [received(3 + n, on=when, minor=minor) for n, (when, minor) in enumerate(receipts)]

    unpaid = position_of(agreed, events, on=date.max, known_on=date.max)
    paid = position_of(agreed, [*events, *money], on=date.max, known_on=date.max)

    assert [due.due_date for due in paid.dues] == [due.due_date for due in unpaid.dues]
    for with_money, without in zip(paid.dues, unpaid.dues, strict=True):
        assert abs(with_money.planned_minor - without.planned_minor) <= len(paid.dues)
