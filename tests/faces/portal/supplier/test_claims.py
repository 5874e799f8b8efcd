"""Claims and cases as a supplier sees them."""

import re
from html import unescape

import pytest
from tests.book.servicing import scene as scenes
from tests.faces.portal.supplier.seller import hidden_fields, text_of

from tallystick.book.financing.models import Loan
from tallystick.book.trade.models import Claim, ClaimEvent
from tallystick.book.watch.models import WorkItem
from tallystick.book.watch.raise_case import KIND
from tallystick.book.watch.worklist import close_item


@pytest.fixture
def claim(seller) -> Claim:
    return Claim.objects.get(supplier=seller.facility.supplier)


def raised(seller) -> list[WorkItem]:
    return list(WorkItem.objects.filter(party=seller.facility.supplier).order_by("pk"))


def disputed(seller, address: str, **typed: str):
    form = hidden_fields(seller.client.get(address))
    return seller.client.post(address, form | typed)


def test_a_claim_that_counts_says_so(seller, claim):
    shown = text_of(seller.client.get(f"/my/claims/{claim.pk}/"))

    assert claim.code in shown
    assert "It counts" in shown
    assert "Outstanding ¥ 1,000,000.00" in shown


def test_a_claim_left_out_says_why_and_what_helps(seller):
    code = scenes.owes(seller.facility, 100_00, days=400)

    shown = text_of(seller.client.get(f"/my/claims/{Claim.objects.get(code=code).pk}/"))

    assert "Why it does not count" in shown
    assert "Agree on a term of at most 365 days from issue to due date." in shown


def test_claims_are_found_by_what_they_are(seller, claim):
    long = scenes.owes(seller.facility, 100_00, days=400, obligor="SHOP")

    def found(**asked: str) -> set[str]:
        shown = text_of(seller.client.get("/my/claims/", asked))
        return {code for code in (claim.code, long) if code in shown}

    assert found() == {claim.code, long}
    assert found(obligor="SHOP") == {long}
    assert found(reason="tenor") == {long}
    assert found(reason="counted") == {claim.code}
    assert found(status="closed") == set()
    assert found(due_from="2027-01-01") == {long}
    assert found(code=claim.code) == {claim.code}


def test_the_pages_of_the_list_hold_every_claim_once(seller):
    for number in range(60):
        scenes.owes(seller.facility, 100 + number)
    seen: list[str] = []
    address = "/my/claims/"
    while address:
        page = seller.client.get(address).content.decode()
        seen += re.findall(r'<th scope="row"><a href="/my/claims/(\d+)/">', page)
        following = re.search(r'rel="next" href="([^"]+)"', page)
        address = f"/my/claims/{unescape(following[1])}" if following else ""

    assert len(seen) == len(set(seen)) == 61


def test_disputing_a_figure_raises_a_case_and_changes_nothing(seller, claim):
    answer = disputed(
        seller,
        f"/my/claims/{claim.pk}/dispute/",
        figure="face",
        should_be="1,200,000",
        says="The order was for 120 万.",
    )

    (case,) = raised(seller)
    assert answer["Location"] == f"/my/cases/{case.pk}/"
    assert (case.kind, case.details["stands"], case.details["should_be_minor"]) == (
        KIND,
        1_000_000_00,
        1_200_000_00,
    )
    claim.refresh_from_db()
    assert (claim.face_minor, claim.status) == (1_000_000_00, "open")
    assert not ClaimEvent.objects.filter(claim=claim).exists()


def test_a_double_click_raises_one_case(seller, claim):
    address = f"/my/claims/{claim.pk}/dispute/"
    sent = hidden_fields(seller.client.get(address)) | {"figure": "paid", "says": "Not paid."}

    first, second = (seller.client.post(address, sent) for _ in range(2))

    assert len(raised(seller)) == 1
    assert first["Location"] == second["Location"]


def test_a_figure_is_disputed_once_at_a_time(seller, claim):
    address = f"/my/claims/{claim.pk}/dispute/"
    disputed(seller, address, figure="paid", says="Not paid.")

    again = disputed(seller, address, figure="paid", says="Still not paid.")

    (case,) = raised(seller)
    assert again.status_code == 422
    assert f"Case {case.pk} about this figure is open already." in text_of(again)
    assert disputed(seller, address, figure="diluted", says="No return.").status_code == 302


def test_the_answer_stands_with_the_case_and_the_figure_can_be_disputed_again(seller, claim):
    address = f"/my/claims/{claim.pk}/dispute/"
    disputed(seller, address, figure="paid", says="Not paid.")
    (case,) = raised(seller)
    assert "being looked at" in text_of(seller.client.get(f"/my/cases/{case.pk}/"))

    close_item(case.pk, who="clerk@lender.example", resolution="The bank shows the payment.")

    shown = text_of(seller.client.get(f"/my/cases/{case.pk}/"))
    assert "answered" in shown
    assert "The bank shows the payment." in shown
    # Who of ours answered is our own matter.
    assert "clerk@lender.example" not in shown
    assert disputed(seller, address, figure="paid", says="Which one?").status_code == 302
    assert len(raised(seller)) == 2


def test_a_figure_of_a_loan_can_be_disputed(seller):
    loan = Loan.objects.get(pk=scenes.lent(seller.facility, 36_000_00))

    disputed(seller, f"/my/loans/{loan.code}/dispute/", figure="principal", says="I repaid half.")

    (case,) = raised(seller)
    assert case.details["loan"] == loan.code
    assert "I repaid half." in text_of(seller.client.get(f"/my/cases/{case.pk}/"))
    assert loan.code in text_of(seller.client.get("/my/cases/"))


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"figure": "face", "says": "safe\u202etxet"}, "cannot be seen (U+202E)"),
        ({"figure": "face", "says": ""}, "required"),
        ({"figure": "face", "says": "x" * 2001}, "2000"),
        ({"figure": "face", "says": "wrong", "should_be": "1.000"}, "more decimals"),
        ({"figure": "profit", "says": "wrong"}, "not one of the available choices"),
    ],
)
def test_what_cannot_be_worked_on_is_asked_again_and_kept(seller, claim, typed, told):
    answer = disputed(seller, f"/my/claims/{claim.pk}/dispute/", **typed)

    assert answer.status_code == 422
    assert told in text_of(answer)
    assert typed["says"] in answer.content.decode()
    assert raised(seller) == []


def test_what_was_said_is_shown_as_text_whatever_it_holds(seller, claim):
    disputed(
        seller,
        f"/my/claims/{claim.pk}/dispute/",
        figure="face",
        says="<script>alert(1)</script>\nשלום",
    )
    (case,) = raised(seller)

    page = seller.client.get(f"/my/cases/{case.pk}/").content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert "שלום" in page


def test_that_a_claim_does_not_count_can_be_disputed_with_its_reason(seller):
    code = scenes.owes(seller.facility, 100_00, days=400)
    address = f"/my/claims/{Claim.objects.get(code=code).pk}/dispute/"

    disputed(seller, address, figure="standing", says="We agreed on a year and a month.")

    (case,) = raised(seller)
    assert case.details["stands"] == "tenor"
    assert "Term too long" in text_of(seller.client.get(f"/my/cases/{case.pk}/"))
