"""Who can sign in to the demo: with passwords of this run, and of no other."""

from django.contrib.auth.hashers import check_password

from tallystick.book.acts.models import Act
from tallystick.book.parties.models import User
from tallystick.lab.demo_people import demo_people
from tallystick.lab.run_demo import prepare_demo


def test_a_person_of_each_role_can_sign_in_and_last_runs_passwords_do_not(database):
    prepare_demo(days=1, suppliers=2, seed=7)

    before, people = demo_people(), demo_people()

    assert [person.role for person in people] == [
        "operator",
        "risk_officer",
        "approver",
        "treasury",
        "auditor",
        "supplier",
    ]
    hashes = dict(User.objects.values_list("email", "password"))
    assert all(check_password(person.password, hashes[person.email]) for person in people)
    assert not check_password(before[0].password, hashes[before[0].email])
    assert {user.role: bool(user.party) for user in User.objects.all()}["supplier"]


def test_of_each_programme_a_firm_can_sign_in(database):
    prepare_demo(days=1, suppliers=10, seed=7)

    firms = [person.firm for person in demo_people() if person.role == "supplier"]

    assert len(firms) == 2
    assert firms[1] in ("S0005", "S0010")


def test_no_password_is_written_down(database):
    prepare_demo(days=1, suppliers=1, seed=7)

    people = demo_people()

    written = " ".join(str(act.answer) + act.key + act.reason for act in Act.objects.all())
    assert not [person for person in people if person.password in written]
