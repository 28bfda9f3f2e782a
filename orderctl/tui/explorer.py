"""The URL of a transaction in a block explorer."""

from typing import Final

from orderd.wire.status import StatusResult

_CLUSTERS: Final = {"mainnet": "", "devnet": "?cluster=devnet"}
"""Query strings of the public networks; explorers do not know local chains."""


def explorer_url(signature: str, status: StatusResult | None) -> str | None:
    """The URL of a transaction; None for a local or a still unknown chain."""
    if status is None or (cluster := _CLUSTERS.get(status.chain)) is None:
        return None
    return f"https://explorer.solana.com/tx/{signature}{cluster}"
