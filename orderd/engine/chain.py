"""Checks that the endpoint belongs to the expected chain, which is the chain of the stored orders.

With a wrong address, orders for the local chain would be executed on mainnet, and an attempt that another chain does
not know would look expired. So nothing is sent before the endpoint has named its chain, and it has to name the chain
again while the process runs: a provider may switch an address to another cluster, and a tunnel to another machine.
"""

import time
from collections.abc import Callable
from typing import Final

from db.chain import bind_to, stored
from orderd.solana.pool_programs import LOCAL_CHAINS, Chain
from orderd.solana.rpc import ChainCheck, RpcClient, RpcWrongChainError
from orderd.solana.transport import Response, Transport

RECHECK_SECONDS: Final = 10.0
_PUBLIC: Final = {
    "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d": "mainnet",
    "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG": "devnet",
    "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY": "testnet",
}
"""By genesis hash; any other chain is a local one. https://solana.com/docs/references/clusters"""


def check_network(meant: Chain, genesis_hash: str) -> str:
    """The name of the chain. Raises RpcWrongChainError if it is not the expected one."""
    if (found := _network_of(genesis_hash, meant)) != meant:
        raise RpcWrongChainError(f"chain is {meant}, and the RPC endpoint leads to {found}")
    return found


def check_stored(meant: Chain) -> None:
    """Raises RpcWrongChainError if the stored orders are known to belong to another network: at a start, when the
    endpoint may be unavailable. Two local chains cannot be distinguished without it."""
    genesis_hash = stored()
    if genesis_hash is not None and (found := _network_of(genesis_hash, meant)) != meant:
        raise RpcWrongChainError(f"chain is {meant}, and the orders in the database belong to {found}")


def check_chain(meant: Chain, genesis_hash: str) -> None:
    """Raises RpcWrongChainError if this is not the expected chain, or not that of the stored orders."""
    found = check_network(meant, genesis_hash)
    of_orders = bind_to(genesis_hash)
    if of_orders != genesis_hash:
        raise RpcWrongChainError(
            f"the orders in the database belong to another chain, with genesis hash {of_orders}; "
            f"the RPC endpoint leads to {found} with {genesis_hash}"
        )


def _network_of(genesis_hash: str, meant: Chain) -> str:
    return _PUBLIC.get(genesis_hash, meant if meant in LOCAL_CHAINS else "a local chain")


class ExpectedChain:
    """Accepts the genesis hash of one chain. Thread-safe; an accepted hash is compared without further questions."""

    def __init__(self, check: ChainCheck) -> None:
        self._check = check
        self._accepted: str | None = None

    def __call__(self, genesis_hash: str) -> None:
        """Raises RpcWrongChainError."""
        if genesis_hash != self._accepted:
            self._check(genesis_hash)
            self._accepted = genesis_hash


NO_HISTORY: Final = "the endpoint keeps no transaction history: what has expired cannot be proved, and stays unknown"
"""The warning about such an endpoint, at a worker's start and in ``orderd doctor``."""


class CheckedTransport:
    """A transport that sends no request before ``check`` has accepted the endpoint's genesis hash, and no more than
    ``RECHECK_SECONDS`` after that without asking for it again."""

    def __init__(self, transport: Transport, check: ChainCheck, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._transport = transport
        self._check = check
        self._clock = clock
        self._checked_until = float("-inf")

    def post(self, body: bytes) -> Response:
        """Like the transport's method. Raises RpcError if the endpoint does not report its chain."""
        if (now := self._clock()) >= self._checked_until:
            self._check(RpcClient("", transport=self._transport).get_genesis_hash())
            self._checked_until = now + RECHECK_SECONDS
        return self._transport.post(body)

    def close(self) -> None:
        self._transport.close()
