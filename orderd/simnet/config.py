"""What a simnet is started with. Nothing of it can be changed while it runs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from orderd.domain.pool_kind import VenueName
from orderd.simnet.faults import Faults

MAX_CONFIRM_SLOTS: Final = 75
"""Half of the life of a blockhash: the other half is for the transaction that carries it."""
MAX_SPREAD_BPS: Final = 50
"""Of each venue. Further apart, trades would come to where the liquidity of some pools ends."""


class Profile(NamedTuple):
    """How long a slot takes, how many confirmed blocks on top of one make it final, and which versions of transactions
    the nodes take."""

    slot_ms: int
    finality_slots: int
    newest_version: Literal[0, 1]


PROFILES: Final[Mapping[str, Profile]] = {"2025": Profile(400, 32, 0), "2026": Profile(200, 1, 1)}
"""Of mainnet by year. In 2026 it votes off the chain, and a block is final after about 150 ms."""


class SimnetConfig(BaseModel):
    """Start-up configuration. The websocket listens on `port` + 1; port 0 takes two free neighbours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    state_dir: Path
    """Holds the ledger, the lock and, while it runs, `simnet.json` with pid and URLs."""
    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65_534)] = 0
    slot_ms: Annotated[int, Field(ge=5)] = 400
    finality_slots: Annotated[int, Field(ge=1, le=150)] = 32
    """A block is finalized when this many have been confirmed on top of it."""
    newest_version: Literal[0, 1] = 0
    """Of transactions: what is newer is no transaction to its nodes."""
    confirm_ms: Annotated[int, Field(ge=0)] = 0
    """A block is confirmed this long after it was sealed, to the slot; with 0, as soon as it is on disk."""
    seed: int = 1
    """Of the market and the faults."""
    market: bool = True
    market_intensity: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Scales how many trades the market makes a slot."""
    spread_bps: Mapping[VenueName, Annotated[int, Field(ge=-MAX_SPREAD_BPS, le=MAX_SPREAD_BPS)]] = {}
    """By venue: how much more than elsewhere the market pays for SOL in its pools."""
    keep_days: Annotated[int, Field(ge=7)] | None = None
    """How old blocks may grow, with what their transactions said; where absent, they stay for ever."""
    programs: Path | None = None
    """A directory of program binaries, which take the place of simnet's own handlers."""
    faults: Faults = Faults()

    @model_validator(mode="after")
    def _blockhashes_are_still_good(self) -> "SimnetConfig":
        if self.confirm_slots > MAX_CONFIRM_SLOTS:
            raise ValueError(
                f"confirm_ms is {self.confirm_ms}, which is more than {MAX_CONFIRM_SLOTS} slots of {self.slot_ms} ms: "
                "blockhashes would be too old by the time they are known"
            )
        if self.spread_bps and not self.market:
            raise ValueError("spread_bps needs the market, which brings the prices there")
        return self

    @property
    def confirm_slots(self) -> int:
        """How many newer blocks are sealed before one is confirmed."""
        return -(-self.confirm_ms // self.slot_ms)

    @property
    def keep_slots(self) -> int | None:
        """The same in slots, which no time is shorter than."""
        return None if self.keep_days is None else self.keep_days * 86_400_000 // self.slot_ms
