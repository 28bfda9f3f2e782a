"""Handing signed bytes to the cluster: any number of times, for they can land only once."""

from collections.abc import Sequence
from typing import Final

from orderd.solana.rpc import RpcClient, RpcError

_SEND_BATCH: Final = 25
"""Nodes take requests of up to 50 KiB unless told otherwise; a transaction has up to 1.7 KB in base64."""


class Sender:
    """One endpoint. Thread-safe."""

    def __init__(self, rpc: RpcClient) -> None:
        self._rpc = rpc

    def send(self, signed: Sequence[bytes]) -> list[RpcError | None]:
        """Send the bytes, one answer each. An error says nothing about whether they will land."""
        batches = (signed[start : start + _SEND_BATCH] for start in range(0, len(signed), _SEND_BATCH))
        return [answer for batch in batches for answer in self._rpc.send_transactions(batch)]
