"""Parses a Host header by the exact grammar of a host and a port (RFC 3986, 3.2; without user and password).

A looser parser could be misled: ``127.0.0.1:80@evil.example`` names the host evil.example.
"""

import re
from ipaddress import IPv6Address, ip_address
from typing import Final

_LABEL: Final = "[A-Za-z0-9_-]{1,63}"
_V6: Final = r"\[(?P<v6>[0-9A-Fa-f:.]{2,45})\]"
_AUTHORITY: Final = re.compile(rf"({_V6}|(?P<name>({_LABEL}\.){{0,126}}{_LABEL}\.?))(:(?P<port>[0-9]{{1,5}}))?")
_MAX_PORT: Final = 65_535


def host_of(authority: str) -> str | None:
    """The name or address in its normalized form: lower case, IPv6 compressed and without brackets. None if it is
    invalid."""
    found = _AUTHORITY.fullmatch(authority)
    if found is None or not 0 < int(found["port"] or 1) <= _MAX_PORT:
        return None
    if found["name"] is not None:
        return found["name"].lower()
    try:
        return str(IPv6Address(found["v6"]))
    except ValueError:
        return None


def normalized(name: str) -> str:
    """A configured name or address, normalized as by ``host_of``; brackets around IPv6 are optional."""
    name = name.lower().removeprefix("[").removesuffix("]")
    try:
        return str(ip_address(name))
    except ValueError:
        return name
