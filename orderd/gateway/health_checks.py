"""What ``/health``, ``/ready`` and ``/metrics`` answer: the event loop, the services, the cluster's figures."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final, Literal

from pydantic import BaseModel, Field
from redis.asyncio import Redis

from db.connection import database
from orderd.gateway.rpc.methods import StatusReport
from orderd.gateway.service_probe import Dependency, Probe
from orderd.gateway.threads import DatabaseThreads, Threads
from orderd.telemetry import LOOP_LAG, ORDERS, QUEUE_DEPTH, RATE_LIMIT_USED, RATE_LIMIT_WAITING, UNKNOWN, WORKERS
from orderd.wire import ServiceHealth

LAG_PROBE_SECONDS: Final = 0.5
REDIS_SECONDS: Final = 2.0


class Health(BaseModel):
    """The process answers: it lives, whatever its services do."""

    status: Literal["ok"] = "ok"
    version: str
    started_at: datetime
    draining: bool = Field(description="it is stopping and takes no new orders")
    loop_lag_seconds: float = Field(description="how late the event loop last was")
    dependencies: dict[str, Dependency]


class Readiness(BaseModel):
    """Whether clients should be sent here, and what stands against it."""

    ready: bool
    checks: dict[str, ServiceHealth]


class HealthChecks:
    def __init__(
        self,
        threads: DatabaseThreads,
        outside: Threads,
        news: Redis,
        report: StatusReport,
        *,
        is_draining: Callable[[], bool],
    ) -> None:
        self._database = threads
        self._outside = outside
        self._news = news
        self._report = report
        self._is_draining = is_draining
        self._started_at = datetime.now(UTC)
        self._probes = {"postgres": Probe(self._postgres), "redis": Probe(self._redis), "rpc": Probe(self._rpc)}
        self.loop_lag = 0.0
        """Seconds by which the event loop was late when it was last looked at."""

    async def probe_lag(self) -> None:
        """Look at the event loop for ever."""
        loop = asyncio.get_running_loop()
        while True:
            before = loop.time()
            await asyncio.sleep(LAG_PROBE_SECONDS)
            self.loop_lag = max(loop.time() - before - LAG_PROBE_SECONDS, 0.0)
            LOOP_LAG.set(self.loop_lag)

    async def health(self) -> Health:
        """Also of services that orders can wait for: no reason to end the process, but one to look at them."""
        return Health(
            version=version("orderd"),
            started_at=self._started_at,
            draining=self._is_draining(),
            loop_lag_seconds=self.loop_lag,
            dependencies=await self._states("postgres", "redis", "rpc"),
        )

    async def readiness(self) -> Readiness:
        """Orders are taken while Postgres and Redis answer; for the chain they wait."""
        draining = self._is_draining()
        checks = {
            **await self._states("postgres", "redis"),
            "draining": ServiceHealth(ok=not draining, detail="stopping" if draining else ""),
        }
        return Readiness(ready=all(check.ok for check in checks.values()), checks=checks)

    async def _states(self, *names: str) -> dict[str, Dependency]:
        states = await asyncio.gather(*(self._probes[name].state() for name in names))
        return dict(zip(names, states, strict=True))

    async def _postgres(self) -> None:
        await self._database.run(database.execute_sql, "SELECT 1")

    async def _redis(self) -> None:
        async with asyncio.timeout(REDIS_SECONDS):
            await self._news.ping()

    async def _rpc(self) -> None:
        await self._outside.run(self._report.slot)

    async def refresh_metrics(self) -> None:
        """What is counted over the whole cluster is read when it is asked for."""
        status = await self._outside.run(self._report.status)
        for name, count in status.orders.items():
            ORDERS.labels(name).set(count)
        QUEUE_DEPTH.set(status.queue_depth)
        UNKNOWN.set(status.unknown)
        WORKERS.set(status.workers)
        RATE_LIMIT_USED.set(status.rate_limit.used)
        RATE_LIMIT_WAITING.set(status.rate_limit.waiting)
