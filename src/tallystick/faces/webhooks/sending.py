"""Send one message to a receiver whom nobody trusts.

The name is resolved once and the connection made to that very address, so that it cannot turn out
to be another one later. Redirects are not followed, proxies not asked, and neither a receiver that
hangs nor one that answers without end takes more than its time.
"""

import http.client
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from ipaddress import ip_address
from threading import Event, Timer
from typing import NamedTuple

from tallystick.book.webhooks.addresses import Target, UnusableUrl, may_connect, target_of

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 10.0
"""For all of an attempt from the connection on; far below the lease of a delivery."""


class Answer(NamedTuple):
    """``status`` is None where none came; ``error`` is empty where the message was taken."""

    status: int | None
    error: str


def send(
    url: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    allow_loopback: bool,
    answer_seconds: float = ANSWER_SECONDS,
) -> Answer:
    """POST ``body``; taken is what the receiver answers with a status from 200 to 299."""
    try:
        target = target_of(url, allow_loopback=allow_loopback)
        connection = _connected(target, _address_of(target, allow_loopback=allow_loopback))
    except (UnusableUrl, OSError, UnicodeError) as error:
        return Answer(None, f"not connected: {error}")
    # Time-outs of a socket hold for each piece it reads; this one holds for all of them.
    too_late = Event()
    watchdog = Timer(answer_seconds, _hang_up, [connection, too_late])
    watchdog.start()
    try:
        connection.request("POST", target.path, body=body, headers=dict(headers))
        # The status is all that counts: a body, which may have no end, is not read.
        response = connection.getresponse()
        error = ""
    except (OSError, http.client.HTTPException) as failure:
        error = f"no answer: {failure}"
    finally:
        # What a connection that was hung up on has said so far is no answer.
        if too_late.is_set():
            error = f"no answer within {answer_seconds:g} seconds"
        watchdog.cancel()
        connection.close()
    if error:
        return Answer(None, error)
    if 200 <= response.status < 300:
        return Answer(response.status, "")
    if 300 <= response.status < 400:
        return Answer(response.status, "redirects are not followed: change the endpoint's address")
    return Answer(response.status, f"answered {response.status}")


def _address_of(target: Target, *, allow_loopback: bool) -> str:
    """The address to connect to; none of those that the name has may be an inner one."""
    found = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM)
    addresses = [ip_address(str(where[4][0]).partition("%")[0]) for where in found]
    for address in addresses:
        if not may_connect(address, allow_loopback=allow_loopback):
            raise OSError(f"{target.host} is {address}, which is not a public address")
    return str(addresses[0])


def _connected(target: Target, address: str) -> http.client.HTTPConnection:
    connection = http.client.HTTPConnection(target.host, target.port, timeout=CONNECT_SECONDS)
    plain = socket.create_connection((address, target.port), CONNECT_SECONDS)
    try:
        connection.sock = (
            _tls().wrap_socket(plain, server_hostname=target.host) if target.is_https else plain
        )
    except BaseException:
        plain.close()
        raise
    return connection


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context()


def _hang_up(connection: http.client.HTTPConnection, too_late: Event) -> None:
    too_late.set()
    if connection.sock is not None:
        with suppress(OSError):
            connection.sock.shutdown(socket.SHUT_RDWR)
