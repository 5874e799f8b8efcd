"""Advisory locks are told apart by their first key: no two things of the house share one."""

import re
from pathlib import Path

import tallystick.book

BOOK = Path(tallystick.book.__file__).parent
NAMED = re.compile(r"^[A-Z_]+_LOCK = (71\d\d)$", re.MULTILINE)
WRITTEN_OUT = re.compile(r"pg_advisory_xact_lock\((71\d\d), bucket\)")


def test_no_two_locks_have_the_same_key():
    keys = [
        key
        for path in BOOK.rglob("*.py")
        for pattern in (NAMED, WRITTEN_OUT)
        for key in pattern.findall(path.read_text())
    ]

    assert len(keys) >= 6
    assert sorted(keys) == sorted(set(keys))
