"""Who lends a loan, in which parts."""

from tallystick.rules.loan_shares import WHOLE_PPM


def shares_of(funder_id: int) -> dict[int, int]:
    """The share of each funder in a new loan, in parts per million, by party id.

    A facility has one funding line, whose funder lends the whole; own capital is the first.
    """
    return {funder_id: WHOLE_PPM}
