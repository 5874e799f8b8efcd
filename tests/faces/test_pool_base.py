"""``tally pool base``: a file of claims and one of terms in, bases with their reasons out."""

import csv
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from tests.rules import oracle_receivables as oracle
from tests.rules.pools import claims_table, pools

from tallystick.faces.cli.main import main
from tallystick.rules.frames import CLAIMS

HEADER = ",".join(CLAIMS)
GOOD = "C1,S1,O1,CNY,invoice,open,1000000,0,10000,2026-05-01,2026-08-01"
TERMS = """\
advance_rate_bps = { order = 5_000, receipt = 6_000, invoice = 7_000, settlement = 8_000 }
max_days_past_due = 60
max_tenor_days = 120
min_days_to_due = 5
cross_ageing_share_bps = 5_000
concentration_limit_bps = 10_000
dilution_window_days = 90
dilution_stress_bps = 15_000
"""


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    out: str
    err: str


@pytest.fixture
def tally(capsys, monkeypatch, tmp_path) -> Callable[..., Ended]:
    """The command line, run in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["tally", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Ended(ended.value.code or 0, captured.out, captured.err)

    return run


def write(lines: Sequence[str] | str, *, terms: str = TERMS) -> None:
    text = lines if isinstance(lines, str) else "\n".join([HEADER, *lines]) + "\n"
    Path("claims.csv").write_text(text, encoding="utf-8")
    Path("terms.toml").write_text(terms, encoding="utf-8")


BASE = ("pool", "base", "claims.csv", "--terms", "terms.toml", "--on", "2026-06-30")


def test_the_answer_is_a_list_ordered_by_supplier_and_currency(tally):
    write(
        [
            "C1,S2,O1,CNY,invoice,open,1000000,0,10000,2026-05-01,2026-08-01",
            "C2,S1,O1,JPY,order,disputed,500,0,0,2026-05-01,2026-08-01",
            "C3,S1,O1,CNY,settlement,closed,700,700,0,2026-01-01,2026-02-01",
        ]
    )

    ended = tally(*BASE, "--json")

    assert ended.status == 0
    nothing = {
        "eligible_minor": 0,
        "lendable_minor": 0,
        "excess_concentration_minor": 0,
        "gross_base_minor": 0,
        "dilution_ppm": 0,
        "dilution_reserve_minor": 0,
        "base_minor": 0,
        "cover_minor": 0,
    }
    assert json.loads(ended.out) == [
        {
            "supplier_id": "S1",
            "currency": "CNY",
            "outstanding_minor": 0,
            "ineligible": {},
            **nothing,
        },
        {
            "supplier_id": "S1",
            "currency": "JPY",
            "outstanding_minor": 500,
            "ineligible": {"disputed": 500},
            **nothing,
        },
        {
            "supplier_id": "S2",
            "currency": "CNY",
            "outstanding_minor": 990_000,
            "ineligible": {},
            "eligible_minor": 990_000,
            "lendable_minor": 693_000,
            "excess_concentration_minor": 0,
            "gross_base_minor": 693_000,
            "dilution_ppm": 10_000,
            "dilution_reserve_minor": 10_395,
            "base_minor": 682_605,
            "cover_minor": 682_605,
        },
    ]


def test_related_parties_and_overrides_are_read_from_the_terms(tally):
    write(
        [GOOD, GOOD.replace("C1", "C2").replace("O1", "O2"), GOOD.replace("C1,S1", "C3,S2")],
        terms=TERMS
        + '[related]\nS1 = ["O1", "O9"]\n[concentration_override_bps]\nO2 = 2_500\n"O 3" = 0\n',
    )

    first, second = json.loads(tally(*BASE, "--json").out)

    assert first["ineligible"] == {"related": 990_000}
    assert (first["lendable_minor"], first["gross_base_minor"]) == (693_000, 173_250)
    assert second["ineligible"] == {}


def written_terms(pool: oracle.Pool) -> str:
    rates = ", ".join(f"{stage} = {bps}" for stage, bps in pool.terms.advance_rate_bps.items())
    scalars = (line.partition(" =")[0] for line in TERMS.splitlines()[1:])
    return "\n".join(
        [
            f"advance_rate_bps = {{ {rates} }}",
            *(f"{name} = {getattr(pool.terms, name)}" for name in scalars),
            "[related]",
            *(f"{supplier} = {json.dumps(all_of)}" for supplier, all_of in pool.related.items()),
            "[concentration_override_bps]",
            *(f"{obligor} = {bps}" for obligor, bps in pool.override_bps.items()),
        ]
    )


@pytest.mark.parametrize("file", ["claims.csv", "claims.parquet"])
def test_any_pool_agrees_with_the_definition_read_aloud(tally, file):
    @settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(pool=pools())
    def agrees(pool):
        table = claims_table(pool.claims)
        write([], terms=written_terms(pool))
        if file == "claims.csv":
            table.write_csv(file)
        else:
            table.write_parquet(file)
        ended = tally("pool", "base", file, "--terms", "terms.toml", "--on", str(pool.on), "--json")
        assert json.loads(ended.out) == oracle.borrowing_base(pool)

    agrees()


def test_a_file_with_a_header_only_has_no_bases(tally):
    write([])

    assert json.loads(tally(*BASE, "--json").out) == []
    assert "no claims" in tally(*BASE).out


def test_a_byte_order_mark_and_windows_line_ends_and_any_order_of_columns_are_taken(tally):
    write([GOOD])
    plain = tally(*BASE, "--json")
    columns = list(reversed(HEADER.split(",")))
    values = list(reversed(GOOD.split(",")))
    quoted = [",".join(f'"{value}"' for value in line) for line in (columns, values)]
    Path("claims.csv").write_bytes(("\ufeff" + "\r\n".join(quoted) + "\r\n").encode())

    assert json.loads(tally(*BASE, "--json").out) == json.loads(plain.out)


def test_without_json_a_statement_adds_up_in_major_units(tally):
    write([GOOD, GOOD.replace("C1", "C2").replace("open", "disputed")])

    lines = [line.rsplit(maxsplit=1) for line in tally(*BASE).out.splitlines() if line.strip()]

    assert [(label.strip(), amount) for label, amount in lines] == [
        ("S1,", "CNY"),
        ("outstanding", "19,800.00"),
        ("disputed", "-9,900.00"),
        ("eligible", "9,900.00"),
        ("lendable at the advance rates", "6,930.00"),
        ("excess concentration", "0.00"),
        ("gross base", "6,930.00"),
        ("reserve for dilution of 10,000 ppm", "-103.95"),
        ("borrowing base", "6,826.05"),
        ("cover, the too near included", "6,826.05"),
    ]


def test_each_claim_is_listed_in_the_files_order_with_its_reason_and_remedy(tally):
    write(
        [
            GOOD.replace("C1", "C2").replace("open", "disputed"),
            GOOD,
            GOOD.replace("C1", "C3").replace("2026-08-01", "2026-07-03"),
        ]
    )

    assert tally(*BASE, "--json", "--claims", "out.csv").status == 0

    with Path("out.csv").open(encoding="utf-8", newline="") as lines:
        listed = list(csv.DictReader(lines))
    assert list(listed[0]) == [*CLAIMS, "outstanding_minor", "reason", "remedy"]
    assert [(row["claim_id"], row["outstanding_minor"], row["reason"]) for row in listed] == [
        ("C2", "990000", "disputed"),
        ("C1", "990000", ""),
        ("C3", "990000", "too_near"),
    ]
    assert "Settle the dispute" in listed[0]["remedy"]
    assert listed[1]["remedy"] == ""
    assert "fewer than 5 days" in listed[2]["remedy"]


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_what_a_spreadsheet_would_take_for_a_formula_is_listed_as_text(tally, start):
    write([GOOD.replace("C1", f"{start}1+1").replace("O1", f"{start}cmd|' /C calc'!A0")])

    tally(*BASE, "--json", "--claims", "out.csv")

    with Path("out.csv").open(encoding="utf-8", newline="") as lines:
        [row] = csv.DictReader(lines)
    assert row["claim_id"] == f"'{start}1+1"
    assert row["obligor_id"] == f"'{start}cmd|' /C calc'!A0"


# --- bad input ----------------------------------------------------------------------------------


def refused(tally: Callable[..., Ended], *arguments: str) -> str:
    """The message of a refusal, after which nothing is written."""
    ended = tally(*(arguments or BASE), "--json", "--claims", "out.csv")

    assert ended.status == 2
    assert ended.out == ""
    assert "Traceback" not in ended.err
    assert not Path("out.csv").exists()
    return ended.err


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("1000000", "12.50", "row 3, face_minor = '12.50': Give a whole number of minor units"),
        ("1000000", "1e6", "row 3, face_minor = '1e6': Give a whole number"),
        ("1000000", " 100", "row 3, face_minor = ' 100': Give a whole number"),
        ("1000000", "9223372036854775808", "row 3, face_minor = '9223372036854775808': Give"),
        ("1000000", "1" * 50, "row 3, face_minor = '11111"),
        ("1000000", "-5", "row 3, face_minor = '-5': Give 0 or more"),
        ("1000000", "", "row 3, face_minor: It is missing"),
        ("1000000", '""', "row 3, face_minor = '': Give a whole number"),
        ("1000000", "9999", "row 3, diluted_minor = '10000': Paid and diluted together"),
        ("2026-05-01", "2026-02-30", "row 3, issue_date = '2026-02-30': Give a date"),
        ("2026-05-01", "2026-5-1", "row 3, issue_date = '2026-5-1': Give a date"),
        ("2026-05-01", "01/05/2026", "row 3, issue_date = '01/05/2026': Give a date"),
        ("2026-05-01", "2026-07-01", "row 3, issue_date = '2026-07-01': Give 2026-06-30"),
        ("2026-08-01", "2026-04-30", "row 3, due_date = '2026-04-30': Give the issue date"),
        ("CNY", "RMB", "row 3, currency = 'RMB': Give an ISO 4217 code"),
        ("invoice", "Invoice", "row 3, stage = 'Invoice': Give one of order, receipt"),
        ("open", "paid", "row 3, status = 'paid': Give one of open, disputed"),
        ("S1", "S" * 201, "row 3, supplier_id = 'SSSS"),
        ("S1", '"S\n1"', "row 3, supplier_id = 'S\\n1': Remove line breaks"),
        ("C1", "C0", "row 3, claim_id = 'C0': It stands in row 2 already"),
        ("C1,", ",", "row 3, claim_id: It is missing"),
        (",2026-08-01", "", "row 3, due_date: It is missing"),
        (GOOD, "", "row 3: The row is empty; remove it."),
        (GOOD, GOOD + ",more", "row 3 has 12 values, the header 11"),
        ("C1", '"C1', "a quote that is not closed"),
    ],
)
def test_a_wrong_value_is_refused_with_row_column_value_and_remedy(tally, old, new, told):
    write([GOOD.replace("C1", "C0"), GOOD.replace(old, new), GOOD.replace("C1", "C9")])

    message = refused(tally)

    assert message.startswith("claims.csv: ")
    assert told in message


def test_all_faults_of_a_file_are_told_at_once_and_each_once(tally):
    write([GOOD.replace("open", "paid").replace("1000000", "x"), GOOD.replace("CNY", "???")])

    message = refused(tally)

    assert message.splitlines() == [
        "claims.csv: 2 rows are at fault; nothing was computed.",
        (
            "  row 2, face_minor = 'x': Give a whole number of minor units, "
            "such as 1250 for 12.50, up to 2^63 - 1."
        ),
        "  row 2, status = 'paid': Give one of open, disputed, assigned_elsewhere, closed.",
        "  row 3, currency = '???': Give an ISO 4217 code in capitals, such as CNY.",
    ]


def test_of_many_faults_the_first_are_told_and_the_others_counted(tally):
    write([GOOD.replace("C1", f"C{number}").replace("open", "?") for number in range(30)])

    lines = refused(tally).splitlines()

    assert lines[0] == "claims.csv: 30 rows are at fault; nothing was computed."
    assert lines[1].startswith("  row 2, status")
    assert lines[20].startswith("  row 21, status")
    assert lines[21:] == ["  and 10 more faults"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("", "it is empty; give at least the header claim_id,", id="empty"),
        pytest.param(GOOD + "\n", "column claim_id is missing", id="no header"),
        pytest.param(HEADER.replace("stage", "stag"), "'stag' is unknown; rename it to stage",
                     id="misspelt"),
        pytest.param(HEADER + ",note", "column 'note' is unknown; remove it", id="unknown"),
        pytest.param(HEADER + ",row", "column 'row' is unknown; remove it", id="row"),
        pytest.param(HEADER + ",stage", "column stage stands twice", id="twice"),
        pytest.param(HEADER.replace(",", ";"), "column claim_id is missing", id="semicolons"),
    ],
)  # fmt: skip
def test_a_file_that_is_not_laid_out_as_claims_is_refused(tally, text, told):
    write(text)

    assert told in refused(tally)


def test_of_many_unknown_columns_the_first_are_told_and_the_others_counted(tally):
    write(HEADER + "".join(f",x{number}" for number in range(30)))

    lines = refused(tally).splitlines()

    assert len(lines) == 21
    assert lines[20] == "and 10 more"


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "9999-12-31"])
def test_any_day_of_the_calendar_may_be_asked_about(tally, day):
    write([GOOD.replace("2026-05-01,2026-08-01", f"{day},{day}")])

    [base] = json.loads(tally(*BASE[:-1], day, "--json").out)

    assert base["ineligible"] == {"too_near": 990_000}


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030"])
def test_a_file_in_another_encoding_is_refused(tally, encoding):
    write([])
    text = "\n".join([HEADER, GOOD.replace("O1", "京东")])
    Path("claims.csv").write_bytes(text.encode(encoding))

    assert "save the file as UTF-8" in refused(tally)


def test_a_file_that_is_not_there_or_of_another_kind_is_refused(tally):
    write([GOOD])
    Path("claims.xlsx").write_bytes(b"PK")
    Path("folder.csv").mkdir()

    assert "there is no such file" in refused(tally, *BASE[:2], "none.csv", *BASE[3:])
    assert "there is no such file" in refused(tally, *BASE[:2], "folder.csv", *BASE[3:])
    assert "give .csv or .parquet" in refused(tally, *BASE[:2], "claims.xlsx", *BASE[3:])


def parquet_of(**changes: Any) -> bytes:
    table = pl.read_csv(f"{HEADER}\n{GOOD}\n".encode(), try_parse_dates=True)
    table.with_columns(**changes).write_parquet("claims.parquet")
    return Path("claims.parquet").read_bytes()


PARQUET = (*BASE[:2], "claims.parquet", *BASE[3:])


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"face_minor": 1e6}, "column face_minor holds Float64; it must hold whole numbers"),
        ({"face_minor": pl.lit("1000000")}, "column face_minor holds String"),
        ({"issue_date": pl.lit("2026-05-01")}, "column issue_date holds String"),
        ({"note": pl.lit("")}, "column 'note' is unknown"),
        ({"row": pl.lit(1)}, "column 'row' is unknown"),
        ({"paid_minor": pl.lit(None, pl.Int64)}, "row 1, paid_minor: It is missing"),
        ({"face_minor": pl.lit(-1)}, "row 1, face_minor = '-1': Give 0 or more"),
        ({"stage": pl.lit("x", pl.Categorical)}, "row 1, stage = 'x': Give one of"),
    ],
)
def test_wrong_types_and_values_in_parquet_are_refused(tally, changes, told):
    write([])
    parquet_of(**changes)

    assert told in refused(tally, *PARQUET)


def test_a_damaged_parquet_file_is_refused_wherever_it_was_cut(tally):
    write([])
    whole = parquet_of()
    assert tally(*PARQUET).status == 0

    for length in (0, 1, 4, len(whole) // 2, len(whole) - 1):
        Path("claims.parquet").write_bytes(whole[:length])
        assert "claims.parquet: no readable Parquet" in refused(tally, *PARQUET)
    Path("claims.parquet").write_text(f"{HEADER}\n{GOOD}\n")
    assert "claims.parquet: no readable Parquet" in refused(tally, *PARQUET)


@pytest.mark.parametrize("day", ["2026-02-30", "yesterday", ""])
def test_an_impossible_day_is_refused(tally, day):
    write([GOOD])

    assert "--on" in refused(tally, *BASE[:-1], day)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("= 60", "= -1", "terms.toml, line 2: max_days_past_due = -1: Give a whole number from 0"),
        ("= 60", "= 6.5", "terms.toml, line 2: max_days_past_due = 6.5"),
        ("= 60", "= true", "terms.toml, line 2: max_days_past_due = True"),
        ("= 60", "= sixty", "terms.toml, line 2"),
        ("= 5_000\nc", "= 10_001\nc", "terms.toml, line 5: cross_ageing_share_bps = 10001"),
        ("max_tenor_days = 120", "", "max_tenor_days: It is missing"),
        ("max_tenor_days", "max_tenor", "Was max_tenor_days meant?"),
        ("invoice = 7_000", "invoice = 10_001", "advance_rate_bps.invoice = 10001"),
        ("invoice = 7_000, ", "", "advance_rate_bps.invoice: It is missing"),
        ("invoice = 7_000", "invoice = 1, claim = 1", "advance_rate_bps.claim = 1: This key is"),
        ("15_000", '15_000\n[related]\nS1 = "O1"', "terms.toml, line 10: related.S1 = 'O1'"),
        ("15_000", "15_000\n[related]\nS1 = [1]", "Give the list of its related obligors"),
        ("15_000", "15_000\nrelated = 1", "Make it a table [related]"),
        (
            "15_000",
            "15_000\n[concentration_override_bps]\nO1 = 10_001",
            "terms.toml, line 10: concentration_override_bps.O1 = 10001: Give a whole number",
        ),
    ],
)
def test_wrong_terms_are_refused_with_line_key_value_and_remedy(tally, old, new, told):
    write([GOOD], terms=TERMS.replace(old, new, 1))

    assert told in refused(tally)


def test_terms_that_cannot_be_read_are_refused(tally):
    write([GOOD])
    Path("terms.toml").write_bytes(b"\xff\xfe")
    assert "save it as UTF-8" in refused(tally)

    Path("terms.toml").unlink()
    assert "name a TOML file of terms" in refused(tally)


def test_a_supplier_beyond_exact_arithmetic_is_refused_by_name(tally):
    write([GOOD, GOOD.replace("C1,S1", "C2,S7").replace("1000000", str(2**63 - 1))])

    message = refused(tally)

    assert "S7 in CNY" in message
    assert "S1" not in message


@pytest.mark.parametrize("file", ["claims.csv", "terms.toml", "./claims.csv"])
def test_the_list_of_claims_never_replaces_what_is_read(tally, file):
    write([GOOD])

    ended = tally(*BASE, "--claims", file)

    assert ended.status == 2
    assert "name another file" in ended.err
    assert Path("claims.csv").read_text() == f"{HEADER}\n{GOOD}\n"
    assert Path("terms.toml").read_text() == TERMS


@pytest.mark.parametrize("file", ["nowhere/out.csv", "folder"])
def test_a_list_of_claims_that_cannot_be_written_is_refused(tally, file):
    write([GOOD])
    Path("folder").mkdir()

    ended = tally(*BASE, "--json", "--claims", file)

    assert (ended.status, ended.out) == (2, "")
    assert "name another file" in ended.err
    assert sorted(path.name for path in Path().iterdir()) == ["claims.csv", "folder", "terms.toml"]
