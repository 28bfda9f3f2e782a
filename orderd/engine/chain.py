"""Checks that the endpoint belongs to the expected chain, which is the chain of the stored orders.

With a wrong address, orders for the local chain would be executed on mainnet, and an attempt that another chain does
not know would look expired. So nothing is sent before the endpoint has named its chain.
"""

from collections.abc import Callable
from typing import Final

from db.chain import belong_to
from orderd.solana.pool_programs import LOCAL_CHAINS, Chain
from orderd.solana.rpc import RpcClient, RpcWrongChainError
from orderd.solana.transport import Response, Transport

_PUBLIC: Final = {
    "5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpKuc147dw2N9d": "mainnet",
    "EtWTRABZaYq6iMfeYKouRu166VU2xqa1wcaWoxPkrZBG": "devnet",
    "4uhcVJyU9pJkvQyS88uRDiswHXSCkY3zQawwpjk2NsNY": "testnet",
}
"""By genesis hash; any other chain is a local one. https://solana.com/docs/references/clusters"""


def check_network(meant: Chain, genesis_hash: str) -> str:
    """The name of the chain. Raises RpcWrongChainError if it is not the expected one."""
    local = meant if meant in LOCAL_CHAINS else "a local chain"
    found = _PUBLIC.get(genesis_hash, local)
    if found != meant:
        raise RpcWrongChainError(f"chain is {meant}, and the RPC endpoint leads to {found}")
    return found


def check_chain(meant: Chain, genesis_hash: str) -> None:
    """Raises RpcWrongChainError if this is not the chain that is meant, or not that of the stored orders."""
    found = check_network(meant, genesis_hash)
    stored = belong_to(genesis_hash)
    if stored != genesis_hash:
        raise RpcWrongChainError(
            f"the orders in the database belong to another chain, with genesis hash {stored}; "
            f"the RPC endpoint leads to {found} with {genesis_hash}"
        )


NO_HISTORY: Final = "the endpoint keeps no transaction history: what has expired cannot be proved, and stays unknown"
"""The warning about such an endpoint, at a worker's start and in ``orderd doctor``."""


class CheckedTransport:
    """A transport that sends no request before ``check`` has accepted the endpoint's genesis hash."""

    def __init__(self, transport: Transport, check: Callable[[str], None]) -> None:
        self._transport = transport
        self._check = check
        self._is_checked = False

    def post(self, body: bytes) -> Response:
        """Like the transport's method. Raises RpcError if the endpoint does not report its chain."""
        if not self._is_checked:
            self._check(RpcClient("", transport=self._transport).get_genesis_hash())
            self._is_checked = True
        return self._transport.post(body)

    def close(self) -> None:
        self._transport.close()
