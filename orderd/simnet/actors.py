"""The accounts that exist from the first block: the faucet, the market's traders, and the node's identity.

Their keys are derived from their names and therefore public; they hold play money only.
"""

import hashlib
from typing import Final

from solders.keypair import Keypair


def _keypair(name: str) -> Keypair:
    return Keypair.from_seed(hashlib.sha256(f"simnet {name}".encode()).digest())


FAUCET: Final = _keypair("faucet")
"""The source of airdrops and the mint authority of every token."""

IDENTITY: Final = _keypair("identity")
"""The only validator; it collects the fees."""

ARBITRAGEUR: Final = _keypair("arbitrageur")
TRADERS: Final = tuple(_keypair(f"trader {number}") for number in range(4))
POOL_CREATOR: Final = _keypair("pool creator")
