"""Firms, our legal entities, related parties and users."""

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Upper


class Party(models.Model):
    """A firm, whatever its part: supplier, obligor, platform, funder, bank."""

    code = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)

    class Meta:
        indexes = [models.Index(Upper("name"), name="party_by_name")]

    def __str__(self) -> str:
        return self.code


class LegalEntity(models.Model):
    """One of our companies: it keeps books and has a business date.

    ``business_date`` is the open day. Only the close moves it (``servicing.close``); every act
    reads it under the entity's shared advisory lock, so that none is in flight when it moves.
    """

    code = models.CharField(max_length=64, unique=True)
    party = models.OneToOneField(Party, on_delete=models.PROTECT)
    time_zone = models.CharField(max_length=64)
    calendar = models.CharField(max_length=64, help_text="name known to book.calendars")
    opened_date = models.DateField()
    business_date = models.DateField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(business_date__gte=F("opened_date")),
                name="legal_entity_business_date_from_opening",
            )
        ]

    def __str__(self) -> str:
        return self.code


class RelatedParty(models.Model):
    """An obligor that belongs to the supplier's group: what it owes is not lent against."""

    supplier = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+")
    obligor = models.ForeignKey(Party, on_delete=models.PROTECT, related_name="+", db_index=False)
    from_date = models.DateField()
    to_date = models.DateField(null=True, help_text="first day on which it no longer holds")
    reason = models.CharField(max_length=500)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["supplier", "obligor"],
                condition=Q(to_date=None),
                name="related_party_once",
            ),
            models.CheckConstraint(
                condition=Q(to_date=None) | Q(to_date__gt=F("from_date")),
                name="related_party_dates_in_order",
            ),
        ]


class Role(models.TextChoices):
    OPERATOR = "operator", "operator"
    RISK_OFFICER = "risk_officer", "risk officer"
    APPROVER = "approver", "approver"
    TREASURY = "treasury", "treasury"
    SUPPLIER = "supplier", "supplier"
    AUDITOR = "auditor", "auditor"
    MACHINE = "machine", "machine client"


class Users(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> "User":
        return self.get(email__iexact=username)


class User(AbstractBaseUser):
    """A person or machine that signs in; suppliers' users belong to their firm."""

    email = models.EmailField(unique=True)
    name = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=20, choices=Role.choices)
    party = models.ForeignKey(Party, null=True, on_delete=models.PROTECT)
    is_active = models.BooleanField(default=True)
    must_change_password = models.BooleanField(
        default=False, help_text="somebody else knows it: it only lets in to choose another"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    objects = Users()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(role="supplier") | Q(party__isnull=False),
                name="supplier_user_has_a_firm",
            )
        ]

    def __str__(self) -> str:
        return self.email
