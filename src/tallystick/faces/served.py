"""A server of our own for a while: for what measures it, and asks it as a person would."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from urllib.error import URLError
from urllib.request import urlopen

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY

from tallystick.book.parties.models import User
from tallystick.faces.cli.serve import ended, server_apart

READY_SECONDS = 60


@contextmanager
def served(url: str, port: int) -> Iterator[None]:
    """Serve the database at ``url`` from processes of its own, until the block ends."""
    server = server_apart(url, port, log_requests=True, output=subprocess.DEVNULL)
    try:
        _await_ready(port, server)
        yield
    finally:
        ended(server)


def _await_ready(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            urlopen(f"http://127.0.0.1:{port}/health/ready").close()
        except (URLError, ConnectionError):
            assert server.poll() is None, "the server ended before it was ready"
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"the server is not ready after {READY_SECONDS} seconds")


def session_cookie(email: str) -> str:
    """The cookie of a new session of a user, as if signed in by the form."""
    user = User.objects.get(email=email)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
