"""Keys of a TOML text are found on the lines where they stand."""

import string
import tomllib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tallystick.rules.toml_lines import KeyPath, key_lines, line_of

EVERYTHING = '''# 1: a comment with [brackets] and = signs
top = 1
"quoted key" = "a # that is no comment"
'single.quoted' = 'back\\slash'
dotted.key."of parts" = true

[table]  # 7
text = """several
lines ] with = [signs]
""\\"" in it"""
literal = \'\'\'
[no.header]
\'\'\'
date = 1979-05-27 07:32:00
rates = { order = 5_000, "in voice" = 0x1F, nested = { deep = [1, 2] } }

[[list.items]]
name = "first"
[list.items.below]
key = 1
[[list.items]]  # 21
name = "second"
[[list.items.inner]]
value = [
  1,  # a comment
  { a = 1 },
  [ "x", [] ],
]
[a.b.c]
d = -inf
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("top",), 2),
        (("quoted key",), 3),
        (("single.quoted",), 4),
        (("dotted", "key", "of parts"), 5),
        (("table",), 7),
        (("table", "text"), 8),
        (("table", "literal"), 11),
        (("table", "date"), 14),
        (("table", "rates", "in voice"), 15),
        (("table", "rates", "nested", "deep", 1), 15),
        (("list", "items", 0, "name"), 18),
        (("list", "items", 0, "below", "key"), 20),
        (("list", "items", 1), 21),
        (("list", "items", 1, "name"), 22),
        (("list", "items", 1, "inner", 0, "value", 1, "a"), 26),
        (("list", "items", 1, "inner", 0, "value", 2, 1), 27),
        (("a", "b"), 29),
        (("a", "b", "c", "d"), 30),
    ],
)
def test_a_key_has_the_line_where_it_is_written(path: KeyPath, line: int) -> None:
    assert key_lines(EVERYTHING)[path] == line


def test_every_key_that_the_standard_library_reads_has_a_line() -> None:
    assert set(key_lines(EVERYTHING)) == paths_of(tomllib.loads(EVERYTHING))


def test_a_missing_key_has_the_line_of_the_table_it_is_missing_from() -> None:
    lines = key_lines(EVERYTHING)

    assert line_of(("table", "missing"), lines) == 7
    assert line_of(("list", "items", 1, "missing", "too"), lines) == 21
    assert line_of(("nowhere",), lines) == 1


def paths_of(value: object, path: KeyPath = ()) -> set[KeyPath]:
    """Every key path of what ``tomllib`` read: the oracle."""
    if isinstance(value, dict):
        items: list[tuple[str | int, object]] = list(value.items())
    elif isinstance(value, list):
        items = list(enumerate(value))
    else:
        return {path}
    below = {found for key, item in items for found in paths_of(item, (*path, key))}
    return below | ({path} if path else set())


texts = st.text(string.ascii_letters + "\"'\\[]{}#=.,\n\t é", max_size=8)
keys = st.text(string.ascii_letters + "\"'\\[]{}#=. é", max_size=6)
values = st.recursive(
    st.one_of(st.integers(-9, 9), st.booleans(), texts),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=12,
)


def written(value: object) -> str:
    """TOML for ``value``, in the forms that are hardest to skip."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        if "\n" in value:
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"""\n{escaped}"""'
        return quoted(value)
    if isinstance(value, list):
        return "[ # list\n" + "".join(f"{written(item)}, # item\n" for item in value) + "]"
    assert isinstance(value, dict)
    return "{" + ", ".join(f"{quoted(k)} = {written(v)}" for k, v in value.items()) + "}"


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return f'"{escaped}"'


@settings(max_examples=150, deadline=None)
@given(
    top=st.dictionaries(keys, values, max_size=3),
    tables=st.dictionaries(keys, st.dictionaries(keys, values, max_size=3), max_size=3),
    arrays=st.dictionaries(
        keys,
        st.lists(st.dictionaries(keys, values, max_size=2), min_size=1, max_size=3),
        max_size=2,
    ),
)
def test_the_keys_found_are_the_keys_that_were_read(top, tables, arrays) -> None:
    text = "".join(f"{quoted(key)} = {written(value)}\n" for key, value in top.items())
    for name, table in tables.items():
        text += f"[tables.{quoted(name)}] # table\n"
        text += "".join(f"{quoted(key)} = {written(value)}\n" for key, value in table.items())
    for name, elements in arrays.items():
        for element in elements:
            text += f"[[arrays.{quoted(name)}]]\n"
            text += "".join(f"{quoted(key)} = {written(value)}\n" for key, value in element.items())
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # a key of the top that is also the name of a table

    assert set(key_lines(text)) == paths_of(content)
