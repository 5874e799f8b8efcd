"""What machines ask for and are answered, from the first document to the repaid loan."""

from datetime import date

import pytest
from tests.faces.api.world import World, drawdown, invoice, with_a_loan

from tallystick.book.financing.models import Loan
from tallystick.book.trade.models import Document


def test_documents_are_answered_one_by_one(world: World):
    batch = [
        invoice("INV-1"),
        invoice("INV-2", obligor="ANNA"),
        invoice("INV-3", kind="credit_note", due_date=None, fulfils_kind="invoice"),
        invoice("INV-4"),
    ]

    answer = world.post("/documents", {"documents": batch}, key="k")

    assert answer.status_code == 200
    told = answer.json()
    assert (told["recorded"], told["repeated"], told["refused"]) == (2, 0, 2)
    assert [item["outcome"] for item in told["items"]] == [
        "recorded",
        "refused",
        "refused",
        "recorded",
    ]
    refused = told["items"][1]["problem"]
    assert refused["type"] == "urn:tallystick:problem:unacceptable-document"
    assert refused["field"] == "obligor"
    assert Document.objects.count() == 2


def test_a_document_sent_in_another_batch_is_recognised(world: World):
    world.post("/documents", {"documents": [invoice("INV-1")]}, key="k1")

    again = world.post("/documents", {"documents": [invoice("INV-1")]}, key="k2").json()

    assert again["items"][0]["outcome"] == "repeated"
    assert Document.objects.count() == 1


def test_a_number_with_other_content_is_refused_and_told_of(world: World):
    world.post("/documents", {"documents": [invoice("INV-1")]}, key="k1")

    other = {"documents": [invoice("INV-1", amount_minor=7), invoice("INV-2")]}
    told = world.post("/documents", other, key="k2").json()

    assert told["items"][0]["problem"]["type"] == "urn:tallystick:problem:number-taken"


def test_an_offer_tells_the_price_with_all_charges(world: World):
    nothing = world.get("/facilities/F-ANNA/offer").json()
    world.post("/documents", {"documents": [invoice("INV-1")]}, key="k")

    asked = "/facilities/F-ANNA/offer?amount_minor=1000000&tenor_days=73"
    offer = world.get(asked).json()
    all_of_it = world.get("/facilities/F-ANNA/offer", who="anna").json()
    too_long = world.get("/facilities/F-ANNA/offer?amount_minor=1000000&tenor_days=400").json()

    assert (nothing["drawable_minor"], nothing["apr_percent"]) == (0, None)
    assert nothing["would_be_granted"] is False
    # 10,000.00 at 10 % on 360 days: the rate of all charges compounds what is paid in the year.
    days = (date.fromisoformat(offer["due_date"]) - date.fromisoformat(offer["date"])).days
    interest_minor = round(1_000_000 * 0.10 * days / 360)
    assert offer["interest_minor"] == interest_minor
    assert offer["total_minor"] == 1_000_000 + interest_minor
    apr = ((1 + interest_minor / 1_000_000) ** (365 / days) - 1) * 100
    assert offer["apr_percent"] == f"{apr:.2f}"
    assert (offer["would_be_granted"], offer["refused"]) == (True, [])
    assert all_of_it["amount_minor"] == all_of_it["drawable_minor"] > 1_000_000
    assert all_of_it["tenor_days"] == 30
    assert too_long["due_date"] is None
    assert [each["rule"] for each in too_long["refused"]] == ["tenor_is_short_enough"]


def test_what_may_be_drawn_follows_from_the_documents(world: World):
    before = world.get("/facilities/F-ANNA/availability").json()
    world.post("/documents", {"documents": [invoice("INV-1")]}, key="k")
    after = world.get("/facilities/F-ANNA/availability").json()
    base = world.get("/facilities/F-ANNA/base").json()

    assert before["available_minor"] == 0
    assert 0 < after["available_minor"] == base["base_minor"] < 50_000_000
    assert base["outstanding_minor"] == 50_000_000
    assert base["date"] == "2026-03-02"


def test_claims_left_out_come_with_reason_and_remedy_page_by_page(world: World):
    old = {"issue_date": "2025-10-01", "due_date": "2025-11-01"}
    batch = [invoice(f"OLD-{n}", **old) for n in range(3)] + [invoice("INV-1", obligor="SHOP")]
    world.post("/documents", {"documents": batch}, key="k")

    first = world.get("/facilities/F-ANNA/left-out-claims?limit=2").json()
    second = world.get(
        f"/facilities/F-ANNA/left-out-claims?limit=2&cursor={first['next_cursor']}"
    ).json()

    items = first["items"] + second["items"]
    assert [item["code"] for item in items] == [f"ANNA:invoice:OLD-{n}" for n in range(3)]
    assert {item["reason"] for item in items} == {"past_due"}
    assert "Collect it" in items[0]["remedy"]
    assert second["next_cursor"] is None


def test_a_drawdown_is_paid_owed_and_repaid_out_of_a_receipt(world: World):
    loan = with_a_loan(world)
    assert world.get(f"/loans/{loan}").json()["status"] == "live"
    state = world.get(f"/loans/{loan}/state").json()
    assert (state["owed_minor"], state["principal_minor"]) == (1_000_000, 1_000_000)

    receipt = {
        "bank_reference": "R-1",
        "payer": "MALL",
        "currency": "CNY",
        "amount_minor": 50_000_000,
        "value_date": "2026-03-02",
        "lines": [{"claim": "ANNA:invoice:INV-1", "amount_minor": 50_000_000}],
    }
    taken = world.post("/receipts", receipt, key="receipt")

    assert taken.status_code == 201
    lines = taken.json()["lines"]
    assert sum(line["amount_minor"] for line in lines) == 50_000_000
    assert [line["amount_minor"] for line in lines if line["loan"] == loan] == [1_000_000]
    assert world.get(f"/loans/{loan}").json()["status"] == "settled"
    statement = world.get(f"/loans/{loan}/statement").json()
    assert [movement["kind"] for movement in statement["movements"]] == ["disbursed", "received"]


def test_a_loans_schedule_and_its_state_on_another_day(world: World):
    loan = with_a_loan(world)

    schedule = world.get(f"/loans/{loan}/schedule").json()
    state = world.get(f"/loans/{loan}/state?on=2026-03-12").json()

    assert [row["principal_minor"] for row in schedule["items"]] == [1_000_000]
    rate_ppb = Loan.objects.get().annual_rate_ppb
    assert state["interest_accrued_minor"] == round(1_000_000 * rate_ppb * 10 / 10**9 / 360)


def test_the_decision_behind_a_drawdown_tells_every_rule(world: World):
    loan = with_a_loan(world)

    (decision,) = world.get("/decisions?facility=F-ANNA").json()["items"]

    assert decision["loan"] == loan
    assert len(decision["verdicts"]) > 5
    assert all(verdict["passed"] for verdict in decision["verdicts"])
    assert world.get(f"/decisions/{decision['decision']}").json() == decision


def test_a_drawdown_above_what_is_available_is_told_why(world: World):
    refused = world.post("/drawdowns", drawdown(), key="k")

    problem = refused.json()
    assert (refused.status_code, problem["status"]) == (422, 422)
    assert refused["Content-Type"] == "application/problem+json"
    assert problem["type"] == "urn:tallystick:problem:drawdown-exceeds-availability"
    assert problem["available_minor"] == 0
    assert problem["binding"] == "base"
    assert any(not verdict["passed"] for verdict in problem["decision"]["verdicts"])


def test_an_amount_in_another_currency_is_refused(world: World):
    refused = world.post("/drawdowns", drawdown(currency="USD"), key="k")

    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:tallystick:problem:another-currency"


def test_a_dispute_takes_a_claim_out_of_the_base_until_it_is_resolved(world: World):
    world.post("/documents", {"documents": [invoice("INV-1")]}, key="k")
    asked = {"claims": ["ANNA:invoice:INV-1"], "reason": "goods arrived damaged"}

    disputed = world.post("/disputes", asked, who="anna", key="d")
    left = world.get("/facilities/F-ANNA/availability").json()["available_minor"]
    resolved = world.post("/dispute-resolutions", asked, key="r")

    assert disputed.json() == {"items": [{"claim": "ANNA:invoice:INV-1", "changed": True}]}
    assert left == 0
    assert resolved.status_code == 201
    assert world.get("/facilities/F-ANNA/availability").json()["available_minor"] > 0


def test_a_firm_does_not_end_its_own_disputes(world: World):
    world.post("/documents", {"documents": [invoice("INV-1")]}, key="k")
    asked = {"claims": ["ANNA:invoice:INV-1"], "reason": "it is fine now"}

    refused = world.post("/dispute-resolutions", asked, who="anna", key="r")

    assert refused.json()["type"] == "urn:tallystick:problem:resolved-by-the-house"


def test_what_the_bank_says_twice_is_applied_once(world: World):
    with_a_loan(world)
    (order,) = world.get("/payment-orders?status=paid").json()["items"]
    again = {
        "bank_reference": "BK-2",
        "end_to_end_id": order["end_to_end_id"],
        "outcome": "paid",
        "amount_minor": order["amount_minor"],
        "currency": "CNY",
        "value_date": "2026-03-02",
    }

    told = world.post("/bank-answers", {"messages": [again]}, key="again").json()

    assert told["items"][0]["effect"] == "repeated"
    (item,) = world.get("/work-items?kind=bank_answer_repeated").json()["items"]
    assert item["details"]["bank_reference"] == "BK-2"


def test_the_house_tells_its_day_and_its_programmes(world: World):
    days = world.get("/business-days", who="anna").json()["items"]
    programmes = world.get("/programmes").json()["items"]

    assert [(day["legal_entity"], day["business_date"]) for day in days] == [
        ("FACTOR", "2026-03-02")
    ]
    assert "jd.jingbaobei" in {programme["code"] for programme in programmes}


def test_a_key_can_be_tried(world: World):
    told = world.get("/client", who="anna").json()

    assert (told["client"], told["firm"]) == ("anna", "ANNA")
    assert "receipts:write" not in told["scopes"]


def test_the_order_of_a_list_is_kept_while_rows_are_added(world: World):
    def sent(*numbers: str) -> None:
        batch = [invoice(number) for number in numbers]
        assert world.post("/documents", {"documents": batch}, key=numbers[0]).status_code == 200

    sent("1", "2", "3")
    first = world.get("/claims?limit=2").json()
    sent("0", "4")
    second = world.get(f"/claims?limit=2&cursor={first['next_cursor']}").json()
    third = world.get(f"/claims?limit=2&cursor={second['next_cursor']}").json()

    seen = [item["code"] for page in (first, second, third) for item in page["items"]]
    assert seen == [f"ANNA:invoice:{number}" for number in ("1", "2", "3", "0", "4")]


@pytest.mark.parametrize("path", ["/claims?cursor={}", "/claims?status=closed&cursor={}"])
def test_a_cursor_of_another_list_or_a_forged_one_is_refused(world: World, path: str):
    batch = [invoice(number) for number in "123"]
    world.post("/documents", {"documents": batch}, key="k")
    cursor = world.get("/claims?limit=1").json()["next_cursor"]
    forged = "1" + cursor
    elsewhere = cursor if "status" in path else forged

    refused = world.get(path.format(elsewhere))

    assert refused.status_code == 400
    assert refused.json()["type"] == "urn:tallystick:problem:cursor-unusable"


def test_drawdowns_are_dated_on_the_open_day(world: World):
    with_a_loan(world)

    refused = world.post("/drawdowns", drawdown(on="2026-03-03"), key="tomorrow")

    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:tallystick:problem:drawdown-not-dated-today"
    assert Loan.objects.get().drawn_date == date(2026, 3, 2)
