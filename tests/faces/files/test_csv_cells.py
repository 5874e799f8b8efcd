"""No file of ours holds a formula that somebody else wrote."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.faces.files.csv_cells import inert, inert_texts


@pytest.mark.parametrize(
    "formula",
    [
        "=1+1",
        '=HYPERLINK("http://x")',
        "+cmd|' /C calc'!A0",
        "-1+1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        " =1",
        "＝１＋１",
        "－1+1",
        "-",
        "+86 21 5555",
    ],
)
def test_what_a_spreadsheet_would_compute_is_text(formula):
    assert inert(formula) == "'" + formula


@pytest.mark.parametrize(
    "text", ["", "ACME", "1=1", "a@b.example", "-5", "+5", "-1,234.50", "2026-01-05", "华东"]
)
def test_numbers_and_other_texts_stay_as_they_are(text):
    assert inert(text) == text


@given(st.lists(st.one_of(st.none(), st.text("=+-@＝\t\r\n 1,.a'"))))
def test_a_frame_is_made_inert_as_its_texts_are(texts):
    frame = pl.DataFrame(
        {"text": texts, "number": [1] * len(texts)}, schema_overrides={"text": pl.String}
    )

    expected = [text if text is None else inert(text) for text in texts]
    assert frame.with_columns(inert_texts())["text"].to_list() == expected
