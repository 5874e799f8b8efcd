"""Entries of the navigation."""

from collections.abc import Sequence
from typing import NamedTuple

from tallystick.book.access.permissions import May


class Place(NamedTuple):
    """``view`` is a URL's name; pages whose names begin with it belong to the place."""

    label: str
    view: str
    act: May


class Group(NamedTuple):
    """Places that one comes to for the same reason; those of a group are shown together."""

    label: str
    places: Sequence[Place]
