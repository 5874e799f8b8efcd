"""A loan's balances as a picture, beside the table that says the same."""

from django.utils.translation import gettext as _

from tallystick.faces import charts
from tallystick.rules.loan_timeline import Timeline
from tallystick.rules.money import minor_digits


def balances_picture(over_time: Timeline, currency: str) -> str:
    """Balances over the loan's life; from the day asked about on, as they will be if it is paid."""
    if len(over_time.points) < 2:
        return ""
    unit = 10 ** minor_digits(currency)
    return charts.cached(
        charts.lines,
        [point.on for point in over_time.points],
        {
            _("Principal"): [point.principal_minor / unit for point in over_time.points],
            _("Interest, penalty interest and fees"): [
                point.charges_minor / unit for point in over_time.points
            ],
        },
        unit="",  # stands beside the heading: amounts in full leave no room for it
    )
