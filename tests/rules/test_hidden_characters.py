"""What cannot be seen is refused in codes, and shown escaped in reports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.rules.hidden_characters import (
    NotAName,
    hidden_character,
    name_as_written,
    printable,
)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("AC\u200bME", "U+200B ZERO WIDTH SPACE at character 3", id="zero width"),
        pytest.param("\ufeffACME", "U+FEFF ZERO WIDTH NO-BREAK SPACE at character 1", id="BOM"),
        pytest.param("\u202eEMCA", "U+202E RIGHT-TO-LEFT OVERRIDE at character 1", id="override"),
        pytest.param("A\x00", "U+0000 at character 2", id="NUL has no name"),
        pytest.param("A\nB", "U+000A at character 2", id="line end"),
        pytest.param("A\udc80", "U+DC80 at character 2", id="lone surrogate"),
        pytest.param("A\u3164", "U+3164 HANGUL FILLER at character 2", id="a letter that is blank"),
        pytest.param(
            "A\U000e0041", "U+E0041 TAG LATIN CAPITAL LETTER A at character 2", id="tag letter"
        ),
    ],
)
def test_a_hidden_character_is_named_with_its_place(text, says):
    assert hidden_character(text) == says


@pytest.mark.parametrize(
    "text", ["华东商贸　有限公司", "Société Générale", "شركة", "A B\u00a0-1/2_#", ""]
)
def test_letters_of_every_script_and_visible_spaces_are_not_hidden(text):
    assert hidden_character(text) is None


def test_a_name_is_composed_so_that_one_name_has_one_spelling():
    assert name_as_written(" Socie\u0301te\u0301 ") == "Soci\u00e9t\u00e9"


def test_a_name_keeps_the_joiners_of_its_script():
    assert name_as_written("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize("character", ["\u202e", "\u2066", "\n", "\x00", "\udc80", "\ufeff"])
def test_a_name_takes_no_character_that_changes_the_text_around_it(character):
    with pytest.raises(NotAName, match=f"U\\+{ord(character):04X}"):
        name_as_written(f"A{character}B")


def test_what_cannot_be_shown_is_escaped():
    assert printable("a\r\nb\t\u202e\udcff\x00") == "a\\r\\nb\\t\\u202e\\udcff\\x00"


@given(st.text(st.characters(), min_size=1, max_size=30))
def test_what_is_printable_can_be_written_anywhere(text):
    shown = printable(text)

    assert hidden_character(shown) is None
    assert shown.encode("utf-8")
    assert "\n" not in shown
