"""Pools: which claims secure which facility, and what they are worth as collateral."""

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now


class PoolTerms(models.Model):
    """Terms under which a base is computed, kept once per content; append-only.

    ``terms``: the fields of ``rules.pool_terms.Terms``, and ``concentration_override_bps``
    (obligor's code → basis points).
    """

    sha256 = models.BinaryField(max_length=32, unique=True)
    terms = models.JSONField()


class Pool(models.Model):
    """One supplier's claims that secure one facility.

    ``version`` goes up in the transaction of whatever changes the pool's claims, assignments,
    terms, related parties or overrides. The ``base_`` columns are the latest computed base;
    it is current while ``base_version`` equals ``version`` and ``base_date`` the day asked for.
    """

    code = models.CharField(max_length=64, unique=True)
    legal_entity = models.ForeignKey("parties.LegalEntity", on_delete=models.PROTECT)
    supplier = models.ForeignKey(
        "parties.Party", on_delete=models.PROTECT, related_name="+", db_index=False
    )
    currency = models.CharField(max_length=3)
    terms = models.ForeignKey(PoolTerms, on_delete=models.PROTECT, db_index=False)
    rank = models.SmallIntegerField(
        default=1, help_text="which of a supplier's pools a new claim joins: lowest first"
    )
    version = models.BigIntegerField(default=1)
    base_version = models.BigIntegerField(default=0)
    base_date = models.DateField(null=True)
    base_minor = models.BigIntegerField(default=0)
    cover_minor = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["supplier", "currency", "rank"], name="pool_rank_once")
        ]


class PoolBase(models.Model):
    """A base as it was computed: kept, so that past decisions stay as recorded."""

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, db_index=False)
    date = models.DateField()
    version = models.BigIntegerField()
    terms = models.ForeignKey(PoolTerms, on_delete=models.PROTECT, db_index=False)
    result = models.JSONField(help_text="the row of rules.receivables.borrowing_base")
    computed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pool", "date", "version"], name="pool_base_once")
        ]


class TermsInForce(models.Model):
    """A pool's terms from the business day ``from_date`` on, until others follow; append-only.

    Terms change on the open business day only, so that the day is also the booking date. Of two
    changes on one day the later one holds.
    """

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, db_index=False)
    terms = models.ForeignKey(PoolTerms, on_delete=models.PROTECT, db_index=False)
    from_date = models.DateField()
    act = models.ForeignKey("acts.Act", on_delete=models.PROTECT, db_index=False)

    class Meta:
        indexes = [models.Index(fields=["pool", "from_date"], name="terms_in_force_by_pool")]


class Assignment(models.Model):
    """A claim's former pool: it belonged to it from ``from_date`` until before ``to_date``.

    Its present pool is on the claim's own row, so that a claim cannot be in two pools at a time.
    Claims join and leave on the open business day only, so that the days are also booking dates.
    """

    claim = models.ForeignKey("trade.Claim", on_delete=models.PROTECT)
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, db_index=False)
    from_date = models.DateField()
    to_date = models.DateField()
    act = models.ForeignKey(
        "acts.Act", on_delete=models.PROTECT, db_index=False, help_text="that ended it"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(to_date__gte=F("from_date")), name="assignment_dates_in_order"
            ),
        ]


class SecurityInterest(models.Model):
    """The funder's right in a pool, as filed: it covers every claim assigned to the pool."""

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT)
    secured_party = models.ForeignKey("parties.Party", on_delete=models.PROTECT, related_name="+")
    filing_number = models.CharField(max_length=100, blank=True)
    from_date = models.DateField()
    to_date = models.DateField(help_text="first day on which it no longer holds")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(to_date__gt=F("from_date")), name="security_interest_dates_in_order"
            )
        ]
