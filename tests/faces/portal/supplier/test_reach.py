"""Another firm's objects are answered like those that do not exist; pages speak both languages."""

import pytest
from django.urls import reverse
from tests.faces.portal.supplier.seller import signed_in, text_of
from tests.faces.portal.two_firms import two_firms

from tallystick.book.access.viewer import viewer_of
from tallystick.book.parties.models import User
from tallystick.book.trade.models import Claim
from tallystick.book.watch.raise_case import Dispute, LoanFigure, dispute_loan

OF_A_FACILITY = (
    "supplier-home-draw",
    "supplier-home-draw-quote",
    "supplier-home-draw-confirm",
    "supplier-home-left-out",
)
OF_A_LOAN = (
    "supplier-home-drawn",
    "supplier-loans-one",
    "supplier-loans-settle",
    "supplier-loans-decision",
    "supplier-loans-dispute",
)
OF_A_CLAIM = ("supplier-claims-one", "supplier-claims-dispute")
OF_NOBODY = (
    "supplier-home",
    "supplier-loans",
    "supplier-dues",
    "supplier-claims",
    "supplier-cases",
    "supplier-statement",
    "supplier-statement-csv",
    "supplier-statement-xlsx",
)


@pytest.fixture(scope="module")
def firms(shared_database):
    _, ours, other = two_firms()
    return ours, other


@pytest.fixture(scope="module")
def clients(firms):
    return {firm.code: signed_in(firm.facility) for firm in firms}


def case_of(firm) -> int:
    user = User.objects.get(party=firm.facility.supplier)
    return dispute_loan(
        firm.loan,
        Dispute(LoanFigure.PRINCIPAL, 1, None, f"wrong for {firm.code}"),
        caller=viewer_of(user).caller("portal"),
        key=f"case of {firm.code}",
    )


def addresses_of(firm) -> list[str]:
    claim = Claim.objects.get(code=firm.claim)
    return [
        *(reverse(name, kwargs={"code": firm.facility.code}) for name in OF_A_FACILITY),
        *(reverse(name, kwargs={"code": firm.loan.code}) for name in OF_A_LOAN),
        *(reverse(name, kwargs={"number": claim.pk}) for name in OF_A_CLAIM),
        reverse("supplier-cases-one", kwargs={"number": case_of(firm)}),
    ]


def test_a_firm_opens_its_own_pages(firms, clients):
    ours, _ = firms
    for address in [*addresses_of(ours), *map(reverse, OF_NOBODY)]:
        assert clients[ours.code].get(address).status_code == 200, address


def test_another_firms_objects_are_not_there_whether_read_or_written(firms, clients):
    ours, other = firms
    for address in addresses_of(other):
        for answer in (
            clients[ours.code].get(address),
            clients[ours.code].post(
                address,
                {"amount": "1000", "tenor": "30", "key": "k", "figure": "face", "says": "x"},
            ),
        ):
            assert answer.status_code == 404, address
            # The address itself, which names it, is what the viewer typed.
            shown = text_of(answer)
            assert not [needle for needle in other.needles if needle in shown], address


def test_no_page_of_ours_shows_anything_of_another_firm(firms, clients):
    ours, other = firms
    for address in [*addresses_of(ours), *map(reverse, OF_NOBODY)]:
        shown = clients[ours.code].get(address).content.decode("utf-8", "replace")
        assert not [needle for needle in other.needles if needle in shown], address


def test_every_page_renders_in_chinese_too(firms, clients):
    ours, _ = firms
    for address in [*addresses_of(ours), *map(reverse, OF_NOBODY)]:
        answer = clients[ours.code].get(address, headers={"accept-language": "zh-hans"})
        assert answer.status_code == 200, address


def test_no_page_holds_script_or_style_of_its_own(firms, clients):
    ours, _ = firms
    for address in [*addresses_of(ours), *map(reverse, OF_NOBODY[:6])]:
        page = clients[ours.code].get(address).content.decode()
        assert ' style="' not in page, address
        assert "<style" not in page, address
        assert page.count("<script") == page.count("<script src="), address


@pytest.mark.parametrize("number", [0, 10**30])
def test_a_number_of_nothing_is_not_there(firms, clients, number):
    ours, _ = firms
    for name in ("supplier-claims-one", "supplier-cases-one", "supplier-claims-dispute"):
        address = reverse(name, kwargs={"number": number})
        assert clients[ours.code].get(address).status_code == 404


def test_an_address_of_no_page_is_answered_in_words(firms, clients):
    ours, _ = firms
    answer = clients[ours.code].get("/my/nothing-of-the-kind/")

    assert answer.status_code == 404
    assert "There is no such page." in text_of(answer)
