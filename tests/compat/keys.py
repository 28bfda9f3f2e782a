"""The wallet and the API keys of all stored states, derived from phrases, so that no secret is stored.

They protect nothing. The phrases must never change, because then the stored states would be unusable.
"""

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Final

from solders.keypair import Keypair

from orderd.gateway.access.authentication import PREFIX


def _digest(phrase: str) -> bytes:
    return sha256(phrase.encode()).digest()


def _api_key(phrase: str) -> str:
    return PREFIX + urlsafe_b64encode(_digest(phrase)).decode().rstrip("=")


DESK: Final = _api_key("the desk of the stored states of orderd")
"""Can trade SOL and USDC, with limits of all kinds."""
FORMER: Final = _api_key("the former operator of the stored states of orderd")
"""A revoked API key with the scope admin and no limits."""


def write_wallet(state_dir: Path) -> None:
    """Write the wallet's file where a daemon with this state directory reads it."""
    file = state_dir / "wallet.json"
    file.write_text(json.dumps([*bytes(Keypair.from_seed(_digest("the wallet of the stored states of orderd")))]))
    file.chmod(0o600)
