"""An outside desk works the cases of firms that pay late, by machine."""

from datetime import timedelta

from tests.faces.api.world import World, a_client, a_person, with_a_late_payer

from tallystick.book.acts.models import Act
from tallystick.book.collections.models import Message
from tallystick.book.parties.models import User


def test_the_list_tells_who_is_late_with_what_and_what_comes_next(world: World):
    loan, case = with_a_late_payer(world)

    (listed,) = world.get("/collection-cases").json()["items"]

    assert (listed["case"], listed["firm"], listed["bucket"]) == (case.pk, "ANNA", "1-30")
    (late,) = listed["past_due"]
    owed_minor = world.get(f"/loans/{loan}/state").json()["owed_minor"]
    assert late == {"currency": "CNY", "amount_minor": owed_minor}
    assert listed["assignee"] is None
    for found, query in ((1, "bucket=1-30&firm=ANNA&assignee="), (0, "bucket=31-60")):
        assert len(world.get(f"/collection-cases?{query}").json()["items"]) == found
    assert world.get("/collection-cases?firm=NOBODY").status_code == 404


def test_a_case_is_assigned_noted_and_promised_and_tells_it(world: World):
    _, case = with_a_late_payer(world)
    path = f"/collection-cases/{case.pk}"
    email = a_person("operator")
    today = case.legal_entity.business_date
    promise = {
        "currency": "CNY",
        "amount_minor": 500_000,
        "promised_date": str(today + timedelta(days=3)),
    }

    assert world.post(f"{path}/assignment", {"assignee": email}, key="a").status_code == 201
    assert world.post(f"{path}/notes", {"text": "called"}, key="n").status_code == 201
    promised = world.post(f"{path}/promises", promise, key="p")
    again = world.post(f"{path}/promises", promise, key="p")

    assert again.json() == promised.json()
    told = world.get(path).json()
    assert told["assignee"] == email
    assert told["next_step"]["why"] == "promised"
    assert [(each["kind"], each["text"]) for each in told["notes"]][:2] == [
        ("note", "called"),
        ("assigned", email),
    ]
    (kept,) = told["promises"]
    assert (kept["promise"], kept["outcome"]) == (promised.json()["promise"], "running")
    assert len(world.get(f"/collection-cases?assignee={email}").json()["items"]) == 1
    assert Act.objects.get(kind="promise_to_pay").actor == "client:house"


def test_letters_due_and_sent_are_listed_and_held_back(world: World):
    _, case = with_a_late_payer(world)
    until = {"until_date": str(case.legal_entity.business_date + timedelta(days=9))}
    Message.objects.update(state="dead", next_attempt_at=None)

    (letter,) = world.get(f"/collection-letters?case={case.pk}").json()["items"]
    held = world.post(f"/collection-cases/{case.pk}/pause", until, key="h")

    assert (letter["firm"], letter["says"], letter["state"]) == ("ANNA", "reminder", "dead")
    assert held.status_code == 201
    assert world.get(f"/collection-cases/{case.pk}").json()["next_step"]["why"] == "paused"
    path = f"/collection-letters/{letter['letter']}/sending"
    nowhere = world.post(path, {}, key="s")
    assert nowhere.json()["type"] == "urn:tallystick:problem:no-address"
    User.objects.create(email="s@anna.example", role="supplier", party=case.party)
    assert world.post(path, {}, key="s").status_code == 201
    (waits,) = world.get("/collection-letters?state=waiting").json()["items"]
    assert waits["addresses"] == ["s@anna.example"]


def test_reading_cases_does_not_let_a_client_act_in_them(world: World):
    _, case = with_a_late_payer(world)
    world.keys["reader"] = a_client("reader", "collections:read")

    refused = world.post(f"/collection-cases/{case.pk}/notes", {"text": "x"}, who="reader", key="n")

    assert refused.status_code == 403
    assert world.get("/collection-cases", who="reader").status_code == 200


def test_a_desk_asks_for_relief_that_somebody_of_the_house_approves(world: World):
    loan, case = with_a_late_payer(world)
    world.keys["desk"] = a_client("desk", "collections:write", "proposals:write")
    hardship = {
        "loan": loan,
        "asks": {"kind": "extension", "days": 60},
        "reason": "flood, see note",
    }

    number = world.post("/proposals", hardship, who="desk", key="h").json()["proposal"]

    assert world.post(f"/proposals/{number}/approval", {}, who="desk", key="y").status_code == 403
    answer = world.post(f"/proposals/{number}/approval", {}, who="approver", key="y")
    assert answer.json()["state"] == "approved"
    assert world.get(f"/collection-cases/{case.pk}").json()["past_due"] == []
