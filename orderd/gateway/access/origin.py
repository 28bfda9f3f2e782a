"""The Host and Origin checks that keep web pages away from the daemon.

A page in the trader's browser can open a websocket to 127.0.0.1 and can make its own name resolve there (DNS
rebinding). The first is recognised by a foreign Origin, the second by a foreign Host. Pages that are allowed (CORS) are
named in the configuration, one by one.
"""

from collections.abc import Sequence
from typing import Final

from orderd.domain.authority import host_of, normalized
from orderd.domain.errors import ErrorCode, OrderdError

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")
_WILDCARDS: Final = ("0.0.0.0", "::", "")  # noqa: S104  (addresses to compare with, nothing is bound)


class OriginPolicy:
    """The accepted host names: loopback names, the bind address, and the configured ones."""

    def __init__(self, bind: str, allowed_hosts: Sequence[str] = (), allowed_origins: Sequence[str] = ()) -> None:
        self.origins = tuple(allowed_origins)
        """The origins of pages that may use this daemon, in addition to its own."""
        own = () if bind in _WILDCARDS else (bind,)
        self._names = frozenset(normalized(name) for name in (*_LOOPBACK, *own, *allowed_hosts))

    def check(self, hosts: Sequence[str], origins: Sequence[str]) -> None:
        """Refuse a request by its Host and Origin headers. Raises OrderdError AUTH_ORIGIN_REFUSED.

        An Origin is sent by browsers only; it must be the very host and port that the request is addressed to, or one
        that is allowed.
        """
        if len(hosts) != 1 or host_of(hosts[0]) not in self._names:
            given = hosts[0][:100] if hosts else ""
            raise OrderdError(ErrorCode.AUTH_ORIGIN_REFUSED, f"the Host header {given!r} is not a name of this daemon")
        for origin in origins:
            scheme, _, authority = origin.partition("://")
            if origin.lower() in self.origins:
                continue
            if scheme not in ("http", "https") or authority.lower() != hosts[0].lower():
                raise OrderdError(
                    ErrorCode.AUTH_ORIGIN_REFUSED, f"a page of {origin[:100]!r} may not access this daemon"
                )
