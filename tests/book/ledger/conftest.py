"""What is booked cannot be taken out again: each test opens a legal entity of its own.

It sees nothing of the others', and so a module needs one database only.
"""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from tests.book.ledger.house import House, open_house

from tallystick.site.server import Server


@pytest.fixture
def house(shared_database: Server) -> House:
    return open_house(f"HOUSE-{secrets.token_hex(4)}")


@pytest.fixture
def owner(shared_database: Server) -> Iterator[psycopg.Connection]:
    """The role that owns the tables: what holds for it holds for everybody."""
    with shared_database.connect() as owner:
        yield owner
