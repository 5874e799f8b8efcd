"""What is provided for: by hand for single loans, as differences in the ledger, and proved."""

from dataclasses import replace
from datetime import timedelta
from random import Random

import pytest
from django.db import connection, transaction
from tests.book.impairment.people import about, recorded
from tests.book.impairment.shorter import shorter, under
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_reverse import code_of
from tests.rules.oracle_expected_loss import (
    Exposure,
    instalments_allowance_minor,
    principal_to_come_minor,
)

from tallystick.book.impairment.checks import impairment_checks
from tallystick.book.impairment.facts import FactKind
from tallystick.book.impairment.models import Provision, Reserve
from tallystick.book.impairment.needed import ALLOWANCE, loan_provided_on
from tallystick.book.impairment.packs import RulePackNotInForce, adopt, preset
from tallystick.book.parties.models import Party
from tallystick.book.servicing.close import close_day, close_through
from tallystick.book.servicing.models import Position, RepaymentPlan
from tallystick.book.servicing.repay import repay
from tallystick.book.servicing.sell_share import sell_share
from tallystick.rules.expected_loss import PPB, allowance_minor
from tallystick.site import databases

DAY = timedelta(days=1)


def test_a_factor_books_the_higher_of_its_hundredth_and_the_expected_loss(database):
    """36,000.00 and a night of 10.00: 0.3 % is 108.03; the reserve asks for 360.00."""
    scene = under(preset("cn.factor"))
    scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=60)

    closed = close_day(scene.legal_entity_id, START)

    assert net_minor(scene, "loss_allowance") == -10_803
    assert net_minor(scene, "loss_reserve") == -(36_000 - 10_803)
    assert net_minor(scene, "impairment_loss") + net_minor(scene, "reserve_charge") == 36_000
    assert closed.figures["provisions"]["currencies"] == {
        "CNY": {
            "expected_loss_minor": 10_803,
            "reserve_minor": 36_000,
            "booked_minor": 36_000,
            "suspended_minor": 0,
        }
    }
    assert findings() == []


def test_of_a_loan_of_which_a_share_was_sold_only_the_rest_is_provided_for(database):
    """36,000.00 and two nights of 10.00; three quarters of it at 0.3 % and at a hundredth."""
    scene = under(preset("cn.factor"))
    loan_id = scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=60)
    Party.objects.create(code="HARBOUR", name="Harbour Bank")
    close_day(scene.legal_entity_id, START)
    sell_share(code_of(loan_id), "HARBOUR", 250_000, caller=CALLER, key="sold")

    close_day(scene.legal_entity_id, START + DAY)

    row = Provision.objects.get(date=START + DAY)
    assert (row.principal_minor, row.exposure_minor, row.allowance_minor) == (
        2_700_000,
        2_701_500,
        8_105,
    )
    assert net_minor(scene, "loss_reserve") == -(27_000 - 8_105)
    assert findings() == []


def test_a_reserve_falls_away_as_expected_loss_rises_above_it(database):
    scene = under(shorter("cn.factor"))
    scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=1, penalty_rate_ppb=0)

    close_through(scene.legal_entity_id, START + 2 * DAY)

    # One day past due: 1.6 % of 36,030.00 is 576.48, above the reserve of 360.00.
    assert net_minor(scene, "loss_allowance") == -57_648
    assert net_minor(scene, "loss_reserve") == 0
    row = Reserve.objects.get(date=START + 2 * DAY)
    assert (row.reserve_minor, row.expected_loss_minor, row.above_minor) == (36_000, 57_648, 0)
    assert findings() == []


def test_what_is_provided_moves_with_the_loan_and_goes_when_it_is_repaid(database):
    scene = under(preset("cn.factor"))
    loan = scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=60)
    close_day(scene.legal_entity_id, START)

    repay(code_of(loan), 3_601_000, value_date=None, caller=CALLER, key="all")
    close_day(scene.legal_entity_id, START + DAY)

    assert net_minor(scene, "loss_allowance") == net_minor(scene, "loss_reserve") == 0
    moves = Provision.objects.order_by("date").values_list("allowance_minor", "movement_minor")
    assert list(moves) == [(10_803, 10_803), (0, -10_803)]
    assert findings() == []


def test_an_impaired_loan_of_a_bank_is_provided_with_its_loss_given_default(database):
    """45 % of 36,010.00; of the one beside it that is sound, 59 days at 15 and 35 per day."""
    scene = under(preset("cn.bank"))
    impaired = scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=60)
    sound = scenes.lent(scenes.facility(scene, "S2"), 3_600_000, days=60, rate_ppb=0)
    recorded(scene, about(code_of(impaired), FactKind.CREDIT_IMPAIRED, scene))

    close_day(scene.legal_entity_id, START)

    found = loan_provided_on(scene.legal_entity_id, impaired, START)
    assert (found.stage, found.allowance_minor) == (3, 1_620_450)
    # PD of 60 days: 0.15 % by day 30, then 0.35 % over 60 days, half of it: 0.325 %; × 45 %.
    found = loan_provided_on(scene.legal_entity_id, sound, START)
    assert (found.stage, found.loss_ppb, found.allowance_minor) == (1, 1_462_500, 5_265)
    assert net_minor(scene, "loss_allowance") == -(1_620_450 + 5_265)
    assert findings() == []


def test_a_loan_in_instalments_is_provided_for_by_due_date(database):
    """12,000.00 each in 31, 65 and 92 days: 0.155833 %, 0.354166 % and 0.510909 % default; × 45 %.

    A prepayment of the next morning makes the plan another. The night that is closed stays so.
    """
    scene = under(preset("cn.bank"))
    terms = scenes.in_instalments("equal_principal", "1M", "term")
    facility = scenes.facility(scene, "S1", terms)
    loan = scenes.lent(facility, 3_600_000, days=92, rate_ppb=0)
    close_day(scene.legal_entity_id, START)

    found = loan_provided_on(scene.legal_entity_id, loan, START)
    assert (found.stage, found.allowance_minor, found.loss_percent) == (1, 5_513, "0.1531364")
    assert net_minor(scene, "loss_allowance") == -5_513
    repay(code_of(loan), 1_200_000, value_date=None, caller=CALLER, key="early")
    assert findings() == []

    close_day(scene.legal_entity_id, START + DAY)
    # 8,000.00 each now, a day nearer: 0.15 %, 0.348333 % and 0.505454 % default.
    assert loan_provided_on(scene.legal_entity_id, loan, START + DAY).allowance_minor == 3_614
    assert findings() == []


def test_every_night_the_parts_of_instalments_come_to_what_the_rule_says(database):
    """Paid in part, late for a while, into stages 2 and 3, with interest of which some waits."""
    pack = shorter("cn.bank")
    scene = under(pack)
    terms = scenes.in_instalments("equal_instalments", "1W")
    loan = scenes.lent(scenes.facility(scene, "S1", terms), 3_600_000, days=42)
    stages = set()
    for n in range(20):
        day = START + n * DAY
        if n == 5:
            repay(code_of(loan), 450_000, value_date=None, caller=CALLER, key="part")
        close_day(scene.legal_entity_id, day)

        held = Position.objects.get(loan=loan, booking_date__lte=day, superseded_date__gt=day)
        plan = RepaymentPlan.objects.get(loan=loan)
        found = loan_provided_on(scene.legal_entity_id, loan, day)
        principal = principal_to_come_minor(
            plan.planned_minor,
            repaid_minor=held.disbursed_minor - held.principal_minor,
            principal_minor=held.principal_minor,
        )
        parts = [
            Exposure((due_date - day).days, amount_minor)
            for due_date, amount_minor in zip(plan.due_dates, principal, strict=True)
        ]
        charges_minor = found.exposure_minor - held.principal_minor
        assert found.allowance_minor == instalments_allowance_minor(
            pack.loss,
            [Exposure((held.due_date - day).days, charges_minor), *parts],
            stage=found.stage,
            annual_rate_ppb=held.annual_rate_ppb,
            days_a_year=360,
        )
        stages.add(found.stage)
    assert stages == {1, 2, 3}
    assert findings() == []


def test_a_pack_is_in_force_from_the_day_on_which_it_was_adopted(database):
    scene = under(preset("cn.bank"))
    scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=60)
    close_day(scene.legal_entity_id, START)
    assert net_minor(scene, "loss_reserve") == 0

    adopt(scene.legal_entity_id, preset("cn.factor"), caller=CALLER, key="other")
    close_day(scene.legal_entity_id, START + DAY)

    assert net_minor(scene, "loss_allowance") + net_minor(scene, "loss_reserve") == -36_000
    assert findings() == []


def test_a_pack_whose_law_is_not_in_force_yet_is_refused(database):
    scene = under(preset("cn.bank"))
    coming = preset("cn.factor")
    later = tuple(replace(each, from_date=START + timedelta(days=40)) for each in coming.thresholds)

    with pytest.raises(RulePackNotInForce, match="from 2026-04-"):
        adopt(scene.legal_entity_id, replace(coming, thresholds=later), caller=CALLER, key="coming")

    close_day(scene.legal_entity_id, START)
    assert findings() == []


def test_the_database_rounds_an_allowance_as_the_rule_does(database):
    some = Random(2026)
    asked = [
        (some.choice([some.randrange(10**4), some.randrange(10**15)]), some.randrange(PPB + 1))
        for _ in range(2_000)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {ALLOWANCE} FROM unnest(%s::bigint[], %s::bigint[]) WITH ORDINALITY"
            " AS loan (exposure, loss_ppb, place) ORDER BY place",
            [[exposure for exposure, _ in asked], [loss_ppb for _, loss_ppb in asked]],
        )
        found = [minor for (minor,) in cursor.fetchall()]

    assert found == [allowance_minor(*each) for each in asked]


TAMPERED = [
    ("SELECT 1", "guards of classes and provisions stand", "missing or disabled"),
    (
        (
            "UPDATE impairment_loanclass SET superseded_date = superseded_date + 1"
            " WHERE superseded_date < '9999-12-31'"
        ),
        "classes: follow each other without a gap",
        "ends on 2026-03-09",
    ),
    (
        "UPDATE impairment_loanclass SET stage = 2 WHERE superseded_date = '9999-12-31'",
        "classes: what the rules say",
        "substandard, stage 2, by substandard_over_days",
    ),
    (
        (
            "UPDATE impairment_provision SET allowance_minor = allowance_minor + 1"
            " WHERE date = '2026-03-08'"
        ),
        "provisions: the ledger holds what was provided",
        ", movements ",
    ),
    (
        "UPDATE impairment_reserve SET above_minor = above_minor + 1",
        "provisions: reserve and expected loss, the higher is booked",
        "0, movements 0",
    ),
    (
        "UPDATE servicing_position SET principal_minor = principal_minor - 1 WHERE NOT settled",
        "provisions: recomputed from the loans",
        " on ",
    ),
]


@pytest.fixture
def as_owner(database):
    """A loan that has gone bad, its interest in suspense, and what is provided for it."""
    scene = under(shorter("cn.bank"))
    scenes.lent(scenes.facility(scene, "S1"), 3_600_000, days=1)
    close_through(scene.legal_entity_id, START + 6 * DAY)
    assert findings() == []
    databases.use(database, as_owner=True)


def test_every_check_finds_what_it_is_there_for(as_owner):
    for tampering, check, found in TAMPERED:
        with transaction.atomic():
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL session_replication_role = replica")
                for table in (
                    "impairment_loanclass",
                    "impairment_provision",
                    "impairment_reserve",
                    "servicing_position",
                ):
                    cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
                cursor.execute(tampering)
                assert cursor.rowcount

            said = [f.found for each in impairment_checks() for f in each.run() if f.check == check]

            assert any(found in text for text in said), (check, said)
            transaction.set_rollback(True)
    assert {check for _, check, _ in TAMPERED} == {check.name for check in impairment_checks()}
