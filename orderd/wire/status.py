"""How the daemon and its services are."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from orderd.domain.order import OrderStatus
from orderd.wire.halts import HaltView
from orderd.wire.message import Message


class ServiceHealth(Message):
    """``detail`` says what is wrong where ``ok`` is false."""

    ok: bool
    detail: str = ""
    latency_ms: float | None = Field(
        None, exclude_if=lambda latency: latency is None, description="of its last answer; absent where it gave none"
    )


class RateLimitUse(Message):
    limit: int
    window_seconds: int
    used: int
    waiting: int


class QueueMetrics(Message):
    """Orders of the whole cluster by what they do now; ``rate_limit`` is absent while Redis does not answer."""

    waiting: int = Field(description="due, and not taken up yet")
    active: int = Field(description="in the hands of a worker")
    delayed: int = Field(description="due later: at a slot of the rate limit, or the end of a backoff")
    confirmed: int
    failed: int
    unknown: int = Field(0, description="of the active ones: nobody can tell what became of what is signed")
    rate_limit: RateLimitUse | None


class ReleaseView(Message):
    version: str
    commit: str | None = Field(None, description="of the source that it was made from; null if unknown")


class StatusResult(Message):
    version: str
    commit: str | None = Field(None, description="of the source that orderd was made from; null if unknown")
    wire_version: int
    chain: Literal["simnet", "localnet", "devnet", "mainnet"]
    wallet: str
    started_at: datetime
    draining: bool
    services: dict[str, ServiceHealth]
    orders: dict[OrderStatus, int]
    unknown: int = Field(0, description="submitted orders of which nobody can tell what became")
    rate_limit: RateLimitUse
    queue_depth: int
    workers: int = Field(description="worker processes with a live heartbeat")
    worker_releases: tuple[ReleaseView, ...] = Field((), description="the versions that these workers are of")
    slot: int | None
    block_height: int | None = Field(
        None, description="a signed transaction lands in no block above its last_valid_block_height; null if unknown"
    )
    executing: bool | None = Field(
        None, description="orders are executed now, and do not wait for a worker, Redis or the chain; null if unknown"
    )
    executing_reasons: tuple[str, ...] = Field((), description="what stands against that, or keeps it from being told")
    halts: tuple[HaltView, ...] = Field((), description="what keeps anything new from being signed, the oldest first")
    untold: tuple[str, ...] = Field(
        (), description="members that could not be found out now: their values are placeholders and mean nothing"
    )

    @property
    def is_well(self) -> bool:
        """Whether every service answers, and nothing keeps orders from being signed."""
        return not self.halts and all(service.ok for service in self.services.values())
