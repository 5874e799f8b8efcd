"""Who lends a loan, in which parts."""

WHOLE_PPM = 1_000_000
"""The parts per million that the open shares of a loan sum to, always."""


def shares_of(funder_id: int) -> dict[int, int]:
    """The share of each funder in a new loan, in parts per million, by party id.

    A facility has one funding line, whose funder lends the whole; own capital is the first.
    """
    return {funder_id: WHOLE_PPM}
