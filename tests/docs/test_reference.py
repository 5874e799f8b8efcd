"""The reference pages say what the code does: tables, examples and commands."""

import inspect
import re
import shlex
from datetime import date
from pathlib import Path

import pytest
from tests.docs.test_tutorial import blocks

from tallystick.book.trade.imports import mapping
from tallystick.faces.cli import main
from tallystick.faces.cli.loan_case import read_case
from tallystick.faces.cli.sales_case import read_sales
from tallystick.faces.cli.statement_case import read_line
from tallystick.rules import accounting, sales_accounting
from tallystick.rules.chart import CHART
from tallystick.rules.journal import JournalEntry, Side
from tallystick.rules.pool_terms import read_pool_terms
from tallystick.rules.programme import read_programmes

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
DAY = date(2026, 3, 2)


def rows(page: str, heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, without its header."""
    _, _, below = (DOCS / page).read_text().partition(f"\n## {heading}\n")
    lines = [line for line in below.split("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def quoted(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


# --- accounting -----------------------------------------------------------------------------------


def test_the_chart_on_the_page_is_the_chart_of_the_code():
    chart = [
        [
            str(line.number),
            f"`{line.name}`",
            line.title,
            line.kind,
            line.normal_side.name.lower(),
            line.scope,
        ]
        for line in CHART.values()
    ]

    assert rows("reference/accounting.md", "Accounts") == chart


KINDS = dict.fromkeys(accounting.RECEIVABLE_OF, 1)
BOOKING = accounting.Booking(1, "CNY", "loan:F-1-1", DAY, DAY)
ADVANCED = {5: {"principal": 1, "fee": 1}}
WHOLE = accounting.Allocation({1: KINDS}, {2: 1}, {2: 1}, {2: 1}, 1, ADVANCED)
KNOWN = accounting.Allocation({1: KINDS}, {2: 1}, {2: 1}, {2: 1}, 0, ADVANCED)
DEBTS = {kind: 1 for kind in KINDS if kind != "recovery"}
CHARGES = [kind for kind in DEBTS if kind != "principal"]
MORE = {**dict.fromkeys(accounting.ACCOUNT_OF, 1), "credit": -len(accounting.ACCOUNT_OF)}
LESS = {kind: -minor for kind, minor in MORE.items()}
ON_BOOK = {"book": 1, "amount_minor": 1}
OF_PARTY = {"party": 2, "amount_minor": 1}

SOLD = list(accounting.SOLD_OF.values())
EARNED = [*SOLD, "loan_loss", "waivers", "recovery_income", "share_sale_gain"]
SHARED = {
    accounting.ShareEvent.SOLD: [*SOLD, "share_sale_gain"],
    accounting.ShareEvent.BOUGHT_BACK: [*SOLD, "share_sale_gain"],
    accounting.ShareEvent.REVERSED: EARNED,
    accounting.ShareEvent.PASSED_ON: EARNED,
}

SAMPLES = {
    "capital_paid_in": [{"amount_minor": 1}],
    "drawdown_committed": [ON_BOOK],
    "commitment_ended": [ON_BOOK | {"commitment_entry": 7}],
    "loan_disbursed": [ON_BOOK],
    "accrued": [{"kind": kind, "book": 1, "change_minor": 1} for kind in ("interest", "penalty")],
    "suspended": [
        {"kind": kind, "book": 1, "change_minor": 1}
        for kind in ("interest", "penalty", "advance_fee")
    ],
    "allowance_moved": [{"book": 1, "change_minor": 1}],
    "reserve_moved": [{"change_minor": 1}],
    "fee_charged": [ON_BOOK],
    "charge_waived": [ON_BOOK | {"kind": kind} for kind in CHARGES],
    "loan_charged_off": [{"book": 1, "owed_minor": DEBTS}],
    "charged_back": [{"book": 1, "party": 2, "taken_minor": {**DEBTS, "credit": 1}}],
    "cash_received": [{"amount_minor": 1}],
    "receipt_allocated": [{"allocation": WHOLE}],
    "suspense_applied": [{"allocation": KNOWN}],
    "allocation_corrected": [
        {"book": 1, "party": 2, "changes_minor": changes} for changes in (MORE, LESS)
    ],
    "recovery_due": [
        OF_PARTY | {"account": account} for account in ("supplier_credit", "payable_to_supplier")
    ],
    "credit_refunded": [OF_PARTY],
    "paid_to_supplier": [OF_PARTY],
    "book_changed": [{"from_book": 1, "to_book": 3, "balances_minor": DEBTS, "sold_minor": DEBTS}],
    "shares_moved": [
        {
            "event": event,
            "book": 1,
            "debits_minor": dict.fromkeys(accounts, sign),
            "holders_minor": {2: sign * len(accounts)},
        }
        for event, accounts in SHARED.items()
        for sign in (1, -1)
    ],
    "shared": [{"kind": kind, "book": 1, "change_minor": 1} for kind in CHARGES],
    "funder_paid_in": [OF_PARTY],
    "paid_to_funder": [OF_PARTY],
}
"""Each function of the policy with arguments that let it post all that it can."""


def test_there_is_a_sample_of_every_function_of_the_accounting_policy():
    policy = {
        name
        for name, function in inspect.getmembers(accounting, inspect.isfunction)
        if function.__module__ == accounting.__name__
        and not name.startswith("_")
        and function.__annotations__["return"] in (JournalEntry, JournalEntry | None)
    }

    assert set(SAMPLES) == policy


def test_the_events_on_the_page_post_what_the_code_posts():
    posted: dict[str, dict[Side, set[str]]] = {}
    for function, samples in SAMPLES.items():
        for arguments in samples:
            entry = getattr(accounting, function)(BOOKING, **arguments)
            sides = posted.setdefault(entry.event, {side: set() for side in Side})
            for posting in entry.postings:
                sides[posting.side].add(posting.account.name)

    told = {
        quoted(event)[0]: {Side.DEBIT: set(quoted(debit)), Side.CREDIT: set(quoted(credit))}
        for event, debit, credit, _ in rows("reference/accounting.md", "Events")
    }

    assert told == posted


ANY_CHANGE = dict.fromkeys(sales_accounting.KINDS, 1)
LOSS = {"principal": 1, "fee": 1, "loss": -1, "deferred": -1}
OF_ADVANCES = [
    sales_accounting.advance_disbursed(BOOKING, book=5, amount_minor=2, fee_minor=1),
    sales_accounting.advance_fee_earned(BOOKING, book=5, change_minor=1),
    sales_accounting.advance_interest_accrued(BOOKING, book=5, change_minor=1),
    sales_accounting.advance_book_changed(
        BOOKING,
        from_book=5,
        to_book=7,
        balances_minor={"principal": 2, "fee": 1, "deferred": 1},
    ),
    *(
        sales_accounting.advance_changed(
            BOOKING, event, book=5, party=2, changes_minor=changes | {balancing: balance}
        )
        for event, changes, balancing, balance in (
            ("advance_corrected", ANY_CHANGE, "credit", 1 - len(ANY_CHANGE)),
            ("advance_corrected", ANY_CHANGE, "principal", 1 - len(ANY_CHANGE)),
            ("advance_corrected", dict.fromkeys(ANY_CHANGE, -1), "credit", len(ANY_CHANGE) - 1),
            ("advance_charged_off", LOSS, "deferred", -1),
        )
    ),
]


def test_the_events_of_advances_on_the_page_post_what_the_code_posts():
    posted: dict[str, dict[Side, set[str]]] = {}
    for entry in OF_ADVANCES:
        sides = posted.setdefault(entry.event, {side: set() for side in Side})
        for posting in entry.postings:
            sides[posting.side].add(posting.account.name)

    told = {
        quoted(event)[0]: {Side.DEBIT: set(quoted(debit)), Side.CREDIT: set(quoted(credit))}
        for event, debit, credit, _ in rows("reference/accounting.md", "Advances out of sales")
    }

    assert told == posted


# --- examples -------------------------------------------------------------------------------------


def examples(page: str, kind: str) -> list[str]:
    found = [block.body for block in blocks(DOCS / page) if block.kind == kind]
    assert found, f"{page} has no {kind}"
    return found


@pytest.mark.parametrize("text", examples("reference/mapping-file.md", "toml"))
def test_the_mappings_on_the_page_can_be_read(text):
    assert mapping.parsed(text, name="example").title


def test_the_pool_terms_on_the_page_can_be_read():
    (text,) = examples("reference/pool-terms-file.md", "toml")

    assert read_pool_terms(text, file="example").related


def test_the_programme_on_the_page_can_be_read():
    (text,) = examples("reference/programme-file.md", "toml")

    assert [each.code for each in read_programmes(text, file="example")] == ["house.standard"]


def test_the_loan_case_on_the_page_can_be_read(tmp_path):
    texts = examples("reference/loan-case-file.md", "json")
    case = tmp_path / "case.json"

    read = []
    for text, reader in zip(texts, (read_case, read_sales, read_line), strict=True):
        case.write_text(text)
        read.append(len(reader(case).events))
    assert read == [4, 3, 3]


# --- commands -------------------------------------------------------------------------------------


def command_lines() -> list[tuple[str, str]]:
    """Every ./tally command that a page shows, with the page: in blocks and in tables."""
    found = []
    for page in (*PAGES, ROOT / "README.md"):
        text = page.read_text().replace("\\\n", " ")
        in_blocks = re.findall(r"^(?:[A-Z_]+=\S+ )?\./tally (.*)$", text, re.MULTILINE)
        in_lines = re.findall(r"`\./tally ([^`\n]*)`", text)
        found += [(page.name, line) for line in in_blocks + in_lines]
    return found


@pytest.fixture(scope="module")
def commands():
    return {entry.name: main.loaded(entry) for entry in main.COMMANDS}


def test_every_command_that_a_page_shows_exists_with_its_options(commands):
    wrong = []
    for page, line in command_lines():
        words = shlex.split(line.split(" | ")[0], comments=True)
        while words and words[0].startswith("--"):  # options of ./tally itself
            words = words[2:] if words[0] == "--database" else words[1:]
        if not words or words[0] in ("COMMAND", "…", "<command>"):
            continue
        command = commands.get(words.pop(0))
        if getattr(command, "commands", None) and words and not words[0].startswith("-"):
            command = command.commands.get(words.pop(0))
        options = [word.partition("=")[0] for word in words if word.startswith("--")]
        known = {
            option for parameter in getattr(command, "params", ()) for option in parameter.opts
        }
        if command is None or set(options) - known - {"--help"}:
            wrong.append((page, line))

    assert wrong == []


def test_the_table_of_commands_is_that_of_the_program(commands):
    names = set()
    for name, command in commands.items():
        below = getattr(command, "commands", None)
        names |= {f"{name} {each}" for each in below} if below else {name}

    page = (DOCS / "reference/command-line.md").read_text()
    told = [quoted(line.split("|")[1])[0] for line in page.splitlines() if line.startswith("| `")]

    assert sorted(told) == sorted(names)


# --- paths and variables --------------------------------------------------------------------------


def test_every_file_that_a_page_names_is_there():
    named = re.compile(r"`((?:src/tallystick/|tests/|rules/|book/|faces/|lab/)[\w/.-]+\.\w+)`")
    missing = [
        (page.name, path)
        for page in PAGES
        for path in named.findall(page.read_text())
        if not (ROOT / path).exists() and not (ROOT / "src/tallystick" / path).exists()
    ]

    assert missing == []


def test_every_table_and_function_that_a_page_names_is_in_the_database():
    apps = "acts|parties|ledger|trade|collateral|financing|funding|payments|servicing|watch"
    named = re.compile(rf"`((?:{apps})_[a-z_]+)(?:\.[a-z_]+)?`")
    database = "\n".join(
        source.read_text() for source in (ROOT / "src/tallystick/book").rglob("*.py")
    )
    unknown = [
        (page.name, name)
        for page in PAGES
        for name in named.findall(page.read_text())
        if not re.search(rf"\b{name}\b", database)
    ]

    assert unknown == []


def test_every_variable_of_the_environment_is_on_its_page():
    sources = [*(ROOT / "src").rglob("*.py"), ROOT / "tally"]
    read = {
        name
        for source in sources
        for name in re.findall(r"\bTALLY_[A-Z_]+\b|\bDATABASE_URL\b", source.read_text())
    }

    assert read == {quoted(row.split("|")[1])[0] for row in environment_rows()} - {"PYTHON"}


def environment_rows() -> list[str]:
    page = (DOCS / "reference/environment.md").read_text().partition("## Exit status")[0]
    return [line for line in page.splitlines() if line.startswith("| `")]
