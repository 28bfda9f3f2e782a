"""Classifies host names by their location."""

from ipaddress import ip_address


def is_loopback(host: str) -> bool:
    """Whether a name or an address is a loopback one, which other machines cannot reach."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
