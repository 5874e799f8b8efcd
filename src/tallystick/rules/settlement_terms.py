"""The terms by which a settlement repays: in which order, how far, and of which loans."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from tallystick.rules.instalment_terms import Axis
from tallystick.rules.loan_terms import BACKWARDS, USUAL_ORDERS, Bucket, Debt, KindOrders
from tallystick.rules.terms_file import Table

WHOLE_BPS = 10_000
USUAL_PRIORITY = 100
MAX_PRIORITY = 1_000


class Sweep(StrEnum):
    """How much principal that is not yet due a settlement repays."""

    ALL = "all"
    """All of it, as far as the settlement goes."""
    COVER = "cover"
    """Down to the cover that the pool's remaining claims give."""


class Others(StrEnum):
    """What of a facility's loans the settlements of its supplier's other facilities repay."""

    NONE = "none"
    """Nothing: what those settlements leave is paid out to the supplier."""
    DUE = "due"
    """What has fallen due."""
    ALL = "all"
    """What has not fallen due as well."""


@dataclass(frozen=True, slots=True)
class SettlementTerms:
    """In which order a settlement repays, and how far.

    ``swept_bps`` of a settlement repay at most, and ``held_back_bps`` are kept as the supplier's
    credit; the rest is the supplier's at once. ``others``: whether settlements of the supplier's
    other facilities repay loans here too, where the lower ``others_priority`` comes first.
    ``waterfall`` is the order of every receipt whose kind has none in ``orders``; ``axis`` says
    whether it runs bucket by bucket over all loans or loan by loan, the oldest first.
    """

    sweep: Sweep
    waterfall: tuple[Bucket, ...]
    axis: Axis = Axis.BY_PART
    orders: KindOrders = USUAL_ORDERS
    swept_bps: int = WHOLE_BPS
    held_back_bps: int = 0
    others: Others = Others.NONE
    others_priority: int = USUAL_PRIORITY


def settlement_in(table: Table) -> SettlementTerms:
    """The terms as the file's ``[settlement]`` table gives them, with its errors noted there."""
    written = [key for key in _SETTLEMENT_CHOICES if key in table.content]
    terms = SettlementTerms(
        sweep=table.choice("sweep", Sweep),
        waterfall=table.each_once("waterfall", Bucket),
        axis=table.choice("axis", Axis) if "axis" in table.content else Axis.BY_PART,
        orders=_orders(table.table("orders")) if "orders" in table.content else USUAL_ORDERS,
        swept_bps=_whole(table, "swept_bps", lowest=1, highest=WHOLE_BPS, usual=WHOLE_BPS),
        held_back_bps=_whole(table, "held_back_bps", lowest=0, highest=WHOLE_BPS - 1, usual=0),
        others=table.choice("others", Others) if "others" in table.content else Others.NONE,
        others_priority=_whole(
            table, "others_priority", lowest=0, highest=MAX_PRIORITY, usual=USUAL_PRIORITY
        ),
    )
    if terms.swept_bps + terms.held_back_bps > WHOLE_BPS:
        table.refuse(
            "held_back_bps",
            f"Hold back {WHOLE_BPS - terms.swept_bps} at most: {terms.swept_bps} are swept.",
        )
    _refuse_early_prepayment(table, "waterfall", terms.waterfall)
    bounded = terms.sweep is Sweep.COVER or terms.others is Others.DUE
    if bounded and terms.waterfall[-1] is not Bucket.PRINCIPAL_NOT_DUE:
        # Otherwise a loan's own order would repay principal that the sweep leaves outstanding.
        table.refuse(
            "waterfall",
            "Let principal_not_due come last: a sweep down to cover, or of what is due, leaves a "
            "part of it.",
        )
    table.finish(cited=("sweep", "waterfall", *written))
    return terms


_SETTLEMENT_CHOICES = ("axis", "swept_bps", "held_back_bps", "others", "others_priority")
"""Terms of a settlement that may be left out."""


def _orders(table: Table) -> KindOrders:
    """Orders of single kinds of transaction: those that are not the waterfall's."""
    written = [key for key in _KINDS_WITH_ORDERS if key in table.content]
    orders = KindOrders(
        remitted=_buckets(table, "remitted") if "remitted" in written else None,
        repaid=_buckets(table, "repaid") if "repaid" in written else None,
        recovered=table.each_once("recovered", Debt) if "recovered" in written else None,
        charged_back=(
            table.each_once("charged_back", Debt) if "charged_back" in written else BACKWARDS
        ),
    )
    if not written:
        table.refuse("", f"Give an order for {' or '.join(_KINDS_WITH_ORDERS)}, or remove it.")
    table.finish(cited=written)
    return orders


_KINDS_WITH_ORDERS = ("remitted", "repaid", "recovered", "charged_back")
"""Kinds of transaction that may have an order of their own."""


def _buckets(table: Table, key: str) -> tuple[Bucket, ...]:
    order = table.each_once(key, Bucket)
    if not _refuse_early_prepayment(table, key, order):
        return order
    return tuple(Bucket)


def _refuse_early_prepayment(table: Table, key: str, order: Sequence[Bucket]) -> bool:
    """Refuse an order that the loans would: what is repaid counts against the oldest instalment."""
    is_early = order.index(Bucket.PRINCIPAL_NOT_DUE) < order.index(Bucket.PRINCIPAL_DUE)
    if is_early:
        table.refuse(key, "Let principal_due come before principal_not_due.")
    return is_early


def _whole(table: Table, key: str, *, lowest: int, highest: int, usual: int) -> int:
    """A whole number that may be left out."""
    if key not in table.content:
        return usual
    return table.whole_number(key, lowest=lowest, highest=highest)
