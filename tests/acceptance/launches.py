"""Creates tokens and pools while the chain runs."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.acceptance.simnet import call

MILLION: Final = 10**6
"""Base units per whole token of USDC and of each token created here."""


_CONFIRMED: Final = {"commitment": "confirmed", "encoding": "base64"}
_BETWEEN_QUESTIONS: Final = 0.01
"""Seconds."""


@dataclass(frozen=True)
class Launches:
    """Launches tokens on the local chain of the daemon with this state directory."""

    state_dir: Path

    def mint(self, **wanted: Any) -> str:
        """Create a token and wait until it is confirmed. It has no mint or freeze authority unless ``wanted`` says
        so."""
        return self._confirmed(call(self.state_dir, "simnet_createMint", wanted))

    def pool(self, mint: str, usdc: int, tokens: int | None = None, *, fee_bps: int = 25) -> str:
        """Create a pool that holds ``usdc`` USDC and ``tokens`` tokens (default: 100 per USDC)."""
        held = usdc * 100 if tokens is None else tokens
        wanted = {"mint": mint, "amount": held * MILLION, "quoteAmount": usdc * MILLION, "feeBps": fee_bps}
        return self._confirmed(call(self.state_dir, "simnet_setPool", wanted))

    def _confirmed(self, address: str) -> str:
        while call(self.state_dir, "getAccountInfo", address, _CONFIRMED)["value"] is None:
            time.sleep(_BETWEEN_QUESTIONS)
        return address
