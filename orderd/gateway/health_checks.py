"""What ``/health``, ``/ready`` and the method ``status`` answer: the state of the gateway and its services.

Each service is queried separately, with one query at a time and a time-out; unknown facts are reported as unknown.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final, Literal, Protocol

from pydantic import BaseModel, Field

from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.halt import Halt
from orderd.domain.order import OrderKind
from orderd.engine.endpoint_views import endpoint_view
from orderd.engine.halting import view
from orderd.engine.status_report import Counts, LineState, OpenOrders, Stored, WaitingAlerts
from orderd.gateway.service_probe import Dependency, Probe, ProbeResult
from orderd.gateway.threads import ANSWER_SECONDS, DatabaseThreads, Threads
from orderd.metrics.port import LOOP_LAG
from orderd.release import Release, this_release
from orderd.solana.rpc_types import EpochInfo
from orderd.wire.rpc import WIRE_VERSION
from orderd.wire.status import QueueMetrics, RateLimitUse, ReleaseView, ServiceHealth, StatusResult

LAG_PROBE_SECONDS: Final = 0.5
_PROBE_THREADS: Final = 4
_PROBE_SECONDS: Final = 30.0
"""Longer than every time-out of the probes, so that no second thread is used while a probe hangs in one."""
LATE_SECONDS: Final = 0.75 * ANSWER_SECONDS
_FROM_POSTGRES: Final = ("orders", "unknown")
_HALTS: Final = ("halts",)
_FROM_REDIS: Final = ("rate_limit.used", "rate_limit.waiting", "queue_depth", "workers", "endpoints")


class HealthQueries(Protocol):
    """Probes of the services. Each may raise the errors of its driver, and hang until the driver gives up."""

    def takes_orders(self) -> str: ...

    def halts(self) -> tuple[Halt, ...]: ...

    def counts(self) -> Counts: ...

    def stored(self) -> Stored: ...

    def open_orders(self) -> dict[OrderKind, OpenOrders]: ...

    def alerts(self) -> dict[str, WaitingAlerts]: ...

    def balances(self) -> dict[str, float]: ...

    def queue(self) -> QueueMetrics: ...

    def line(self) -> LineState: ...

    def tip(self) -> EpochInfo: ...


class Health(BaseModel):
    """The process is alive, whatever the state of its services."""

    status: Literal["ok"] = "ok"
    version: str
    commit: str | None = Field(description="commit of the source code; null if unknown")
    started_at: datetime
    draining: bool = Field(description="the daemon is stopping and accepts no new orders")
    loop_lag_seconds: float = Field(description="the last measured delay of the event loop")
    dependencies: dict[str, Dependency]


class Readiness(BaseModel):
    """``ready``: an order that is sent here now is accepted. Whether it would be executed immediately is a separate
    member."""

    ready: bool
    checks: dict[str, ServiceHealth] = Field(description="what `ready` depends on")
    executing: bool | None = Field(
        description="orders are executed now: a worker is alive, and Redis and the chain answer. If false, orders "
        "wait; null if unknown"
    )
    executing_reasons: tuple[str, ...] = Field(description="why not, or why it is unknown")


class HealthChecks:
    def __init__(
        self,
        settings: Settings,
        wallet: str,
        database: DatabaseThreads,
        background: DatabaseThreads,
        questions: HealthQueries,
        *,
        is_draining: Callable[[], bool],
    ) -> None:
        """``background`` is for questions that may take longer than an answer."""
        self._settings = settings
        self._wallet = wallet
        self._database = database
        self._threads = Threads("probe", _PROBE_THREADS, _PROBE_SECONDS)
        self._questions = questions
        self._is_draining = is_draining
        self._started_at = datetime.now(UTC)
        self._postgres: Probe[tuple[Halt, ...]] = Probe(self._ask_postgres)
        self._redis: Probe[LineState] = Probe(lambda: self._threads.run(questions.line))
        self._rpc: Probe[EpochInfo] = Probe(lambda: self._threads.run(questions.tip))
        self._counts: Probe[Counts] = Probe(lambda: background.run(questions.counts), patience=LATE_SECONDS)
        self._queue: Probe[QueueMetrics] = Probe(lambda: background.run(questions.queue), patience=LATE_SECONDS)
        self.loop_lag = 0.0
        """The last measured delay of the event loop, in seconds."""

    def reload(self, settings: Settings) -> None:
        """Report these settings from now on."""
        self._settings = settings

    async def probe_lag(self) -> None:
        """Measure the delay of the event loop repeatedly."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LAG_PROBE_SECONDS)
            self.loop_lag = max(loop.time() - before - LAG_PROBE_SECONDS, 0.0)
            LOOP_LAG.set(self.loop_lag)

    async def close(self) -> None:
        await self._threads.close()

    async def health(self) -> Health:
        """The health of the process, with the services' state. A service that is down is not a reason to restart the
        process."""
        postgres, redis, rpc = await asyncio.gather(self._postgres.state(), self._redis.state(), self._rpc.state())
        return Health(
            version=this_release().version,
            commit=this_release().commit,
            started_at=self._started_at,
            draining=self._is_draining(),
            loop_lag_seconds=self.loop_lag,
            dependencies={"postgres": postgres, "redis": redis, "rpc": rpc},
        )

    async def readiness(self) -> Readiness:
        """Whether orders are accepted, which depends on Postgres alone; orders wait for other services."""
        postgres, redis, rpc = await asyncio.gather(self._postgres.find(), self._redis.find(), self._rpc.find())
        draining = self._is_draining()
        checks: dict[str, ServiceHealth] = {
            "postgres": postgres.health,
            "draining": ServiceHealth(ok=not draining, detail="stopping" if draining else ""),
            "halted": ServiceHealth(ok=not postgres.value, detail=_halted(postgres)),
        }
        executing, reasons = _executing(postgres, redis, rpc)
        return Readiness(
            ready=all(check.ok for check in checks.values()),
            checks=checks,
            executing=executing,
            executing_reasons=reasons,
        )

    async def doubts(self) -> str:
        """The reasons why orders may not be accepted or executed, in one line; '' if there are none."""
        state = await self.readiness()
        refusals = "; ".join(f"{name}: {check.detail}" for name, check in state.checks.items() if not check.ok)
        if refusals:
            return f"no orders are taken: {refusals}"
        return "" if state.executing else f"orders may have to wait: {'; '.join(state.executing_reasons)}"

    async def status(self) -> StatusResult:
        """The state of the daemon and its services. Services that hang are named, and their facts are listed in
        ``untold``."""
        postgres, redis, rpc, counts = await asyncio.gather(
            self._postgres.find(), self._redis.find(), self._rpc.find(), self._counts.find()
        )
        executing, reasons = _executing(postgres, redis, rpc)
        line, counted = redis.value, counts.value
        services: dict[str, ServiceHealth] = {
            "postgres": _plain(postgres.health),
            "redis": _plain(redis.health, "" if line is None else line.warning),
            "rpc": _plain(rpc.health, f"{rpc.health.latency_ms:.0f} ms" if rpc.health.latency_ms is not None else ""),
        }
        return StatusResult(
            version=this_release().version,
            commit=this_release().commit,
            wire_version=WIRE_VERSION,
            chain=self._settings.chain,
            wallet=self._wallet,
            started_at=self._started_at,
            draining=self._is_draining(),
            services=services,
            orders={} if counted is None else counted.by_status,
            unknown=0 if counted is None else counted.unknown,
            rate_limit=self._use(0, 0) if line is None else self._use(line.used, line.waiting),
            queue_depth=0 if line is None else line.depth,
            workers=0 if line is None else line.workers,
            worker_releases=() if line is None else tuple(map(_release, line.releases)),
            slot=None if rpc.value is None else rpc.value.absolute_slot,
            block_height=None if rpc.value is None else rpc.value.block_height,
            executing=executing,
            executing_reasons=reasons,
            halts=tuple(map(view, postgres.value or ())),
            endpoints=() if line is None else tuple(map(endpoint_view, line.endpoints)),
            untold=(
                *(_HALTS if postgres.value is None else ()),
                *(_FROM_POSTGRES if counted is None else ()),
                *(_FROM_REDIS if line is None else ()),
            ),
        )

    async def queue(self) -> QueueMetrics:
        """The numbers of orders in each stage. Raises OrderdError SERVICE_UNAVAILABLE if Postgres does not answer."""
        queue, redis = await asyncio.gather(self._queue.find(), self._redis.find())
        if queue.value is None:
            raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, f"Postgres: {queue.health.detail}")
        line = redis.value
        rate_limit = None if line is None else self._use(line.used, line.waiting)
        return queue.value.model_copy(update={"rate_limit": rate_limit})

    def _use(self, used: int, waiting: int) -> RateLimitUse:
        return RateLimitUse(
            limit=self._settings.rate_limit,
            window_seconds=self._settings.rate_window_seconds,
            used=used,
            waiting=waiting,
        )

    async def _ask_postgres(self) -> tuple[Halt, ...]:
        """The active halts. Raises OrderdError if Postgres would accept no order."""
        refusal = await self._database.run(self._questions.takes_orders)
        if refusal:
            raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, refusal)
        return await self._database.run(self._questions.halts)


def _release(release: Release) -> ReleaseView:
    return ReleaseView(version=release.version, commit=release.commit)


def _halted(postgres: ProbeResult[tuple[Halt, ...]]) -> str:
    return "; ".join(halt.summary for halt in postgres.value or ())


def _executing(
    postgres: ProbeResult[tuple[Halt, ...]], redis: ProbeResult[LineState], rpc: ProbeResult[EpochInfo]
) -> tuple[bool | None, tuple[str, ...]]:
    """Whether orders are executed now, and the reasons against it; None if a service does not answer in time."""
    found: dict[str, ProbeResult[Any]] = {"postgres": postgres, "redis": redis, "rpc": rpc}
    failing = [f"{name}: {each.health.detail}" for name, each in found.items() if not each.health.ok]
    if postgres.value:
        return False, (*failing, _halted(postgres))
    if redis.value is not None and not redis.value.workers:
        return False, (*failing, "workers: none is alive")
    if any(not each.health.ok and not each.is_late for each in found.values()):
        return False, tuple(failing)
    return (None if failing else True), tuple(failing)


def _plain(health: Dependency, detail: str = "") -> ServiceHealth:
    return ServiceHealth(ok=health.ok, detail=detail if health.ok else health.detail, latency_ms=health.latency_ms)
