"""What takes two people, asked for by machines: each speaks for one, and no client for both."""

from dataclasses import fields
from datetime import timedelta

import pytest
from tests.faces.api.world import OPERATOR, START, World, a_client, a_person, with_a_loan

from tallystick.book.access.clients import ClientUnusable, NewClient, add_client
from tallystick.book.access.scopes import ScopeOfAPerson
from tallystick.book.acts.models import Act
from tallystick.book.acts.once import Caller
from tallystick.book.financing.models import Loan
from tallystick.book.parties.models import Party, User
from tallystick.book.proposals.models import Proposal, ProposalKind
from tallystick.book.proposals.terms import KIND_OF, Refund
from tallystick.book.servicing.charge_fee import charge_fee
from tallystick.book.servicing.loans import loan_on
from tallystick.book.servicing.models import LoanEvent
from tallystick.book.servicing.repay import repay
from tallystick.faces.api import proposal_terms

EXTENSION = {"kind": "extension", "days": 30}


def asked(loan: str, **terms: object) -> dict[str, object]:
    return {"loan": loan, "asks": terms or EXTENSION, "reason": "the warehouse burnt down"}


def proposed(world: World, body: dict[str, object], *, who: str = "house", key: str = "p") -> str:
    answer = world.post("/proposals", body, who=who, key=key)
    assert answer.status_code == 201, answer.json()
    return f"/proposals/{answer.json()['proposal']}"


def test_what_a_client_proposes_another_persons_client_approves(world: World):
    loan = with_a_loan(world)
    due_date = Loan.objects.get().due_date

    path = proposed(world, asked(loan))

    waiting = world.get(path).json()
    assert (waiting["state"], waiting["maker"]) == ("waiting", "a-operator@factor.example")
    assert (waiting["kind"], waiting["terms"]) == ("extension", {"days": 30})
    assert Loan.objects.get().due_date == due_date
    approval = world.post(f"{path}/approval", {}, who="approver", key="yes")
    assert approval.status_code == 201
    told = approval.json()
    assert (told["state"], told["checker"]) == ("approved", "a-approver@factor.example")
    assert told["figures"]["to_date"] == str(due_date + timedelta(days=30))
    assert Loan.objects.get().due_date == due_date + timedelta(days=30)
    act = Act.objects.get(kind="propose_extension")
    assert (act.actor, act.channel, act.reason) == (
        "client:house",
        "api",
        "the warehouse burnt down",
    )


def test_the_maker_does_not_approve_and_neither_does_who_has_not_the_role(world: World):
    path = proposed(world, asked(with_a_loan(world)))

    for who in ("house", "treasury"):
        refused = world.post(f"{path}/approval", {}, who=who, key="yes")
        assert refused.status_code == 403
        assert refused.json()["type"] == "urn:tallystick:problem:role-missing"
    User.objects.filter(email=a_person("operator")).update(role="approver")
    refused = world.post(f"{path}/approval", {}, key="yes")
    assert refused.status_code == 403
    assert refused.json()["type"] == "urn:tallystick:problem:checked-by-maker"
    assert Proposal.objects.get().approved is None


def test_a_client_does_not_decide_on_what_the_person_who_made_it_has_proposed(world: World):
    path = proposed(world, asked(with_a_loan(world)))
    maker = a_person("operator")
    wanted = NewClient("kept", ("proposals:decide",), user_email=a_person("approver"))
    world.keys["kept"] = add_client(wanted, caller=Caller(f"user:{maker}", maker, "portal"))

    for end in ("approval", "rejection"):
        refused = world.post(f"{path}/{end}", {"reason": "fine"}, who="kept", key="yes")
        assert refused.status_code == 403
        assert refused.json()["type"] == "urn:tallystick:problem:key-made-by-maker"
    assert world.post(f"{path}/approval", {}, who="approver", key="yes").status_code == 201


def test_a_client_speaks_for_nobody_who_was_shut_out(world: World):
    loan = with_a_loan(world)
    User.objects.filter(email=a_person("operator")).update(is_active=False)

    refused = world.post("/proposals", asked(loan), key="p")

    assert refused.status_code == 403
    assert "no longer active" in refused.json()["detail"]


def test_what_takes_two_people_is_not_given_to_a_client_of_nobody(world: World):
    with pytest.raises(ScopeOfAPerson):
        a_client("nobody", "proposals:decide", user_email=None)
    with pytest.raises(ClientUnusable, match="not both"):
        a_client("both", "loans:read", user_email=a_person("operator"), party_code="ANNA")
    User.objects.create(
        email="s@anna.example", role="supplier", party=Party.objects.get(code="ANNA")
    )
    with pytest.raises(ClientUnusable, match="user of the house"):
        a_client("theirs", "proposals:write", user_email="s@anna.example")


def test_a_proposal_is_rejected_with_a_reason_or_withdrawn_by_its_maker(world: World):
    loan = with_a_loan(world)
    path = proposed(world, asked(loan))
    assert world.post(f"{path}/rejection", {}, who="approver", key="no").status_code == 422

    told = world.post(f"{path}/rejection", {"reason": "no letter"}, who="approver", key="no").json()
    assert (told["state"], told["decision_reason"]) == ("rejected", "no letter")
    again = proposed(world, asked(loan), key="again")
    others = world.post(f"{again}/withdrawal", {}, who="approver", key="mine")
    assert others.status_code == 403
    assert others.json()["type"] == "urn:tallystick:problem:not-its-maker"
    told = world.post(f"{again}/withdrawal", {"reason": "paid"}, key="back").json()
    assert (told["state"], told["checker"]) == ("withdrawn", None)
    late = world.post(f"{again}/approval", {}, who="approver", key="yes")
    assert late.status_code == 409
    assert "was withdrawn" in late.json()["detail"]
    assert {row["state"] for row in world.get("/proposals").json()["items"]} == {
        "rejected",
        "withdrawn",
    }
    (found,) = world.get(f"/proposals?state=withdrawn&loan={loan}&kind=extension").json()["items"]
    assert found == told


def test_the_same_is_not_proposed_twice_at_a_time(world: World):
    loan = with_a_loan(world)
    path = proposed(world, asked(loan))

    assert proposed(world, asked(loan)) == path, "the same key is the same proposal"
    second = world.post("/proposals", asked(loan, kind="extension", days=10), key="other")

    assert second.status_code == 409
    assert second.json()["type"] == "urn:tallystick:problem:proposed-already"


def test_a_decision_repeated_gets_the_first_answer(world: World):
    path = proposed(world, asked(with_a_loan(world)))
    body = {"reason": "seen"}

    first = world.post(f"{path}/approval", body, who="approver", key="yes")
    again = world.post(f"{path}/approval", body, who="approver", key="yes")
    other = world.post(f"{path}/approval", {"reason": "else"}, who="approver", key="yes")

    assert again.json() == first.json()
    assert again["Idempotency-Replayed"] == "true"
    assert other.status_code == 409
    assert LoanEvent.objects.filter(kind="extended").count() == 1


def test_a_fee_is_forgiven_by_two_people_only(world: World):
    loan = with_a_loan(world)
    charge_fee(loan, 5_000, value_date=START, why="late papers", caller=OPERATOR, key="fee")
    event = LoanEvent.objects.get(kind="fee_charged").pk

    path = proposed(world, asked(loan, kind="event_reversal", event=event))

    assert loan_on(loan).state.balances.fees_due_minor == 5_000
    assert world.post(f"{path}/approval", {}, who="approver", key="yes").status_code == 201
    assert loan_on(loan).state.balances.fees_due_minor == 0


def test_money_that_leaves_the_bank_is_proposed_by_treasury(world: World):
    loan = with_a_loan(world)
    repay(loan, 400_000, value_date=None, caller=OPERATOR, key="paid")
    bounced = asked(loan, kind="charge_back", amount_minor=400_000)

    assert world.post("/proposals", bounced, key="p").status_code == 403
    path = proposed(world, bounced, who="treasury")

    assert world.post(f"{path}/approval", {}, who="approver", key="yes").status_code == 201
    assert loan_on(loan).state.balances.principal_minor == 1_000_000


def test_credit_is_refunded_by_two_people(world: World):
    loan = with_a_loan(world)
    repay(loan, 1_000_700, value_date=None, caller=OPERATOR, key="too much")
    refund = {"supplier": "ANNA", "currency": "CNY", "amount_minor": 700, "reason": "paid twice"}
    too_much = {**refund, "amount_minor": 701}

    assert world.post("/refund-proposals", too_much, who="treasury", key="r").status_code == 422
    answer = world.post("/refund-proposals", refund, who="treasury", key="r")

    assert answer.status_code == 201, answer.json()
    path = f"/proposals/{answer.json()['proposal']}"
    told = world.get(path).json()
    assert (told["loan"], told["supplier"], told["kind"]) == ("", "ANNA", "refund")
    (ordered,) = world.get("/payment-orders").json()["items"]
    assert ordered["kind"] == "payout"
    figures = world.post(f"{path}/approval", {}, who="approver", key="yes").json()["figures"]
    orders = world.get("/payment-orders?status=ordered").json()["items"]
    assert [(each["kind"], each["amount_minor"]) for each in orders] == [("refund", 700)]
    assert figures == {"end_to_end_id": orders[0]["end_to_end_id"]}


def test_every_kind_is_asked_for_with_the_fields_that_its_terms_have():
    kinds = {
        model.model_fields["kind"].annotation.__args__[0]: set(model.model_fields) - {"kind"}
        for model in proposal_terms.AskedTerms.__subclasses__()
    }

    assert kinds.keys() == {*ProposalKind} - {ProposalKind.REFUND}
    for terms, kind in KIND_OF.items():
        if terms is not Refund:
            assert kinds[kind] == {field.name for field in fields(terms)}
