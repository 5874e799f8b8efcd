"""Prove to somebody without access to the database that an entry is part of a sealed day."""

from datetime import date

from django.db import transaction

from tallystick.book.ledger.post import journal_entry
from tallystick.book.ledger.seal import booked_entries, sealed
from tallystick.rules.proofs import Proof
from tallystick.rules.refusal import Refusal
from tallystick.rules.seals import inclusion_path, leaf_hash, merkle_root


class EntryNotSealed(Refusal):
    """The day in which an entry was booked has no seal yet."""

    def __init__(self, *, entry_id: int, booking_date: date) -> None:
        self.entry_id = entry_id
        self.booking_date = booking_date
        super().__init__(
            f"Entry {entry_id} cannot be proved yet: the day it was booked in, {booking_date}, "
            f"is not sealed. Run `./tally close --through {booking_date}`, then ask again."
        )


class SealBroken(Refusal):
    """The entries of a day are not those that were sealed."""

    def __init__(self, *, day: date) -> None:
        self.day = day
        super().__init__(
            f"The entries booked in {day} are not those that were sealed, so none of them can be "
            "proved. `./tally verify` tells what differs; restore the books from a backup."
        )


def prove(entry_id: int) -> Proof:
    """The entry, its path to its day's root, and that day's seal.

    Reads the whole day: the path is made of its other entries' hashes.

    Raises NoSuchEntry, EntryNotSealed, SealBroken.
    """
    entry = journal_entry(entry_id)
    header = sealed(entry.legal_entity_id, entry.booking_date)
    if header is None:
        raise EntryNotSealed(entry_id=entry_id, booking_date=entry.booking_date)
    leaves = []
    with transaction.atomic():
        for booked in booked_entries(entry.legal_entity_id, entry.booking_date):
            form = booked.form()
            if booked.entry_id == entry_id:
                leaf_index, entry_form = len(leaves), form
            leaves.append(leaf_hash(form))
    if merkle_root(leaves) != header.merkle_root or len(leaves) != header.entry_count:
        raise SealBroken(day=entry.booking_date)
    return Proof(
        entry=entry_form,
        leaf_index=leaf_index,
        path=inclusion_path(leaves, leaf_index),
        header=header,
    )
