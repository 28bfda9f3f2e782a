"""Tokens and pools that a test makes while the chain runs."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.acceptance.simnet import call

MILLION: Final = 10**6
"""Base units of USDC, and of each token that is made here."""


_CONFIRMED: Final = {"commitment": "confirmed", "encoding": "base64"}
_BETWEEN_QUESTIONS: Final = 0.01
"""Seconds."""


@dataclass(frozen=True)
class Launches:
    """On the chain that the daemon of this state directory has brought along."""

    state_dir: Path

    def mint(self, **wanted: Any) -> str:
        """A new token, once it is confirmed; nobody has a power over it unless that is asked for."""
        return self._confirmed(call(self.state_dir, "simnet_createMint", wanted))

    def pool(self, mint: str, usdc: int, tokens: int | None = None, *, fee_bps: int = 25) -> str:
        """The pool with this fee holds so many USDC and, unless more is said, a hundred tokens for each."""
        held = usdc * 100 if tokens is None else tokens
        wanted = {"mint": mint, "amount": held * MILLION, "quoteAmount": usdc * MILLION, "feeBps": fee_bps}
        return self._confirmed(call(self.state_dir, "simnet_setPool", wanted))

    def _confirmed(self, address: str) -> str:
        while call(self.state_dir, "getAccountInfo", address, _CONFIRMED)["value"] is None:
            time.sleep(_BETWEEN_QUESTIONS)
        return address
