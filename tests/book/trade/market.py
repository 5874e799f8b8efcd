"""A small market to try claims on: one legal entity, one supplier, one obligor unless told."""

from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import count

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.open_pool import open_pool
from tallystick.book.collateral.terms import TermsOfPool
from tallystick.book.parties.models import LegalEntity, Party
from tallystick.book.parties.register import party_ids
from tallystick.book.trade.models import Claim
from tallystick.book.trade.pay_claims import ClaimPayment, pay_claims, reverse_payments
from tallystick.book.trade.record_documents import record_documents
from tallystick.rules.pool_terms import Terms
from tallystick.rules.trade_documents import STAGE_OF, TradeDocument, usual_issuer

CALLER = Caller(owner="system", actor="tests", channel="internal")
DAY = date(2026, 3, 2)

EVERYTHING = TermsOfPool(
    Terms(
        advance_rate_bps=dict.fromkeys(("order", "receipt", "invoice", "settlement"), 10_000),
        max_days_past_due=30,
        max_tenor_days=400,
        min_days_to_due=0,
        cross_ageing_share_bps=10_000,
        concentration_limit_bps=10_000,
        dilution_window_days=90,
        dilution_stress_bps=0,
    ),
    concentration_override_bps={},
)
"""Lends the whole of every claim that is not past due by more than thirty days."""


def day(number: int) -> date:
    return DAY + timedelta(days=number)


def paper(
    kind: str,
    number: str,
    amount_minor: int,
    *,
    of: str = "",
    on: int = 0,
    supplier: str = "ACME",
    obligor: str = "MALL",
    currency: str = "CNY",
    due: int = 60,
) -> TradeDocument:
    """A document issued ``on`` so many days after DAY; ``of`` names another as ``kind:number``."""
    fulfils_kind, _, fulfils_number = of.partition(":")
    return TradeDocument(
        kind=kind,
        issuer=usual_issuer(kind, supplier=supplier, obligor=obligor),
        supplier=supplier,
        obligor=obligor,
        number=number,
        issue_date=day(on),
        currency=currency,
        amount_minor=amount_minor,
        due_date=day(due) if kind in STAGE_OF else None,
        fulfils_kind=fulfils_kind,
        fulfils_number=fulfils_number,
    )


@dataclass(slots=True)
class Market:
    legal_entity_id: int
    _keys: count = field(default_factory=count)

    @classmethod
    def opened(cls) -> "Market":
        party = Party.objects.create(code="LENDER", name="Lender")
        entity = LegalEntity.objects.create(
            code="LENDER",
            party=party,
            time_zone="Asia/Shanghai",
            calendar="China",
            opened_date=DAY,
            business_date=DAY,
        )
        return cls(entity.pk)

    def on_day(self, number: int) -> None:
        LegalEntity.objects.filter(pk=self.legal_entity_id).update(business_date=day(number))

    @property
    def today(self) -> date:
        return LegalEntity.objects.get(pk=self.legal_entity_id).business_date

    def records(self, *papers: TradeDocument, **options):
        return record_documents(
            papers,
            caller=CALLER,
            key=f"papers {next(self._keys)}",
            legal_entity_id=self.legal_entity_id,
            **options,
        )

    @contextmanager
    def act(self):
        with once(CALLER, key=f"act {next(self._keys)}", kind="test", request={}) as act:
            yield act
            act.answer({})

    def pool(self, code: str = "POOL", *, supplier: str = "ACME", terms=EVERYTHING) -> int:
        with self.act() as act:
            return open_pool(
                code,
                legal_entity_id=self.legal_entity_id,
                supplier_id=party_ids([supplier])[supplier],
                currency="CNY",
                terms=terms,
                on=self.today,
                act_id=act.act_id,
            )

    def pays(self, code: str, amount_minor: int, *, on: int = 0) -> int:
        """Pays a claim; what was too much."""
        with self.act() as act:
            (excess_minor,) = pay_claims(
                [ClaimPayment(claim_id(code), amount_minor)],
                value_date=day(on),
                booking_date=self.today,
                act_id=act.act_id,
            )
        return excess_minor

    def takes_back(self, code: str, amount_minor: int, *, on: int = 0) -> None:
        with self.act() as act:
            reverse_payments(
                [ClaimPayment(claim_id(code), amount_minor)],
                value_date=day(on),
                booking_date=self.today,
                act_id=act.act_id,
            )


def claim_id(code: str) -> int:
    return Claim.objects.get(code=code).pk


def faces(codes: Sequence[str] | None = None) -> dict[str, int]:
    """Faces of the live claims by number, in the order they were recorded."""
    return {code.rpartition(":")[2]: face for code, face, *_ in _rows() if face}


def amounts() -> dict[str, tuple[int, int, int]]:
    """Face, paid and diluted by number."""
    return {code.rpartition(":")[2]: tuple(rest) for code, *rest in _rows()}


def _rows():
    return Claim.objects.order_by("pk").values_list(
        "code", "face_minor", "paid_minor", "diluted_minor"
    )
