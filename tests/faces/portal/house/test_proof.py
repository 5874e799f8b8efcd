"""Verify a proof against kept seals: what holds is told in words, and so is what fails."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import START
from tests.faces.portal.house.office import LANGUAGES, STAFF, signed_in, text_of

from tallystick.book.ledger.models import Entry
from tallystick.book.ledger.prove import prove
from tallystick.book.ledger.seal import seals
from tallystick.book.parties.models import Role
from tallystick.book.servicing.close import close_day
from tallystick.rules.canonical import canonical_json
from tallystick.rules.proofs import Proof, proof_file, seals_file
from tallystick.rules.seals import NO_PREVIOUS_SEAL, SealHeader, leaf_hash


@pytest.fixture(scope="module")
def files(shared_database) -> tuple[bytes, bytes]:
    scene = scenes.opened()
    close_day(scene.legal_entity_id, scene.today)
    first = Entry.objects.order_by("id").first()
    return proof_file(prove(first.pk)), seals_file(seals(scene.legal_entity_id))


def verified(proof: bytes, kept: bytes, *, role=Role.AUDITOR, language="en"):
    return signed_in(role, language=language).post(
        reverse("house-proof"),
        {
            "proof": SimpleUploadedFile("proof.json", proof),
            "seals": SimpleUploadedFile("seals.jsonl", kept),
        },
    )


@pytest.mark.parametrize("role", STAFF)
def test_everybody_of_the_house_may_verify(files, role):
    answer = verified(*files, role=role)

    assert answer.status_code == 200
    assert "The proof holds" in text_of(answer)
    assert "is number 1 of the 1 that LENDER booked on" in text_of(answer)


def test_a_supplier_may_not(files):
    assert verified(*files, role=Role.SUPPLIER).status_code == 403


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_outcome_stands_in_both_languages(files, language):
    assert verified(*files, language=language).context["proven"]


def test_a_changed_entry_proves_nothing(files):
    proof, kept = files
    answer = verified(proof.replace(b"capital_paid_in", b"capital_paid_up"), kept)

    assert "Nothing was proved" in text_of(answer)
    assert "The entry is not the one that was sealed" in text_of(answer)


def test_an_empty_file_is_asked_for_again(files):
    answer = verified(files[0], b"")

    assert answer.status_code == 422
    assert answer.context["form"].errors["seals"]


def test_a_seal_that_was_not_kept_proves_nothing(files):
    proof, _ = files
    other = SealHeader("LENDER", START, 1, leaf_hash({}), NO_PREVIOUS_SEAL)
    answer = verified(proof, seals_file([other]))
    assert "is not in the file of seals" in text_of(answer)


def test_a_damaged_file_of_seals_is_named_as_such(files):
    proof, kept = files
    answer = verified(proof, kept[:-10])

    assert "The file of seals is not usable" in text_of(answer)


def test_a_proof_of_something_else_than_an_entry_is_shown_as_it_is(files):
    """Whoever makes both files can prove anything to himself; it is shown, and nothing breaks."""
    fields = dict.fromkeys(
        ["act", "booked_at", "currency", "entry", "event", "reference", "reverses", "value_date"]
    )
    entry = fields | {
        "form": "tallystick-entry-1",
        "legal_entity": "LENDER",
        "booking_date": "2026-03-02",
        "postings": ["<script>", {"account": 7, "amount_minor": "9" * 50, "side": []}],
    }
    header = SealHeader("LENDER", START, 1, leaf_hash(entry), NO_PREVIOUS_SEAL)
    answer = verified(proof_file(Proof(entry, 0, [], header)), seals_file([header]))

    assert answer.status_code == 200
    assert b"<script>alert" not in answer.content
    assert "&lt;script&gt;" in answer.content.decode()


def test_a_file_too_large_is_refused_with_what_it_may_be(files):
    proof, kept = files
    answer = verified(proof + b" " * 1_000_001, kept)

    assert answer.status_code == 422
    assert "larger than 1 MB" in text_of(answer)


@pytest.mark.parametrize("missing", ["proof", "seals"])
def test_a_file_left_out_is_asked_for(files, missing):
    uploads = {"proof": files[0], "seals": files[1]}
    answer = signed_in(Role.AUDITOR).post(
        reverse("house-proof"),
        {
            name: SimpleUploadedFile(name, content)
            for name, content in uploads.items()
            if name != missing
        },
    )

    assert answer.status_code == 422
    assert answer.context["form"].errors[missing]


def test_what_is_no_proof_is_told_so(files):
    answer = verified(canonical_json({"hello": "world"}) + b"\n", files[1])

    assert "The proof is not usable" in text_of(answer)
