"""Where messages may be sent: to https, and to public addresses only.

A receiver's address is given by people outside. It must not make the platform ask what stands
beside it: a database, a metadata service, another customer's network.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from tallystick.rules.refusal import Refusal

MAX_URL_LENGTH = 500

# Addresses of version 6 that stand for one of version 4, which may be private.
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))


class UnusableUrl(Refusal):
    """Messages are not sent to this address."""

    def __init__(self, url: str, why: str) -> None:
        self.url = url[:MAX_URL_LENGTH]
        super().__init__(
            f"Messages cannot be sent to {url[:100]!r}: {why}. "
            "Give an address such as https://hooks.firm.example/tallystick."
        )


class Target(NamedTuple):
    """A URL taken apart. ``path`` holds the query too."""

    is_https: bool
    host: str
    port: int
    path: str


def target_of(url: str, *, allow_loopback: bool) -> Target:
    """Read a receiver's URL.

    ``allow_loopback``: http to this machine itself is accepted too, for trying things out. Raises
    UnusableUrl.
    """
    if len(url) > MAX_URL_LENGTH or not (url.isascii() and url.isprintable()) or " " in url:
        raise UnusableUrl(url, f"it is no URL of up to {MAX_URL_LENGTH} printable characters")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UnusableUrl(url, f"it is no URL ({error})") from None
    host = parts.hostname or ""
    if parts.scheme not in ("https", "http") or not host:
        raise UnusableUrl(url, "it does not begin with https:// and a host")
    if parts.username is not None or parts.password is not None:
        raise UnusableUrl(url, "it holds a login, which would stand in logs")
    if parts.fragment:
        raise UnusableUrl(url, "it has a fragment, which is not sent")
    literal = _literal(host)
    if parts.scheme == "http" and not (allow_loopback and _is_loopback(host, literal)):
        raise UnusableUrl(url, "it is not https")
    if literal is not None and not may_connect(literal, allow_loopback=allow_loopback):
        raise UnusableUrl(url, f"{literal} is not a public address")
    is_https = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Target(is_https, host, port or (443 if is_https else 80), path)


def may_connect(address: IPv4Address | IPv6Address, *, allow_loopback: bool) -> bool:
    """Whether an address is public, whatever notation it is hidden in."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return may_connect(address.ipv4_mapped, allow_loopback=allow_loopback)
        if address.sixtofour is not None or address.teredo is not None:
            return False
        if any(address in network for network in _TRANSLATED):
            return False
    if allow_loopback and address.is_loopback:
        return True
    return address.is_global and not address.is_multicast


def _is_loopback(host: str, literal: IPv4Address | IPv6Address | None) -> bool:
    return host == "localhost" or (literal is not None and literal.is_loopback)


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
