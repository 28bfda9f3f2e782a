"""How many connections there may be, in total and from one address."""

from collections import Counter
from collections.abc import Callable
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

_IPV6_HOST_BITS: Final = 64
"""Bits of an IPv6 address that its owner chooses freely. Addresses are counted without them."""


class Caps:
    """Counts connections from the moment they are accepted; 0 sets no cap."""

    def __init__(self, total: int, per_address: int, spared: Callable[[str], bool] = lambda _: False) -> None:
        """``spared`` addresses only count towards the total: proxies, which forward connections of many clients."""
        self.change(total, per_address)
        self._spared = spared
        self._count = 0
        self._by_owner: Counter[str] = Counter()

    def change(self, total: int, per_address: int) -> None:
        """Other caps hold from the next connection on; connections that are open stay."""
        self._total = total
        self._per_address = per_address

    def admit(self, address: str) -> Callable[[], None] | None:
        """Count a connection from ``address``. Returns a function to call at its end; None if a limit is reached."""
        owner = _owner_of(address)
        if self._total and self._count >= self._total:
            return None
        if self._per_address and self._by_owner[owner] >= self._per_address and not self._spared(address):
            return None
        self._count += 1
        self._by_owner[owner] += 1

        def leave() -> None:
            self._count -= 1
            self._by_owner[owner] -= 1
            if not self._by_owner[owner]:
                del self._by_owner[owner]

        return leave


def _owner_of(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped is not None:
            return str(parsed.ipv4_mapped)
        return str(IPv6Network((parsed, _IPV6_HOST_BITS), strict=False))
    return address
