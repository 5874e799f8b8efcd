"""Letters on their way out: claimed one by one, written, sent by the mail backend, recorded."""

import logging
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import EmailMessage

from tallystick.book.collections import letters
from tallystick.book.collections.letters import DueLetter
from tallystick.faces.letters.rendering import rendered

logger = logging.getLogger("tallystick.letters")


def send_all_due() -> tuple[int, int]:
    """Attempt every letter that is due now; returns how many were sent, and how many were not."""
    sent = failed = 0
    while (due := letters.claim()) is not None:
        if _sent(due):
            sent += 1
        else:
            failed += 1
    return sent, failed


def _sent(due: DueLetter) -> bool:
    words = rendered(due.letter, language=due.language, facts=due.facts)
    if due.body:
        words = words._replace(subject=due.subject, body=due.body)
    else:
        letters.keep_text(due, subject=words.subject, body=words.body)
    domain = settings.DEFAULT_FROM_EMAIL.rpartition("@")[2].rstrip(">")
    message = EmailMessage(
        words.subject,
        words.body,
        to=list(due.addresses),
        # The same at every attempt, so that a mailbox that has it already knows it again.
        headers={"Message-ID": f"<letter-{due.message_id}@{domain}>"},
    )
    try:
        message.send()
    except (OSError, SMTPException) as error:
        # The server's own words may quote the whole letter; what it is, and its code, are enough.
        letters.record_failed(due, _told(error))
        logger.info("letter %d, attempt %d: %s", due.message_id, due.attempts, _told(error))
        return False
    letters.record_sent(due)
    logger.info("letter %d, attempt %d: sent", due.message_id, due.attempts)
    return True


def _told(error: OSError | SMTPException) -> str:
    code = getattr(error, "smtp_code", None)
    if code is not None:
        return f"the mail server answered {code}"
    return f"{type(error).__name__}: {error}"[:300]
