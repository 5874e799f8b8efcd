"""A facility is opened with its pool and security, for whom the programme's terms admit."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from tests.book.financing.market import MILLION, OPERATOR, TODAY

from tallystick.book.calendars import UnknownCalendar
from tallystick.book.collateral.models import Pool, SecurityInterest
from tallystick.book.financing.availability import availability
from tallystick.book.financing.draw_down import Drawdown, DrawRequest, draw_down
from tallystick.book.financing.models import Decision, Facility, ProgrammeLimit
from tallystick.book.financing.open_facility import (
    FacilityNotOpened,
    NewFacility,
    Waiver,
    open_facilities,
)
from tallystick.book.financing.programmes import preset
from tallystick.book.financing.set_limits import (
    LimitImpossible,
    UnknownLimit,
    set_facility_limit,
    set_funding_limit,
    set_programme_limit,
)
from tallystick.book.funding.models import FundingLine
from tallystick.book.funding.pay_in_capital import NotACapitalAmount, pay_in_capital
from tallystick.book.ledger.models import Entry
from tallystick.book.parties.business_date import DayNotOpen
from tallystick.book.parties.models import LegalEntity, Party
from tallystick.book.parties.open_entity import (
    LegalEntityNotNew,
    NewLegalEntity,
    UnknownTimeZone,
    open_legal_entity,
)
from tallystick.book.trade.record_documents import TradeDocument, record_documents

FACTOR = NewLegalEntity("FACTOR", "Factor Ltd", "Asia/Shanghai", "China", TODAY)
INVOICE = TradeDocument(
    "invoice",
    issuer="S1",
    supplier="S1",
    obligor="JD",
    number="1",
    issue_date=TODAY - timedelta(days=10),
    currency="CNY",
    amount_minor=4 * MILLION,
    due_date=TODAY + timedelta(days=50),
)


def new_facility(code: str = "F1", **changes: object) -> NewFacility:
    return replace(
        NewFacility(
            code=code,
            supplier="S1",
            programme=preset("jd.jingbaobei"),
            currency="CNY",
            limit_minor=20 * MILLION,
            expiry_date=TODAY + timedelta(days=365),
            contract_date=date(2025, 10, 5),
        ),
        **changes,
    )


@pytest.fixture
def entity_id(database: object) -> int:
    return open_legal_entity(FACTOR, caller=OPERATOR, key="entity")


def opened(*facilities: NewFacility, entity_id: int, key: str = "facilities") -> dict[str, int]:
    return open_facilities(facilities, legal_entity_id=entity_id, caller=OPERATOR, key=key)


def test_claims_recorded_before_and_after_secure_the_facility_and_are_drawn_against(
    entity_id: int,
) -> None:
    record = {"caller": OPERATOR, "legal_entity_id": entity_id}
    record_documents([INVOICE], key="before", **record)
    ids = opened(new_facility(), entity_id=entity_id)
    record_documents([INVOICE._replace(number="2")], key="after", **record)

    standing = availability([ids["F1"]], on=TODAY)[ids["F1"]]
    drawdown = draw_down(
        DrawRequest("F1", 6 * MILLION, tenor_days=30, on=TODAY, caller=OPERATOR, key="draw")
    )

    assert standing.base_minor == 6 * MILLION  # two invoices of 4 m at 75 %
    assert (standing.available_minor, standing.binding) == (6 * MILLION, "base")
    assert isinstance(drawdown, Drawdown)
    assert drawdown.available_minor == 0
    assert Decision.objects.get().inputs["base_minor"] == 6 * MILLION


def test_the_funder_has_a_security_interest_that_outlasts_the_last_possible_due_date(
    entity_id: int,
) -> None:
    opened(new_facility(), entity_id=entity_id)

    interest = SecurityInterest.objects.get()
    assert interest.pool == Pool.objects.get(code="F1")
    assert interest.secured_party.code == "FACTOR"
    assert interest.to_date > TODAY + timedelta(days=365 + 90)


def test_a_programmes_limits_are_made_once_per_currency(entity_id: int) -> None:
    dollars = new_facility("F2", currency="USD", waived=frozenset({Waiver.CURRENCY}))
    opened(new_facility(), dollars, new_facility("F3", supplier="S3"), entity_id=entity_id)

    assert set(ProgrammeLimit.objects.values_list("currency", "limit_minor")) == {
        ("CNY", 200_000_000_000),
        ("USD", 200_000_000_000),
    }
    assert FundingLine.objects.count() == 2


def test_opening_twice_under_one_key_is_once(entity_id: int) -> None:
    first = opened(new_facility(), entity_id=entity_id)

    assert opened(new_facility(), entity_id=entity_id) == first
    assert Facility.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"contract_date": date(2025, 10, 6)}, "3 months under contract"),
        ({"contract_date": None}, "an unknown day"),
        ({"currency": "USD"}, "Open it in CNY"),
        ({"limit_minor": -1}, "give one from 0"),
        ({"limit_minor": 2**63}, "give one from 0"),
        ({"expiry_date": TODAY - timedelta(days=1)}, f"give a day from {TODAY}"),
        ({"expiry_date": date.max}, f"give a day from {TODAY}"),
        ({"code": ""}, "1 to 60 printable"),
        ({"code": "F\x00"}, "1 to 60 printable"),
        ({"supplier": "x" * 65}, "1 to 64 printable"),
        ({"code": "F0"}, "the code is taken"),
    ],
)
def test_of_several_facilities_none_is_opened_when_one_is_refused(
    entity_id: int, changes: dict[str, object], why: str
) -> None:
    opened(new_facility("F0"), entity_id=entity_id)

    with pytest.raises(FacilityNotOpened, match=why):
        opened(new_facility("F1"), new_facility(**changes), entity_id=entity_id, key="other")

    assert list(Facility.objects.values_list("code", flat=True)) == ["F0"]


def test_an_access_test_may_be_waived_by_name(entity_id: int) -> None:
    waived = new_facility(contract_date=None, waived=frozenset({Waiver.CONTRACT_AGE}))

    assert "F1" in opened(waived, entity_id=entity_id)


def test_limits_are_set_and_the_limit_before_is_answered(entity_id: int) -> None:
    opened(new_facility(), entity_id=entity_id)
    own = Party.objects.get(code="FACTOR").pk
    programme = ("jd.jingbaobei", "CNY")

    facility = set_facility_limit("F1", MILLION, caller=OPERATOR, key="1")
    programme_limit = set_programme_limit(
        entity_id, *programme, 2 * MILLION, caller=OPERATOR, key="2"
    )
    line = set_funding_limit(entity_id, *programme, own, 3 * MILLION, caller=OPERATOR, key="3")

    assert (facility, programme_limit, line) == (20 * MILLION, 2_000 * MILLION, 2_000 * MILLION)
    assert Facility.objects.get().limit_minor == MILLION
    assert ProgrammeLimit.objects.get().limit_minor == 2 * MILLION
    assert FundingLine.objects.get().limit_minor == 3 * MILLION


def test_limits_that_are_not_there_or_not_possible_are_refused(entity_id: int) -> None:
    with pytest.raises(LimitImpossible):
        set_facility_limit("F1", -1, caller=OPERATOR, key="1")
    with pytest.raises(UnknownLimit):
        set_programme_limit(entity_id, "jd.other", "CNY", 1, caller=OPERATOR, key="1")


def test_capital_paid_in_is_booked_once(entity_id: int) -> None:
    paid_in = {"currency": "CNY", "on": TODAY, "caller": OPERATOR, "key": "capital"}

    first = pay_in_capital(entity_id, amount_minor=500 * MILLION, **paid_in)

    assert pay_in_capital(entity_id, amount_minor=500 * MILLION, **paid_in) == first
    assert Entry.objects.get().event == "capital_paid_in"
    with pytest.raises(NotACapitalAmount):
        pay_in_capital(entity_id, amount_minor=0, **paid_in)
    with pytest.raises(DayNotOpen):
        pay_in_capital(
            entity_id, amount_minor=1, **(paid_in | {"on": date(2026, 1, 6), "key": "later"})
        )


def test_an_entity_is_opened_once_on_its_first_business_day(entity_id: int) -> None:
    assert open_legal_entity(FACTOR, caller=OPERATOR, key="entity") == entity_id
    assert LegalEntity.objects.get().business_date == TODAY
    with pytest.raises(LegalEntityNotNew, match="open already"):
        open_legal_entity(FACTOR, caller=OPERATOR, key="again")


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"calendar": "Mars"}, UnknownCalendar),
        ({"time_zone": "Asia/Nowhere"}, UnknownTimeZone),
        ({"time_zone": "../etc"}, UnknownTimeZone),
        ({"code": ""}, LegalEntityNotNew),
        ({"name": "\x00"}, LegalEntityNotNew),
    ],
)
def test_an_entity_that_cannot_be_is_refused(
    change: dict[str, str], refusal: type[Exception]
) -> None:
    with pytest.raises(refusal):
        open_legal_entity(replace(FACTOR, **change), caller=OPERATOR, key="entity")
