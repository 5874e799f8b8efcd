"""Open facilities: a supplier's line under a programme, with its pool and the funder's security."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.open_pool import open_pool
from tallystick.book.collateral.pools import hold_suppliers
from tallystick.book.collateral.security import file_interest
from tallystick.book.collateral.terms import TermsOfPool
from tallystick.book.financing.models import MAX_FACILITY_CODE_LENGTH, Facility, ProgrammeLimit
from tallystick.book.financing.price_facilities import price_on
from tallystick.book.financing.programmes import stored
from tallystick.book.funding.models import FundingLine
from tallystick.book.ledger.models import Book
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.models import LegalEntity
from tallystick.book.parties.register import party_ids
from tallystick.rules.calendars import months_after
from tallystick.rules.money import minor_digits
from tallystick.rules.programme import MAX_LIMIT_MINOR, ProgrammeTerms
from tallystick.rules.refusal import Refusal

NORMAL = "normal"
"""Asset class of a loan that is paid as agreed."""

MAX_DAYS_OPEN = 3_660
"""Ten years: who they lend to is looked at again before."""

SECURED_DAYS_AFTER_LAST_DUE = 365
"""The funder's security outlasts the last possible due date by a year, to collect in."""


class Waiver(StrEnum):
    """An access test that was not made, because whoever opens the facility answers for it."""

    CONTRACT_AGE = "contract_age"
    CURRENCY = "currency"


class FacilityNotOpened(Refusal):
    """The facility cannot be opened as asked."""

    def __init__(self, facility: str, why: str) -> None:
        self.facility = facility
        super().__init__(f"Facility {facility[:80]!r} cannot be opened: {why}")


@dataclass(frozen=True, slots=True)
class NewFacility:
    """A line for ``supplier`` (a code) under ``programme``, up to ``limit_minor`` of ``currency``.

    ``expiry_date`` is the last day on which it may be drawn. ``contract_date`` is the day from
    which supplier and anchor trade under contract. ``waived`` are the access tests not made.
    """

    code: str
    supplier: str
    programme: ProgrammeTerms
    currency: str
    limit_minor: int
    expiry_date: date
    contract_date: date | None = None
    waived: frozenset[Waiver] = frozenset()


def open_facilities(
    facilities: Sequence[NewFacility], *, legal_entity_id: int, caller: Caller, key: str
) -> dict[str, int]:
    """Open the facilities, all or none, on the open business day; their ids by code.

    Each gets a pool, which the supplier's claims that are in none join, and a security interest
    of the funder in it. The entity's own capital funds them. The programme's limit and the
    funding line are made with the first facility of a programme and currency.

    Raises FacilityNotOpened, UnknownCurrency, NoReferenceRate where a floating price has no value
    today, RateAboveCeiling, LateChargeTooHigh, KeyConflict.
    """
    request = {
        "legal_entity_id": legal_entity_id,
        "facilities": [_request(facility) for facility in facilities],
    }
    with once(caller, key=key, kind="open_facilities", request=request) as act:
        if act.earlier is None:
            act.answer(_opened(facilities, legal_entity_id, act_id=act.act_id))
    return {code: int(number) for code, number in (act.earlier or act.given or {}).items()}


def _request(facility: NewFacility) -> dict[str, object]:
    return {
        "code": facility.code,
        "supplier": facility.supplier,
        "programme": facility.programme.code,
        "currency": facility.currency,
        "limit_minor": facility.limit_minor,
        "expiry_date": facility.expiry_date,
        "contract_date": facility.contract_date,
        "waived": sorted(facility.waived),
    }


def _opened(
    facilities: Sequence[NewFacility], legal_entity_id: int, *, act_id: int
) -> dict[str, int]:
    on = open_day(legal_entity_id)
    entity = LegalEntity.objects.get(pk=legal_entity_id)
    for facility in facilities:
        refuse_unfit(facility, on=on)
    _refuse_taken(facilities)
    suppliers = party_ids(facility.supplier for facility in facilities)
    # All at once: one after the other would take their locks in an order of its own.
    hold_suppliers(suppliers.values())
    return {
        facility.code: _open(facility, entity, suppliers[facility.supplier], on=on, act_id=act_id)
        for facility in facilities
    }


def refuse_unfit(facility: NewFacility, *, on: date) -> None:
    """Raise FacilityNotOpened where the facility or its supplier does not meet the terms."""
    code = facility.code
    if not 1 <= len(code) <= MAX_FACILITY_CODE_LENGTH or not code.isprintable():
        raise FacilityNotOpened(
            code, f"give it a code of 1 to {MAX_FACILITY_CODE_LENGTH} printable characters."
        )
    if not 1 <= len(facility.supplier) <= 64 or not facility.supplier.isprintable():
        raise FacilityNotOpened(
            code, "name its supplier by a code of 1 to 64 printable characters."
        )
    minor_digits(facility.currency)
    if not 0 <= facility.limit_minor <= MAX_LIMIT_MINOR:
        raise FacilityNotOpened(
            code, f"limit {facility.limit_minor}: give one from 0 to {MAX_LIMIT_MINOR}."
        )
    last_possible = on + timedelta(days=MAX_DAYS_OPEN)
    if not on <= facility.expiry_date <= last_possible:
        raise FacilityNotOpened(
            code, f"it expires on {facility.expiry_date}: give a day from {on} to {last_possible}."
        )
    _refuse_without_access(facility, on=on)


def _refuse_without_access(facility: NewFacility, *, on: date) -> None:
    programme = facility.programme
    if Waiver.CURRENCY not in facility.waived and facility.currency != programme.currency:
        raise FacilityNotOpened(
            facility.code,
            f"it is in {facility.currency} and programme {programme.code} in "
            f"{programme.currency}. Open it in {programme.currency}.",
        )
    if Waiver.CONTRACT_AGE in facility.waived:
        return
    months = programme.access.min_contract_months
    since = facility.contract_date
    if since is None or months_after(since, months) > on:
        raise FacilityNotOpened(
            facility.code,
            f"programme {programme.code} asks for {months} months under contract and the "
            f"supplier's runs since {since or 'an unknown day'}. "
            "Give the contract's date, or open it once the months have passed.",
        )


def _refuse_taken(facilities: Sequence[NewFacility]) -> None:
    codes = [facility.code for facility in facilities]
    taken = set(Facility.objects.filter(code__in=codes).values_list("code", flat=True))
    for code in codes:
        if code in taken:
            raise FacilityNotOpened(code, "the code is taken. Choose another.")
        taken.add(code)


def _open(new: NewFacility, entity: LegalEntity, supplier_id: int, *, on: date, act_id: int) -> int:
    terms = new.programme
    line = {"legal_entity": entity, "programme": terms.code, "currency": new.currency}
    programme_limit, _ = ProgrammeLimit.objects.get_or_create(
        **line, defaults={"limit_minor": terms.limits.programme_minor}
    )
    funding_line, _ = FundingLine.objects.get_or_create(
        **line,
        funder_id=entity.party_id,
        defaults={"limit_minor": terms.limits.programme_minor},
    )
    Book.objects.get_or_create(**line, funder_id=entity.party_id, asset_class=NORMAL)
    pool_id = open_pool(
        new.code,
        legal_entity_id=entity.pk,
        supplier_id=supplier_id,
        currency=new.currency,
        terms=TermsOfPool(terms.pool, {}),
        on=on,
        act_id=act_id,
    )
    facility = Facility.objects.create(
        code=new.code,
        legal_entity=entity,
        supplier_id=supplier_id,
        programme=stored(terms),
        pool_id=pool_id,
        programme_limit=programme_limit,
        funding_line=funding_line,
        currency=new.currency,
        limit_minor=new.limit_minor,
        annual_rate_ppb=price_on(terms, on),
        opened_date=on,
        expiry_date=new.expiry_date,
    )
    file_interest(
        pool_id,
        secured_party_id=entity.party_id,
        from_date=on,
        to_date=new.expiry_date
        + timedelta(days=terms.drawdown.max_tenor_days + SECURED_DAYS_AFTER_LAST_DUE),
    )
    return facility.pk
