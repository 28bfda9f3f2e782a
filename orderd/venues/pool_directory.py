"""The pools of each pair that a venue trades in: the configured ones or, without any, the deepest on the chain."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, Generic, Protocol

import structlog
from solders.pubkey import Pubkey

from orderd.domain.errors import OrderdError
from orderd.domain.pool_kind import PoolKind
from orderd.solana.rpc import RpcClient
from orderd.solana.rpc_types import AccountsLike
from orderd.venues.guest import Guests
from orderd.venues.known_mint import Epochs, known_mint
from orderd.venues.known_pools import KnownPair, KnownPool, S
from orderd.venues.pool_listing import MAX_POOLS_PER_PAIR, Pair, PoolListing
from orderd.venues.renewed import Renewed

log = structlog.get_logger(__name__)

DISCOVERY_SECONDS: Final = 300.0
NOTHING_FOUND_SECONDS: Final = 20.0
"""Shorter, because a pool may be created at any time, and some nodes find nothing where others do."""


class ChangeHints(Protocol):
    """Hints of the node. The functions are called soon after a change, or never."""

    def watch(self, account: Pubkey, on_change: Callable[[], None]) -> None:
        """``on_change`` is called after the account has changed."""
        ...

    def watch_for(self, alike: AccountsLike, on_change: Callable[[str], None]) -> None:
        """``on_change`` is called with the address of a matching account that was created or changed."""
        ...


class PoolMemory(Protocol):
    """Stores the pools of a pair from the last look-up, also of other processes. Raises nothing."""

    def recall(self, kind: PoolKind, pair: Pair) -> Sequence[str]: ...

    def keep(self, kind: PoolKind, pair: Pair, pools: Sequence[str]) -> None: ...


class PoolDirectory(Generic[S]):
    """The pools of one program. Thread-safe.

    They are looked up again after ``DISCOVERY_SECONDS``, or after ``NOTHING_FOUND_SECONDS`` if there are none;
    meanwhile the known pools are used. Pools that ``memory`` knows are used immediately, and looked up on the chain in
    the background.
    """

    def __init__(
        self,
        rpc: RpcClient,
        listing: PoolListing[S],
        guests: Guests,
        *,
        addresses: Collection[str],
        memory: PoolMemory | None,
        hints: ChangeHints | None,
        on_change: Callable[[Pair], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``addresses`` are the configured pools; those of other programs are ignored. ``on_change`` is called when the
        pools of a pair have changed, or are others."""
        self._rpc = rpc
        self._listing = listing
        self._guests = guests
        self._addresses = [Pubkey.from_string(address) for address in addresses]
        self._memory = memory
        self._hints = hints
        self._on_change = on_change
        self._known: Renewed[Pair, KnownPair[S]] = Renewed(self._find, _max_age, _valid_for, clock=clock)
        self._recalled: set[Pair] = set()
        self._watched_for: set[Pair] = set()
        self._missing: set[str] = set()

    def get(self, pair: Pair) -> KnownPair[S]:
        """The pools of a pair. Raises RpcError if they have to be looked up first."""
        return self._known.get(pair)

    def at_hand(self, pair: Pair) -> KnownPair[S] | None:
        """The pools of a pair if they are known without a look-up, otherwise None."""
        return self._known.at_hand(pair)

    def addresses(self, pair: Pair) -> frozenset[str]:
        """The known pools of a pair, without a query; before the first look-up, all configured pools."""
        found = self._known.known(pair)
        return frozenset(map(str, self._addresses if found is None else (pool.address for pool in found.pools)))

    def find_new_pools(self, pair: Pair) -> bool:
        """Look up the pools of a pair again, now and whenever the node hints at a new one. Returns whether they have
        changed. Raises RpcError."""
        if self._hints is not None and pair not in self._watched_for:
            self._watched_for.add(pair)
            for alike in self._listing.alikes(pair):
                self._hints.watch_for(alike, partial(self._hinted, pair))
        before = self.addresses(pair)
        self._known.renew(pair)
        if self.addresses(pair) == before:
            return False
        self._on_change(pair)
        return True

    def _hinted(self, pair: Pair, pool: str) -> None:
        """A matching pool was created or changed; look up the pair's pools again if it is a new one."""
        if pool not in self.addresses(pair):
            self.find_new_pools(pair)

    def _find(self, pair: Pair) -> KnownPair[S]:
        if self._addresses:
            return self._among(self._addresses, pair, warn=True)
        if self._memory is None:
            return self._among(self._listing.deepest(pair), pair)
        kind = self._listing.program.kind
        if pair not in self._recalled:
            recalled = [Pubkey.from_string(pool) for pool in self._memory.recall(kind, pair)]
            known = self._among(recalled, pair) if recalled else None
            self._recalled.add(pair)
            if known is not None and known.pools:
                return replace(known, recalled=True)
        known = self._among(self._listing.deepest(pair), pair)
        self._memory.keep(kind, pair, [str(pool.address) for pool in known.pools])
        return known

    def _among(self, addresses: Sequence[Pubkey], pair: Pair, *, warn: bool = False) -> KnownPair[S]:
        """The pools of a pair at these addresses, at most ``MAX_POOLS_PER_PAIR``. Raises RpcError.

        Addresses of other programs are ignored, because they belong to other venues. With ``warn`` missing accounts are
        logged.
        """
        if not addresses:
            return KnownPair([], {}, None, None)
        mints = Pubkey.from_string(pair[0]), Pubkey.from_string(pair[1])
        *accounts, one, other = self._rpc.get_multiple_accounts([*addresses, *mints]).value
        found = dict(zip(addresses, accounts, strict=True))
        if warn:
            self._report_missing(sorted(str(address) for address, account in found.items() if account is None))
        pools: list[KnownPool[S]] = []
        for address, account in found.items():
            if account is None or account.owner != self._listing.program_id:
                continue
            state = self._guests.answer(str(address), partial(self._listing.decode, account))
            if isinstance(state, OrderdError):
                self._log_left_out("not a pool", address, error=state.detail)
            elif {side.mint for side in self._listing.layout.sides(state)} == set(mints):
                pools.append(KnownPool(address, state))
        del pools[MAX_POOLS_PER_PAIR:]
        if not pools:
            return KnownPair([], {}, None, None)
        if self._hints is not None:
            for pool in pools:
                self._hints.watch(pool.address, partial(self._on_change, pair))
        try:
            known = {str(mint): known_mint(mint, account) for mint, account in zip(mints, (one, other), strict=True)}
        except OrderdError as error:
            return KnownPair(pools, {}, None, error.detail)
        has_fees = any(each.fees is not None for each in known.values())
        return KnownPair(pools, known, Epochs.read(self._rpc) if has_fees else None, None)

    def _report_missing(self, addresses: Sequence[str]) -> None:
        """Once each, because the look-up repeats and the pool may still be created."""
        for address in addresses:
            if address not in self._missing:
                self._missing.add(address)
                self._log_left_out("configured pool does not exist", address)

    def _log_left_out(self, what: str, pool: object, **details: str) -> None:
        log.warning(what, action="pool_skipped", venue=self._listing.program.venue, pool=str(pool), **details)


def _max_age(known: KnownPair[Any]) -> float:
    """Seconds until the pools of a pair are looked up again."""
    if known.recalled:
        return 0.0
    return DISCOVERY_SECONDS if known.pools else NOTHING_FOUND_SECONDS


def _valid_for(known: KnownPair[Any]) -> float:
    """Seconds for which the result is used without waiting for a new look-up. Limited if there are no pools, because
    one may have been created since."""
    return float("inf") if known.pools else 3 * NOTHING_FOUND_SECONDS
