"""How mail leaves: by the server that the environment names, or into files."""

from pathlib import Path

import pytest

from tallystick.site.mail import BY_SERVER, INTO_FILES, MailUnusable, mail_in

SERVER = {"TALLY_MAIL_HOST": "mail.example", "TALLY_MAIL_FROM": "Factor <c@factor.example>"}
FOLDER = Path("mail")


def test_without_a_server_letters_become_files_and_nobody_signs_in():
    mail = mail_in({}, folder=FOLDER)

    assert (mail.backend, mail.folder, mail.user, mail.password) == (INTO_FILES, FOLDER, "", "")


def test_a_server_is_asked_for_a_secured_connection_unless_told_otherwise():
    mail = mail_in(SERVER, folder=FOLDER)

    assert (mail.backend, mail.port, mail.security) == (BY_SERVER, 587, "starttls")
    assert mail_in({**SERVER, "TALLY_MAIL_SECURITY": "none"}, folder=FOLDER).security == "none"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TALLY_MAIL_PORT", "smtp", "port from 1 to 65535"),
        ("TALLY_MAIL_PORT", "65536", "port from 1 to 65535"),
        ("TALLY_MAIL_SECURITY", "some", "starttls, tls, none"),
        ("TALLY_MAIL_FROM", "", "address that letters come from"),
    ],
)
def test_a_server_that_cannot_be_used_is_refused_with_a_remedy(name, value, says):
    with pytest.raises(MailUnusable, match=says):
        mail_in({**SERVER, name: value}, folder=FOLDER)
