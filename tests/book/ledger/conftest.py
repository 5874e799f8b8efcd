"""One database for all tests of a module: what is booked in it cannot be taken out again.

Each test opens a legal entity of its own, and sees nothing of the others'.
"""

import secrets
from collections.abc import Iterator

import psycopg
import pytest
from tests.book.ledger.house import House, open_house

from tallystick.site import databases
from tallystick.site.server import Server


@pytest.fixture(scope="module")
def shared_database(postgres: Server, template: Server) -> Iterator[Server]:
    clone = postgres.named(f"tallystick_test_{secrets.token_hex(4)}")
    databases.create(clone, at=postgres, template=template.database)
    databases.use(clone)
    yield clone
    databases.leave()
    databases.drop(clone, at=postgres)


@pytest.fixture
def house(shared_database: Server) -> House:
    return open_house(f"HOUSE-{secrets.token_hex(4)}")


@pytest.fixture
def owner(shared_database: Server) -> Iterator[psycopg.Connection]:
    """The role that owns the tables: what holds for it holds for everybody."""
    with shared_database.connect() as owner:
        yield owner
