"""Acts that are not done without saying why."""

from tallystick.book.acts.once import Caller
from tallystick.rules.refusal import Refusal


class ReasonMissing(Refusal):
    """The act changes what somebody owes, or decides on it, and nobody said why."""

    def __init__(self, what: str) -> None:
        super().__init__(f"To {what} takes a reason, for those who read the books later.")


def refuse_unreasoned(caller: Caller, what: str) -> None:
    """Raise ReasonMissing where ``caller`` does not say why; ``what`` is the act."""
    if not caller.reason.strip():
        raise ReasonMissing(what)
