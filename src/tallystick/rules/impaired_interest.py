"""On what a loan bears interest once it is credit-impaired."""

CREDIT_IMPAIRED_STAGE = 3


def interest_basis_minor(
    *, stage: int, principal_minor: int, accrued_minor: int, allowance_minor: int
) -> int:
    """The amount that interest income is recognised on, in minor units.

    Stages 1 and 2: the principal. Stage 3: the gross carrying amount (principal and accrued
    interest) less the allowance, never below zero.

    Source: IFRS 9, 5.4.1; simple interest, so that accrued interest bears none before stage 3.
    """
    if stage != CREDIT_IMPAIRED_STAGE:
        return principal_minor
    return max(0, principal_minor + accrued_minor - allowance_minor)
