"""What a mapping may say, and how it is refused."""

import pytest

from tallystick.book.trade.imports.mapping import (
    BadMapping,
    UnknownMapping,
    parsed,
    preset,
    presets,
)

MINIMAL = """
title = "invoices"
kind = "invoice"
currency = "CNY"
[supplier]
value = "S1"
[obligor]
column = "buyer"
[number]
columns = ["no"]
[issue_date]
column = "issued"
[due_date]
days_after_issue = 30
[amount]
columns = ["gross"]
"""


@pytest.mark.parametrize("name", presets())
def test_every_shipped_mapping_can_be_read(name):
    assert preset(name).columns


def test_a_mapping_reads_only_the_columns_it_names():
    assert parsed(MINIMAL, name="m").columns == {"buyer", "no", "issued", "gross"}


def test_a_mapping_that_is_not_there_is_refused_with_those_that_are():
    with pytest.raises(UnknownMapping, match="cumcm2020c, ibm_ar, olist"):
        preset("nowhere")


@pytest.mark.parametrize(
    ("written", "instead", "line", "says"),
    [
        pytest.param('"CNY"', '"YUAN"', 4, "currency", id="a currency must be ISO 4217"),
        pytest.param('"invoice"', '"bill"', 3, "order; receipt", id="a kind must be known"),
        pytest.param("= 30", "= -1", 14, "from 0 to 3650", id="days must not be negative"),
        pytest.param("= 30", "= 1.5", 14, "from 0 to 3650", id="days must be whole"),
        pytest.param('["gross"]', '"gross"', 16, "list of texts", id="amount takes a list"),
        pytest.param("[obligor]", "[oblig]", 7, "unknown", id="an unknown table is refused"),
        pytest.param(
            'value = "S1"', 'value = "S1"\ncolumn = "s"', 5, "either column or value", id="not both"
        ),
        pytest.param('kind = "invoice"', "kind = ", 3, "not TOML", id="what is not TOML"),
    ],
)
def test_a_mapping_is_refused_with_line_and_remedy(written, instead, line, says):
    with pytest.raises(BadMapping) as refusal:
        parsed(MINIMAL.replace(written, instead), name="m.toml")

    assert f"m.toml, line {line}:" in str(refusal.value)
    assert says in str(refusal.value)
