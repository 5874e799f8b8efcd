"""People who record facts, and a fact recorded by two of them."""

from itertools import count

from tests.book.servicing.scene import Scene

from tallystick.book.acts.once import Caller
from tallystick.book.impairment.facts import (
    FactKind,
    NewFact,
    approve_fact,
    propose_end,
    propose_fact,
)
from tallystick.book.parties.models import User

_numbers = count(1)


def person(role: str, name: str = "") -> User:
    email = f"{name or role}@house.test"
    found, _ = User.objects.get_or_create(email=email, defaults={"role": role})
    return found


def because(reason: str = "a report") -> Caller:
    return Caller("system", "tests", "internal", reason)


def recorded(scene: Scene, fact: NewFact) -> int:
    """The number of a fact that a risk officer proposed and an approver approved."""
    key = f"fact-{next(_numbers)}"
    number = propose_fact(
        fact,
        legal_entity_id=scene.legal_entity_id,
        maker=person("risk_officer"),
        caller=because(),
        key=key,
    )
    approve_fact(number, checker=person("approver"), caller=because(), key=f"{key}-approved")
    return number


def ended(scene: Scene, number: int) -> None:
    """The fact no longer holds from today on, as two people say."""
    key = f"end-{next(_numbers)}"
    end = propose_end(
        number,
        from_date=scene.today,
        maker=person("risk_officer"),
        caller=because(),
        key=key,
    )
    approve_fact(end, checker=person("approver"), caller=because(), key=f"{key}-approved")


def about(loan: str, kind: FactKind, scene: Scene, **terms) -> NewFact:
    return NewFact(kind=kind, loan=loan, debtor=None, from_date=scene.today, **terms)
