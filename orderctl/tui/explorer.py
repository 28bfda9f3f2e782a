"""The address of a transaction in a block explorer."""

from typing import Final

from orderd.wire.status import StatusResult

_CLUSTERS: Final = {"mainnet": "", "devnet": "?cluster=devnet"}
"""The public networks; no explorer knows a local chain."""


def explorer_url(signature: str, status: StatusResult | None) -> str | None:
    """None if no explorer knows the chain, or if the chain is not known yet."""
    if status is None or (cluster := _CLUSTERS.get(status.chain)) is None:
        return None
    return f"https://explorer.solana.com/tx/{signature}{cluster}"
