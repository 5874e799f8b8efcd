"""The register of firms: whoever a document names is in it."""

from collections.abc import Iterable, Mapping

from django.db import connection

from tallystick.rules.hidden_characters import name_as_written


def party_ids(codes: Iterable[str], names: Mapping[str, str] | None = None) -> dict[str, int]:
    """The ids of firms by code. A code not yet known is registered, in the caller's transaction.

    ``names``: what new firms are called; without one a firm is called by its code. Firms already
    registered keep their names. Raises NotAName.
    """
    asked = sorted(set(codes))
    called = {code: name_as_written(name) for code, name in (names or {}).items()}
    with connection.cursor() as cursor:
        ids = _registered(cursor, asked)
        if missing := [code for code in asked if code not in ids]:
            # In order of code, so that two acts registering the same firms wait for each other
            # one way only; whoever comes second finds them registered.
            cursor.execute(
                "INSERT INTO parties_party (code, name)"
                " SELECT * FROM unnest(%s::text[], %s::text[])"
                " ON CONFLICT (code) DO NOTHING",
                [missing, [called.get(code, code) for code in missing]],
            )
            ids |= _registered(cursor, missing)
    return ids


def _registered(cursor, codes: list[str]) -> dict[str, int]:
    cursor.execute("SELECT code, id FROM parties_party WHERE code = ANY(%s)", [codes])
    return dict(cursor.fetchall())
