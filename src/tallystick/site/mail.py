"""How mail leaves the installation: by a server that the environment names, or into files.

TALLY_MAIL_HOST      the mail server; without it every letter becomes a file in TALLY_HOME/mail
TALLY_MAIL_PORT      its port (default: 587)
TALLY_MAIL_SECURITY  starttls (default), tls, or none for a server on this machine
TALLY_MAIL_USER      who signs in to it, with TALLY_MAIL_PASSWORD; without, nobody does
TALLY_MAIL_FROM      the address that letters come from; needed with TALLY_MAIL_HOST
"""

from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path

from tallystick.rules.refusal import Refusal

SECURITIES = ("starttls", "tls", "none")
SUBMISSION_PORT = 587
SECONDS_TO_ANSWER = 30

INTO_FILES = "django.core.mail.backends.filebased.EmailBackend"
BY_SERVER = "django.core.mail.backends.smtp.EmailBackend"


class MailUnusable(Refusal):
    """The environment names a mail server in a way that cannot be used."""


@dataclass(frozen=True, slots=True)
class Mail:
    """Where letters go; ``host`` is empty where they become files in ``folder``."""

    folder: Path
    host: str = ""
    port: int = SUBMISSION_PORT
    security: str = "starttls"
    user: str = ""
    password: str = ""
    sender: str = "tallystick@localhost"

    @property
    def backend(self) -> str:
        return BY_SERVER if self.host else INTO_FILES


def mail_in(environment: Mapping[str, str], *, folder: Path) -> Mail:
    """The mail that the environment asks for. Raises MailUnusable."""
    host = environment.get("TALLY_MAIL_HOST", "")
    if not host:
        return Mail(folder)
    port = environment.get("TALLY_MAIL_PORT", str(SUBMISSION_PORT))
    if not port.isdecimal() or not 0 < int(port) < 65_536:
        raise MailUnusable(f"TALLY_MAIL_PORT is {port!r}. Give a port from 1 to 65535.")
    security = environment.get("TALLY_MAIL_SECURITY", "starttls")
    if security not in SECURITIES:
        raise MailUnusable(
            f"TALLY_MAIL_SECURITY is {security!r}. Use one of: {', '.join(SECURITIES)}."
        )
    sender = environment.get("TALLY_MAIL_FROM", "")
    if "@" not in parseaddr(sender)[1]:
        raise MailUnusable(
            f"TALLY_MAIL_FROM is {sender!r}. Give the address that letters come from, such as "
            "'Factor <collections@factor.example>'."
        )
    return Mail(
        folder,
        host,
        int(port),
        security,
        environment.get("TALLY_MAIL_USER", ""),
        environment.get("TALLY_MAIL_PASSWORD", ""),
        sender,
    )
