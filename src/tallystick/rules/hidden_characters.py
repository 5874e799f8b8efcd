"""Characters that a reader cannot see, and that make two names look like one."""

import re
import unicodedata

from tallystick.rules.refusal import Refusal

HIDDEN_CHARACTERS = (
    # Controls and the soft hyphen.
    r"\x00-\x1f\x7f-\x9f\xad"
    # Joiners, marks and overrides of direction, zero-width characters, fillers, byte order marks.
    r"\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e"
    r"\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    r"\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""What stands between the brackets of a regular expression that finds one of them.

Unicode 15: the categories Cc, Zl and Zp, of Cf what shows nothing, and what has the property
Default_Ignorable_Code_Point. Spaces, which show their width, are none.
"""

# Halves of surrogate pairs stand in no UTF-8; Python's own texts may hold them.
_HIDDEN = re.compile(rf"[{HIDDEN_CHARACTERS}\ud800-\udfff]")
_UNWANTED_IN_NAMES = re.compile(
    r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028-\u202e\u2066-\u2069\ufeff]"
)


def hidden_character(text: str) -> str | None:
    """The first hidden character of a text as ``U+200B ZERO WIDTH SPACE at character 3``."""
    found = _HIDDEN.search(text)
    if found is None:
        return None
    return f"{_called(found[0])} at character {found.start() + 1}"


def _called(character: str) -> str:
    name = unicodedata.name(character, "")
    return f"U+{ord(character):04X} {name}".rstrip()


class NotAName(Refusal):
    """A name holds a character that would change how the text around it is read."""

    def __init__(self, character: str, place: int) -> None:
        self.character = character
        self.place = place
        super().__init__(
            f"The name holds {_called(character)} at character {place}. "
            "Take it out, or type the name again."
        )


def name_as_written(text: str) -> str:
    """A name for people, in one spelling: composed (NFC), without space at its ends.

    Unlike a code, a name identifies nothing, so joiners that its script needs stay. Raises NotAName
    for controls, line ends and overrides of direction.
    """
    name = unicodedata.normalize("NFC", text).strip()
    if unwanted := _UNWANTED_IN_NAMES.search(name):
        raise NotAName(unwanted[0], unwanted.start() + 1)
    return name


def printable(text: str) -> str:
    """A text as it can be shown and stored anywhere: what cannot be seen is escaped as in Python.

    For file names and values in reports: ``a\\nb`` is one line with a backslash and an n.
    """
    if text.isprintable() and not _HIDDEN.search(text):
        return text
    return "".join(
        character.encode("unicode_escape").decode("ascii")
        if _HIDDEN.match(character) or not (character.isprintable() or character == "\u3000")
        else character
        for character in text
    )
