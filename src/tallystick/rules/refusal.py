"""What every refusal has in common."""


class Refusal(Exception):  # noqa: N818 - the trade says refusal, not error
    """The platform declines, and says why and what would be accepted.

    A refusal is an answer, not a fault: nothing was written and the request may be corrected
    and sent again. Subclasses stand beside the function that raises them and carry the numbers
    of their message, so that each face can phrase them for its reader.
    """
