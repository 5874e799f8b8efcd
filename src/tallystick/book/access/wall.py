"""The second wall: a firm's readings, with the database showing that firm's rows and no others.

The first wall is ``reach``, which every face reads through. Should a query forget it, behind this
one it finds nothing: PostgreSQL's row-level security holds, for the role ``tallystick_firm``.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from tallystick.book.access.viewer import Viewer
from tallystick.book.rights import FIRM_ROLE

_ENTER = f"""
SET TRANSACTION READ ONLY;
SET LOCAL ROLE {FIRM_ROLE};
SELECT set_config('tally.party', %s, true)
"""


@contextmanager
def behind_the_wall(viewer: Viewer) -> Iterator[None]:
    """Read as the viewer's firm, in one transaction that writes nothing.

    The house, which sees every firm, stays on this side. Acts do too: a drawdown takes from limits
    that firms share, so that it cannot be carried out as one of them; ``reach`` and the viewer's
    permissions bound it instead. May not be entered inside a transaction, which would go on as
    the firm afterwards.
    """
    if viewer.party_id is None:
        yield
        return
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        cursor.execute(_ENTER, [str(viewer.party_id)])
        yield
