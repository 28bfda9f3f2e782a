"""What a simnet is started with. Nothing of it can be changed while it runs."""

from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from orderd.simnet.faults import Faults


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
    seed: int = 1
    """Of the market and the faults."""
    market: bool = True
    market_intensity: Annotated[float, Field(gt=0, le=10)] = 1.0
    """Scales how many trades the market makes a slot."""
    keep_days: Annotated[int, Field(ge=7)] | None = None
    """How old blocks may grow, with what their transactions said; where absent, they stay for ever."""
    faults: Faults = Faults()

    @property
    def keep_slots(self) -> int | None:
        """The same in slots, which no time is shorter than."""
        return None if self.keep_days is None else self.keep_days * 86_400_000 // self.slot_ms
