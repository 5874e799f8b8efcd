"""Extensions and write-offs: one person proposes, another decides, the ledger follows."""

from datetime import timedelta

import pytest
from tests.book.collections.test_cases import close_until_open, late_firm
from tests.book.servicing.books import findings, net_minor
from tests.book.servicing.scene import CALLER, START

from tallystick.book.acts.once import Caller
from tallystick.book.collections import overview, proposals
from tallystick.book.collections.checks import collections_checks
from tallystick.book.collections.models import Case, Message, Proposal
from tallystick.book.financing.models import Loan
from tallystick.book.ledger.manual_journals import ReasonMissing, RoleMissing
from tallystick.book.parties.models import User
from tallystick.book.servicing.recover import recover

DAY = timedelta(days=1)
WHY = Caller("user:x", "x@house.example", "portal", "the warehouse burnt down")


@pytest.fixture
def people(database):
    roles = {"maker": "operator", "checker": "approver", "treasury": "treasury"}
    return {
        name: User.objects.create(email=f"{name}@house.example", role=role)
        for name, role in roles.items()
    }


def late_case():
    scene, loan = late_firm()
    close_until_open(scene, 5)
    return scene, loan, Case.objects.get()


def test_an_extension_moves_the_due_date_when_a_second_person_approves(people):
    scene, loan, case = late_case()
    asked = {"caller": WHY, "maker": people["maker"]}
    number = proposals.propose_extension(case.pk, loan.code, 10, key="one", **asked)
    assert proposals.propose_extension(case.pk, loan.code, 10, key="one", **asked) == number
    assert Loan.objects.get(pk=loan.pk).due_date == START + 2 * DAY, "nothing happens before"

    approved = proposals.approve_proposal(number, caller=WHY, key="yes", checker=people["checker"])

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
    assert findings() == []


def test_a_write_off_takes_all_that_is_owed_to_losses_and_ends_the_case(people):
    scene, loan, case = late_case()
    number = proposals.propose_write_off(
        case.pk, loan.code, caller=WHY, key="one", maker=people["maker"]
    )
    assert net_minor(scene, "loan_loss") == 0

    approved = proposals.approve_proposal(number, caller=WHY, key="yes", checker=people["checker"])

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
    assert findings() == []
    assert [finding for check in collections_checks() for finding in check.run()] == []


def test_money_that_comes_after_the_write_off_is_recovery_income(people):
    scene, loan, case = late_case()
    number = proposals.propose_write_off(
        case.pk, loan.code, caller=WHY, key="one", maker=people["maker"]
    )
    proposals.approve_proposal(number, caller=WHY, key="yes", checker=people["checker"])
    cash_minor = net_minor(scene, "bank")

    recover(loan.code, 1_000_000, value_date=None, caller=CALLER, key="recovered")

    assert net_minor(scene, "bank") == cash_minor + 1_000_000
    assert net_minor(scene, "recovery_income") == -1_000_000
    assert net_minor(scene, "loan_loss") == 3_606_500, "the loss stays as it was booked"
    assert findings() == []


def test_the_person_who_proposed_cannot_decide_and_others_need_the_role(people):
    _, loan, case = late_case()
    number = proposals.propose_write_off(
        case.pk, loan.code, caller=WHY, key="one", maker=people["maker"]
    )
    decide = {"caller": WHY, "key": "decide"}

    with pytest.raises(RoleMissing, match="approver"):
        proposals.approve_proposal(number, checker=people["maker"], **decide)
    with pytest.raises(RoleMissing, match="approver"):
        proposals.approve_proposal(number, checker=people["treasury"], **decide)
    with pytest.raises(RoleMissing, match="operator or risk officer"):
        proposals.propose_write_off(
            case.pk, loan.code, caller=WHY, key="two", maker=people["checker"]
        )
    User.objects.filter(pk=people["maker"].pk).update(role="approver")
    with pytest.raises(proposals.ProposalCheckedByMaker, match="cannot decide"):
        proposals.approve_proposal(
            number, checker=User.objects.get(pk=people["maker"].pk), **decide
        )
    assert Loan.objects.get(pk=loan.pk).status == "live"


def test_a_proposal_is_decided_once_and_a_rejection_changes_nothing(people):
    _, loan, case = late_case()
    number = proposals.propose_extension(
        case.pk, loan.code, 10, caller=WHY, key="one", maker=people["maker"]
    )
    with pytest.raises(proposals.ProposedAlready, match=f"Proposal {number}"):
        proposals.propose_extension(
            case.pk, loan.code, 11, caller=WHY, key="two", maker=people["maker"]
        )
    with pytest.raises(ReasonMissing):
        proposals.reject_proposal(
            number, caller=Caller("user:x", "x", "portal"), key="no", checker=people["checker"]
        )

    proposals.reject_proposal(number, caller=WHY, key="no", checker=people["checker"])

    assert Loan.objects.get(pk=loan.pk).due_date == loan.due_date
    with pytest.raises(proposals.ProposalDecided, match="was rejected"):
        proposals.approve_proposal(number, caller=WHY, key="yes", checker=people["checker"])
    with pytest.raises(proposals.NoSuchProposal):
        proposals.approve_proposal(999, caller=WHY, key="none", checker=people["checker"])


def test_a_proposal_that_cannot_be_carried_out_is_refused_when_it_is_made(people):
    _, loan, case = late_case()
    asked = {"caller": WHY, "maker": people["maker"]}

    with pytest.raises(proposals.ExtensionUnusable, match="Give 4 to 365 days"):
        proposals.propose_extension(case.pk, loan.code, 3, key="short", **asked)
    with pytest.raises(proposals.ExtensionUnusable):
        proposals.propose_extension(case.pk, loan.code, 366, key="long", **asked)
    with pytest.raises(proposals.NotALoanOfTheCase, match="no live loan of this case"):
        proposals.propose_write_off(case.pk, "L-OTHER", key="other", **asked)
    with pytest.raises(ReasonMissing):
        proposals.propose_write_off(
            case.pk,
            loan.code,
            caller=Caller("user:x", "x", "cli"),
            key="why",
            maker=people["maker"],
        )
    assert Proposal.objects.count() == 0


def test_the_story_of_a_case_tells_everything_the_latest_first(people):
    scene, loan, case = late_case()
    number = proposals.propose_extension(
        case.pk, loan.code, 30, caller=WHY, key="one", maker=people["maker"]
    )
    proposals.approve_proposal(number, caller=WHY, key="yes", checker=people["checker"])

    told = [line.kind for line in overview.story(Case.objects.get())]

    assert told[:2] == ["proposal_decided", "proposal"]
    assert sorted(told[2:]) == ["message", "note"]
    (seen,) = overview.cases_on(Case.objects.all(), case.legal_entity, on=scene.today)
    assert (seen.amounts, seen.next.step) == ({}, None)
