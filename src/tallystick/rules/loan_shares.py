"""Shares of a loan: who holds how much of it since when, and whose money is what comes in.

The lender of record sells shares of a loan to other funders and may buy them back. It stays the
borrower's only creditor and servicer: the loan's fold is that of the whole loan, and what belongs
to a holder is a part of it.

A transfer counts from its value date (included): whatever counts from that day or a later one
belongs to the holders by their new shares, for whatever days the loan earned it. So the par of a
share is its part of everything owed at the start of that day: principal, interest, penalty, fees.

Every part is worked out of a total by ``parted``, from one transfer to the next: the parts of each
receipt, and of everything owed, sum to the whole. Nothing here is kept up event by event; late
news is one more look at the loan as it stood on the days of the transfers.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby, pairwise
from operator import attrgetter
from typing import NamedTuple

from tallystick.rules.accounting import SOLD_OF
from tallystick.rules.loan_balances import Balances
from tallystick.rules.money import allocate
from tallystick.rules.refusal import Refusal

WHOLE_PPM = 1_000_000
"""The parts per million that the shares of a loan sum to, always."""

KINDS = ("principal", "interest", "penalty", "fees")
"""The kinds of debt that a share is a part of."""


class Transfer(NamedTuple):
    """A share of a loan that goes from the lender of record to ``holder_id``, or comes back.

    ``share_ppm`` is above zero where it is sold and below zero where it is bought back.
    ``premium_minor`` is what the buyer of the two pays above par; below zero, less than par.
    """

    transfer_id: int
    holder_id: int
    share_ppm: int
    value_date: date
    premium_minor: int


class ShareNotHeld(Refusal):
    """More would be sold than the lender holds itself, or bought back than the holder has."""

    def __init__(self, transfer: Transfer, *, held_ppm: int) -> None:
        self.held_ppm = held_ppm
        who = "The lender holds" if transfer.share_ppm > 0 else "The holder has"
        what = "sold" if transfer.share_ppm > 0 else "bought back"
        super().__init__(
            f"{abs(transfer.share_ppm)} parts per million of a loan cannot be {what} on "
            f"{transfer.value_date}: {who} {held_ppm} of them then. A share that was sold is not "
            "sold again: buy it back first, or name a smaller share."
        )


class Held(NamedTuple):
    """A share from one day until before another; ``to_date`` is None while it lasts."""

    holder_id: int
    share_ppm: int
    from_date: date
    to_date: date | None


@dataclass(frozen=True, slots=True)
class Passed:
    """What a loan's transfers and its life since have come to, in minor units.

    ``sold_minor``: by kind of debt, what the holders' part of it is carried at against the whole.
    The other totals are the holders' parts of what was lost, waived and recovered, and what the
    lender has gained by premiums. ``holders_minor``: what each holder is owed for the money that
    came in for him, less what he owes for what he bought.
    """

    sold_minor: Mapping[str, int]
    lost_minor: int
    waived_minor: int
    recovered_minor: int
    gained_minor: int
    holders_minor: Mapping[int, int]

    @property
    def debits_minor(self) -> dict[str, int]:
        """By account of the loan's book, what it comes to on the debit side; below zero: credit.

        Together they are what the holders are owed.
        """
        return {
            **{SOLD_OF[kind]: -minor for kind, minor in self.sold_minor.items()},
            "loan_loss": -self.lost_minor,
            "waivers": -self.waived_minor,
            "recovery_income": self.recovered_minor,
            "share_sale_gain": -self.gained_minor,
        }


def parted(total_minor: int, shares_ppm: Mapping[int, int]) -> dict[int, int]:
    """Each holder's part of a total, by the largest remainder (``money.allocate``).

    The lender of record has what the holders' shares leave and comes first where remainders are
    equal; its part is the total less the parts returned.
    """
    holders = sorted(shares_ppm)
    own_ppm = WHOLE_PPM - sum(shares_ppm.values())
    _, *parts = allocate(total_minor, [own_ppm, *(shares_ppm[holder] for holder in holders)])
    return dict(zip(holders, parts, strict=True))


def sold_part(total_minor: int, shares_ppm: Mapping[int, int]) -> int:
    """What of a total belongs to the holders together."""
    return sum(parted(total_minor, shares_ppm).values())


def in_order(transfers: Iterable[Transfer]) -> list[Transfer]:
    """By value date, and within a day in the order of recording."""
    return sorted(transfers, key=lambda each: (each.value_date, each.transfer_id))


def shares_after(transfers: Iterable[Transfer]) -> dict[int, int]:
    """The share of each holder in parts per million, where it is above zero.

    Raises ShareNotHeld where a share is moved that is not there.
    """
    held: dict[int, int] = defaultdict(int)
    for each in in_order(transfers):
        own_ppm = WHOLE_PPM - sum(held.values())
        can_move_ppm = own_ppm if each.share_ppm > 0 else held[each.holder_id]
        if abs(each.share_ppm) > can_move_ppm:
            raise ShareNotHeld(each, held_ppm=can_move_ppm)
        held[each.holder_id] += each.share_ppm
    return {holder: share_ppm for holder, share_ppm in held.items() if share_ppm}


def participations(transfers: Iterable[Transfer], *, lender_id: int, start: date) -> list[Held]:
    """Who holds which share from when until when, the lender of record included.

    A share that stays as it was is told once; what came and went within a day is not told. The
    shares of any day sum to one.
    """
    ordered = in_order(transfers)
    told = [(start, {lender_id: WHOLE_PPM})]
    for value_date, _ in groupby(ordered, key=attrgetter("value_date")):
        shares = shares_after(each for each in ordered if each.value_date <= value_date)
        own_ppm = WHOLE_PPM - sum(shares.values())
        told.append((value_date, {lender_id: own_ppm, **shares} if own_ppm else shares))
    found = []
    for holder in dict.fromkeys(holder for _, shares in told for holder in shares):
        steps = [(from_date, shares.get(holder, 0)) for from_date, shares in told]
        changed = [steps[0]] + [after for before, after in pairwise(steps) if before[1] != after[1]]
        ends: list[date | None] = [from_date for from_date, _ in changed[1:]]
        for (from_date, share_ppm), to_date in zip(changed, [*ends, None], strict=True):
            if share_ppm:
                found.append(Held(holder, share_ppm, from_date, to_date))
    return sorted(found, key=lambda each: (each.from_date, each.holder_id != lender_id, each))


def owed_by_kind(owed: Balances) -> dict[str, int]:
    """What a loan owes, by the kinds of which a share is a part."""
    return {
        "principal": owed.principal_minor,
        "interest": owed.interest_due_minor,
        "penalty": owed.penalty_due_minor,
        "fees": owed.fees_due_minor,
    }


def par_minor(
    owed: Balances, *, before: Mapping[int, int], after: Mapping[int, int], holder_id: int
) -> int:
    """What a holder's part of everything owed grows by where shares change; below zero: falls."""
    return sum(
        parted(minor, after).get(holder_id, 0) - parted(minor, before).get(holder_id, 0)
        for minor in owed_by_kind(owed).values()
    )


def transferred(
    transfer: Transfer, owed: Balances, *, before: Mapping[int, int], after: Mapping[int, int]
) -> Passed:
    """What one transfer comes to by itself: everything owed changes hands at par, and a premium.

    ``owed``: as for ``passed_on``. ``before`` and ``after`` are the shares around it.
    """
    running = _Running()
    running.take_transfer(transfer, owed, before, after)
    return running.passed()


def passed_on(transfers: Sequence[Transfer], then: Sequence[Balances], now: Balances) -> Passed:
    """What the transfers ``in_order`` and the loan's life since the first have come to.

    ``then`` are the loan's balances at the start of each transfer's value date, without anything
    that counts from that day; ``now`` those after its last event.

    Raises ShareNotHeld.
    """
    running = _Running()
    after: dict[int, int] = {}
    for place, transfer in enumerate(transfers):
        before, after = after, shares_after(transfers[: place + 1])
        running.take_transfer(transfer, then[place], before, after)
        until = then[place + 1] if place + 1 < len(then) else now
        running.live(after, then[place], until)
    return running.passed()


class _Running:
    """The sums of ``Passed`` while they are taken."""

    def __init__(self) -> None:
        self.sold: dict[str, int] = dict.fromkeys(KINDS, 0)
        self.holders: dict[int, int] = defaultdict(int)
        self.lost = self.waived = self.recovered = self.gained = 0

    def passed(self) -> Passed:
        return Passed(
            self.sold,
            self.lost,
            self.waived,
            self.recovered,
            self.gained,
            dict(sorted(self.holders.items())),
        )

    def take_transfer(
        self,
        transfer: Transfer,
        owed: Balances,
        before: Mapping[int, int],
        after: Mapping[int, int],
    ) -> None:
        for kind, minor in owed_by_kind(owed).items():
            self._add(kind, _changed(minor, minor, before, after))
        sign = 1 if transfer.share_ppm > 0 else -1
        self.gained += sign * transfer.premium_minor
        self.holders[transfer.holder_id] -= sign * transfer.premium_minor

    def live(self, shares: Mapping[int, int], start: Balances, end: Balances) -> None:
        """Add the loan's life from one transfer to the next.

        The holders' part of principal is taken of the balance itself, so that it is their share
        of it at any time. Of charges, money is parted as it comes; what their part of the rest
        then differs by goes to income at night, as it does for the loan's own.
        """
        for kind in KINDS:
            lost = parted(_charged_off(end, kind) - _charged_off(start, kind), shares)
            self.sold[kind] -= sum(lost.values())
            self.lost += sum(lost.values())
            if kind == "principal":
                gone = _changed(start.principal_minor, end.principal_minor, shares, shares)
                self._add(kind, {holder: minor + lost[holder] for holder, minor in gone.items()})
                continue
            waived_minor = sold_part(_waived(end, kind) - _waived(start, kind), shares)
            self.sold[kind] -= waived_minor
            self.waived += waived_minor
            received = parted(_received(end, kind) - _received(start, kind), shares)
            self._add(kind, {holder: -minor for holder, minor in received.items()})
        for holder, minor in parted(end.recovered_minor - start.recovered_minor, shares).items():
            self.recovered += minor
            self.holders[holder] += minor

    def _add(self, kind: str, changes_minor: Mapping[int, int]) -> None:
        """Of what a holder has more he owes the price; of what he has less he is owed it."""
        for holder, change_minor in changes_minor.items():
            self.sold[kind] += change_minor
            self.holders[holder] -= change_minor


def _changed(
    before_minor: int, after_minor: int, before: Mapping[int, int], after: Mapping[int, int]
) -> dict[int, int]:
    """By how much each holder's part of a balance changes, with the balance or with the shares."""
    was, is_now = parted(before_minor, before), parted(after_minor, after)
    return {h: is_now.get(h, 0) - was.get(h, 0) for h in was.keys() | is_now.keys()}


def _received(owed: Balances, kind: str) -> int:
    return {
        "interest": owed.interest_received_minor,
        "penalty": owed.penalty_received_minor,
        "fees": owed.fees_received_minor,
    }[kind]


def _waived(owed: Balances, kind: str) -> int:
    return {
        "interest": owed.interest_waived_minor,
        "penalty": owed.penalty_waived_minor,
        "fees": owed.fees_waived_minor,
    }[kind]


def _charged_off(owed: Balances, kind: str) -> int:
    return {
        "principal": owed.principal_charged_off_minor,
        "interest": owed.interest_charged_off_minor,
        "penalty": owed.penalty_charged_off_minor,
        "fees": owed.fees_charged_off_minor,
    }[kind]
