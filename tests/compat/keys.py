"""The wallet and the tokens of all stored states, made from phrases: no key and no token is stored beside them.

They guard nothing. The phrases are never to be changed, or what was stored under them cannot be used any more.
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


def _token(phrase: str) -> str:
    return PREFIX + urlsafe_b64encode(_digest(phrase)).decode().rstrip("=")


DESK: Final = _token("the desk of the stored states of orderd")
"""May trade SOL and USDC, with limits of all kinds."""
FORMER: Final = _token("the former operator of the stored states of orderd")
"""Had the scope admin and no limits; revoked."""


def write_wallet(state_dir: Path) -> None:
    """The wallet's file, where a daemon with this state directory looks for it."""
    file = state_dir / "wallet.json"
    file.write_text(json.dumps([*bytes(Keypair.from_seed(_digest("the wallet of the stored states of orderd")))]))
    file.chmod(0o600)
