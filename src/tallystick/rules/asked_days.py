"""How far from the first day of a credit without a last one a question may reach."""

from datetime import date

from tallystick.rules.refusal import Refusal

MAX_DAYS_ASKED = 7_305
"""Twenty years: later than that the day is mistyped, and periods would be counted for ever."""


class AskedTooLate(Refusal):
    """The day asked about lies further from the first day than any such credit runs."""

    def __init__(self, on: date, start_date: date) -> None:
        self.on = on
        super().__init__(
            f"{on} is more than {MAX_DAYS_ASKED} days after the first day, {start_date}. "
            "Check the year, and ask for an earlier day."
        )


def refuse_too_late(on: date, *, start_date: date) -> None:
    """Raise AskedTooLate for a day more than twenty years after ``start_date``."""
    if (on - start_date).days > MAX_DAYS_ASKED:
        raise AskedTooLate(on, start_date)
