"""What an endpoint's messages are signed with, as Standard Webhooks have it.

No secret is kept: it is computed from the installation's signing key, the endpoint's code and the
number of its rotation. Whoever reads the database alone cannot sign.
"""

import hmac
from base64 import b64encode
from datetime import datetime, timedelta

from django.utils.crypto import salted_hmac

from tallystick.book.webhooks.models import Endpoint

OVERLAP = timedelta(hours=24)
"""After a rotation messages are signed with the old secret too, for so long."""

_SALT = "tallystick.book.webhooks"


def shown_secret(endpoint: Endpoint) -> str:
    """The secret as a person copies it: ``whsec_`` and base64."""
    return "whsec_" + b64encode(_secret(endpoint.code, endpoint.rotation)).decode()


def signatures(
    *,
    code: str,
    rotation: int,
    rotated_at: datetime | None,
    webhook_id: str,
    sent_at: datetime,
    body: bytes,
) -> str:
    """The header ``webhook-signature``: ``v1,`` and base64 of HMAC-SHA256, one for each secret.

    Signed is ``<webhook-id>.<seconds since 1970>.<body>``.
    """
    signed = f"{webhook_id}.{int(sent_at.timestamp())}.".encode() + body
    rotations = [rotation]
    if rotated_at is not None and sent_at < rotated_at + OVERLAP:
        rotations.append(rotation - 1)
    return " ".join(
        "v1," + b64encode(hmac.digest(_secret(code, each), signed, "sha256")).decode()
        for each in rotations
    )


def _secret(code: str, rotation: int) -> bytes:
    return salted_hmac(_SALT, f"{code}:{rotation}", algorithm="sha256").digest()
