"""Messages about the state of the daemon and its services."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from orderd.domain.order import OrderStatus
from orderd.wire.halts import HaltView
from orderd.wire.message import Message


class ServiceHealth(Message):
    """If ``ok`` is false, ``detail`` says why."""

    ok: bool
    detail: str = ""
    latency_ms: float | None = Field(
        None,
        exclude_if=lambda latency: latency is None,
        description="latency of its last response; absent if there was none",
    )


class RateLimitUse(Message):
    limit: int
    window_seconds: int
    used: int
    waiting: int


class QueueMetrics(Message):
    """The orders of the whole cluster by their current phase. ``rate_limit`` is absent while Redis does not respond."""

    waiting: int = Field(description="due, but not claimed by a worker yet")
    active: int = Field(description="claimed by a worker")
    delayed: int = Field(description="due later, because of the rate limit or a backoff")
    confirmed: int
    failed: int
    unknown: int = Field(0, description="active orders whose transaction has an unknown outcome")
    rate_limit: RateLimitUse | None


class ReleaseView(Message):
    version: str
    commit: str | None = Field(None, description="the commit of its source; null if unknown")


class EndpointView(Message):
    """How a JSON-RPC endpoint of the chain responded within the last ``window_seconds``."""

    host: str = Field(description="host of its URL, with the port unless it is the default one")
    window_seconds: int
    processes: int = Field(
        description="the number of processes that these figures cover: all live workers and this gateway"
    )
    requests: int = Field(description="HTTP requests sent; one request can contain several calls")
    latency_ms: float | None = Field(description="median latency; null without requests")
    latency_p99_ms: float | None = Field(description="99th percentile of the latency; null without requests")
    unanswered: int = Field(description="calls without a valid response")
    refused: int = Field(description="calls refused with an HTTP error status")
    rate_limited: int = Field(description="calls refused because of the endpoint's rate limit")
    errors: int = Field(description="calls for which the node returned an error")
    slot: int | None = Field(description="newest slot that it reported; null if none")
    slot_lag: int | None = Field(
        description="how many slots its most outdated response was behind the newest slot known to the same process; "
        "null if it reported no slot",
    )


class StatusResult(Message):
    version: str
    commit: str | None = Field(None, description="the commit of orderd's source; null if unknown")
    wire_version: int
    chain: Literal["simnet", "localnet", "devnet", "mainnet"]
    wallet: str
    started_at: datetime
    draining: bool
    services: dict[str, ServiceHealth]
    orders: dict[OrderStatus, int]
    unknown: int = Field(0, description="submitted orders whose outcome is unknown")
    rate_limit: RateLimitUse
    queue_depth: int
    workers: int = Field(description="worker processes with a live heartbeat")
    worker_releases: tuple[ReleaseView, ...] = Field((), description="the versions of these workers")
    slot: int | None
    block_height: int | None = Field(
        None,
        description="a signed transaction cannot land in a block above its last_valid_block_height; null if unknown",
    )
    executing: bool | None = Field(
        None,
        description="whether orders are executed now and do not wait for a worker, Redis or the chain; null if unknown",
    )
    executing_reasons: tuple[str, ...] = Field((), description="why executing is false or null")
    halts: tuple[HaltView, ...] = Field(
        (), description="the halts in force, which prevent new signatures, oldest first"
    )
    endpoints: tuple[EndpointView, ...] = Field(
        (), description="how the chain's endpoints have responded to all live workers and this gateway"
    )
    untold: tuple[str, ...] = Field(
        (), description="names of members that could not be determined now; their values are placeholders"
    )

    @property
    def is_well(self) -> bool:
        """Whether every service responds and no halt is in force."""
        return not self.halts and all(service.ok for service in self.services.values())
