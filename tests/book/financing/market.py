"""A legal entity with facilities that can be drawn, whose pools' bases are given by the test."""

from dataclasses import dataclass, field
from datetime import date, timedelta

from tallystick.book.acts.once import Caller
from tallystick.book.collateral.models import Pool, PoolTerms, SecurityInterest
from tallystick.book.financing.draw_down import DrawRequest
from tallystick.book.financing.models import Facility, ProgrammeLimit
from tallystick.book.financing.programmes import preset, stored
from tallystick.book.funding.models import FundingLine
from tallystick.book.ledger.models import Book
from tallystick.book.parties.models import LegalEntity
from tallystick.book.parties.register import party_ids
from tallystick.rules.programme import ProgrammeTerms

TODAY = date(2026, 1, 5)
"""A Monday in a published year."""

SUPPLIER = Caller("firm:SUPPLIER", "clerk@supplier.example", "cli")
OPERATOR = Caller("system", "operator@factor.example", "cli", "suspected double pledge")
MILLION = 100_000_000
"""One million yuan in fen."""


@dataclass
class Market:
    """The factor, its programme's limit and its own funding line."""

    entity: LegalEntity
    programme_limit: ProgrammeLimit
    funding_line: FundingLine
    keys: list[str] = field(default_factory=list)

    def facility(
        self,
        code: str,
        *,
        base_minor: int = 10 * MILLION,
        limit_minor: int = 10 * MILLION,
        supplier: str = "",
        rank: int = 1,
        secured_days: int = 3_650,
        programme: ProgrammeTerms | None = None,
    ) -> Facility:
        """A facility whose pool's base is current on the open business day."""
        supplier_id = party_ids([supplier or f"S-{code}"])[supplier or f"S-{code}"]
        terms, _ = PoolTerms.objects.get_or_create(sha256=b"t" * 32, defaults={"terms": {}})
        pool = Pool.objects.create(
            code=f"P-{code}",
            legal_entity=self.entity,
            supplier_id=supplier_id,
            currency="CNY",
            terms=terms,
            rank=rank,
            base_version=1,
            base_date=self.entity.business_date,
            base_minor=base_minor,
            cover_minor=base_minor,
        )
        SecurityInterest.objects.create(
            pool=pool,
            secured_party_id=self.entity.party_id,
            from_date=TODAY - timedelta(days=30),
            to_date=TODAY + timedelta(days=secured_days),
        )
        return Facility.objects.create(
            code=code,
            legal_entity=self.entity,
            supplier_id=supplier_id,
            programme=stored(programme or preset("jd.jingbaobei")),
            pool=pool,
            programme_limit=self.programme_limit,
            funding_line=self.funding_line,
            currency="CNY",
            limit_minor=limit_minor,
            annual_rate_ppb=100_000_000,
            opened_date=TODAY,
            expiry_date=TODAY + timedelta(days=365),
        )

    def request(
        self, facility: str = "F1", amount_minor: int = MILLION, **changes: object
    ) -> DrawRequest:
        """A request in order, under a key of its own unless one is given."""
        self.keys.append(f"key {len(self.keys)}")
        return request(facility, amount_minor, **({"key": self.keys[-1]} | changes))


def request(facility: str, amount_minor: int = MILLION, **changes: object) -> DrawRequest:
    """A request in order."""
    wanted = {"tenor_days": 30, "on": TODAY, "caller": SUPPLIER, "key": "key"}
    return DrawRequest(facility=facility, amount_minor=amount_minor, **(wanted | changes))


def open_market(
    *, programme_minor: int = 1_000 * MILLION, funder_minor: int = 1_000 * MILLION
) -> Market:
    programme = preset("jd.jingbaobei").code
    own = party_ids(["FACTOR"], {"FACTOR": "Factor Ltd"})["FACTOR"]
    entity = LegalEntity.objects.create(
        code="FACTOR",
        party_id=own,
        time_zone="Asia/Shanghai",
        calendar="China",
        opened_date=TODAY,
        business_date=TODAY,
    )
    line = {"legal_entity": entity, "programme": programme, "currency": "CNY"}
    Book.objects.create(**line, funder_id=own, asset_class="normal")
    return Market(
        entity,
        ProgrammeLimit.objects.create(**line, limit_minor=programme_minor),
        FundingLine.objects.create(**line, funder_id=own, limit_minor=funder_minor),
    )
