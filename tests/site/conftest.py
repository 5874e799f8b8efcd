"""What tests of backups begin with."""

import pytest
from tests.site.sealed import seal_two_days

from tallystick.site.server import Server


@pytest.fixture
def sealed(database: Server) -> Server:
    """A database with one legal entity and two sealed days."""
    seal_two_days(database)
    return database
