"""Which claims a credit note dilutes."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.credit_notes import Credit, OpenClaim, dilutions

DAY = date(2026, 3, 2)


def claim(name: str, gross: int, *, on: int = 0, outstanding: int | None = None) -> OpenClaim:
    left = gross if outstanding is None else outstanding
    return OpenClaim(name.encode(), gross, left, DAY + timedelta(days=on))


def note(amount: int, *, on: int = 10, name: str = "note", named: tuple[str, ...] = ()) -> Credit:
    keys = tuple(each.encode() for each in named)
    return Credit(name.encode(), amount, amount, DAY + timedelta(days=on), keys)


def taken(notes: list[Credit], claims: list[OpenClaim]) -> list[tuple[str, str, int]]:
    return [(d.credit.decode(), d.claim.decode(), d.amount_minor) for d in dilutions(notes, claims)]


def test_a_claim_of_equal_gross_comes_first():
    claims = [claim("newest", 300, on=5), claim("equal", 100, on=1)]

    assert taken([note(100)], claims) == [("note", "equal", 100)]


def test_without_an_equal_one_the_newest_claims_are_diluted():
    claims = [claim("oldest", 300, on=1), claim("newer", 40, on=3), claim("newest", 50, on=5)]

    assert taken([note(100)], claims) == [
        ("note", "newest", 50),
        ("note", "newer", 40),
        ("note", "oldest", 10),
    ]


def test_of_several_equal_ones_the_newest_is_diluted_then_the_others():
    claims = [claim("older", 100, on=1), claim("newer", 100, on=2, outstanding=30)]

    assert taken([note(100)], claims) == [("note", "newer", 30), ("note", "older", 70)]


def test_a_claim_issued_after_the_note_is_left_alone():
    claims = [claim("later", 100, on=11), claim("same day", 60, on=10)]

    assert taken([note(100)], claims) == [("note", "same day", 60)]


def test_what_the_note_names_comes_before_everything_whatever_its_date():
    claims = [claim("equal", 100), claim("named", 70, on=20), claim("successor", 20, on=21)]

    assert taken([note(100, named=("named", "successor"))], claims) == [
        ("note", "named", 70),
        ("note", "successor", 20),
        ("note", "equal", 10),
    ]


def test_notes_are_applied_in_the_order_of_their_dates():
    claims = [claim("claim", 100)]
    notes = [note(80, on=10, name="second"), note(80, on=9, name="first")]

    assert taken(notes, claims) == [("first", "claim", 80), ("second", "claim", 20)]


amounts = st.integers(min_value=1, max_value=50)
days = st.integers(min_value=0, max_value=8)


@st.composite
def cases(draw: st.DrawFn) -> tuple[list[Credit], list[OpenClaim]]:
    claims = [
        claim(f"c{i}", gross, on=on, outstanding=draw(st.integers(min_value=0, max_value=gross)))
        for i, (gross, on) in enumerate(draw(st.lists(st.tuples(amounts, days), max_size=8)))
    ]
    notes = [
        note(amount, on=on, name=f"n{i}")
        for i, (amount, on) in enumerate(draw(st.lists(st.tuples(amounts, days), max_size=5)))
    ]
    return notes, claims


@given(cases())
def test_no_claim_and_no_note_gives_more_than_it_has(case):
    notes, claims = case
    found = dilutions(notes, claims)

    for each in claims:
        total = sum(d.amount_minor for d in found if d.claim == each.key)
        assert total <= each.outstanding_minor
    for each in notes:
        assert sum(d.amount_minor for d in found if d.credit == each.key) <= each.remaining_minor


@given(cases())
def test_a_note_waits_only_when_no_earlier_claim_has_anything_left(case):
    notes, claims = case
    found = dilutions(notes, claims)
    left = {c.key: c.outstanding_minor for c in claims}
    for dilution in found:
        left[dilution.claim] -= dilution.amount_minor

    for each in notes:
        applied = sum(d.amount_minor for d in found if d.credit == each.key)
        if applied < each.remaining_minor:
            earlier = [c for c in claims if c.issue_date <= each.issue_date]
            assert all(left[c.key] == 0 for c in earlier)


@given(cases(), st.randoms())
def test_the_order_of_arrival_within_a_batch_plays_no_part(case, random):
    notes, claims = case
    shuffled_notes, shuffled_claims = list(notes), list(claims)
    random.shuffle(shuffled_notes)
    random.shuffle(shuffled_claims)

    assert dilutions(shuffled_notes, shuffled_claims) == dilutions(notes, claims)
