"""The ledger browser: what it shows, to whom, and the files that it hands out."""

from datetime import date, timedelta

import pytest
from django.urls import reverse
from tests.book.servicing import scene as scenes
from tests.book.servicing.scene import CALLER, START
from tests.faces.portal.house.office import LANGUAGES, STAFF, queries_for, signed_in, text_of

from tallystick.book.ledger.browse import chart_totals, statement_page
from tallystick.book.ledger.models import Account, Entry
from tallystick.book.ledger.post import post
from tallystick.book.ledger.post import reverse as reverse_entry
from tallystick.book.ledger.prove import prove
from tallystick.book.ledger.queries import trial_balance
from tallystick.book.ledger.seal import seals
from tallystick.book.parties.models import Role
from tallystick.book.servicing.close import close_day
from tallystick.rules.journal import AccountName, JournalEntry, credit, debit
from tallystick.rules.proofs import proof_file, seals_file

BOOKED_MINOR = 1_234_567_89
DAYS = 5
A_DAY = 40


def book(scene, amount_minor, *, on, value_date=None, event="capital_paid_in"):
    entry = JournalEntry(
        legal_entity_id=scene.legal_entity_id,
        currency="CNY",
        event=event,
        reference="capital:more",
        value_date=value_date or on,
        booking_date=on,
        postings=(
            debit(AccountName("bank"), amount_minor),
            credit(AccountName("capital"), amount_minor),
        ),
    )
    return post(entry)


@pytest.fixture(scope="module")
def scene(shared_database):
    """Some days of entries, all but the last of them closed; one entry was taken back."""
    scene = scenes.opened()
    for _ in range(DAYS):
        today = scene.today
        for number in range(A_DAY):
            book(scene, number + 1, on=today, value_date=today - timedelta(days=number % 3))
        close_day(scene.legal_entity_id, today)
    mistaken = book(scene, BOOKED_MINOR, on=scene.today)
    reverse_entry(mistaken, event="capital_returned", booking_date=scene.today)
    return scene


def pages(scene):
    first = Entry.objects.order_by("id").first()
    bank = Account.objects.get(name="bank")
    return [
        reverse("house-ledger"),
        reverse("house-ledger-accounts", args=["bank", "CNY"]),
        reverse("house-ledger-statement", args=[bank.pk]),
        reverse("house-ledger-entry", args=[first.pk]),
        reverse("house-ledger-proof", args=[first.pk]),
        reverse("house-ledger-seals"),
    ]


@pytest.mark.parametrize("role", STAFF)
def test_everybody_of_the_house_reads_the_ledger(scene, role):
    client = signed_in(role)

    assert [client.get(url).status_code for url in pages(scene)] == [200] * 6


def test_a_supplier_does_not(scene):
    client = signed_in(Role.SUPPLIER)

    assert {client.get(url).status_code for url in pages(scene)} == {403}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_pages_stand_in_both_languages(scene, language):
    client = signed_in(Role.AUDITOR, language=language)

    for url in pages(scene):
        answer = client.get(url)
        lang = "zh-CN" if language == "zh-hans" else "en"
        assert f'<html lang="{lang}">' in answer.content.decode()


def test_the_pages_take_few_statements(scene):
    client = signed_in(Role.AUDITOR)

    assert max(queries_for(client, url) for url in pages(scene)) <= 10


@pytest.mark.parametrize("on", [START - timedelta(days=1), START + timedelta(days=2), date.max])
@pytest.mark.parametrize("known_on", [START, START + timedelta(days=3), date.max])
def test_totals_by_name_are_those_of_the_trial_balance(scene, on, known_on):
    totals = chart_totals(scene.legal_entity_id, on=on, known_on=known_on)

    expected: dict[str, tuple[int, int]] = {}
    for line in trial_balance(scene.legal_entity_id, on=on, known_on=known_on):
        name = Account.objects.get(pk=line.account.account_id).name
        debits, credits = expected.get(name, (0, 0))
        balance = line.balance
        expected[name] = (debits + balance.debit_minor, credits + balance.credit_minor)
    shown = {
        total.name: (total.balance.debit_minor, total.balance.credit_minor) for total in totals
    }
    assert shown == expected


def test_the_trial_balance_says_that_debits_equal_credits(scene):
    answer = signed_in(Role.AUDITOR).get(reverse("house-ledger"))

    assert "Debits equal credits" in text_of(answer)


def test_the_pages_of_a_statement_follow_one_another_to_its_balance(scene):
    bank = Account.objects.get(name="bank")
    nets, place = [], None
    while True:
        page = statement_page(bank.pk, from_date=START, to_date=scene.today, after=place, limit=7)
        if nets:
            assert page.opening_minor == nets[-1]
        nets += [line.net_minor for line in page.lines]
        place = page.next_place
        if place is None:
            break

    assert len(nets) == 1 + DAYS * A_DAY + 2
    (total,) = (
        total
        for total in chart_totals(scene.legal_entity_id, on=date.max, known_on=date.max)
        if total.name == "bank"
    )
    assert nets[-1] == total.balance.net_minor


def test_a_statement_links_its_next_page(scene):
    bank = Account.objects.get(name="bank")
    url = reverse("house-ledger-statement", args=[bank.pk])
    client = signed_in(Role.AUDITOR)

    first = client.get(url, {"from_date": START.isoformat()})
    assert "Balance before" in text_of(first)
    second = client.get(url, {"from_date": START.isoformat(), "after": first.context["after"]})
    assert "Carried over from the page before" in text_of(second)
    assert second.context["shown"].opening_minor == first.context["shown"].closing_minor


@pytest.mark.parametrize("after", ["x", "2026-03-02", "2026-13-02.1.1", "2026-03-02.-1.1"])
def test_a_place_that_cannot_be_found_is_refused(scene, after):
    bank = Account.objects.get(name="bank")
    url = reverse("house-ledger-statement", args=[bank.pk])

    answer = signed_in(Role.AUDITOR).get(url, {"after": after})

    assert answer.status_code == 422
    assert "from its first page" in text_of(answer)


def test_a_date_that_is_none_is_told_beside_the_field(scene):
    answer = signed_in(Role.AUDITOR).get(reverse("house-ledger"), {"on": "2026-02-30"})

    assert answer.status_code == 200
    assert answer.context["form"].errors["on"]


def test_an_entry_names_what_takes_it_back_and_what_it_takes_back(scene):
    reversal = Entry.objects.exclude(reverses=None).get()
    client = signed_in(Role.AUDITOR)

    taken_back = client.get(reverse("house-ledger-entry", args=[reversal.reverses_id]))
    assert f"Reversed by {reversal.pk}" in text_of(taken_back)
    taking_back = client.get(reverse("house-ledger-entry", args=[reversal.pk]))
    assert f"Reverses {reversal.reverses_id}" in text_of(taking_back)
    assert "1,234,567.89" in text_of(taking_back)


def test_an_entry_of_the_open_day_cannot_be_proved_yet(scene):
    last = Entry.objects.order_by("id").last()

    answer = signed_in(Role.AUDITOR).get(reverse("house-ledger-proof", args=[last.pk]))

    assert answer.status_code == 422
    assert "cannot be proved yet" in text_of(answer)


@pytest.mark.parametrize("number", [999_999, 2**63, 10**30])
def test_an_entry_that_is_not_there_is_answered_so(scene, number):
    answer = signed_in(Role.AUDITOR).get(f"/house/ledger/entries/{number}/")

    assert answer.status_code == 404


def test_the_files_are_byte_for_byte_those_of_the_command_line(scene):
    client = signed_in(Role.AUDITOR)
    first = Entry.objects.order_by("id").first()

    proof = client.get(reverse("house-ledger-proof-download", args=[first.pk]))
    kept = client.get(reverse("house-ledger-seals-download"))

    assert proof.content == proof_file(prove(first.pk))
    assert kept.content == seals_file(seals(scene.legal_entity_id))
    assert "attachment" in kept["Content-Disposition"]


def test_a_caller_is_named_with_the_entry_it_caused(scene):
    capital = Entry.objects.filter(act__isnull=False).order_by("id").first()
    url = reverse("house-ledger-entry", args=[capital.pk])

    auditor = signed_in(Role.AUDITOR).get(url)
    operator = signed_in(Role.OPERATOR).get(url)

    act_url = reverse("house-audit-act", args=[capital.act_id])
    assert CALLER.actor in text_of(auditor)
    assert act_url in auditor.content.decode()
    assert act_url not in operator.content.decode()
