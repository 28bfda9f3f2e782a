"""Checks which clients may use simnet: programs, but no web page in a browser on this machine.

A page can post to any port of this machine, and its own host name may resolve to this machine. Such requests carry its
Origin, or its host name as the Host. A browser sends a POST that is not declared as JSON without asking for permission.
"""

from collections.abc import Sequence
from email.message import Message
from ipaddress import ip_address
from typing import Final

from orderd.domain.authority import host_of

_PRIVATE: Final = (".localhost", ".local", ".internal")
"""Suffixes of host names that cannot be registered on the internet."""

Refusal = tuple[int, str]
"""HTTP status and reason, with the texts of a real node."""


def refusal(hosts: Sequence[str], origins: Sequence[str], content_type: str | None = None) -> Refusal | None:
    """Why to refuse a request with these headers; None to accept it. ``content_type`` is None for a request without a
    body."""
    if len(hosts) != 1 or not _is_private(host_of(hosts[0])):
        return 403, "Provided Host header is not whitelisted."
    own = {f"{scheme}://{hosts[0].lower()}" for scheme in ("http", "https", "ws", "wss")}
    if any(origin.lower() not in own for origin in origins):
        return 403, "Origin of the request is not whitelisted."
    if content_type is not None and not _is_json(content_type):
        return 415, "Supplied content type is not allowed. Content-Type: application/json is required"
    return None


def _is_private(host: str | None) -> bool:
    """Whether no web page on the internet can have this host: an IP address, or a name of this machine or network."""
    if host is None:
        return False
    try:
        ip_address(host)
    except ValueError:
        return "." not in host or host.endswith(_PRIVATE)
    return True


def _is_json(content_type: str) -> bool:
    mime = Message()
    mime["Content-Type"] = content_type
    return bool(content_type) and mime.get_content_type() == "application/json"
