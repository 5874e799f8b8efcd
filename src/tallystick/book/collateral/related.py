"""Related parties: obligors of a supplier's own group, against which nothing is lent."""

from datetime import date

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.pools import bump, hold_suppliers
from tallystick.book.parties.business_date import open_day
from tallystick.book.parties.register import party_ids
from tallystick.rules.refusal import Refusal


class RelationUnchanged(Refusal):
    """Two firms are related already, or are not."""

    def __init__(self, *, supplier: str, obligor: str, related: bool) -> None:
        self.supplier = supplier
        self.obligor = obligor
        state = "is on record already" if related else "is not on record"
        super().__init__(
            f"{obligor} as a related party of {supplier} {state}; there is nothing to change."
        )


def relate(
    supplier: str, obligor: str, *, reason: str, legal_entity_id: int, caller: Caller, key: str
) -> date:
    """Put an obligor in a supplier's related set, from the open business day on; returns it.

    Bases computed before stay as recorded. Raises RelationUnchanged, KeyConflict.
    """
    request = {"supplier": supplier, "obligor": obligor, "reason": reason}
    with once(caller, key=key, kind="relate_parties", request=request) as act:
        if act.earlier is not None:
            return date.fromisoformat(act.earlier["from_date"])
        on = open_day(legal_entity_id)
        ids = party_ids([supplier, obligor])
        pools = hold_suppliers([ids[supplier]])
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO parties_relatedparty (supplier_id, obligor_id, from_date, reason)"
                " VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING",
                [ids[supplier], ids[obligor], on, reason],
            )
            if not cursor.rowcount:
                raise RelationUnchanged(supplier=supplier, obligor=obligor, related=True)
        bump(pool.id for pool in pools)
        act.answer({"from_date": on.isoformat()})
        return on


def unrelate(
    supplier: str, obligor: str, *, reason: str, legal_entity_id: int, caller: Caller, key: str
) -> date:
    """Take an obligor out of a supplier's related set; returns the first day without it.

    That is the open business day; for a relation put on record on that very day the next one.

    Raises RelationUnchanged, KeyConflict.
    """
    request = {"supplier": supplier, "obligor": obligor, "reason": reason}
    with once(caller, key=key, kind="unrelate_parties", request=request) as act:
        if act.earlier is not None:
            return date.fromisoformat(act.earlier["to_date"])
        on = open_day(legal_entity_id)
        ids = party_ids([supplier, obligor])
        pools = hold_suppliers([ids[supplier]])
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE parties_relatedparty SET to_date = greatest(%s, from_date + 1)"
                " WHERE supplier_id = %s AND obligor_id = %s AND to_date IS NULL"
                " RETURNING to_date",
                [on, ids[supplier], ids[obligor]],
            )
            row = cursor.fetchone()
        if row is None:
            raise RelationUnchanged(supplier=supplier, obligor=obligor, related=False)
        bump(pool.id for pool in pools)
        act.answer({"to_date": row[0].isoformat()})
        return row[0]
