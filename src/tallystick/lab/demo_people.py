"""People who can sign in to the demo, with passwords made for the run and kept nowhere."""

import secrets
from dataclasses import dataclass

from django.db.models import Count, F, Q

from tallystick.book.acts.once import Caller
from tallystick.book.financing.models import Facility, LoanStatus
from tallystick.book.parties.add_user import add_user
from tallystick.book.parties.models import Role, User
from tallystick.book.parties.set_password import set_password

CALLER = Caller(owner="system", actor="demo", channel="lab")
STAFF = (Role.OPERATOR, Role.RISK_OFFICER, Role.APPROVER, Role.TREASURY, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class SignIn:
    """What somebody signs in with. ``firm``: the supplier's code; the house's people have none."""

    role: Role
    email: str
    password: str
    firm: str


def demo_people() -> list[SignIn]:
    """One person for each role of the house, and of each programme one of the firm that is served
    best: where loans are repaid in instalments with one that is late and with most of them, else
    with the largest base.

    Passwords are new each time, and end what was signed in with the ones before.
    """
    people = [(role, f"{role.value.replace('_', '.')}@demo.example", "") for role in STAFF]
    people += [(Role.SUPPLIER, f"{firm.lower()}@demo.example", firm) for firm in _firms()]
    return [_let_in(role, email, firm) for role, email, firm in people]


def _firms() -> list[str]:
    """The supplier of the best facility of each programme, in the order of programmes."""
    in_instalments = Q(loan__status=LoanStatus.LIVE, loan__maturity_date__isnull=False)
    is_late = Q(loan__due_date__lt=F("legal_entity__business_date"))
    facilities = Facility.objects.filter(frozen_reason="").annotate(
        late=Count("loan", filter=in_instalments & is_late),
        in_instalments=Count("loan", filter=in_instalments),
    )
    best: dict[str, str] = {}
    for programme, firm in facilities.order_by(
        "programme__code", "-late", "-in_instalments", "-pool__base_minor", "code"
    ).values_list("programme__code", "supplier__code"):
        best.setdefault(programme, firm)
    return list(best.values())


def _let_in(role: Role, email: str, firm: str) -> SignIn:
    password = secrets.token_urlsafe(12)
    if User.objects.filter(email=email).exists():
        set_password(email=email, password=password, caller=CALLER)
    else:
        add_user(email=email, role=role, password=password, party_code=firm or None, caller=CALLER)
    return SignIn(role, email, password, firm)
