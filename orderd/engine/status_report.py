"""The answer of ``status``: how orderd's services are, and what the cluster's orders, queue and workers do."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Final

import redis
from peewee import PeeweeException

from db.connection import database
from db.models import listed
from orderd.config.settings import Settings
from orderd.domain.errors import OrderdError
from orderd.domain.order import FILLED, HELD, WAITING, OrderStatus
from orderd.solana.json_rpc import rpc_errors_told
from orderd.solana.rpc import RpcClient
from orderd.venues.single_flight import SingleFlight
from orderd.wire import WIRE_VERSION, QueueMetrics, RateLimitUse, ServiceHealth, StatusResult

QUEUE_SECONDS: Final = 1.0
"""The age of the queue's metrics: however many ask for them, all orders are counted once in this time."""


_COUNT: Final = f"""
    SELECT count(*) FILTER (WHERE status IN ({listed(WAITING)}) AND due_at <= clock_timestamp()),
           count(*) FILTER (WHERE status IN ({listed(HELD)})),
           count(*) FILTER (WHERE status IN ({listed(WAITING)}) AND due_at > clock_timestamp()),
           count(*) FILTER (WHERE status IN ({listed(FILLED)})),
           count(*) FILTER (WHERE status = '{OrderStatus.FAILED}'),
           count(*) FILTER (WHERE unknown_since IS NOT NULL)
    FROM orders"""  # noqa: S608


_COUNT_BY_STATUS: Final = "SELECT status, count(*), count(unknown_since) FROM orders GROUP BY status"


class StatusReport:
    """Asks every service that orderd needs. Each may fail on its own; the report says which.

    ``rate_limit_use`` returns starts in the window and orders in line, ``queue_depth`` messages not yet taken,
    ``workers`` worker processes with a live heartbeat.
    """

    def __init__(
        self,
        settings: Settings,
        wallet: str,
        rpc: RpcClient,
        client: "redis.Redis",
        *,
        rate_limit_use: Callable[[], tuple[int, int]],
        queue_depth: Callable[[], int],
        workers: Callable[[], int],
    ) -> None:
        self._settings = settings
        self._wallet = wallet
        self._rpc = rpc
        self._redis = client
        self._rate_limit_use = rate_limit_use
        self._queue_depth = queue_depth
        self._workers = workers
        self._started_at = datetime.now(UTC)
        self._metrics: SingleFlight[None, QueueMetrics] = SingleFlight(self._count, QUEUE_SECONDS)

    def queue(self) -> QueueMetrics:
        """What the cluster's orders do now. Needs Postgres: raises PeeweeException where that does not answer."""
        return self._metrics.get(None)

    def slot(self) -> int:
        """The chain's newest slot. Raises OrderdError RPC_*."""
        with rpc_errors_told():
            return self._rpc.get_slot()

    def status(self, *, draining: bool = False) -> StatusResult:
        services: dict[str, ServiceHealth] = {}
        orders, unknown = self._orders(services)
        used, waiting, depth, workers = self._queue(services)
        return StatusResult(
            version=version("orderd"),
            wire_version=WIRE_VERSION,
            chain=self._settings.chain,
            wallet=self._wallet,
            started_at=self._started_at,
            draining=draining,
            slot=self._slot(services),
            services=services,
            orders=orders,
            unknown=unknown,
            rate_limit=self._use(used, waiting),
            queue_depth=depth,
            workers=workers,
        )

    def _use(self, used: int, waiting: int) -> RateLimitUse:
        return RateLimitUse(
            limit=self._settings.rate_limit,
            window_seconds=self._settings.rate_window_seconds,
            used=used,
            waiting=waiting,
        )

    def _count(self, _: None) -> QueueMetrics:
        with database.connection_context():
            (row,) = database.execute_sql(_COUNT).fetchall()
        try:
            rate_limit = self._use(*self._rate_limit_use())
        except redis.RedisError:  # the status report says what is wrong
            rate_limit = None
        waiting, active, delayed, confirmed, failed, unknown = row
        return QueueMetrics(
            waiting=waiting,
            active=active,
            delayed=delayed,
            confirmed=confirmed,
            failed=failed,
            unknown=unknown,
            rate_limit=rate_limit,
        )

    def _orders(self, services: dict[str, ServiceHealth]) -> tuple[dict[OrderStatus, int], int]:
        """Orders by status, and how many of them are unknown."""
        try:
            with database.connection_context():
                rows = database.execute_sql(_COUNT_BY_STATUS).fetchall()
        except PeeweeException as error:
            services["postgres"] = ServiceHealth(ok=False, detail=_first_line(error))
            return {}, 0
        services["postgres"] = ServiceHealth(ok=True)
        return {OrderStatus(status): count for status, count, _ in rows}, sum(unknown for *_, unknown in rows)

    def _queue(self, services: dict[str, ServiceHealth]) -> tuple[int, int, int, int]:
        try:
            used, waiting = self._rate_limit_use()
            found = used, waiting, self._queue_depth(), self._workers()
            detail = self._policy()
        except redis.RedisError as error:
            services["redis"] = ServiceHealth(ok=False, detail=_first_line(error))
            return 0, 0, 0, 0
        services["redis"] = ServiceHealth(ok=True, detail=detail)
        return found

    def _policy(self) -> str:
        """What is wrong with Redis' policy, as far as it tells: many that are rented out forbid the question."""
        try:
            policy = self._redis.config_get("maxmemory-policy").get("maxmemory-policy", "noeviction")
        except redis.ResponseError:
            return "it does not tell its maxmemory-policy; see that it is noeviction"
        return "" if policy == "noeviction" else f"evicts keys ({policy}): set noeviction"

    def _slot(self, services: dict[str, ServiceHealth]) -> int | None:
        began = time.perf_counter()
        try:
            slot = self.slot()
        except OrderdError as error:
            services["rpc"] = ServiceHealth(ok=False, detail=error.detail[:200])
            return None
        services["rpc"] = ServiceHealth(ok=True, detail=f"{(time.perf_counter() - began) * 1000:.0f} ms")
        return slot


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
