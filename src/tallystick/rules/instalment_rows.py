"""The instalments of a loan as they are owed and paid."""

from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from tallystick.rules.instalment_terms import ChargeDue, Part


class RowKind(StrEnum):
    """What an instalment is there for."""

    INSTALMENT = "instalment"
    DOWN_PAYMENT = "down_payment"
    """Due on the day of its payout."""
    ADDED = "added"
    """For what arose after the last due date."""


@dataclass(frozen=True, slots=True)
class Charge:
    """A fee or penalty, due on a date of its own."""

    charge_id: int
    due_date: date
    part: Part
    amount_minor: int


@dataclass(slots=True)
class Row:
    """One instalment: what of each part is owed, and what of it has been paid or forgone.

    ``credited_minor`` is principal that was owed again after it had been paid; it is in
    ``owed`` too. Amounts are minor units. A row is moved by one fold, which owns it.
    """

    kind: RowKind
    from_date: date
    due_date: date
    owed: dict[Part, int] = field(default_factory=lambda: dict.fromkeys(Part, 0))
    paid: dict[Part, int] = field(default_factory=lambda: dict.fromkeys(Part, 0))
    waived: dict[Part, int] = field(default_factory=lambda: dict.fromkeys(Part, 0))
    charges: list[Charge] = field(default_factory=list)
    credited_minor: int = 0
    paid_in_advance_minor: int = 0
    paid_late_minor: int = 0
    last_paid_date: date | None = None

    @property
    def owed_minor(self) -> int:
        return sum(self.owed.values())

    @property
    def paid_minor(self) -> int:
        return sum(self.paid.values())

    @property
    def outstanding_minor(self) -> int:
        return self.owed_minor - self.paid_minor - sum(self.waived.values())

    def outstanding_of(self, part: Part) -> int:
        return max(0, self.owed[part] - self.paid[part] - self.waived[part])

    def due_of(self, part: Part, on: date, charge_due: ChargeDue) -> int:
        """What of a part is due on a day and unpaid."""
        if self.due_date <= on:
            return self.outstanding_of(part)
        if charge_due is ChargeDue.WITH_INSTALMENT or part in (Part.INTEREST, Part.PRINCIPAL):
            return 0
        due_minor = sum(c.amount_minor for c in self.charges if c.part is part and c.due_date <= on)
        return max(0, min(due_minor - self.paid[part], self.outstanding_of(part)))

    def add_charge(self, charge: Charge) -> None:
        self.charges.append(charge)
        self.owed[charge.part] += charge.amount_minor

    def waive(self, charge: Charge, on: date) -> int:
        """Forgo what is unpaid of a charge; how much that is."""
        amount_minor = min(charge.amount_minor, self.outstanding_of(charge.part))
        self.waived[charge.part] += amount_minor
        if amount_minor and not self.outstanding_minor:
            self.last_paid_date = on
        return amount_minor

    def pay(self, part: Part, amount_minor: int, on: date) -> None:
        """Receive money for a part, early or late as its day says."""
        if not amount_minor:
            return
        self.paid[part] += amount_minor
        if on < self.due_date:
            self.paid_in_advance_minor += amount_minor
        elif on > self.due_date:
            self.paid_late_minor += amount_minor
        self.last_paid_date = on

    def met_date(self) -> date | None:
        """The day on which nothing was left to pay; None while something is."""
        return None if self.outstanding_minor else self.last_paid_date
