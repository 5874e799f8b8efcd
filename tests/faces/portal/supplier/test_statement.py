"""The statement: every movement, a running balance, and the ledger's own figure at its end."""

import csv
import io
from datetime import timedelta

import openpyxl
import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import books_of
from tests.faces.portal.supplier.seller import second_facility, text_of

from tallystick.book.financing.models import Loan
from tallystick.book.servicing.charge_fee import charge_fee
from tallystick.book.servicing.close import close_day
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.supplier_statement import supplier_statement

OWED = ("loan_principal", "interest_receivable", "penalty_receivable", "fee_receivable")


def lived(seller) -> None:
    """Two loans, a fee, repayments early, late and too much; every day closed."""
    scene = seller.scene
    first = Loan.objects.get(pk=scenes.lent(seller.facility, 36_000_00, days=8))
    second = Loan.objects.get(pk=scenes.lent(seller.facility, 5_000_00, days=60))
    for number in range(16):
        if number == 3:
            charge_fee(
                second.code,
                25_00,
                why="late papers",
                value_date=scene.today,
                caller=scenes.CALLER,
                key=f"f{second.pk}",
            )
        if number == 5:
            _repaid(first.code, 10_000_00)
        if number == 12:
            _repaid(second.code, 7_000_00)
        close_day(scene.legal_entity_id, scene.today)


def _repaid(code: str, amount_minor: int) -> None:
    repay(code, amount_minor, value_date=None, caller=scenes.CALLER, key=f"r-{code}")


def owed_in_ledger(seller) -> int:
    """What the seller owes as the ledger has it: its lender has no other borrower."""
    books = books_of(seller.scene, seller.scene.today - timedelta(days=1))
    credit = f"supplier_credit {seller.facility.supplier}"
    return sum(amount for name, amount in books.items() if name.strip() in OWED or name == credit)


def test_the_balance_after_a_closed_day_is_the_ledgers(seller):
    lived(seller)
    yesterday = seller.scene.today - timedelta(days=1)

    told = supplier_statement(
        seller.facility.supplier_id, "CNY", from_date=scenes.START, to_date=yesterday
    )

    assert told.opening_minor == 0
    assert told.closing_minor == owed_in_ledger(seller) != 0


def test_periods_that_follow_each_other_hold_the_same_lines_and_balances(seller):
    lived(seller)
    supplier_id = seller.facility.supplier_id
    last = seller.scene.today
    middle = scenes.START + timedelta(days=6)

    first = supplier_statement(supplier_id, "CNY", from_date=scenes.START, to_date=middle)
    second = supplier_statement(
        supplier_id, "CNY", from_date=middle + timedelta(days=1), to_date=last
    )
    whole = supplier_statement(supplier_id, "CNY", from_date=scenes.START, to_date=last)

    assert second.opening_minor == first.closing_minor
    assert second.closing_minor == whole.closing_minor


def test_a_statement_stays_as_it_was_issued_and_the_next_carries_what_came_late(seller):
    lived(seller)
    supplier_id = seller.facility.supplier_id
    middle = scenes.START + timedelta(days=6)
    next_day = middle + timedelta(days=1)
    last = seller.scene.today
    issued = supplier_statement(supplier_id, "CNY", from_date=scenes.START, to_date=middle)
    after = supplier_statement(supplier_id, "CNY", from_date=next_day, to_date=last)
    loan = Loan.objects.get(facility=seller.facility, status="live")

    charge_fee(
        loan.code, 30_00, why="late", value_date=middle, caller=scenes.CALLER, key="came late"
    )

    again = supplier_statement(supplier_id, "CNY", from_date=scenes.START, to_date=middle)
    assert again == issued
    told = supplier_statement(supplier_id, "CNY", from_date=next_day, to_date=last)
    assert told.opening_minor == issued.closing_minor
    first = told.lines[0]
    assert (first.kind, first.loan, first.value_date) == ("correction", loan.code, next_day)
    assert first.amount_minor == told.closing_minor - after.closing_minor == 30_00
    assert [line.kind for line in after.lines].count("correction") == 0


def test_each_line_moves_the_balance_by_its_amount(seller):
    lived(seller)
    told = supplier_statement(
        seller.facility.supplier_id, "CNY", from_date=scenes.START, to_date=seller.scene.today
    )

    balance_minor = told.opening_minor
    for line in told.lines:
        balance_minor += line.amount_minor
        assert line.balance_minor == balance_minor
    assert {line.kind for line in told.lines} >= {"paid_out", "interest", "fee", "repaid"}


def test_the_screen_the_csv_and_the_workbook_say_the_same(seller):
    lived(seller)
    period = {"from_date": str(scenes.START), "to_date": str(seller.scene.today)}

    screen = seller.client.get("/my/statement/", period)
    as_csv = seller.client.get("/my/statement/csv/", period).content.decode("utf-8-sig")
    book = openpyxl.load_workbook(
        io.BytesIO(seller.client.get("/my/statement/xlsx/", period).content)
    )

    lines = supplier_statement(
        seller.facility.supplier_id, "CNY", from_date=scenes.START, to_date=seller.scene.today
    ).lines
    rows = list(csv.reader(io.StringIO(as_csv)))
    assert len(rows) == len(lines) + 3  # header, balance before, balance after
    assert [row[5] for row in rows[2:-1]] == [_major(line.amount_minor) for line in lines]
    assert rows[-1][6] == _major(lines[-1].balance_minor)
    assert book.active.max_row == len(rows)
    shown = text_of(screen)
    assert f"¥ {lines[-1].balance_minor / 100:,.2f}" in shown
    assert screen.content.decode().count('<th scope="row">') == len(lines)


def test_a_loan_named_like_a_formula_computes_nothing(seller):
    facility = second_facility(seller.facility, code="=2+5")
    scenes.lent(facility, 100_00)

    rows = list(
        csv.reader(io.StringIO(seller.client.get("/my/statement/csv/").content.decode("utf-8-sig")))
    )

    (cell,) = {row[2] for row in rows if "2+5" in row[2]}
    assert not cell.startswith("=")


@pytest.mark.parametrize(
    "period",
    [
        {"from_date": "2026-03-05", "to_date": "2026-03-01"},
        {"from_date": "2020-01-01", "to_date": "2026-03-01"},
        {"from_date": "", "to_date": "2026-03-01"},
        {"from_date": "0001-01-01", "to_date": "0001-01-02"},
        {"from_date": "never", "to_date": "2026-03-01"},
    ],
)
def test_a_period_that_is_none_is_asked_again(seller, period):
    screen = seller.client.get("/my/statement/", period)

    assert screen.status_code in (200, 422)
    assert seller.client.get("/my/statement/csv/", period).status_code in (200, 422)


def _major(amount_minor: int) -> str:
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{abs(amount_minor) // 100}.{abs(amount_minor) % 100:02}"
