"""Start-up configuration of a simnet. It cannot be changed while the simnet runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orderd.domain.pool_kind import VenueName
from orderd.simnet.faults import Faults

MAX_CONFIRM_SLOTS: Final = 75
"""Half of a blockhash's validity, so that the other half remains for the transaction that names it."""
MAX_SPREAD_BPS: Final = 50
"""Largest spread of a venue. With a larger one, trades would run beyond the liquidity of some pools."""


class Profile(NamedTuple):
    """Milliseconds per slot, the number of confirmed blocks on top of a block that finalize it, and the newest
    transaction version that the nodes accept."""

    slot_ms: int
    finality_slots: int
    newest_version: Literal[0, 1]


PROFILES: Final[Mapping[str, Profile]] = {"2025": Profile(400, 32, 0), "2026": Profile(200, 1, 1)}
"""Mainnet's pace by year. In 2026 validators vote off the chain, and a block is final after about 150 ms."""


class SimnetConfig(BaseModel):
    """Start-up configuration. The websocket listens on ``port`` + 1; port 0 picks two free adjacent ports."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_dir: Path
    """Directory of the ledger, the lock and, while simnet runs, ``simnet.json`` with its pid and URLs."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_534)] = 0
    slot_ms: Annotated[int, Field(ge=5)] = 400
    finality_slots: Annotated[int, Field(ge=1, le=150)] = 32
    """Number of confirmed blocks on top of a block that finalize it."""
    newest_version: Literal[0, 1] = 0
    """The newest transaction version that the nodes accept."""
    confirm_ms: Annotated[int, Field(ge=0)] = 0
    """Milliseconds from sealing a block to its confirmation, in whole slots; with 0, a block is confirmed as soon as it
    is on disk."""
    seed: int = 1
    """Seed of the market and the faults."""
    market: bool = True
    market_intensity: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Scales the number of trades per slot."""
    spread_bps: Mapping[VenueName, Annotated[int, Field(ge=-MAX_SPREAD_BPS, le=MAX_SPREAD_BPS)]] = {}
    """By venue: basis points by which SOL is more expensive in its pools than at other venues."""
    keep_days: Annotated[int, Field(ge=7)] | None = None
    """Days for which blocks and the content of their transactions are kept; None keeps them for ever."""
    programs: Path | None = None
    """Directory of program binaries that replace simnet's own handlers."""
    faults: Faults = Faults()

    @model_validator(mode="after")
    def _blockhashes_are_still_good(self) -> "SimnetConfig":
        if self.confirm_slots > MAX_CONFIRM_SLOTS:
            raise ValueError(
                f"confirm_ms is {self.confirm_ms}, which is more than {MAX_CONFIRM_SLOTS} slots of {self.slot_ms} ms: "
                "blockhashes would be too old when clients learn them"
            )
        if self.spread_bps and not self.market:
            raise ValueError("spread_bps needs the market, which moves the prices apart")
        return self

    @property
    def confirm_slots(self) -> int:
        """Number of newer blocks that are sealed before a block is confirmed."""
        return -(-self.confirm_ms // self.slot_ms)

    @property
    def keep_slots(self) -> int | None:
        """``keep_days`` in slots. A slot may take longer than ``slot_ms``, never less."""
        return None if self.keep_days is None else self.keep_days * 86_400_000 // self.slot_ms
