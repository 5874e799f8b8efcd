"""A legal entity with open books, and entries to put into them."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import connection, transaction

from tallystick.book.ledger.models import Book, Entry
from tallystick.book.ledger.seal import seal
from tallystick.book.parties.models import LegalEntity, Party
from tallystick.rules.journal import AccountName, JournalEntry, credit, debit

OPENED = date(2026, 1, 5)

BANK = AccountName("bank")
CAPITAL = AccountName("capital")
SUSPENSE = AccountName("settlement_suspense")


@dataclass(frozen=True, slots=True)
class House:
    """A company of ours, one of its suppliers, and its loan book."""

    legal_entity_id: int
    party_id: int
    book_id: int
    code: str

    @property
    def supplier_credit(self) -> AccountName:
        return AccountName("supplier_credit", party=self.party_id)

    @property
    def principal(self) -> AccountName:
        return AccountName("loan_principal", book=self.book_id)

    @property
    def entry_count(self) -> int:
        return Entry.objects.filter(legal_entity=self.legal_entity_id).count()

    def open_day(self) -> date:
        return LegalEntity.objects.get(pk=self.legal_entity_id).business_date

    def roll(self, *, days: int = 1) -> date:
        """Open the next day without sealing anything; returns it."""
        day = self.open_day() + timedelta(days=days)
        with transaction.atomic():
            LegalEntity.objects.filter(pk=self.legal_entity_id).update(business_date=day)
        return day

    def close(self) -> date:
        """Close and seal the open day; returns the day now open."""
        closing = self.open_day()
        opened = self.roll()
        seal(self.legal_entity_id, closing)
        return opened

    def entry(self, *postings, booking_date=None, value_date=None, **fields) -> JournalEntry:
        """A capital payment of 100 unless ``postings`` say otherwise, booked in the open day."""
        booking_date = booking_date or self.open_day()
        return JournalEntry(
            legal_entity_id=self.legal_entity_id,
            currency=fields.pop("currency", "CNY"),
            event=fields.pop("event", "capital_paid_in"),
            reference=fields.pop("reference", "capital:1"),
            value_date=value_date or booking_date,
            booking_date=booking_date,
            postings=postings or (debit(BANK, 100), credit(CAPITAL, 100)),
            **fields,
        )


def open_house(code: str = "HOUSE") -> House:
    party = Party.objects.create(code=code, name=code)
    supplier = Party.objects.create(code=f"{code}-SELLER", name="Seller")
    entity = LegalEntity.objects.create(
        code=code,
        party=party,
        time_zone="Asia/Shanghai",
        calendar="china",
        opened_date=OPENED,
        business_date=OPENED,
    )
    book = Book.objects.create(
        legal_entity=entity,
        programme="jd.jingbaobei",
        funder=party,
        currency="CNY",
        asset_class="normal",
    )
    return House(entity.pk, supplier.pk, book.pk, code)


@contextmanager
def another_session():
    """A thread with a connection of its own; ``submit`` to it what shall happen elsewhere."""
    with ThreadPoolExecutor(1) as elsewhere:
        try:
            yield elsewhere
        finally:
            elsewhere.submit(lambda: connection.close()).result()


def waits_for_lock(pid: int) -> bool:
    """True while the database session ``pid`` waits for somebody else's lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT cardinality(pg_blocking_pids(%s)) > 0", [pid])
        return cursor.fetchone()[0]
