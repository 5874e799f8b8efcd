"""An entry of the navigation."""

from typing import NamedTuple

from tallystick.book.access.permissions import May


class Place(NamedTuple):
    """``view`` is a URL's name; pages whose names begin with it belong to the place."""

    label: str
    view: str
    act: May
