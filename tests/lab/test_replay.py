"""Real data become dated events; a set that is not there is asked for helpfully."""

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from tallystick.book.trade.imports.mapping import preset
from tallystick.lab.replay import LATENESS, ReplayTerms, SetHasFaults, recorded
from tallystick.lab.sets import SETS, SetNotFound, UnknownSet, find_set

TERMS = ReplayTerms(draw_share_ppm=800_000, tenor_days=90, lateness_seed=1)


@pytest.fixture
def ibm(tmp_path):
    def written(**columns):
        path = tmp_path / "invoices.parquet"
        rows = {
            "customerID": ["C1", "C2"],
            "invoiceNumber": [1, 2],
            "InvoiceDate": [date(2012, 1, 3), date(2012, 1, 5)],
            "DueDate": [date(2012, 2, 2), date(2012, 2, 4)],
            "InvoiceAmount": [10.5, 20.25],
            "Disputed": ["No", "Yes"],
            "SettledDate": [date(2012, 1, 23), date(2012, 2, 9)],
        }
        pl.DataFrame(rows | columns).write_parquet(path)
        return path

    return written


def cumcm(tmp_path, rows):
    path = tmp_path / "invoices_out_credit.parquet"
    names = ["企业代号", "发票号码", "开票日期", "购方单位代号", "价税合计", "发票状态"]
    pl.DataFrame(rows, schema=names, orient="row").write_parquet(path)
    return path


def replayed(path, name="ibm_ar", **dates):
    dates = {"from_date": None, "to_date": None} | dates
    return recorded([path], preset(name), TERMS, **dates)


def test_documents_arrive_on_their_issue_date_and_cash_on_its_own(ibm):
    world = replayed(ibm())

    assert [d.number for d in world.events(date(2012, 1, 3)).documents] == ["1"]
    [remittance] = world.events(date(2012, 1, 23)).remittances
    assert (remittance.payer, remittance.lines) == ("C1", (("SELLER:invoice:1", None),))
    assert (world.first_date, world.end_date) == (date(2012, 1, 3), date(2012, 2, 9))


def test_a_dispute_is_not_known_before_the_due_date(ibm):
    world = replayed(ibm())

    for day in range(3, 33):
        assert not world.events(date(2012, 1, 1) + timedelta(days=day - 1)).disputed_claims
    assert world.events(date(2012, 2, 4)).disputed_claims == ["SELLER:invoice:2"]


def test_only_documents_between_the_dates_given_are_replayed(ibm):
    world = replayed(ibm(), from_date=date(2012, 1, 4))

    assert world.first_date == date(2012, 1, 5)
    assert not world.events(date(2012, 1, 3)).documents


def test_a_supplier_asks_once_a_week_while_the_data_last(ibm):
    world = replayed(ibm(InvoiceDate=[date(2012, 1, 2), date(2012, 1, 29)]))
    asked = [day for day in range(60) if world.wishes(date(2012, 1, 2) + timedelta(days=day))]

    assert asked == [0, 7, 14, 21]


def test_a_row_the_mapping_cannot_take_stops_the_replay_by_name(ibm):
    with pytest.raises(SetHasFaults, match=r"row 2, InvoiceAmount = '20.255'"):
        replayed(ibm(InvoiceAmount=[1.0, 20.255]))


def test_an_invoice_that_stands_in_the_data_twice_is_paid_once(tmp_path):
    row = ("E1", "7", date(2017, 1, 3), "B1", 100.0, "有效发票")
    world = replayed(cumcm(tmp_path, [row, row]), "cumcm2020c")

    lines = [line for _, r in dated_remittances(world) for line in r.lines]
    assert len(lines) == 1


def test_without_payment_dates_obligors_pay_at_due_plus_the_seeded_lateness(tmp_path):
    rows = [("E1", str(n), date(2017, 1, 3), "B1", 100.0, "有效发票") for n in range(400)]
    world = replayed(cumcm(tmp_path, rows), "cumcm2020c")
    due = date(2017, 1, 3) + timedelta(days=60)
    days_late = [(on - due).days for on, r in dated_remittances(world) for _ in r.lines]

    share_on_time = days_late.count(0) * 100 // len(days_late)
    assert len(days_late) == 400
    assert abs(share_on_time - LATENESS[0][0]) <= 8
    assert max(days_late) <= LATENESS[-1][2]


def dated_remittances(world):
    on, end = world.first_date, world.end_date
    while on <= end:
        for remittance in world.events(on).remittances:
            yield on, remittance
        on += timedelta(days=1)


def test_a_set_is_found_in_the_folder_given_or_in_the_environments(tmp_path):
    folder = tmp_path / "ibm_ar"
    folder.mkdir()
    (folder / "invoices.parquet").touch()

    expected = [folder / "invoices.parquet"]
    assert find_set("ibm_ar", data=tmp_path, environment_data=None) == expected
    assert find_set("ibm_ar", data=None, environment_data=str(tmp_path)) == expected
    assert find_set("ibm_ar", data=folder, environment_data=None) == expected


@pytest.mark.parametrize("name", SETS)
def test_a_set_that_is_not_there_is_refused_with_where_to_have_it(name, tmp_path):
    with pytest.raises(SetNotFound) as refusal:
        find_set(name, data=tmp_path, environment_data=None)

    for said in ("--data", "TALLY_DATA", str(tmp_path), SETS[name].origin):
        assert said in str(refusal.value)


def test_an_unknown_set_is_refused_with_those_there_are():
    with pytest.raises(UnknownSet, match="cumcm2020c, ibm_ar, olist"):
        find_set("nothing", data=Path(), environment_data=None)
