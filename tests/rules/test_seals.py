"""Hashes, trees and proofs, against the worked example of docs/reference/seals.md.

Its figures, and those of the tree below, were computed with a shell's sha256sum, not with this
product. The eight leaves and their roots are the test data that Certificate Transparency logs
are commonly checked with.
"""

import json
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.canonical import canonical_json, parsed_strictly
from tallystick.rules.journal import Side
from tallystick.rules.proofs import (
    NotProven,
    Proof,
    SealsUnreadable,
    proof_file,
    root_by_path,
    seals_file,
    seals_from,
    verify_proof,
)
from tallystick.rules.seals import (
    NO_PREVIOUS_SEAL,
    SealedAccount,
    SealedBook,
    SealedEntry,
    SealedPosting,
    SealHeader,
    inclusion_path,
    leaf_hash,
    merkle_root,
    node_hash,
)

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "seals.md"

LOANS = SealedAccount("loan_principal", SealedBook("jd.jingbaobei", "HOUSE", "normal"), None)
BANK = SealedAccount("bank", None, None)
SUPPLIER = SealedAccount("payable_to_supplier", None, "SELLER-7")


def entry(entry_id, booked_at, *lines, **fields):
    return SealedEntry(
        entry_id=entry_id,
        legal_entity="HOUSE",
        currency="CNY",
        booking_date=date(2026, 1, 5),
        booked_at=booked_at,
        postings=[SealedPosting(*line) for line in lines],
        **fields,
    )


ENTRIES = [
    entry(
        41,
        datetime(2026, 1, 5, 1, 30, tzinfo=UTC),
        (LOANS, Side.DEBIT, 100_000_000),
        (BANK, Side.CREDIT, 100_000_000),
        act=7,
        event="loan_disbursed",
        reference="loan:甲-1",
        reverses=None,
        value_date=date(2026, 1, 4),
    ),
    entry(
        42,
        datetime(2026, 1, 5, 1, 31, 0, 250_000, tzinfo=UTC),
        (SUPPLIER, Side.DEBIT, 5),
        (BANK, Side.CREDIT, 5),
        act=None,
        event="paid_to_supplier",
        reference="payment:9",
        reverses=None,
        value_date=date(2026, 1, 5),
    ),
    entry(
        50,
        datetime(2026, 1, 5, 2, 0, 0, 1, tzinfo=UTC),
        (LOANS, Side.CREDIT, 100_000_000),
        (BANK, Side.DEBIT, 100_000_000),
        act=9,
        event="disbursement_reversed",
        reference="loan:甲-1",
        reverses=41,
        value_date=date(2026, 1, 4),
    ),
]
LEAVES = [
    "3d3b6082c15dcb08acf3754fc7e2d090be622420d1af936718ce68e864e23388",
    "d6a8a15469a0a0bbb176fc9503eb144cc364b22b3734bfd5c8907e65e580e884",
    "2b048e1f4fd051c95a5d1c64880eaf423e0fae55df486eef644caaa4f3594ede",
]
ROOT = "bbbf5f3d4ccb9ccdf71c851b47329b4c573b60cc63e2df9e8c7299a8c1ec0b10"
SEALS = [
    "372ebc50469554c5e9ba313d631a5a39a89ffc7aecd79e47e5745ad60cbdb660",
    "93976e0411d9b72477f88d2e243099153a7cd01a95e70b7759ab0eab19b51c7c",
]
EMPTY_DAY = SealHeader("HOUSE", date(2026, 1, 4), 0, merkle_root([]), NO_PREVIOUS_SEAL)
BUSY_DAY = SealHeader("HOUSE", date(2026, 1, 5), 3, bytes.fromhex(ROOT), EMPTY_DAY.seal())
SEALS_FILE = seals_file([EMPTY_DAY, BUSY_DAY])


def proof_of(position):
    leaves = [leaf_hash(each.form()) for each in ENTRIES]
    path = inclusion_path(leaves, position)
    return Proof(ENTRIES[position].form(), position, path, BUSY_DAY)


def test_the_worked_example_hashes_as_documented():
    leaves = [leaf_hash(each.form()) for each in ENTRIES]

    assert [leaf.hex() for leaf in leaves] == LEAVES
    assert merkle_root(leaves).hex() == ROOT
    assert [EMPTY_DAY.seal().hex(), BUSY_DAY.seal().hex()] == SEALS


def test_the_documented_lines_are_the_canonical_ones():
    page = PAGE.read_text("utf-8")

    for each in [*ENTRIES, BUSY_DAY]:
        assert f"\n{canonical_json(each.form()).decode()}\n" in page
    for figure in [*LEAVES, ROOT, *SEALS]:
        assert f"`{figure}`" in page


@pytest.mark.parametrize(
    ("size", "root"),
    [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
        (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        (6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
        (7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ],
)
def test_the_tree_is_that_of_certificate_transparency(size, root):
    data = [
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    ]
    leaves = [sha256(b"\x00" + bytes.fromhex(each)).digest() for each in data[:size]]

    assert merkle_root(leaves).hex() == root


def root_read_aloud(leaves):
    """RFC 9162, section 2.1.1, as it is worded."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(root_read_aloud(leaves[:split]), root_read_aloud(leaves[split:]))


@given(size=st.integers(1, 70), data=st.data())
def test_every_leaf_has_a_path_to_the_root_and_no_place_but_its_own(size, data):
    leaves = [sha256(bytes([number])).digest() for number in range(size)]
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(leaves, index)
    root = root_read_aloud(leaves)

    assert merkle_root(leaves) == root
    assert root_by_path(leaves[index], leaf_index=index, leaf_count=size, path=path) == root
    for other in {0, index ^ 1, index + 1, size - 1, size} - {index}:
        try:
            elsewhere = root_by_path(leaves[index], leaf_index=other, leaf_count=size, path=path)
        except NotProven:
            continue
        assert elsewhere != root


@pytest.mark.parametrize("position", [0, 1, 2])
def test_a_proof_of_each_entry_of_a_day_holds(position):
    proof = proof_of(position)

    assert verify_proof(proof_file(proof), SEALS_FILE) == proof


def test_a_proof_with_any_byte_changed_is_refused():
    proof = proof_file(proof_of(2))

    for place, byte in enumerate(proof):
        # One bit, the other case of a letter or the next digit, and an outright different byte.
        for changed in {byte ^ 0x01, byte ^ 0x20, byte ^ 0x80, 0x30, 0x20} - {byte}:
            altered = proof[:place] + bytes([changed]) + proof[place + 1 :]
            with pytest.raises(NotProven):
                verify_proof(altered, SEALS_FILE)


def test_a_proof_with_a_byte_missing_or_too_many_is_refused():
    proof = proof_file(proof_of(1))

    for place in range(len(proof)):
        with pytest.raises(NotProven):
            verify_proof(proof[:place] + proof[place + 1 :], SEALS_FILE)
    for added in (b"\n", b" ", b"\x00", proof):
        with pytest.raises(NotProven):
            verify_proof(proof + added, SEALS_FILE)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"null\n", id="no object"),
        pytest.param(b"[" * 100_000 + b"\n", id="nested without end"),
        pytest.param(b"\xff\xfe\n", id="not UTF-8"),
        pytest.param(b'{"entry":"\\ud800"}\n', id="half a surrogate pair"),
        pytest.param(b"9" * 5000 + b"\n", id="a number of five thousand digits"),
    ],
)
def test_what_is_no_proof_at_all_is_refused_in_a_sentence(content):
    with pytest.raises(NotProven, match="The proof is not usable"):
        verify_proof(content, SEALS_FILE)


def test_a_proof_under_a_seal_that_is_not_in_the_file_is_refused():
    with pytest.raises(NotProven, match="is not in the file of seals"):
        verify_proof(proof_file(proof_of(0)), seals_file([EMPTY_DAY]))


def test_an_entry_that_was_never_sealed_is_refused_with_both_roots():
    proof = proof_of(0)
    forged = Proof(
        {**proof.entry, "reference": "loan:乙-1"}, proof.leaf_index, proof.path, proof.header
    )

    with pytest.raises(NotProven, match=f"the seal has {ROOT}"):
        verify_proof(proof_file(forged), SEALS_FILE)


def test_an_inner_node_cannot_pass_as_an_entry():
    leaves = [leaf_hash(each.form()) for each in ENTRIES]
    inner = node_hash(leaves[0], leaves[1])

    with pytest.raises(NotProven, match="too short"):
        root_by_path(inner, leaf_index=0, leaf_count=3, path=[leaves[2]])


def test_seals_are_read_back_as_written():
    assert seals_from(SEALS_FILE) == [EMPTY_DAY, BUSY_DAY]
    assert seals_from(b"") == []


def test_seals_of_two_legal_entities_may_be_mixed():
    other = SealHeader("OTHER", date(2026, 1, 5), 0, merkle_root([]), NO_PREVIOUS_SEAL)

    assert seals_from(seals_file([EMPTY_DAY, other, BUSY_DAY])) == [EMPTY_DAY, other, BUSY_DAY]


def line_with(header, **changed):
    return canonical_json({**header.signed_form(), **changed}) + b"\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(SEALS_FILE[:-1], "the line does not end", id="cut off"),
        pytest.param(b"\n", "line 1", id="an empty line"),
        pytest.param(SEALS_FILE.replace(b'"date"', b' "date"', 1), "canonical", id="white space"),
        pytest.param(line_with(EMPTY_DAY, entry_count=1), "own header", id="another count"),
        pytest.param(line_with(EMPTY_DAY, entry_count=False), "whole number", id="a truth"),
        pytest.param(line_with(EMPTY_DAY, date="20260104"), "own header", id="another spelling"),
        pytest.param(line_with(EMPTY_DAY, date=20260104), "text", id="a date that is a number"),
        pytest.param(line_with(EMPTY_DAY, form="x"), "form", id="another form"),
        pytest.param(line_with(EMPTY_DAY, seal="AB" * 32), "own header", id="upper case"),
        pytest.param(line_with(EMPTY_DAY, merkle_root="ab"), "64", id="a short hash"),
        pytest.param(line_with(EMPTY_DAY, more=1), "exactly", id="a field too many"),
        pytest.param(seals_file([EMPTY_DAY, EMPTY_DAY]), "as the one before", id="twice"),
        pytest.param(seals_file([BUSY_DAY, EMPTY_DAY]), "as the one before", id="backwards"),
        pytest.param(
            seals_file(
                [EMPTY_DAY, SealHeader("HOUSE", date(2026, 1, 6), 0, b"r" * 32, EMPTY_DAY.seal())]
            ),
            "does not follow",
            id="a day left out",
        ),
    ],
)
def test_a_file_of_seals_that_was_altered_is_refused_with_the_line(content, why):
    with pytest.raises(SealsUnreadable, match=why):
        seals_from(content)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abcdef_"), inner),
    max_leaves=8,
)


@given(value=json_values)
def test_every_value_has_one_spelling_and_reads_back(value):
    spelled = canonical_json(value)

    assert parsed_strictly(spelled) == value
    assert canonical_json(json.loads(json.dumps(value, indent=1))) == spelled


@pytest.mark.parametrize(
    "content",
    [b'{"a": 1}', b'{"b":1,"a":1}', b'{"a":1,"a":1}', b"1.0", b"1e2", b"NaN", b'"\\u0041"', b"-0"],
)
def test_another_spelling_of_a_value_is_refused(content):
    with pytest.raises(ValueError):
        parsed_strictly(content)
