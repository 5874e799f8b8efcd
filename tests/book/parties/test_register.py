"""Firms are registered under their codes, and called by one spelling of their names."""

import pytest

from tallystick.book.parties.models import Party
from tallystick.book.parties.register import party_ids
from tallystick.rules.hidden_characters import NotAName

pytestmark = pytest.mark.usefixtures("database")


def test_a_name_is_kept_composed_whatever_keyboard_wrote_it():
    party_ids(["CAFE", "YARI"], {"CAFE": " Cafe\u0301 ", "YARI": "\u06cc\u0627\u200c\u0631\u06cc"})

    assert dict(Party.objects.values_list("code", "name")) == {
        "CAFE": "Caf\u00e9",
        "YARI": "\u06cc\u0627\u200c\u0631\u06cc",
    }


def test_a_name_that_would_turn_the_text_around_is_refused():
    with pytest.raises(NotAName, match="U\\+202E RIGHT-TO-LEFT OVERRIDE at character 2"):
        party_ids(["X"], {"X": "A\u202eB"})

    assert not Party.objects.exists()
