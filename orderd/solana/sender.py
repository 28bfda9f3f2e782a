"""Sends signed transactions to the cluster. Sending is repeatable, because the same bytes land at most once."""

from collections.abc import Sequence

from orderd.solana.rpc import RpcClient, RpcError, in_requests


class Sender:
    """One endpoint. Thread-safe."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    def send(self, signed: Sequence[bytes]) -> list[RpcError | None]:
        """Send the transactions: None for each that was accepted, otherwise its error. An error does not mean that it
        will not land."""
        return [answer for batch in in_requests(signed) for answer in self._rpc.send_transactions(batch)]
