"""The state of the daemon and its services."""

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


class EndpointView(Message):
    """How a JSON-RPC endpoint of the chain answered over the last ``window_seconds``."""

    host: str = Field(description="of its URL, with the port where that is not the usual one")
    window_seconds: int
    processes: int = Field(description="that these figures are of: all live workers, and the gateway that was asked")
    requests: int = Field(description="sent to it, answered or not; several calls may travel in one")
    latency_ms: float | None = Field(description="within which half of them were answered; null without any")
    latency_p99_ms: float | None = Field(description="within which 99 of 100 were answered; null without any")
    unanswered: int = Field(description="calls to which no valid answer came")
    refused: int = Field(description="calls that it would not take, by its HTTP status")
    rate_limited: int = Field(description="calls that it did not take for its rate limit")
    errors: int = Field(description="calls that the node answered with an error")
    slot: int | None = Field(description="the newest that it told of; null if none was")
    slot_lag: int | None = Field(
        description="slots by which its most outdated answer was behind the newest one that the same process had; "
        "null if it told of no slot"
    )


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
    executing_reasons: tuple[str, ...] = Field((), description="why not, or why it is unknown")
    halts: tuple[HaltView, ...] = Field((), description="what keeps anything new from being signed, the oldest first")
    endpoints: tuple[EndpointView, ...] = Field(
        (), description="how the chain's endpoints have answered all live workers and this gateway"
    )
    untold: tuple[str, ...] = Field(
        (), description="members that could not be found out now: their values are placeholders and mean nothing"
    )

    @property
    def is_well(self) -> bool:
        """Whether every service answers, and nothing keeps orders from being signed."""
        return not self.halts and all(service.ok for service in self.services.values())
