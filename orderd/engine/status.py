"""How the daemon is: what an operator asks first."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from importlib.metadata import version

import redis
from peewee import PeeweeException

from db.connection import database
from orderd.domain.order import OrderStatus
from orderd.settings import Settings
from orderd.solana.rpc import RpcClient, RpcError
from orderd.wire import WIRE_VERSION, RateLimitUse, ServiceHealth, StatusResult


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

    def status(self, *, draining: bool = False) -> StatusResult:
        services: dict[str, ServiceHealth] = {}
        orders = self._orders(services)
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
            rate_limit=RateLimitUse(
                limit=self._settings.rate_limit,
                window_seconds=self._settings.rate_window_seconds,
                used=used,
                waiting=waiting,
            ),
            queue_depth=depth,
            workers=workers,
        )

    def _orders(self, services: dict[str, ServiceHealth]) -> dict[OrderStatus, int]:
        try:
            with database.connection_context():
                rows = database.execute_sql("SELECT status, count(*) FROM orders GROUP BY status").fetchall()
        except PeeweeException as error:
            services["postgres"] = ServiceHealth(ok=False, detail=_first_line(error))
            return {}
        services["postgres"] = ServiceHealth(ok=True)
        return {OrderStatus(status): count for status, count in rows}

    def _queue(self, services: dict[str, ServiceHealth]) -> tuple[int, int, int, int]:
        try:
            used, waiting = self._rate_limit_use()
            found = used, waiting, self._queue_depth(), self._workers()
            policy = self._redis.config_get("maxmemory-policy").get("maxmemory-policy", "noeviction")
        except redis.RedisError as error:
            services["redis"] = ServiceHealth(ok=False, detail=_first_line(error))
            return 0, 0, 0, 0
        evicts = policy != "noeviction"
        services["redis"] = ServiceHealth(ok=True, detail=f"evicts keys ({policy}): set noeviction" if evicts else "")
        return found

    def _slot(self, services: dict[str, ServiceHealth]) -> int | None:
        began = time.perf_counter()
        try:
            slot = self._rpc.get_slot()
        except RpcError as error:
            services["rpc"] = ServiceHealth(ok=False, detail=_first_line(error))
            return None
        services["rpc"] = ServiceHealth(ok=True, detail=f"{(time.perf_counter() - began) * 1000:.0f} ms")
        return slot


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
