"""A client in a process of its own that draws, and notes what it has been told is done."""

import os
import sys
from pathlib import Path

from django.db import DatabaseError

from tallystick.site import databases


def draw_all(url: str, asked: list[dict[str, object]], acknowledged: Path) -> None:
    """Ask for one drawdown after the other; note key and loan of each that is answered.

    Ends with exit status 1 when the server is gone.
    """
    databases.join(url)
    # Django is set up only now.
    from tests.book.financing.market import request

    from tallystick.book.financing.draw_down import draw_down

    notes = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        for each in asked:
            drawdown = draw_down(request(**each))
            os.write(notes, f"{each['key']} {drawdown.loan}\n".encode())
    except DatabaseError:
        sys.exit(1)
