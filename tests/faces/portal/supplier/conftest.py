"""Suppliers to look at their own pages, all in one database."""

from itertools import count

import pytest
from tests.faces.portal.supplier.seller import Seller
from tests.faces.portal.supplier.seller import seller as opened_seller

from tallystick.site.server import Server

_numbers = count(1)


@pytest.fixture
def seller(shared_database: Server) -> Seller:
    return opened_seller(next(_numbers))
