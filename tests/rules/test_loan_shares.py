"""Whose money a loan's is, once shares of it were sold.

One loan of 1,000,000 at 36 % over ACT/360, so of 1,000 a night.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tallystick.rules.accounting import (
    Booking,
    ShareEvent,
    book_changed,
    shared,
    shares_moved,
)
from tallystick.rules.daycount import DayCount
from tallystick.rules.journal import AccountName, Side
from tallystick.rules.loan_balances import Balances, balances
from tallystick.rules.loan_events import Charge, EventKind, LoanEvent
from tallystick.rules.loan_shares import (
    KINDS,
    WHOLE_PPM,
    Held,
    Passed,
    ShareNotHeld,
    Transfer,
    in_order,
    owed_by_kind,
    par_minor,
    parted,
    participations,
    passed_on,
    shares_after,
    sold_part,
    transferred,
)
from tallystick.rules.loan_steps import position_of
from tallystick.rules.loan_terms import LoanTerms
from tallystick.rules.schedule import Method

START = date(2026, 3, 2)
DAY = timedelta(days=1)
OWN, BANK, FUND, TRUST = 1, 2, 3, 4
TERMS = LoanTerms(
    currency="CNY",
    principal_minor=1_000_000,
    annual_rate=Decimal("0.36"),
    day_count=DayCount.ACT_360,
    method=Method.BULLET,
    start=START,
    maturity=START + 60 * DAY,
    penalty_rate=Decimal("0.18"),
)
PAID_OUT = LoanEvent(1, EventKind.DISBURSED, START, START, amount_minor=1_000_000)


def event(number: int, kind: EventKind, after_days: int, **fields) -> LoanEvent:
    on = START + after_days * DAY
    return LoanEvent(number, kind, on, on, **fields)


def received(number: int, after_days: int, amount_minor: int) -> LoanEvent:
    return event(number, EventKind.RECEIVED, after_days, amount_minor=amount_minor)


def sale(number: int, holder: int, share_ppm: int, after_days: int, premium_minor: int = 0):
    return Transfer(number, holder, share_ppm, START + after_days * DAY, premium_minor)


def state(events: Sequence[LoanEvent], *, before: date) -> Balances:
    """The loan's balances at the start of a day."""
    folded = position_of(TERMS, [PAID_OUT, *events], on=before - DAY, known_on=date.max)
    return balances(folded, before)


def outcome(transfers: Sequence[Transfer], events: Sequence[LoanEvent] = ()) -> Passed:
    ordered = in_order(transfers)
    then = [state(events, before=each.value_date) for each in ordered]
    return passed_on(ordered, then, state(events, before=START + 1_000 * DAY))


# --- a worked life -------------------------------------------------------------------------------


def test_a_share_is_sold_at_par_of_all_that_is_owed():
    owed = state([], before=START + 10 * DAY)

    par = par_minor(owed, before={}, after={BANK: 300_000}, holder_id=BANK)

    assert par == 303_000  # 30 % of 1,000,000 of principal and of ten nights of 1,000
    passed = outcome([sale(1, BANK, 300_000, 10)])
    assert passed.sold_minor == {"principal": 300_000, "interest": 3_000, "penalty": 0, "fees": 0}
    assert passed.holders_minor == {BANK: -303_000}


def test_what_is_paid_above_par_is_gained_and_below_it_lost():
    dear = outcome([sale(1, BANK, 300_000, 10, premium_minor=500)])
    cheap = outcome([sale(1, BANK, 300_000, 10, premium_minor=-500)])

    assert (dear.gained_minor, dear.holders_minor) == (500, {BANK: -303_500})
    assert (cheap.gained_minor, cheap.holders_minor) == (-500, {BANK: -302_500})


def test_receipts_from_the_value_date_on_are_the_holders_in_part_for_whatever_days_they_pay():
    before, on_the_day = received(2, 9, 9_000), received(2, 10, 10_000)
    sold = [sale(1, BANK, 300_000, 10)]

    assert outcome(sold, [before]).holders_minor == {BANK: -300_300}  # one night was unpaid
    assert outcome(sold, [on_the_day]).holders_minor == {BANK: -303_000 + 3_000}


def test_of_several_buyers_each_has_its_part_and_the_lender_the_rest():
    sold = [sale(1, BANK, 300_000, 10), sale(2, FUND, 200_000, 20)]

    passed = outcome(sold, [received(2, 30, 530_000)])  # 30,000 of interest, 500,000 of principal

    assert passed.sold_minor["principal"] == 250_000
    assert passed.holders_minor == {
        BANK: -303_000 + 9_000 + 150_000,
        FUND: -204_000 + 6_000 + 100_000,
    }


def test_a_part_bought_back_is_paid_at_par_and_the_rest_goes_on():
    sold = [sale(1, BANK, 300_000, 10), sale(2, BANK, -100_000, 20)]

    passed = outcome(sold, [received(2, 20, 20_000)])

    assert passed.holders_minor == {BANK: -303_000 + 102_000 + 4_000}
    assert passed.sold_minor["principal"] == 200_000


def test_losses_and_recoveries_are_shared_and_a_loss_moves_no_money():
    sold = [sale(1, BANK, 300_000, 10)]
    charged_off = event(2, EventKind.CHARGED_OFF, 70)

    lost = outcome(sold, [charged_off])
    recovered = outcome(
        sold, [charged_off, event(3, EventKind.RECOVERED, 80, amount_minor=100_000)]
    )

    # 70 nights of interest and ten of penalty, 30 % of which nobody had to pay for.
    assert lost.lost_minor == 300_000 + 21_000 + 1_500
    assert lost.sold_minor["principal"] == 0
    assert lost.holders_minor == {BANK: -303_000}
    assert recovered.recovered_minor == 30_000
    assert recovered.holders_minor == {BANK: -273_000}


def test_what_is_waived_is_waived_by_the_holders_too():
    waived = event(2, EventKind.WAIVED, 20, amount_minor=5_000, waives=Charge.INTEREST)

    passed = outcome([sale(1, BANK, 300_000, 10)], [waived])

    assert passed.waived_minor == 1_500
    assert passed.holders_minor == {BANK: -303_000}


# --- who may sell what ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("transfers", "held_ppm"),
    [
        pytest.param(
            [sale(1, BANK, 700_000, 5), sale(2, FUND, 300_001, 6)], 300_000, id="sold already"
        ),
        pytest.param(
            [sale(1, BANK, 700_000, 5), sale(2, BANK, -700_001, 6)], 700_000, id="more than held"
        ),
        pytest.param(
            [sale(1, BANK, 700_000, 5), sale(2, BANK, -1, 4)], 0, id="back before it was sold"
        ),
        pytest.param(
            [sale(1, BANK, 700_000, 9), sale(2, FUND, 400_000, 4)],
            600_000,
            id="dated back before a sale that needs it",
        ),
    ],
)
def test_a_share_that_is_not_there_cannot_change_hands(transfers, held_ppm):
    with pytest.raises(ShareNotHeld) as refused:
        shares_after(transfers)

    assert refused.value.held_ppm == held_ppm


def test_participations_say_who_held_what_from_when_until_when():
    transfers = [
        sale(1, BANK, 300_000, 10),
        sale(2, FUND, 700_000, 20),
        sale(3, BANK, -100_000, 30),
        sale(4, TRUST, 100_000, 30),
        sale(5, TRUST, -100_000, 30),
    ]

    told = participations(transfers, lender_id=OWN, start=START)

    assert told == [
        Held(OWN, 1_000_000, START, START + 10 * DAY),
        Held(OWN, 700_000, START + 10 * DAY, START + 20 * DAY),
        Held(BANK, 300_000, START + 10 * DAY, START + 30 * DAY),
        Held(FUND, 700_000, START + 20 * DAY, None),
        Held(OWN, 100_000, START + 30 * DAY, None),
        Held(BANK, 200_000, START + 30 * DAY, None),
    ]


# --- laws ----------------------------------------------------------------------------------------

holders = st.sampled_from([BANK, FUND, TRUST])
shares = st.dictionaries(holders, st.integers(1, 333_333), max_size=3)
days = st.integers(1, 90)


@st.composite
def lives(draw) -> list[LoanEvent]:
    """Receipts, fees and waivers on any days, and perhaps the end of it all."""
    events = []
    for number in range(2, 2 + draw(st.integers(0, 5))):
        kind = draw(st.sampled_from([EventKind.RECEIVED, EventKind.FEE_CHARGED, EventKind.WAIVED]))
        amount_minor = draw(st.integers(1, 400_000))
        fields = {"waives": draw(st.sampled_from(Charge))} if kind is EventKind.WAIVED else {}
        events.append(event(number, kind, draw(days), amount_minor=amount_minor, **fields))
    if draw(st.booleans()):
        events.append(event(90, EventKind.CHARGED_OFF, 91))
        events.append(event(91, EventKind.RECOVERED, 95, amount_minor=draw(st.integers(1, 10**6))))
    return events


@st.composite
def dealings(draw) -> list[Transfer]:
    """Sales and buy-backs that the shares allow, with any premiums."""
    transfers: list[Transfer] = []
    for number in range(1, 1 + draw(st.integers(1, 4))):
        share_ppm = draw(st.integers(-600_000, 600_000).filter(bool))
        asked = Transfer(
            number,
            draw(holders),
            share_ppm,
            START + draw(days) * DAY,
            draw(st.integers(-1_000, 1_000)),
        )
        try:
            shares_after([*transfers, asked])
        except ShareNotHeld:
            continue
        transfers.append(asked)
    assume(transfers)
    return transfers


@given(total_minor=st.integers(-(10**12), 10**12), held=shares)
def test_parts_and_the_lenders_rest_sum_to_the_whole(total_minor, held):
    parts = parted(total_minor, held)
    own_minor = total_minor - sum(parts.values())

    own_ppm = WHOLE_PPM - sum(held.values())
    assert abs(own_minor * WHOLE_PPM - total_minor * own_ppm) < WHOLE_PPM
    for holder, share_ppm in held.items():
        assert abs(parts[holder] * WHOLE_PPM - total_minor * share_ppm) < WHOLE_PPM


@given(transfers=dealings(), events=lives())
def test_the_lenders_own_net_principal_is_its_share_of_the_loans(transfers, events):
    passed = outcome(transfers, events)
    now = state(events, before=START + 1_000 * DAY)

    assert passed.sold_minor["principal"] == sold_part(now.principal_minor, shares_after(transfers))


@given(transfers=dealings(), events=lives())
def test_what_the_holders_are_owed_is_what_the_accounts_are_debited(transfers, events):
    passed = outcome(transfers, events)

    assert sum(passed.debits_minor.values()) == sum(passed.holders_minor.values())


@given(share_ppm=st.integers(1, WHOLE_PPM), after_days=days, events=lives())
def test_sold_and_bought_back_at_par_at_the_same_instant_nothing_has_happened(
    share_ppm, after_days, events
):
    passed = outcome([sale(1, BANK, share_ppm, after_days), sale(2, BANK, -share_ppm, after_days)])
    there_and_back = [sale(1, BANK, share_ppm, after_days), sale(2, BANK, -share_ppm, after_days)]

    for told in (passed, outcome(there_and_back, events)):
        assert not any(told.debits_minor.values())
        assert not any(told.holders_minor.values())
    assert participations(there_and_back, lender_id=OWN, start=START) == [
        Held(OWN, WHOLE_PPM, START, None)
    ]


@given(transfers=dealings(), amounts=st.lists(st.integers(1, 400_000), min_size=1, max_size=4))
def test_a_receipt_passes_on_as_much_as_the_holders_parts_of_it(transfers, amounts):
    last_day = START + 91 * DAY
    sold = shares_after(transfers)
    receipts = [received(2 + place, 91 + place, minor) for place, minor in enumerate(amounts)]

    before, after = outcome(transfers), outcome(transfers, receipts)

    paid = state(receipts, before=START + 1_000 * DAY)
    applied_minor = sum(amounts) - paid.credit_minor
    passed_minor = sum(after.holders_minor.values()) - sum(before.holders_minor.values())
    expected_minor = applied_minor * sum(sold.values()) / WHOLE_PPM
    assert state(receipts, before=last_day).principal_minor == 1_000_000
    # Each kind of debt is parted by itself, so each may round by less than one for each holder.
    assert abs(passed_minor - expected_minor) < len(KINDS) * max(1, len(sold))


@given(transfers=dealings(), events=lives())
def test_a_charge_off_takes_all_that_was_sold_off_and_pays_nobody(transfers, events):
    alive = [each for each in events if each.event_id < 90]
    gone = event(90, EventKind.CHARGED_OFF, 91)

    before, after = outcome(transfers, alive), outcome(transfers, [*alive, gone])

    assert after.sold_minor["principal"] == 0
    assert after.holders_minor == before.holders_minor


@given(transfers=dealings(), events=lives(), after_days=days)
def test_par_is_what_the_transfer_moves_by_itself(transfers, events, after_days):
    owed = state(events, before=START + after_days * DAY)
    before = shares_after(transfers)
    free_ppm = WHOLE_PPM - sum(before.values())
    assume(free_ppm)
    asked = sale(9, BANK, free_ppm, after_days)
    after = {**before, BANK: before.get(BANK, 0) + free_ppm}

    passed = transferred(asked, owed, before=before, after=after)

    par = par_minor(owed, before=before, after=after, holder_id=BANK)
    assert passed.holders_minor.get(BANK, 0) == -par
    everything_minor = sum(owed_by_kind(owed).values())
    assert abs(par * WHOLE_PPM - everything_minor * free_ppm) < 2 * len(KINDS) * WHOLE_PPM


# --- entries -------------------------------------------------------------------------------------

BOOKING = Booking(1, "CNY", "loan:F-1-1", START, START)


def lines(entry) -> dict[AccountName, int]:
    return {each.account: each.side * each.amount_minor for each in entry.postings}


def test_the_entry_of_a_sale_takes_the_sold_part_off_against_what_the_buyer_owes():
    passed = outcome([sale(1, BANK, 300_000, 10, premium_minor=500)])

    entry = shares_moved(
        BOOKING,
        event=ShareEvent.SOLD,
        book=7,
        debits_minor=passed.debits_minor,
        holders_minor=passed.holders_minor,
    )

    assert lines(entry) == {
        AccountName("principal_sold", book=7): -300_000,
        AccountName("interest_sold", book=7): -3_000,
        AccountName("share_sale_gain", book=7): -500,
        AccountName("payable_to_funder", party=BANK): 303_500,
    }


def test_where_nothing_differs_there_is_no_entry():
    assert (
        shares_moved(
            BOOKING,
            event=ShareEvent.PASSED_ON,
            book=7,
            debits_minor={"principal_sold": 0},
            holders_minor={BANK: 0},
        )
        is None
    )


@pytest.mark.parametrize("kind", ["interest", "penalty", "fees"])
def test_the_holders_part_of_a_nights_charges_is_no_income(kind):
    income = "fee_income" if kind == "fees" else f"{kind}_income"

    grown = shared(BOOKING, kind=kind, book=7, change_minor=30)
    fallen = shared(BOOKING, kind=kind, book=7, change_minor=-30)

    assert lines(grown) == {
        AccountName(income, book=7): 30,
        AccountName(f"{kind}_sold", book=7): -30,
    }
    assert lines(fallen) == {account: -minor for account, minor in lines(grown).items()}


def test_a_loan_takes_what_was_sold_of_it_along_to_another_book():
    entry = book_changed(
        BOOKING,
        from_book=7,
        to_book=8,
        balances_minor={"principal": 100},
        sold_minor={"principal": 30},
    )

    assert lines(entry) == {
        AccountName("loan_principal", book=8): 100,
        AccountName("loan_principal", book=7): -100,
        AccountName("principal_sold", book=8): -30,
        AccountName("principal_sold", book=7): 30,
    }
    assert entry.total_minor(Side.DEBIT) == 130
