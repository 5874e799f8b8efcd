"""Reading a dunning ladder from a TOML file: each value checked where it stands.

::

    max_days_past_due = 2

    [[step]]
    name = "reminder"
    min_days_past_due = 3
    letter = "reminder"
    channel = "mail"
    recipient = "firm"
    min_wait_days = 0
"""

import tomllib
from datetime import date

from tallystick.rules.dunning import (
    MAX_DAYS,
    Channel,
    Ladder,
    Letter,
    Recipient,
    Step,
    UnusableLadder,
)
from tallystick.rules.refusal import Refusal
from tallystick.rules.terms_file import Table, TermError, syntax_error
from tallystick.rules.toml_lines import key_lines


class InvalidLadderFile(Refusal):
    """A ladder file cannot be used; each error names its line, key, value and remedy."""

    def __init__(self, errors: list[TermError]) -> None:
        self.errors = tuple(sorted(errors, key=lambda error: error.line))
        super().__init__("\n".join(str(error) for error in self.errors))


def read_ladder(text: str, *, file: str, from_date: date) -> Ladder:
    """The ladder in ``text``, in force from ``from_date``; ``file`` is what refusals call it.

    Raises InvalidLadderFile with everything that is wrong.
    """
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidLadderFile([syntax_error(error, text=text, file=file)]) from None
    errors: list[TermError] = []
    top = Table(content, file=file, lines=key_lines(text), errors=errors)
    max_days_past_due = top.whole_number("max_days_past_due", lowest=0, highest=MAX_DAYS)
    steps = tuple(_step(table) for table in top.tables("step"))
    top.finish()
    if errors:
        raise InvalidLadderFile(errors)
    try:
        return Ladder(from_date, max_days_past_due, steps)
    except UnusableLadder as refusal:
        top.refuse("", str(refusal))
        raise InvalidLadderFile(errors) from None


def _step(table: Table) -> Step:
    step = Step(
        name=table.text("name"),
        min_days_past_due=table.whole_number("min_days_past_due", lowest=1, highest=MAX_DAYS),
        letter=table.choice("letter", Letter),
        channel=table.choice("channel", Channel),
        recipient=table.choice("recipient", Recipient),
        min_wait_days=table.whole_number("min_wait_days", lowest=0, highest=MAX_DAYS),
    )
    table.finish()
    return step
