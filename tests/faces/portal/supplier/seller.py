"""A supplier with a facility that can be drawn, and somebody of it who is signed in."""

import re
from dataclasses import dataclass
from html import unescape

from django.test import Client
from tests.book.servicing import scene as scenes
from tests.faces.portal.two_firms import SIGNED_IN, person

from tallystick.book.collateral.models import Pool, SecurityInterest
from tallystick.book.financing.models import Facility, Loan
from tallystick.book.parties.models import Role
from tallystick.rules.programme import ProgrammeTerms

CLAIM_MINOR = 1_000_000_00
BASE_MINOR = 500_000_00
"""Half of the claim is lent (``scene.POOL_TERMS``), and nothing is kept back."""


@dataclass(frozen=True, slots=True)
class Seller:
    scene: scenes.Scene
    facility: Facility
    client: Client

    @property
    def drawn_minor(self) -> list[int]:
        """What has been drawn, in order."""
        loans = Loan.objects.filter(facility=self.facility).order_by("pk")
        return list(loans.values_list("principal_minor", flat=True))

    @property
    def draw_address(self) -> str:
        return f"/my/draw/{self.facility.code}/"

    def confirm(self, **typed: str):
        """Press the button of the confirmation, as the page shows it for what was typed."""
        shown = self.client.get(f"{self.draw_address}confirm/", typed)
        return self.client.post(f"{self.draw_address}confirm/", hidden_fields(shown))


def seller(number: int, terms: ProgrammeTerms | None = None) -> Seller:
    """Owed one claim of CLAIM_MINOR, of which BASE_MINOR can be drawn; with a lender of its own,
    so that many can live in one database and let their days pass.
    """
    scene = scenes.opened(code=f"LENDER{number}")
    facility = secured(scenes.facility(scene, f"SELLER{number}", terms))
    scenes.owes(facility, CLAIM_MINOR)
    return Seller(scene, facility, signed_in(facility))


def secured(facility: Facility) -> Facility:
    """The facility, with the registration without which nothing can be drawn."""
    SecurityInterest.objects.create(
        pool=facility.pool,
        secured_party=facility.legal_entity.party,
        from_date=facility.opened_date,
        to_date=facility.expiry_date,
    )
    return facility


def second_facility(first: Facility, *, code: str = "") -> Facility:
    """Another facility of the same supplier, whose pool is empty."""
    pool = Pool.objects.create(
        code=f"{first.pool.code}-2",
        legal_entity=first.legal_entity,
        supplier=first.supplier,
        currency=first.currency,
        terms=first.pool.terms,
        rank=2,
    )
    return secured(
        Facility.objects.create(
            code=code or f"{first.code}-2",
            legal_entity=first.legal_entity,
            supplier=first.supplier,
            programme=first.programme,
            pool=pool,
            programme_limit=first.programme_limit,
            funding_line=first.funding_line,
            currency=first.currency,
            limit_minor=first.limit_minor,
            annual_rate_ppb=first.annual_rate_ppb,
            opened_date=first.opened_date,
            expiry_date=first.expiry_date,
        )
    )


def signed_in(facility: Facility) -> Client:
    client = Client(HTTP_HOST="localhost")
    client.force_login(person(Role.SUPPLIER, facility.supplier), backend=SIGNED_IN)
    return client


def hidden_fields(response) -> dict[str, str]:
    """What the form of a page sends besides what is typed into it."""
    page = response.content.decode()
    return {
        name: unescape(value)
        for name, value in re.findall(
            r'<input type="hidden" name="([^"]+)"[^>]*value="([^"]*)"', page
        )
    }


def text_of(response) -> str:
    """What a person reads of a page: no marks, one space between words."""
    page = re.sub(r"<head>.*?</head>|<svg.*?</svg>", " ", response.content.decode(), flags=re.S)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", page)).split())
