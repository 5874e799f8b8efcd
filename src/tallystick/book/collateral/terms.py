"""A pool's terms: kept once per content, in force from a day on."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import Any

from django.db import connection

from tallystick.book.acts.once import Caller, once
from tallystick.book.collateral.models import Pool, PoolTerms
from tallystick.book.collateral.pools import UnknownPool, bump, hold_suppliers
from tallystick.book.parties.business_date import open_day
from tallystick.rules.canonical import canonical_json
from tallystick.rules.pool_terms import BASIS_POINTS, Terms, refuse_outside

_OVERRIDES = "concentration_override_bps"


@dataclass(frozen=True, slots=True)
class TermsOfPool:
    """What a base is computed by: the terms, and limits of its own for single obligors (by code,
    in basis points), which replace the common concentration limit.

    Raises TermOutOfBounds.
    """

    terms: Terms
    concentration_override_bps: Mapping[str, int]

    def __post_init__(self) -> None:
        for obligor, limit_bps in self.concentration_override_bps.items():
            refuse_outside(BASIS_POINTS, key=f"{_OVERRIDES}.{obligor}", value=limit_bps)

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self.terms), _OVERRIDES: dict(self.concentration_override_bps)}

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "TermsOfPool":
        terms = {key: value for key, value in content.items() if key != _OVERRIDES}
        return cls(Terms(**terms), content.get(_OVERRIDES, {}))


def keep_terms(terms: TermsOfPool) -> int:
    """The id of these terms, which are stored if they are new; in the caller's transaction."""
    content = canonical_json(terms.as_json())
    digest = sha256(content).digest()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO collateral_poolterms (sha256, terms) VALUES (%s, %s)"
            " ON CONFLICT (sha256) DO NOTHING",
            [digest, content.decode()],
        )
        cursor.execute("SELECT id FROM collateral_poolterms WHERE sha256 = %s", [digest])
        (terms_id,) = cursor.fetchone()
    return terms_id


def terms_by_id(terms_id: int) -> TermsOfPool:
    """The terms kept under an id."""
    return _read(str(connection.settings_dict["NAME"]), terms_id)


@lru_cache(maxsize=1024)
def _read(database: str, terms_id: int) -> TermsOfPool:
    # Terms under an id never change, but another database has others under it.
    del database
    return TermsOfPool.from_json(PoolTerms.objects.get(pk=terms_id).terms)


def put_in_force(pool_id: int, terms_id: int, *, from_date: date, act_id: int) -> None:
    """Note since when a pool has its terms."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO collateral_termsinforce (pool_id, terms_id, from_date, act_id)"
            " VALUES (%s, %s, %s, %s)",
            [pool_id, terms_id, from_date, act_id],
        )


def change_terms(pool: str, terms: TermsOfPool, *, caller: Caller, key: str) -> bool:
    """Give a pool (by code) other terms from the open business day on.

    Answers whether they differ from those in force. Bases computed before stay as recorded.

    Raises UnknownPool, KeyConflict.
    """
    request = {"pool": pool, "terms": json.dumps(terms.as_json(), sort_keys=True)}
    with once(caller, key=key, kind="change_pool_terms", request=request) as act:
        if act.earlier is not None:
            return bool(act.earlier["changed"])
        row = Pool.objects.filter(code=pool).values("id", "supplier_id", "legal_entity_id").first()
        if row is None:
            raise UnknownPool(pool)
        business_date = open_day(row["legal_entity_id"])
        hold_suppliers([row["supplier_id"]])
        terms_id = keep_terms(terms)
        changed = bool(
            Pool.objects.filter(pk=row["id"]).exclude(terms=terms_id).update(terms=terms_id)
        )
        if changed:
            put_in_force(row["id"], terms_id, from_date=business_date, act_id=act.act_id)
            bump([row["id"]])
        act.answer({"changed": changed})
        return changed
