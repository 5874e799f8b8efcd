"""A market to draw in."""

import pytest
from tests.book.financing.market import Market, open_market

from tallystick.site.server import Server


@pytest.fixture
def market(database: Server) -> Market:
    return open_market()
