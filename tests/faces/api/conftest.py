"""A world to ask about, new for each test."""

import pytest
from tests.faces.api.world import World, a_world

from tallystick.site.server import Server


@pytest.fixture
def world(database: Server) -> World:
    return a_world()
