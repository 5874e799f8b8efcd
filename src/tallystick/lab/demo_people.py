"""People who can sign in to the demo, with passwords made for the run and kept nowhere."""

import secrets
from dataclasses import dataclass

from tallystick.book.acts.once import Caller
from tallystick.book.financing.models import Facility
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
    """One person for each role of the house, and one of the supplier with the largest base.

    Passwords are new each time, and end what was signed in with the ones before.
    """
    firm = (
        Facility.objects.filter(frozen_reason="")
        .order_by("-pool__base_minor", "code")
        .values_list("supplier__code", flat=True)
        .first()
    )
    people = [(role, f"{role.value.replace('_', '.')}@demo.example", "") for role in STAFF]
    if firm:
        people.append((Role.SUPPLIER, f"{firm.lower()}@demo.example", firm))
    return [_let_in(role, email, firm_code) for role, email, firm_code in people]


def _let_in(role: Role, email: str, firm: str) -> SignIn:
    password = secrets.token_urlsafe(12)
    if User.objects.filter(email=email).exists():
        set_password(email=email, password=password, caller=CALLER)
    else:
        add_user(email=email, role=role, password=password, party_code=firm or None, caller=CALLER)
    return SignIn(role, email, password, firm)
