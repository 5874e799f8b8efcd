"""What gives money or time away: one person proposes, another decides, the ledger follows."""

import ast
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from tests.book.collections.test_cases import close_until_open, late_firm
from tests.book.servicing import scene as scenes
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.scene import CALLER, START
from tests.book.servicing.test_settle import code_of

from tallystick import faces
from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller, KeyConflict
from tallystick.book.acts.reasons import ReasonMissing
from tallystick.book.collections import overview
from tallystick.book.collections.models import Case, Message
from tallystick.book.financing.models import Facility, Loan
from tallystick.book.parties.models import User
from tallystick.book.parties.two_people import (
    AlreadyDecided,
    CheckedByMaker,
    NothingProposed,
    NotItsMaker,
    RoleMissing,
)
from tallystick.book.payments.models import PaymentOrder
from tallystick.book.proposals.checks import proposals_checks
from tallystick.book.proposals.decide import approve_proposal, reject_proposal, withdraw_proposal
from tallystick.book.proposals.models import Proposal, ProposalKind
from tallystick.book.proposals.propose import (
    ExtensionUnusable,
    ProposedAlready,
    preview,
    propose,
    propose_refund,
)
from tallystick.book.proposals.terms import (
    KIND_OF,
    ChargeBack,
    ChargeOff,
    DueMove,
    EventReversal,
    Extension,
    InterestPause,
    RateChange,
    ReAging,
    Refund,
    Restructuring,
    ShareBuyBack,
    ShareReversal,
    ShareSale,
    Waiver,
    as_content,
    terms_of,
)
from tallystick.book.proposals.waiting import waiting
from tallystick.book.servicing.charge_fee import charge_fee
from tallystick.book.servicing.charge_off import WaiverAboveOwed, waive
from tallystick.book.servicing.live_loan import NotALiveLoan
from tallystick.book.servicing.loans import loan_on
from tallystick.book.servicing.models import LoanEvent
from tallystick.book.servicing.recover import recover
from tallystick.book.servicing.refund import RefundAboveCredit
from tallystick.book.servicing.repay import repay
from tallystick.rules.loan_events import Charge
from tallystick.rules.rate_ceilings import RateAboveCeiling

DAY = timedelta(days=1)
WHY = Caller("user:x", "x@house.example", "portal", "the warehouse burnt down")
SIX_PER_CENT = 60_000_000

EVERY_KIND = [
    Extension(30),
    DueMove(START + 90 * DAY),
    ReAging(START + 120 * DAY),
    InterestPause(START, START + 9 * DAY),
    RateChange(SIX_PER_CENT, START),
    Waiver(Charge.INTEREST, 1_000),
    Restructuring(SIX_PER_CENT, START + 120 * DAY),
    ChargeOff(),
]


@pytest.fixture
def people(database):
    roles = {"maker": "operator", "checker": "approver", "treasury": "treasury"}
    return {
        name: User.objects.create(email=f"{name}@house.example", role=role)
        for name, role in roles.items()
    }


@pytest.fixture
def owner(database):
    """The role that owns the tables: what holds for it holds for everybody."""
    with database.connect() as owner:
        yield owner


def late_case():
    scene, loan = late_firm()
    close_until_open(scene, 5)
    return scene, loan, Case.objects.get()


def sound_loan():
    """3,600,000 at 10 % over 60 days, ten of which have passed: 10,000 of interest."""
    scene = scenes.opened()
    code = code_of(scenes.lent(scenes.facility(scene, "S1"), 3_600_000))
    close_until_open(scene, 10)
    return scene, code


def all_findings():
    return findings() + [finding for check in proposals_checks() for finding in check.run()]


@pytest.mark.parametrize("terms", EVERY_KIND, ids=lambda terms: str(KIND_OF[type(terms)]))
def test_each_kind_changes_nothing_until_a_second_person_approves_and_then_what_was_shown(
    people, terms
):
    scene, code = sound_loan()
    before = loan_on(code)
    shown = preview(code, terms, caller=WHY)
    number = propose(code, terms, caller=WHY, key="one", maker=people["maker"])
    assert propose(code, terms, caller=WHY, key="one", maker=people["maker"]) == number
    assert loan_on(code) == before
    assert [each.pk for each in waiting(scene.legal_entity_id)] == [number]
    assert shown.before.owed == before.state.balances

    approved = approve_proposal(number, caller=CALLER, key="yes", checker=people["checker"])

    assert (approved.approved, approved.checker) == (True, people["checker"])
    assert shown.after.owed == loan_on(code).state.balances
    assert shown.after != shown.before
    assert not waiting(scene.legal_entity_id)
    assert Act.objects.get(key=f"proposal:{number}").reason == "the warehouse burnt down"
    close_until_open(scene, 12)
    assert all_findings() == []


def test_what_is_shown_beforehand_is_not_kept(people):
    scene, code = sound_loan()

    shown = preview(code, ChargeOff(), caller=WHY)

    assert shown.before.owed.owed_minor == 3_610_000
    assert (shown.after.status, shown.after.owed.owed_minor) == ("charged_off", 0)
    assert (shown.before.to_come_minor, shown.after.to_come_minor) == (3_660_000, 0)
    assert Loan.objects.get(code=code).status == "live"
    assert net_minor(scene, "loan_loss") == 0
    assert Facility.objects.get().frozen_reason == ""
    assert not LoanEvent.objects.filter(kind="charged_off").exists()


def test_terms_are_read_as_they_were_written():
    assert set(KIND_OF.values()) == set(ProposalKind)
    others = [
        ShareSale("BANK-B", 300_000, None, START),
        ShareBuyBack("BANK-B", 300_000, 1_000),
        ShareReversal(7),
        EventReversal(8),
        ChargeBack(900, START),
        Refund("CNY", 900),
    ]
    assert {type(terms) for terms in EVERY_KIND + others} == set(KIND_OF)
    for terms in EVERY_KIND + others:
        assert terms_of(KIND_OF[type(terms)], as_content(terms)) == terms


def test_an_extension_moves_the_due_date_and_ends_the_case(people):
    scene, loan, case = late_case()
    number = propose(loan.code, Extension(10), caller=WHY, key="one", maker=people["maker"])
    assert Loan.objects.get(pk=loan.pk).due_date == START + 2 * DAY, "nothing happens before"

    approved = approve_proposal(number, caller=WHY, key="yes", checker=people["checker"])

    assert Loan.objects.get(pk=loan.pk).due_date == START + 12 * DAY
    assert approved.figures == {"from_date": "2026-03-04", "to_date": "2026-03-14"}
    figures = close_until_open(scene, 6)
    case.refresh_from_db()
    assert (figures["closed"], case.end) == (1, "cured")
    # Past due again after the new date, another case with letters of its own begins.
    close_until_open(scene, 15)
    again = Case.objects.get(closed_date=None)
    assert again.pk != case.pk
    assert Message.objects.filter(case=again).count() == 1
    assert all_findings() == []


def test_a_charge_off_takes_all_that_is_owed_to_losses_and_ends_the_case(people):
    scene, loan, case = late_case()
    number = propose(loan.code, ChargeOff(), caller=WHY, key="one", maker=people["maker"])
    assert net_minor(scene, "loan_loss") == 0

    approved = approve_proposal(number, caller=WHY, key="yes", checker=people["checker"])

    # 36,000.00 for five days at 10 % of 360 days, and three days' penalty at 5 %.
    assert approved.figures == {
        "currency": "CNY",
        "principal_minor": 3_600_000,
        "interest_minor": 5_000,
        "penalty_minor": 1_500,
        "fees_minor": 0,
    }
    assert net_minor(scene, "loan_loss") == 3_606_500
    assert net_minor(scene, "loan_principal") == 0
    close_until_open(scene, 6)
    case.refresh_from_db()
    assert case.end == "written_off"
    assert all_findings() == []


def test_money_that_comes_after_the_charge_off_is_recovery_income(people):
    scene, loan, _ = late_case()
    number = propose(loan.code, ChargeOff(), caller=WHY, key="one", maker=people["maker"])
    approve_proposal(number, caller=WHY, key="yes", checker=people["checker"])
    cash_minor = net_minor(scene, "bank")

    recover(loan.code, 1_000_000, value_date=None, caller=CALLER, key="recovered")

    assert net_minor(scene, "bank") == cash_minor + 1_000_000
    assert net_minor(scene, "recovery_income") == -1_000_000
    assert net_minor(scene, "loan_loss") == 3_606_500, "the loss stays as it was booked"
    assert all_findings() == []


def test_the_person_who_proposed_cannot_decide_and_others_need_the_role(people):
    _, code = sound_loan()
    number = propose(code, ChargeOff(), caller=WHY, key="one", maker=people["maker"])
    decide = {"caller": WHY, "key": "decide"}

    for decision in (approve_proposal, reject_proposal):
        with pytest.raises(RoleMissing, match="approver"):
            decision(number, checker=people["maker"], **decide)
        with pytest.raises(RoleMissing, match="approver"):
            decision(number, checker=people["treasury"], **decide)
    for name in ("checker", "treasury"):
        with pytest.raises(RoleMissing, match="operator or risk officer"):
            propose(code, Extension(9), caller=WHY, key="two", maker=people[name])
    User.objects.filter(pk=people["maker"].pk).update(role="approver")
    with pytest.raises(CheckedByMaker, match="cannot decide"):
        approve_proposal(number, checker=User.objects.get(pk=people["maker"].pk), **decide)
    assert Loan.objects.get(code=code).status == "live"


def test_the_database_too_wants_two_persons_and_keeps_a_decision(people, owner):
    _, code = sound_loan()
    number = propose(code, Extension(9), caller=WHY, key="one", maker=people["maker"])

    with pytest.raises(psycopg.errors.CheckViolation, match="checked_by_another"):
        owner.execute(
            "UPDATE proposals_proposal SET checker_id = maker_id, decided_at = now(),"
            " decided_date = proposed_date, approved = false"
        )
    with pytest.raises(psycopg.errors.CheckViolation, match="carried_out_when_approved"):
        owner.execute(
            "UPDATE proposals_proposal SET checker_id = %s, decided_at = now(),"
            " decided_date = proposed_date, approved = true",
            (people["checker"].pk,),
        )
    with pytest.raises(psycopg.IntegrityError, match="only added to"):
        owner.execute("DELETE FROM proposals_proposal")
    reject_proposal(number, caller=WHY, key="no", checker=people["checker"])
    with pytest.raises(psycopg.IntegrityError, match="only added to"):
        owner.execute("UPDATE proposals_proposal SET decision_reason = 'another'")


def test_a_proposal_is_decided_once_and_a_rejection_changes_nothing(people):
    _, loan, _ = late_case()
    number = propose(loan.code, Extension(10), caller=WHY, key="one", maker=people["maker"])
    with pytest.raises(ProposedAlready, match=f"Proposal {number}"):
        propose(loan.code, Extension(11), caller=WHY, key="two", maker=people["maker"])
    with pytest.raises(KeyConflict):
        propose(loan.code, Extension(11), caller=WHY, key="one", maker=people["maker"])
    with pytest.raises(ReasonMissing):
        reject_proposal(
            number, caller=replace(WHY, reason=" "), key="no", checker=people["checker"]
        )

    reject_proposal(number, caller=WHY, key="no", checker=people["checker"])

    assert Loan.objects.get(pk=loan.pk).due_date == loan.due_date
    with pytest.raises(AlreadyDecided, match="was rejected"):
        approve_proposal(number, caller=WHY, key="yes", checker=people["checker"])
    with pytest.raises(NothingProposed, match="no proposal 999"):
        approve_proposal(999, caller=WHY, key="none", checker=people["checker"])
    assert propose(loan.code, Extension(11), caller=WHY, key="two", maker=people["maker"]) > number


def test_what_could_not_be_carried_out_is_refused_when_it_is_proposed(people):
    _, loan, _ = late_case()
    asked = {"caller": WHY, "maker": people["maker"]}

    with pytest.raises(ExtensionUnusable, match="Give 4 to 365 days"):
        propose(loan.code, Extension(3), key="short", **asked)
    with pytest.raises(ExtensionUnusable):
        propose(loan.code, Extension(366), key="long", **asked)
    with pytest.raises(NotALiveLoan):
        propose("L-OTHER", ChargeOff(), key="other", **asked)
    with pytest.raises(WaiverAboveOwed):
        propose(loan.code, Waiver(Charge.INTEREST, 5_001), key="waive", **asked)
    with pytest.raises(RateAboveCeiling):
        propose(loan.code, RateChange(900_000_000), key="rate", **asked)
    with pytest.raises(ReasonMissing):
        propose(
            loan.code,
            ChargeOff(),
            caller=replace(WHY, reason=""),
            key="why",
            maker=people["maker"],
        )
    assert Proposal.objects.count() == 0


def test_what_was_booked_is_taken_back_by_two_people(people):
    scene, code = sound_loan()
    charge_fee(code, 5_000, value_date=START, why="late papers", caller=CALLER, key="fee")
    fee = LoanEvent.objects.get(kind="fee_charged").pk
    repay(code, 100_000, value_date=None, caller=CALLER, key="paid")
    propose_it = {"caller": WHY, "maker": people["maker"]}
    bounced = {"caller": WHY, "maker": people["treasury"]}

    reversal = propose(code, EventReversal(fee), key="fee", **propose_it)
    with pytest.raises(RoleMissing, match="treasury"):
        propose(code, ChargeBack(100_000), key="bounced", **propose_it)
    back = propose(code, ChargeBack(100_000), key="bounced", **bounced)
    before = loan_on(code).state.balances
    for number in (reversal, back):
        approve_proposal(number, caller=CALLER, key=f"yes {number}", checker=people["checker"])

    after = loan_on(code).state.balances
    assert before.fees_received_minor == 5_000
    assert after.fees_due_minor == after.fees_received_minor == 0
    assert after.owed_minor == before.owed_minor + 100_000 - 5_000
    close_until_open(scene, 12)
    assert all_findings() == []


def test_a_settled_loans_event_is_taken_back_too(people):
    _, code = sound_loan()
    charge_fee(code, 5_000, value_date=START, why="late papers", caller=CALLER, key="fee")
    owed_minor = loan_on(code).state.balances.owed_minor
    repay(code, owed_minor, value_date=None, caller=CALLER, key="paid")
    assert Loan.objects.get(code=code).status == "settled"
    fee = LoanEvent.objects.get(kind="fee_charged").pk
    number = propose(code, EventReversal(fee), caller=WHY, key="fee", maker=people["maker"])
    with pytest.raises(NotALiveLoan):
        propose(code, Extension(9), caller=WHY, key="late", maker=people["maker"])

    approve_proposal(number, caller=CALLER, key="yes", checker=people["checker"])

    assert loan_on(code).state.balances.credit_minor == 5_000
    assert all_findings() == []


def test_credit_leaves_the_house_once_two_people_agree(people):
    scene, code = sound_loan()
    owed_minor = loan_on(code).state.balances.owed_minor
    repay(code, owed_minor + 700, value_date=None, caller=CALLER, key="too much")
    asked = {"legal_entity_id": scene.legal_entity_id, "caller": WHY, "maker": people["treasury"]}
    with pytest.raises(RefundAboveCredit):
        propose_refund("S1", Refund("CNY", 701), key="refund", **asked)
    number = propose_refund("S1", Refund("CNY", 700), key="refund", **asked)
    assert propose_refund("S1", Refund("CNY", 700), key="refund", **asked) == number
    with pytest.raises(ProposedAlready):
        propose_refund("S1", Refund("CNY", 1), key="more", **asked)
    assert net_minor(scene, "supplier_credit") == -700

    approved = approve_proposal(number, caller=CALLER, key="yes", checker=people["checker"])

    assert net_minor(scene, "supplier_credit") == 0
    (order,) = PaymentOrder.objects.filter(kind="refund")
    assert (order.amount_minor, order.end_to_end_id) == (700, approved.figures["end_to_end_id"])
    assert all_findings() == []


def test_only_its_maker_withdraws_a_proposal_and_then_nobody_decides_on_it(people):
    _, code = sound_loan()
    number = propose(code, ChargeOff(), caller=WHY, key="one", maker=people["maker"])
    with pytest.raises(NotItsMaker, match="alone can withdraw"):
        withdraw_proposal(number, caller=WHY, key="back", maker=people["checker"])

    for _ in range(2):
        withdraw_proposal(number, caller=WHY, key="back", maker=people["maker"])

    assert Proposal.objects.get(pk=number).state == "withdrawn"
    with pytest.raises(AlreadyDecided, match="was withdrawn"):
        approve_proposal(number, caller=WHY, key="yes", checker=people["checker"])
    with pytest.raises(AlreadyDecided, match="was withdrawn"):
        withdraw_proposal(number, caller=WHY, key="again", maker=people["maker"])
    assert propose(code, ChargeOff(), caller=WHY, key="two", maker=people["maker"]) > number


def test_what_was_done_without_a_second_person_is_found(people):
    _, code = sound_loan()
    number = propose(
        code, Waiver(Charge.INTEREST, 1_000), caller=WHY, key="w", maker=people["maker"]
    )
    approve_proposal(number, caller=CALLER, key="yes", checker=people["checker"])
    assert all_findings() == []

    waive(code, Charge.INTEREST, 500, caller=WHY, key="alone")
    waive(code, Charge.INTEREST, 500, caller=WHY, key=f"proposal:{number + 1}")

    found = [finding.subject for finding in all_findings()]
    assert [subject.partition(", ")[2] for subject in found] == ["waive by x@house.example"] * 2


def test_no_face_does_alone_what_takes_two_people():
    alone = {"reverse_event", "charge_back", "refund_credit", "waive", "charge_off", "extend"}
    alone |= {"move_due_date", "re_age", "pause_interest", "restructure", "change_rate"}
    alone |= {"sell_share", "buy_back_share", "reverse_transfer"}
    found = [
        (path.name, name.name)
        for path in Path(faces.__file__).parent.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tallystick.book.")
        for name in node.names
        if name.name in alone
    ]

    assert found == []


def test_the_story_of_a_case_tells_everything_the_latest_first(people):
    scene, loan, case = late_case()
    number = propose(loan.code, Extension(30), caller=WHY, key="one", maker=people["maker"])
    approve_proposal(number, caller=WHY, key="yes", checker=people["checker"])

    told = [line.kind for line in overview.story(Case.objects.get())]

    assert told[:2] == ["proposal_decided", "proposal"]
    assert sorted(told[2:]) == ["message", "note"]
    (seen,) = overview.cases_on(Case.objects.all(), case.legal_entity, on=scene.today)
    assert (seen.amounts, seen.next.step) == ({}, None)


def test_an_approval_without_its_act_is_found(people, owner):
    _, code = sound_loan()
    number = propose(code, Extension(9), caller=WHY, key="one", maker=people["maker"])
    owner.execute(
        "UPDATE proposals_proposal SET checker_id = %s, decided_at = now(), figures = '{}',"
        " decided_date = proposed_date, approved = true",
        (people["checker"].pk,),
    )

    found = [finding for check in proposals_checks() for finding in check.run()]

    assert [finding.subject for finding in found] == [f"proposal {number} of loan {code}"]
