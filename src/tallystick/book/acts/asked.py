"""Questions about acts."""

from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller


def was_asked(caller: Caller, key: str) -> bool:
    """Whether the caller's firm or client has used this request key before."""
    return Act.objects.filter(owner=caller.owner, key=key.replace("\x00", "")).exists()
