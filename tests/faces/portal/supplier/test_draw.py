"""Drawing from the portal: three clicks, once, whatever a browser does and a person types."""

from datetime import timedelta

import pytest
from tests.book.servicing import scene as scenes
from tests.book.servicing.test_reset_rates import floating
from tests.faces.portal.supplier.seller import BASE_MINOR, hidden_fields, text_of
from tests.faces.portal.supplier.seller import seller as opened_seller
from tests.faces.portal.two_firms import SIGNED_IN

from tallystick.book.acts.once import Caller
from tallystick.book.financing.draw_down import DrawRequest, draw_down
from tallystick.book.financing.models import Loan
from tallystick.book.parties.models import User


def test_three_clicks_draw_what_is_available(seller):
    home = seller.client.get("/my/")
    assert f'href="{seller.draw_address}"' in home.content.decode()

    form = seller.client.get(seller.draw_address)
    assert 'value="500,000.00"' in form.content.decode()
    confirm = seller.client.get(
        f"{seller.draw_address}confirm/",
        hidden_fields(form) | {"amount": "500,000.00", "tenor": "30"},
    )
    done = seller.client.post(f"{seller.draw_address}confirm/", hidden_fields(confirm), follow=True)

    assert seller.drawn_minor == [BASE_MINOR]
    loan = Loan.objects.get(facility=seller.facility)
    assert loan.code in text_of(done)
    assert "Payout under way" in text_of(done)


def test_the_confirmation_tells_the_due_date_the_interest_and_what_is_to_be_repaid(seller):
    shown = text_of(
        seller.client.get(f"{seller.draw_address}confirm/", {"amount": "36,000", "tenor": "30"})
    )

    # 2 March and 30 days is 1 April, a Wednesday. 10 % of 36,000 over 360 is 10 a day.
    assert "1 Apr 2026" in shown
    assert "Interest ¥ 300.00" in shown
    assert "To repay ¥ 36,300.00" in shown
    assert seller.drawn_minor == []


def test_a_programmes_fees_are_told_by_name_in_money_and_in_the_rate_of_all_charges(
    shared_database,
):
    terms = scenes.programme(fees={"arrangement_bps": 100, "late_minor": 50_00})
    charged = opened_seller(9_007, terms)

    home = text_of(charged.client.get("/my/"))
    shown = text_of(
        charged.client.get(f"{charged.draw_address}confirm/", {"amount": "36,000", "tenor": "30"})
    )
    charged.confirm(amount="36,000", tenor="30")
    dues = text_of(charged.client.get("/my/dues/"))

    assert "An arrangement fee is charged with the payout" in home
    assert "¥ 1,000.00" in home
    assert "There is no other charge" not in home
    # 300.00 of interest and 360.00 of fee: 660 on 36,000 for 30 days.
    assert "Arrangement fee ¥ 360.00" in shown
    assert "To repay ¥ 36,660.00" in shown
    assert f"{((36_660 / 36_000) ** (365 / 30) - 1) * 100:.2f} %" in shown
    assert "For a due date missed, once: ¥ 50.00" in shown
    assert "36,660.00" in dues


def test_what_was_confirmed_is_what_the_loan_owes(seller):
    seller.confirm(amount="36,000", tenor="30")

    loan = Loan.objects.get(facility=seller.facility)
    assert (loan.principal_minor, str(loan.due_date)) == (36_000_00, "2026-04-01")


def test_a_double_click_draws_once_and_both_see_the_loan(seller):
    shown = seller.client.get(f"{seller.draw_address}confirm/", {"amount": "1000", "tenor": "30"})
    sent = hidden_fields(shown)

    first = seller.client.post(f"{seller.draw_address}confirm/", sent)
    second = seller.client.post(f"{seller.draw_address}confirm/", sent)

    assert seller.drawn_minor == [1_000_00]
    assert first["Location"] == second["Location"]


def test_the_back_button_and_another_amount_draw_nothing_more_and_say_so(seller):
    form = hidden_fields(seller.client.get(seller.draw_address))
    address = f"{seller.draw_address}confirm/"
    for amount in ("1000", "2000"):
        shown = seller.client.get(address, form | {"amount": amount, "tenor": "30"})
        answer = seller.client.post(address, hidden_fields(shown))

    assert seller.drawn_minor == [1_000_00]
    assert answer.status_code == 409
    assert "That draw stands; nothing was drawn now" in text_of(answer)


def test_two_tabs_opened_before_either_draws_draw_once(seller):
    one, other = (
        seller.client.get(f"{seller.draw_address}confirm/", {"amount": "1000", "tenor": "30"})
        for _ in range(2)
    )
    for tab in (one, other):
        seller.client.post(f"{seller.draw_address}confirm/", hidden_fields(tab))

    assert seller.drawn_minor == [1_000_00]


def test_a_form_opened_after_a_draw_makes_the_next_one(seller):
    seller.confirm(amount="1000", tenor="30")
    seller.confirm(amount="1000", tenor="30")

    assert seller.drawn_minor == [1_000_00, 1_000_00]


def test_who_was_signed_out_comes_back_to_what_was_typed_and_nothing_is_drawn(seller):
    address = f"{seller.draw_address}confirm/"
    typed = {"amount": "1,234.50", "tenor": "45", "key": "one draw"}
    page = seller.client.get(address, typed)
    user = User.objects.get(party=seller.facility.supplier)
    seller.client.logout()

    sent_away = seller.client.post(
        address,
        hidden_fields(page),
        headers={"referer": f"http://localhost{page.wsgi_request.get_full_path()}"},
    )
    assert sent_away.status_code == 302
    assert seller.drawn_minor == []

    seller.client.force_login(user, backend=SIGNED_IN)
    back = seller.client.get(page.wsgi_request.get_full_path())
    assert "1,234.50" in text_of(back)
    assert seller.drawn_minor == []
    for _ in range(2):
        seller.client.post(address, hidden_fields(back))
    assert seller.drawn_minor == [1_234_50]


@pytest.mark.parametrize(
    ("typed", "minor"),
    [
        ("1,000.50", 1_000_50),
        ("１０００", 1_000_00),
        ("１，０００．５０", 1_000_50),
        ("10万", 100_000_00),
        ("¥ 1 000", 1_000_00),
    ],
)
def test_an_amount_is_taken_as_people_type_it(seller, typed, minor):
    seller.confirm(amount=typed, tenor="３０")

    assert seller.drawn_minor == [minor]


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "1000,50",
        "1.000",
        "-5",
        "0",
        "12 34",
        "abc",
        "$100",
        "1\u200b000",
        "\u202e0001",
        "9" * 41,
    ],
)
def test_what_cannot_be_an_amount_is_asked_again_and_kept(seller, typed):
    answer = seller.client.get(f"{seller.draw_address}confirm/", {"amount": typed, "tenor": "30"})

    assert answer.status_code == 200
    assert 'name="amount"' in answer.content.decode()
    assert '<button class="btn">Continue' in answer.content.decode()
    refused = seller.client.post(
        f"{seller.draw_address}confirm/", {"amount": typed, "tenor": "30", "key": "k"}
    )
    assert refused.status_code == 422
    assert seller.drawn_minor == []


def test_ten_million_wan_is_too_much_and_the_answer_says_what_there_is(seller):
    answer = seller.client.get(
        f"{seller.draw_address}confirm/", {"amount": "1000万", "tenor": "30"}
    )

    assert "¥ 10,000,000.00 was asked for; ¥ 500,000.00 is available now." in text_of(answer)
    assert "Ask for ¥ 500,000.00 or less." in text_of(answer)


def test_a_refusal_speaks_the_readers_language_in_major_units(seller):
    seller.client.cookies["django_language"] = "zh-hans"
    answer = seller.client.post(
        f"{seller.draw_address}confirm/",
        {"amount": "600,000", "tenor": "30", "key": "k"},
    )

    assert answer.status_code == 422
    assert "600,000.00" in text_of(answer)
    assert "50000000" not in answer.content.decode()


@pytest.mark.parametrize("tenor", ["", "0", "14", "91", "thirty", "1e2", "99999999999", "²"])
def test_a_term_that_is_not_offered_is_asked_again(seller, tenor):
    answer = seller.client.post(
        f"{seller.draw_address}confirm/", {"amount": "1000", "tenor": tenor, "key": "k"}
    )

    assert answer.status_code == 422
    assert "15 to 90" in text_of(answer)
    assert seller.drawn_minor == []


def test_ten_megabytes_in_a_field_are_refused_before_they_are_read(seller):
    answer = seller.client.post(
        f"{seller.draw_address}confirm/",
        {"amount": "9" * 10_000_000, "tenor": "30", "key": "k"},
    )

    assert answer.status_code == 400
    assert "too long for this form" in text_of(answer)
    assert seller.drawn_minor == []


@pytest.mark.parametrize("key", ["", "x" * 201, "a\nb"])
def test_a_key_that_cannot_be_kept_draws_nothing(seller, key):
    answer = seller.client.post(
        f"{seller.draw_address}confirm/", {"amount": "1000", "tenor": "30", "key": key}
    )

    assert answer.status_code == 422
    assert seller.drawn_minor == []


def test_a_draw_confirmed_on_a_day_that_has_ended_is_looked_at_again(seller):
    shown = seller.client.get(f"{seller.draw_address}confirm/", {"amount": "1000", "tenor": "30"})
    scenes.let_days_be_open(seller.scene, 1)

    answer = seller.client.post(f"{seller.draw_address}confirm/", hidden_fields(shown))

    assert answer.status_code == 422
    assert "A new business day has begun" in text_of(answer)
    assert seller.drawn_minor == []


def test_what_others_have_drawn_meanwhile_is_told_when_it_is_confirmed(seller):
    shown = seller.client.get(
        f"{seller.draw_address}confirm/", {"amount": "500,000", "tenor": "30"}
    )
    draw_down(
        DrawRequest(
            facility=seller.facility.code,
            amount_minor=1_000_00,
            tenor_days=30,
            on=None,
            caller=Caller("client:ERP", "erp", "api"),
            key="theirs",
        )
    )

    answer = seller.client.post(f"{seller.draw_address}confirm/", hidden_fields(shown))

    assert answer.status_code == 422
    assert "¥ 499,000.00 is available now" in text_of(answer)


def test_the_quote_follows_what_is_typed_without_a_page_around_it(seller):
    answer = seller.client.get(
        f"{seller.draw_address}quote/",
        {"amount": "36,000", "tenor": "30"},
        headers={"hx-request": "true"},
    )

    assert "¥ 36,300.00" in text_of(answer)
    assert "<html" not in answer.content.decode()


def test_the_quote_says_what_cannot_be_read_and_prices_nothing_that_is_refused(seller):
    unread = seller.client.get(f"{seller.draw_address}quote/", {"amount": "1000,5", "tenor": "30"})
    refused = seller.client.get(
        f"{seller.draw_address}quote/", {"amount": "9,000,000", "tenor": "30"}
    )

    assert "can be read in more than one way" in text_of(unread)
    assert "¥ 500,000.00 is available now" in text_of(refused)
    assert "To repay" not in text_of(refused)


def test_a_second_draw_of_the_day_is_pointed_out(seller):
    seller.confirm(amount="1000", tenor="30")
    shown = seller.client.get(f"{seller.draw_address}confirm/", {"amount": "1000", "tenor": "30"})

    assert "You have drawn already today" in text_of(shown)


def test_dates_far_away_do_not_break_a_quote(seller):
    scenes.let_days_be_open(seller.scene, 1)
    answer = seller.client.get(
        f"{seller.draw_address}quote/", {"amount": "36,000", "tenor": str(timedelta.max.days)[:4]}
    )

    assert answer.status_code == 200


def test_what_a_floating_rate_follows_is_told_with_the_price(shared_database):
    seller = opened_seller(9_001, floating(spread_bps=700, reset="quarterly"))

    home = text_of(seller.client.get("/my/"))
    quoted = text_of(
        seller.client.get(f"{seller.draw_address}confirm/", {"amount": "36,000", "tenor": "30"})
    )

    for page in (home, quoted):
        assert "The rate follows LPR-1Y plus 7 %: 10 % today." in page
        assert "A loan takes a new value every three months." in page


def test_a_fixed_rate_follows_nothing(seller):
    assert "The rate follows" not in text_of(seller.client.get("/my/"))
