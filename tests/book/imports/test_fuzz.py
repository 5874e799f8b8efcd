"""Whatever bytes come in, the answer is a report or a refusal, and a refusal writes nothing."""

import io
from datetime import date

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.book.imports.books import archive, filled, parts, row, sheet

from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller
from tallystick.book.parties.models import Party
from tallystick.book.parties.open_entity import NewLegalEntity, open_legal_entity
from tallystick.book.trade.imports.conversion import Converted
from tallystick.book.trade.imports.import_files import ImportRequest, import_files
from tallystick.book.trade.imports.mapping import parsed
from tallystick.book.trade.imports.tables import read_and_convert
from tallystick.book.trade.models import Claim, Document
from tallystick.rules.refusal import Refusal

MAPPING = parsed(
    """
title = "invoices"
kind = "invoice"
currency = "CNY"
[supplier]
column = "seller"
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
""",
    name="m",
)
HEADER = ("seller", "buyer", "no", "issued", "gross")
ROWS = [("S1", "B1", str(number), "2026-01-05", "100.50") for number in range(8)]
ISSUED = date(2026, 1, 5)


def parquet():
    content = io.BytesIO()
    pl.DataFrame(ROWS, schema=list(HEADER), orient="row").write_parquet(content)
    return content.getvalue()


GOOD = {
    ".csv": "\n".join(",".join(line) for line in (HEADER, *ROWS)).encode(),
    ".parquet": parquet(),
    ".xlsx": filled(*((*line[:3], ISSUED, 100.5) for line in ROWS)),
}
PARTS = parts(sheet(row(1, *HEADER), *(row(2 + n, *line) for n, line in enumerate(ROWS))))

PIECES = (
    "<row r='3'>", "<f>1</f>", "<v>NaN</v>", 't="s"', 't="b"', 's="9"', "-1", "&lt;",
    "<c r='A1'/>", "</row>", 'r="', "1e999", "<!--", "<mergeCell ref='", "\u202e",
)  # fmt: skip

suffixes = st.sampled_from(sorted(GOOD))
edits = st.lists(
    st.tuples(
        st.floats(0, 1), st.integers(0, 12), st.one_of(st.binary(max_size=8), st.just(b'"\r\n,'))
    ),
    min_size=1,
    max_size=6,
)
xml_edits = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(0, 8),
        st.one_of(
            st.sampled_from(PIECES),
            st.text(max_size=4),
        ),
    ),
    min_size=1,
    max_size=4,
)


def edited(content, changes):
    """``content`` with pieces cut out and others put in."""
    for place, cut, put in changes:
        at = int(place * len(content))
        content = content[:at] + put + content[at + cut :]
    return content


def with_part(name, changes):
    return archive(PARTS | {name: edited(PARTS[name], changes).encode("utf-8", "surrogatepass")})


@st.composite
def files(draw):
    """A suffix and bytes: random ones, a good file that was damaged, or a damaged sheet in it."""
    suffix = draw(suffixes)
    match draw(st.integers(0, 3)):
        case 0:
            return suffix, draw(st.binary(max_size=200))
        case 1:
            return ".xlsx", with_part(draw(st.sampled_from(sorted(PARTS))), draw(xml_edits))
        case _:
            return suffix, edited(GOOD[suffix], draw(edits))


def answer(path):
    try:
        return [outcome for _, outcome in read_and_convert([path], MAPPING, max_bytes=10**6)]
    except Refusal as refusal:
        return refusal


def test_the_good_files_of_these_tests_are_good(tmp_path):
    for suffix, content in {**GOOD, ".hand.xlsx": archive(PARTS)}.items():
        path = tmp_path / f"good{suffix}"
        path.write_bytes(content)

        [outcome] = answer(path)

        assert outcome.refusals == []
        assert outcome.documents["amount_minor"].to_list() == [10_050] * 8


@given(files())
@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_bytes_are_documents_or_a_refusal(tmp_path, file):
    suffix, content = file
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)

    told = answer(path)

    if isinstance(told, Refusal):
        assert str(told).startswith(path.name)
    else:
        [outcome] = told
        assert isinstance(outcome, Converted)
        refused = {refusal.row for refusal in outcome.refusals}
        assert refused.isdisjoint(outcome.documents["row"])


@pytest.fixture
def entity(database):
    return open_legal_entity(
        NewLegalEntity("FACTOR", "A factor", "Asia/Shanghai", "China", date(2026, 3, 2)),
        caller=Caller("system", "tester", "cli"),
        key="open",
    )


def counted():
    return [model.objects.count() for model in (Act, Document, Claim, Party)]


@given(file=files(), accept_partial=st.booleans())
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_what_is_refused_leaves_no_trace(entity, tmp_path, file, accept_partial):
    suffix, content = file
    path = tmp_path / f"x{suffix}"
    path.write_bytes(content)
    request = ImportRequest([path], MAPPING, entity, max_bytes=10**6, accept_partial=accept_partial)
    before = counted()

    try:
        report = import_files(request, caller=Caller("system", "tester", "cli"))
    except Refusal:
        assert counted() == before
    else:
        assert counted()[1] == before[1] + report.recorded


def test_a_report_can_be_kept_whatever_the_values_hold(entity, tmp_path):
    path = tmp_path / "x.parquet"
    bad = ("S1", "B\x00\u202e", "9", "2026-01-05", "1\x00")
    pl.DataFrame([*ROWS, bad], schema=list(HEADER), orient="row").write_parquet(path)
    request = ImportRequest([path], MAPPING, entity, max_bytes=10**6, accept_partial=True)

    report = import_files(request, caller=Caller("system", "tester", "cli"))

    assert report.recorded == 8
    assert {refusal.value for refusal in report.refusals} == {"B\\x00\\u202e", "1\\x00"}
    again = import_files(request, caller=Caller("system", "tester", "cli"))
    assert again.imported_before
    assert again.refusals == report.refusals
