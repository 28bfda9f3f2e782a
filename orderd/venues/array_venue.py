"""Base of venues whose pools keep liquidity in further accounts (bin or tick arrays), which the pool's account
determines."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final, TypeVar

from solders.pubkey import Pubkey

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.solana.programs.layout import Record
from orderd.solana.rpc import ChainAccount
from orderd.venues.known_pools import KnownPool
from orderd.venues.pool_venue import PoolVenue
from orderd.venues.reading import Reading

ARRAYS_PER_DIRECTION: Final = 3
"""Bin or tick arrays that a swap may cross: as many as fit the transaction's size and compute budget."""
_READS: Final = 3
_BYTES_PER_ACCOUNT: Final = 33
"""Bytes of an account in a transaction: its address, and its index in the instruction."""

_SPARE: Final = 1
"""Arrays beyond those of the quote that even a small swap names, because the price may move before it lands."""

S = TypeVar("S", bound=Record)
P = TypeVar("P")


class ArrayVenue(PoolVenue[S, P]):
    """Each read fetches the pools' accounts and the arrays around their prices in one request.

    A pool's state determines its arrays. The last known state gives the arrays to request; if the price has left them
    since, the read is repeated.
    """

    def _read_pools(self, known: Sequence[KnownPool[S]]) -> Reading[tuple[int, list[P | OrderdError]]]:
        expected = {pool.address: self._guests.answer(str(pool.address), partial(self._keys, pool)) for pool in known}
        keys = [*expected]
        keys += [key for each in expected.values() if not isinstance(each, OrderdError) for key in each]
        for _ in range(_READS):
            accounts = yield list(dict.fromkeys(keys))
            pools = [self._state_by(expected[pool.address], pool, accounts.value) for pool in known]
            needed = [key for pool in pools if not isinstance(pool, OrderdError) for key in self._arrays_of(pool)]
            if accounts.value.keys() >= set(needed):
                return accounts.slot, pools
            keys += needed
        raise OrderdError(ErrorCode.RPC_UNAVAILABLE, f"{self.name}: prices moved faster than they could be read")

    def _state_by(
        self, keys: list[Pubkey] | OrderdError, known: KnownPool[S], accounts: Mapping[Pubkey, ChainAccount | None]
    ) -> P | OrderdError:
        return keys if isinstance(keys, OrderdError) else self._state(known, accounts)

    @abstractmethod
    def _keys(self, known: KnownPool[S]) -> list[Pubkey]:
        """The pool's accounts, and the arrays for its last known state."""

    @abstractmethod
    def _pool(self, known: KnownPool[S], accounts: Mapping[Pubkey, ChainAccount | None]) -> P:
        """The pool with those of its arrays that are in ``accounts``. Raises errors that ``Guests`` handles."""

    def _size(self, pool: P, mint_in: str) -> int:
        spare = max(min(_SPARE, self._arrays_ahead(pool, mint_in) - 1), 0)
        return self.size + spare * _BYTES_PER_ACCOUNT

    @abstractmethod
    def _arrays_ahead(self, pool: P, mint_in: str) -> int:
        """Number of arrays for a sale of ``mint_in``."""

    @abstractmethod
    def _arrays_of(self, pool: P) -> list[Pubkey]:
        """The arrays that swaps in this pool use, in both directions."""


def up_to_spare(arrays: tuple[int, ...], last: int | None) -> tuple[int, ...]:
    """The arrays, in the order of the swap, up to the one in which it ends, and a spare one."""
    if last not in arrays:  # it ends in a gap between two arrays, or the end is not known
        return arrays
    return arrays[: arrays.index(last) + 1 + _SPARE]
