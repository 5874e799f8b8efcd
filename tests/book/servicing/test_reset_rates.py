"""Reference rates in the book: imported with their source, taken by loans at the close of day."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.scene import CALLER

from tallystick.book.financing.import_rates import (
    PublishedOtherwise,
    RatesImported,
    SourceMissing,
    import_rates,
)
from tallystick.book.financing.models import Facility, Loan, ReferenceRate
from tallystick.book.financing.open_facility import NewFacility, Waiver, open_facilities
from tallystick.book.financing.reference_rates import rate_series
from tallystick.book.parties.models import Party
from tallystick.book.servicing.close import close_day, close_through
from tallystick.book.servicing.dues import dues_of
from tallystick.book.servicing.models import LoanEvent, Position, RepaymentPlan
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.reset_rates import MISSING
from tallystick.book.watch.worklist import items_open
from tallystick.rules.programme import ProgrammeTerms, stored_programme
from tallystick.rules.rate_ceilings import RateAboveCeiling
from tallystick.rules.reference_rates import NoReferenceRate

DAY = timedelta(days=1)
SOURCE = "National Interbank Funding Center"
# START is 2 March 2026; a loan of that day takes a new value on 2 April.
LPR = """publish_date,lpr_1y_pct
2026-02-20,3.00
2026-03-20,2.80
"""


def imported(text: str = LPR, *, key: str = "lpr", source: str = SOURCE) -> RatesImported:
    return import_rates(text, file="lpr.csv", source=source, caller=CALLER, key=key)


def floating(
    spread_bps: int = 700, reset: str = "monthly", *, every: str | None = None
) -> ProgrammeTerms:
    """The JD preset at the loan prime rate plus a spread, in equal instalments if ``every`` is."""
    terms = scenes.preset("jd.jingbaobei")
    written = dict(terms.content["terms"])
    price = {key: value for key, value in written["price"].items() if key != "annual_rate"}
    sources = {key: value for key, value in price["sources"].items() if key != "annual_rate"}
    follows = {"reference_rate": "lpr_1y", "spread_bps": spread_bps, "reset": reset}
    written["price"] = {
        **price,
        **follows,
        "sources": sources | dict.fromkeys(follows, "illustrative"),
    }
    if every is not None:
        repayment = {"method": "equal_instalments", "every": every}
        written["repayment"] = repayment | {"sources": dict.fromkeys(repayment, "illustrative")}
    return stored_programme(terms.code, {**terms.content, "terms": written})


def opened(terms: ProgrammeTerms) -> tuple[scenes.Scene, Facility]:
    scene = scenes.opened()
    Party.objects.create(code="S1", name="S1")
    open_facilities(
        [
            NewFacility(
                "F-S1",
                "S1",
                terms,
                "CNY",
                scenes.PLENTY_MINOR // 10**4,
                date(2027, 3, 1),
                waived=frozenset(Waiver),
            )
        ],
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
        key="open",
    )
    return scene, Facility.objects.get(code="F-S1")


def resets() -> list[tuple[date, date, int, str]]:
    return list(
        LoanEvent.objects.filter(kind="rate_changed")
        .order_by("id")
        .values_list("value_date", "booking_date", "annual_rate_ppb", "reference")
    )


def test_values_are_kept_with_their_source_and_an_import_repeated_adds_nothing(database):
    assert imported() == RatesImported(added=2, known=0)
    assert imported() == RatesImported(added=2, known=0)  # the same key: the same answer
    assert imported(LPR + "2026-04-20,2.80\n", key="more") == RatesImported(added=1, known=2)

    first = ReferenceRate.objects.earliest("publish_date")
    assert (first.rate_ppb, first.source, first.file) == (30_000_000, SOURCE, "lpr.csv")
    assert [each.rate for each in rate_series("lpr_1y").fixings] == [
        Decimal("0.03"),
        Decimal("0.028"),
        Decimal("0.028"),
    ]


def test_a_published_value_is_not_changed_and_nothing_of_the_file_is_kept(database):
    imported()

    with pytest.raises(PublishedOtherwise, match=r"2026-03-20 is 2\.90.* has been imported from"):
        imported("publish_date,lpr_1y_pct\n2026-03-20,2.90\n2026-04-20,2.80\n", key="other")
    with pytest.raises(SourceMissing):
        imported(key="nobody", source=" ")

    assert ReferenceRate.objects.count() == 2


def test_a_facility_is_priced_at_the_value_of_its_first_day(database):
    imported()

    _, facility = opened(floating())

    assert facility.annual_rate_ppb == 100_000_000  # 3.00 % + 7.00 %


def test_a_facility_at_a_reference_rate_without_a_value_is_not_opened(database):
    with pytest.raises(NoReferenceRate, match="tally rate import"):
        opened(floating())
    assert not Facility.objects.exists()


def test_a_facility_above_the_legal_ceiling_of_the_day_is_not_opened(database):
    imported()

    with pytest.raises(RateAboveCeiling, match=r"24\.00 %"):
        opened(floating(spread_bps=2_100))


def test_a_loan_takes_a_new_value_when_its_reset_date_closes(database):
    imported()
    scene, facility = opened(floating())
    loan_id = scenes.lent(facility, 3_600_000, days=60)

    closed = close_through(scene.legal_entity_id, date(2026, 4, 3))

    assert resets() == [
        (date(2026, 4, 2), date(2026, 4, 3), 98_000_000, "reset:2026-04-02 lpr_1y 2026-03-20")
    ]
    by_day = {each.date: each.figures["rates"] for each in closed}
    assert by_day[date(2026, 4, 2)] == {"loans": 1, "facilities": 0, "missing": []}
    assert by_day[date(2026, 4, 3)]["loans"] == 0
    # New draws are at the new value from the day of its publication.
    assert by_day[date(2026, 3, 19)]["facilities"] == 1
    facility.refresh_from_db()
    assert facility.annual_rate_ppb == 98_000_000
    # 3,600,000 at 10 % for 31 nights and at 9.8 % for two: 31,000 + 1,960.
    held = Position.objects.filter(loan=loan_id).latest("booking_date")
    assert held.annual_rate_ppb == 98_000_000
    assert net_minor(scene, "interest_income") == -32_960
    assert findings() == []


def test_a_reset_makes_the_equal_instalments_to_come_equal_at_the_new_rate(database):
    imported()
    scene, facility = opened(floating(every="2W"))
    loan = Loan.objects.get(pk=scenes.lent(facility, 3_600_000, days=84))
    agreed = RepaymentPlan.objects.get(loan=loan)

    paid = []
    for due_date in agreed.due_dates:
        close_through(scene.legal_entity_id, due_date - DAY)
        loan.refresh_from_db()
        (due,) = dues_of([loan], on=due_date)
        repay(loan.code, due.total_minor, value_date=None, caller=CALLER, key=f"{due_date}")
        paid.append(due.total_minor)

    # The reset of 2 April lies in the third fortnight: its principal stays, its interest falls.
    assert [each[0] for each in resets()][:1] == [date(2026, 4, 2)]
    assert RepaymentPlan.objects.get(loan=loan).planned_minor[:3] == agreed.planned_minor[:3]
    assert paid[0] == paid[1] == agreed.level_minor > paid[2]
    assert paid[3] == paid[4] < agreed.level_minor
    loan.refresh_from_db()
    assert loan.status == "settled"
    assert findings() == []


def test_a_reset_without_a_value_waits_on_the_worklist_and_is_made_up_for(database):
    imported("publish_date,lpr_1y_pct\n2026-02-10,3.00\n", key="old")
    scene, facility = opened(floating())
    scenes.lent(facility, 3_600_000, days=90)

    close_through(scene.legal_entity_id, date(2026, 4, 10))
    assert [item.subject for item in items_open(scene.legal_entity_id, kind=MISSING)] == [
        "rate:lpr_1y"
    ]

    imported(key="new")
    close_day(scene.legal_entity_id, date(2026, 4, 11))

    assert [each[:3] for each in resets()] == [(date(2026, 4, 2), date(2026, 4, 12), 98_000_000)]
    assert items_open(scene.legal_entity_id, kind=MISSING) == []
    assert findings() == []


def test_a_rate_that_never_resets_stays_and_a_fixed_programme_follows_nothing(database):
    imported()
    scene, facility = opened(floating(reset="none"))
    scenes.lent(facility, 3_600_000, days=60)
    scenes.lent(scenes.facility(scene, "S2"), 3_600_000, days=60)

    close_through(scene.legal_entity_id, date(2026, 4, 3))

    assert resets() == []


def test_an_import_prices_new_draws_at_once(database):
    imported("publish_date,lpr_1y_pct\n2026-02-20,3.00\n", key="old")
    _, facility = opened(floating())

    imported("publish_date,lpr_1y_pct\n2026-03-02,2.90\n", key="today")

    facility.refresh_from_db()
    assert facility.annual_rate_ppb == 99_000_000
