"""Security interests: the funder's right in a pool, as filed with the registry."""

from datetime import date, timedelta

from django.db import connection

from tallystick.book.collateral.models import Pool, SecurityInterest
from tallystick.book.collateral.pools import hold_suppliers
from tallystick.rules.money import text_from_minor
from tallystick.rules.refusal import Refusal


class StillDrawn(Refusal):
    """Money is drawn against the pool; the right that secures it is not given up."""

    def __init__(self, *, pool: str, currency: str, drawn_minor: int) -> None:
        self.pool = pool
        self.drawn_minor = drawn_minor
        super().__init__(
            f"The security interest in pool {pool} cannot be released: {currency} "
            f"{text_from_minor(drawn_minor, currency)} is drawn against it. Have it repaid first."
        )


def file_interest(
    pool_id: int,
    *,
    secured_party_id: int,
    from_date: date,
    to_date: date,
    filing_number: str = "",
) -> int:
    """Record a security interest in every claim assigned to a pool, now or later; returns its id.

    It holds from ``from_date`` until before ``to_date``. In the caller's transaction.
    """
    interest = SecurityInterest.objects.create(
        pool_id=pool_id,
        secured_party_id=secured_party_id,
        filing_number=filing_number,
        from_date=from_date,
        to_date=to_date,
    )
    return int(interest.pk)


def release_interest(interest_id: int, *, on: date) -> None:
    """End a security interest: ``on`` is the first day without it, or the day after it began.

    In the caller's transaction. Raises StillDrawn while money is drawn against the pool.
    """
    interest = SecurityInterest.objects.get(pk=interest_id)
    pool = Pool.objects.get(pk=interest.pool_id)
    # A drawdown locks the pool too, so that nothing is drawn in between.
    hold_suppliers([pool.supplier_id])
    with connection.cursor() as cursor:
        cursor.execute("SELECT drawn_minor FROM financing_facility WHERE pool_id = %s", [pool.pk])
        row = cursor.fetchone()
    if row and row[0]:
        raise StillDrawn(pool=pool.code, currency=pool.currency, drawn_minor=row[0])
    ends_date = max(on, interest.from_date + timedelta(days=1))
    SecurityInterest.objects.filter(pk=interest_id, to_date__gt=ends_date).update(to_date=ends_date)
