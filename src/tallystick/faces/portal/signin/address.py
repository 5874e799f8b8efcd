"""From which address a request comes."""

from ipaddress import ip_address

from django.conf import settings
from django.http import HttpRequest


def address_of(request: HttpRequest) -> str:
    """The address of whoever asks.

    Behind our proxy (TALLY_ORIGIN is set) it is the last that the proxy has put on
    X-Forwarded-For; what stands before it anybody may have written. Without a proxy the header is
    not looked at.
    """
    direct = str(request.META.get("REMOTE_ADDR") or "127.0.0.1")
    if not settings.ORIGIN:
        return direct
    forwarded = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
    try:
        return str(ip_address(forwarded))
    except ValueError:
        return direct
