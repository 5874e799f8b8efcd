"""Who funds: lines of funders in programmes, and their shares in loans over time."""

from django.db import models
from django.db.models import F, Q


class FundingLine(models.Model):
    """What a funder will have drawn in a programme at most, and has. Own capital is one of them."""

    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    programme = models.CharField(max_length=64)
    funder = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    currency = models.CharField(max_length=3)
    rank = models.SmallIntegerField(default=1, help_text="which funder is asked first")
    limit_minor = models.BigIntegerField()
    drawn_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["legal_entity", "programme", "funder", "currency"],
                name="funding_line_once",
            ),
            models.CheckConstraint(
                condition=Q(drawn_minor__gte=0), name="funding_line_drawn_not_negative"
            ),
        ]


class Participation(models.Model):
    """A funder's share in a loan, from one day until before another; open shares sum to one.

    What a transfer changes is told anew: the row that no longer holds is superseded.
    """

    loan = models.ForeignKey("financing.Loan", on_delete=models.PROTECT)
    funder = models.ForeignKey(
        "parties.Party", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    share_ppm = models.IntegerField(help_text="parts per million of principal and interest")
    from_date = models.DateField()
    to_date = models.DateField(null=True)
    superseded_date = models.DateField(
        null=True, help_text="booking date from which it is known otherwise"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(share_ppm__gt=0, share_ppm__lte=1_000_000),
                name="participation_share_within_one",
            ),
            models.CheckConstraint(
                condition=Q(to_date=None) | Q(to_date__gt=F("from_date")),
                name="participation_dates_in_order",
            ),
        ]


class ShareTransfer(models.Model):
    """A share of a loan that a funder bought from the lender of record, or that came back.

    See ``rules.loan_shares.Transfer``. It counts from ``value_date``, also where it was booked
    later, and no longer once it was reversed.
    """

    loan = models.ForeignKey("financing.Loan", on_delete=models.PROTECT)
    holder = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    share_ppm = models.IntegerField(help_text="sold to the holder; below zero: bought back")
    value_date = models.DateField()
    booking_date = models.DateField()
    par_minor = models.BigIntegerField(help_text="its part of what was owed, as it was known")
    premium_minor = models.BigIntegerField(help_text="paid above par; below zero: less than par")
    reversed_date = models.DateField(null=True, help_text="booking date on which it was taken back")
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(share_ppm__gte=-1_000_000, share_ppm__lte=1_000_000) & ~Q(share_ppm=0),
                name="share_transfer_within_one",
            ),
            models.CheckConstraint(
                condition=Q(booking_date__gte=F("value_date")),
                name="share_transfer_not_in_the_future",
            ),
        ]
