"""Set the stage of a run: a legal entity, its capital, and a facility for each supplier."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from django.db import connection

from tallystick.book.acts.once import Caller
from tallystick.book.financing.open_facility import (
    MAX_DAYS_OPEN,
    NewFacility,
    Waiver,
    open_facilities,
)
from tallystick.book.financing.programmes import preset
from tallystick.book.funding.pay_in_capital import pay_in_capital
from tallystick.book.impairment.packs import adopt
from tallystick.book.impairment.packs import preset as rule_pack
from tallystick.book.parties.open_entity import NewLegalEntity, open_legal_entity
from tallystick.rules.money import minor_digits

ENTITY_CODE = "FACTOR"
RULE_PACK = "cn.factor"
CONTRACT_AGE_DAYS = 365
DRAWABLE_DAYS_AFTER_END = 365
"""A run's books can be drawn on after it: whoever looks at them may try."""

ROUND_DRAWS_TO_UNITS = 100
"""Suppliers ask for whole hundreds of the currency."""


@dataclass(frozen=True, slots=True)
class Stage:
    """What a walk needs to know of the book it walks in. Facilities are known by supplier."""

    legal_entity_id: int
    facility_ids: dict[str, int]
    facility_codes: dict[int, str]
    min_draw_minor: dict[int, int]
    round_to_minor: int


@dataclass(frozen=True, slots=True)
class StageTerms:
    """What a run lends on: a programme, in a currency, with one limit for all facilities alike.

    ``others``: suppliers to whom it lends by another programme, and by which.
    """

    programme: str
    currency: str
    facility_limit_minor: int
    waived: frozenset[Waiver] = frozenset()
    others: Mapping[str, str] = field(default_factory=dict)


def commit_without_waiting() -> None:
    """Let this connection's commits reach the disk a moment later.

    Half of a small day is spent waiting for the disk. A power cut may cost a run its last moment,
    and a run that was cut short is made anew; the order of what is kept never changes.
    """
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit TO off")


def set_stage(
    terms: StageTerms, *, suppliers: Sequence[str], start: date, end: date, caller: Caller
) -> Stage:
    """Open on ``start`` what the suppliers need in order to draw until ``end``."""
    commit_without_waiting()
    lent_by = {each: preset(terms.others.get(each, terms.programme)) for each in suppliers}
    legal_entity_id = open_legal_entity(
        NewLegalEntity(
            code=ENTITY_CODE,
            name="Factor of the run",
            time_zone="Asia/Shanghai",
            calendar="China",
            opened_date=start,
        ),
        caller=caller,
        key="entity",
    )
    pack = rule_pack(RULE_PACK)
    if start >= pack.first_date:  # data sets may be older than the law
        adopt(legal_entity_id, pack, caller=caller, key="rule-pack")
    pay_in_capital(
        legal_entity_id,
        amount_minor=sum(
            preset(code).limits.programme_minor
            for code in {terms.programme, *terms.others.values()}
        ),
        currency=terms.currency,
        on=start,
        caller=caller,
        key="capital",
    )
    facilities = [
        NewFacility(
            code=f"F-{supplier}",
            supplier=supplier,
            programme=lent_by[supplier],
            currency=terms.currency,
            limit_minor=terms.facility_limit_minor,
            expiry_date=min(
                end + timedelta(days=DRAWABLE_DAYS_AFTER_END), start + timedelta(days=MAX_DAYS_OPEN)
            ),
            contract_date=start - timedelta(days=CONTRACT_AGE_DAYS),
            waived=terms.waived,
        )
        for supplier in suppliers
    ]
    ids = open_facilities(
        facilities, legal_entity_id=legal_entity_id, caller=caller, key="facilities"
    )
    return Stage(
        legal_entity_id=legal_entity_id,
        facility_ids={each.supplier: ids[each.code] for each in facilities},
        facility_codes={ids[each.code]: each.code for each in facilities},
        min_draw_minor={
            ids[each.code]: each.programme.drawdown.min_draw_minor for each in facilities
        },
        round_to_minor=ROUND_DRAWS_TO_UNITS * 10 ** minor_digits(terms.currency),
    )
