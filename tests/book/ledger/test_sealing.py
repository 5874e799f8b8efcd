"""Days are sealed one after the other; a seal never changes, and proves its entries."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection
from tests.book.ledger.house import BANK, OPENED, House, open_house

from tallystick.book.ledger.post import NoSuchEntry, post, reverse
from tallystick.book.ledger.prove import EntryNotSealed, SealBroken, prove
from tallystick.book.ledger.seal import (
    DayNotClosed,
    SealOutOfTurn,
    booked_entries,
    seal,
    sealed,
    seals,
)
from tallystick.rules.journal import Side, credit, debit
from tallystick.rules.proofs import proof_file, seals_file, verify_proof
from tallystick.rules.seals import (
    EMPTY_ROOT,
    NO_PREVIOUS_SEAL,
    SealedAccount,
    SealedBook,
    SealedPosting,
    leaf_hash,
    merkle_root,
)

DAY = timedelta(days=1)


def test_an_entry_is_sealed_with_the_names_of_its_accounts(house):
    post(
        house.entry(debit(house.principal, 60), debit(BANK, 40), credit(house.supplier_credit, 100))
    )
    house.close()

    (entry,) = booked_entries(house.legal_entity_id, OPENED)

    book = SealedBook("jd.jingbaobei", house.code, "normal")
    assert (entry.legal_entity, entry.currency) == (house.code, "CNY")
    assert entry.postings == [
        SealedPosting(SealedAccount("loan_principal", book, None), Side.DEBIT, 60),
        SealedPosting(SealedAccount("bank", None, None), Side.DEBIT, 40),
        SealedPosting(
            SealedAccount("supplier_credit", None, f"{house.code}-SELLER"), Side.CREDIT, 100
        ),
    ]


def test_each_seal_names_the_one_before_and_empty_days_are_sealed_too(house):
    post(house.entry())
    post(house.entry())
    for _ in range(3):
        house.close()

    first, second, third = seals(house.legal_entity_id)

    assert [day.date for day in (first, second, third)] == [OPENED, OPENED + DAY, OPENED + 2 * DAY]
    assert [day.entry_count for day in (first, second, third)] == [2, 0, 0]
    assert first.previous_seal == NO_PREVIOUS_SEAL
    assert second.previous_seal == first.seal()
    assert third.previous_seal == second.seal()
    assert first.merkle_root == merkle_root(
        [leaf_hash(entry.form()) for entry in booked_entries(house.legal_entity_id, OPENED)]
    )
    assert second.merkle_root == EMPTY_ROOT


def test_a_back_dated_entry_lands_in_todays_seal_and_no_earlier_seal_changes(house):
    post(house.entry())
    house.close()
    before = sealed(house.legal_entity_id, OPENED)

    back_dated = post(house.entry(value_date=OPENED))
    house.close()

    assert sealed(house.legal_entity_id, OPENED) == before
    assert prove(back_dated).header.date == OPENED + DAY


def test_sealing_a_sealed_day_again_gives_the_seal_it_has(house):
    post(house.entry())
    house.close()

    assert seal(house.legal_entity_id, OPENED) == sealed(house.legal_entity_id, OPENED)
    assert len(seals(house.legal_entity_id)) == 1


def test_an_open_day_cannot_be_sealed(house):
    with pytest.raises(DayNotClosed, match="Close the day first"):
        seal(house.legal_entity_id, OPENED)


@pytest.mark.parametrize("day", [OPENED + DAY, OPENED - DAY])
def test_a_day_out_of_turn_cannot_be_sealed(house, day):
    house.roll(days=3)

    with pytest.raises(SealOutOfTurn, match=f"the next day to seal is {OPENED}"):
        seal(house.legal_entity_id, day)


@pytest.mark.parametrize(
    ("changed", "constraint"),
    [
        pytest.param({"date": OPENED + DAY}, "does not follow", id="a day left out"),
        pytest.param({"previous_hash": b"x" * 32}, "does not follow", id="another previous seal"),
        pytest.param({"entry_count": 2}, "there are 1", id="another count"),
    ],
)
def test_the_database_refuses_a_seal_that_does_not_fit(house, changed, constraint):
    post(house.entry())
    house.roll(days=2)
    fields = {
        "legal_entity_id": house.legal_entity_id,
        "date": OPENED,
        "entry_count": 1,
        "merkle_root": b"r" * 32,
        "previous_hash": NO_PREVIOUS_SEAL,
        "seal_hash": b"s" * 32,
    } | changed

    with pytest.raises(IntegrityError, match=constraint), connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO ledger_seal ({', '.join(fields)})"
            f" VALUES ({', '.join(['%s'] * len(fields))})",
            list(fields.values()),
        )


def test_the_database_refuses_a_seal_of_an_open_day(house):
    with pytest.raises(IntegrityError, match="still open"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO ledger_seal (legal_entity_id, date, entry_count, merkle_root,"
            " previous_hash, seal_hash) VALUES (%s, %s, 0, %s, %s, %s)",
            [house.legal_entity_id, OPENED, EMPTY_ROOT, NO_PREVIOUS_SEAL, b"s" * 32],
        )


def test_every_entry_of_a_day_is_proved_by_its_seal_and_by_no_other(house):
    other = open_house(f"OTHER-{house.code}")
    ids = [post(house.entry(reference=f"capital:{number}")) for number in range(5)]
    post(other.entry())
    ids.append(reverse(ids[0], event="undone", booking_date=OPENED))
    house.close()
    other.close()
    kept = seals_file(seals(house.legal_entity_id))

    for position, entry_id in enumerate(ids):
        proof = prove(entry_id)
        assert (proof.entry["entry"], proof.leaf_index) == (entry_id, position)
        assert verify_proof(proof_file(proof), kept) == proof


def test_an_entry_of_an_open_day_cannot_be_proved_yet(house):
    entry_id = post(house.entry())

    with pytest.raises(EntryNotSealed, match=f"tally close --through {OPENED}"):
        prove(entry_id)
    with pytest.raises(NoSuchEntry):
        prove(10**15)


def test_nothing_is_proved_from_a_day_that_was_tampered_with(house: House, owner):
    entry_id = post(house.entry())
    tampered_id = post(house.entry())
    house.close()
    owner.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
    owner.execute("UPDATE ledger_entry SET reference = 'else' WHERE id = %s", (tampered_id,))
    owner.execute("ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_only_grows")
    owner.execute("ALTER TABLE ledger_entry ENABLE ALWAYS TRIGGER ledger_entry_checked")

    with pytest.raises(SealBroken, match="tally verify"):
        prove(entry_id)
