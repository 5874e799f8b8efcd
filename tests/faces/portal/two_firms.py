"""Two firms with the same kinds of things, so that whatever one sees of the other stands out."""

from dataclasses import dataclass
from functools import cache

from django.contrib.auth.hashers import make_password
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import CALLER, START

from tallystick.book.collateral.models import SecurityInterest
from tallystick.book.financing.models import Facility, Loan
from tallystick.book.parties.models import Party, RelatedParty, Role, User
from tallystick.book.servicing.receipts import Receipt
from tallystick.book.servicing.settle import settle_many
from tallystick.book.trade.models import Claim

SIGNED_IN = "allauth.account.auth_backends.AuthenticationBackend"


@dataclass(frozen=True, slots=True)
class Firm:
    """What one of them has; ``needles`` are what nobody else may be shown."""

    code: str
    facility: Facility
    claim: str
    paid_claim: str
    loan: Loan
    needles: tuple[str, ...]


def firm(scene: scenes.Scene, code: str, *, claim_minor: int, lent_minor: int) -> Firm:
    """A supplier with an open claim, a live loan, a claim paid in part and a payout ordered."""
    facility = scenes.facility(scene, code)
    SecurityInterest.objects.create(
        pool=facility.pool,
        secured_party=facility.legal_entity.party,
        from_date=START,
        to_date=facility.expiry_date,
    )
    RelatedParty.objects.create(
        supplier=facility.supplier,
        obligor=Party.objects.get_or_create(code="JD", defaults={"name": "JD"})[0],
        from_date=START,
        reason="same group",
    )
    claim = scenes.owes(facility, claim_minor)
    paid = scenes.owes(facility, 500_00)
    scenes.lent(facility, 100_00)
    settle_many(
        [
            Receipt(
                bank_reference=f"BANK-{code}",
                payer="JD",
                currency="CNY",
                lines=((paid, 500_00),),
                amount_minor=500_00,
                value_date=START,
            )
        ],
        legal_entity_id=scene.legal_entity_id,
        caller=CALLER,
    )
    loan = Loan.objects.get(pk=scenes.lent(facility, lent_minor))
    assert Claim.objects.get(code=claim).supplier_id == facility.supplier_id
    needles = (
        code,
        facility.code,
        claim,
        loan.code,
        f"{claim_minor // 100:,}.{claim_minor % 100:02}",
        f"{lent_minor // 100:,}.{lent_minor % 100:02}",
    )
    return Firm(code, facility, claim, paid, loan, needles)


def two_firms() -> tuple[scenes.Scene, Firm, Firm]:
    """Ours and the other one, with one lender."""
    scene = scenes.opened()
    ours = firm(scene, "OURSELLER", claim_minor=7_654_321_09, lent_minor=1_234_567_08)
    other = firm(scene, "NEIGHBOUR", claim_minor=8_765_432_18, lent_minor=2_345_678_19)
    return scene, ours, other


@cache
def _some_hash() -> str:
    return make_password("nobody signs in with it")


def person(role: Role, party: Party | None = None) -> User:
    """Somebody of that role who is let in without a password: hashing one takes its time."""
    of = f"-{party.code}".lower() if party else ""
    return User.objects.create(
        email=f"{role}{of}@example.com", password=_some_hash(), role=role, party=party
    )
