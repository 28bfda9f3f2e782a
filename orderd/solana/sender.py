"""Handing signed bytes to the cluster: any number of times, for they can land only once."""

from collections.abc import Sequence

from orderd.solana.rpc import REQUEST_BATCH, RpcClient, RpcError


class Sender:
    """One endpoint. Thread-safe."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    def send(self, signed: Sequence[bytes]) -> list[RpcError | None]:
        """Send the bytes, one answer each. An error says nothing about whether they will land."""
        batches = (signed[start : start + REQUEST_BATCH] for start in range(0, len(signed), REQUEST_BATCH))
        return [answer for batch in batches for answer in self._rpc.send_transactions(batch)]
