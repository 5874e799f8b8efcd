"""``tally user``: people are helped from the command line, each time as an act."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tallystick.book.acts.models import Act
from tallystick.book.parties.models import User
from tallystick.faces.cli import main
from tallystick.site import databases
from tallystick.site.server import Server

Tally = Callable[..., tuple[int, str, str]]
EMAIL = "li@bank.example"


@pytest.fixture
def tally(
    database: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Tally:
    """Run a command on the test's database; returns exit status, output and message."""

    @contextmanager
    def this_one() -> Iterator[Server]:
        yield database

    monkeypatch.setattr(databases, "book", this_one)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["tally", "user", *arguments])
        with pytest.raises(SystemExit) as end:
            main.main()
        return end.value.code or 0, *capsys.readouterr()

    return run


def added(tally: Tally) -> str:
    _, out, _ = tally("add", EMAIL, "--role", "operator", "--generate")
    return out.rpartition(": ")[2].strip()


def test_a_generated_password_is_shown_once_and_has_to_be_changed(tally: Tally) -> None:
    password = added(tally)

    user = User.objects.get(email=EMAIL)
    assert user.check_password(password)
    assert user.must_change_password
    assert password not in str(tally("list"))


def test_users_are_listed_for_people_and_for_programs(tally: Tally) -> None:
    added(tally)

    (listed,) = json.loads(tally("list", "--json")[1])
    assert (listed["email"], listed["state"], listed["second_factor"]) == (EMAIL, "active", False)
    assert EMAIL in tally("list")[1]


def test_each_help_is_an_act_with_its_reason(tally: Tally) -> None:
    former = added(tally)

    assert tally("disable", EMAIL, "--reason", "left the firm")[0] == 0
    assert not User.objects.get(email=EMAIL).is_active
    assert tally("enable", EMAIL)[0] == 0
    assert "had no failed attempts" in tally("unlock", EMAIL)[1]
    assert "0 removed" in tally("reset-second-factor", EMAIL)[1]
    assert tally("password", EMAIL)[0] == 0

    assert not User.objects.get(email=EMAIL).check_password(former)
    kinds = Act.objects.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == [
        "add_user",
        "disable_user",
        "enable_user",
        "unlock_user",
        "reset_second_factor",
        "set_password",
    ]
    assert Act.objects.get(kind="disable_user").reason == "left the firm"


@pytest.mark.parametrize("command", ["disable", "unlock", "password", "reset-second-factor"])
def test_somebody_unknown_is_told_of_without_a_traceback(tally: Tally, command: str) -> None:
    status, _, message = tally(command, "nobody@bank.example")

    assert status == 2
    assert "There is no user 'nobody@bank.example'" in message
