"""The text of ``/metrics``: the gateway's own metrics, those of the cluster, and those of the worker on the same
host."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeVar

from prometheus_client import generate_latest

from orderd.domain.order import OrderKind, OrderStatus
from orderd.engine.status_report import OpenOrders, Stored, WaitingAlerts
from orderd.gateway.health_checks import LATE_SECONDS, HealthChecks, HealthQueries
from orderd.gateway.service_probe import Probe
from orderd.gateway.threads import DatabaseThreads
from orderd.metrics import cluster, port
from orderd.metrics.neighbour import merged, worker_text
from orderd.metrics.registries import GATEWAY
from orderd.wire.status import StatusResult

T = TypeVar("T")
_SIZES_SECONDS: Final = 60.0
"""How old the sizes of tables may be."""
_ORDERS_SECONDS: Final = 5.0
"""Maximum age of the figures of open orders and balances."""


class ClusterMetrics:
    """The values of the whole cluster are read at each request."""

    def __init__(
        self,
        health_checks: HealthChecks,
        questions: HealthQueries,
        background: DatabaseThreads,
        state_dir: Path,
        send_buffers: Callable[[], Iterable[int]],
    ) -> None:
        """``state_dir`` is the directory of the worker's file with its metrics address. ``send_buffers`` returns the
        unread bytes of each connection."""
        self._health_checks = health_checks
        self._send_buffers = send_buffers

        def probe(question: Callable[[], T], max_age: float = _ORDERS_SECONDS) -> Probe[T]:
            return Probe(lambda: background.run(question), patience=LATE_SECONDS, max_age=max_age)

        self._stored: Probe[Stored] = probe(questions.stored, _SIZES_SECONDS)
        self._open: Probe[dict[OrderKind, OpenOrders]] = probe(questions.open_orders)
        self._alerts: Probe[dict[str, WaitingAlerts]] = probe(questions.alerts)
        self._balances: Probe[dict[str, float]] = probe(questions.balances)
        self._worker: Probe[str] = Probe(lambda: asyncio.to_thread(worker_text, state_dir))

    async def text(self) -> bytes:
        """In the text format of Prometheus."""
        worker, _ = await asyncio.gather(self._worker.find(), self._refresh())
        own = generate_latest(GATEWAY).decode()
        return merged(own, worker.value or "", "worker").encode()

    async def _refresh(self) -> None:
        status, readiness = await asyncio.gather(self._health_checks.status(), self._health_checks.readiness())
        stored, orders, alerts, balances = await asyncio.gather(
            self._stored.find(), self._open.find(), self._alerts.find(), self._balances.find()
        )
        _set_status(status)
        cluster.READY.set(readiness.ready)
        sizes, kinds = stored.value, orders.value
        cluster.DATABASE_BYTES.set(None if sizes is None else sizes.database_bytes)
        cluster.TABLE_BYTES.set_each(None if sizes is None else sizes.table_bytes)
        cluster.REMOVED_ROWS.set_each(None if sizes is None else sizes.removed)
        cluster.OPEN_ORDERS.set_each(
            None if kinds is None else {kind: kinds[kind].orders if kind in kinds else 0 for kind in OrderKind}
        )
        cluster.OPEN_ORDER_AGE.set_each({kind: each.oldest_seconds for kind, each in (kinds or {}).items()})
        waiting = alerts.value or {}
        cluster.ALERTS_WAITING.set_each({receiver: each.alerts for receiver, each in waiting.items()})
        cluster.ALERT_AGE.set_each({receiver: each.oldest_seconds for receiver, each in waiting.items()})
        cluster.WALLET_BALANCE.set_each(balances.value)
        buffers = [*self._send_buffers()]
        port.SEND_BUFFER_BYTES.set(sum(buffers))
        port.SEND_BUFFER_MAX_BYTES.set(max(buffers, default=0))


def _set_status(status: StatusResult) -> None:
    def known(member: str, value: float) -> float | None:
        return None if member in status.untold else value

    limit = status.rate_limit.limit
    cluster.EXECUTING.set(status.executing)
    cluster.HALTED.set(known("halts", bool(status.halts)))
    cluster.SERVICE_UP.set_each({name: each.ok for name, each in status.services.items()})
    cluster.WORKERS.set(known("workers", status.workers))
    cluster.ORDERS.set_each(
        None if "orders" in status.untold else {each: status.orders.get(each, 0) for each in OrderStatus}
    )
    cluster.UNKNOWN.set(known("unknown", status.unknown))
    cluster.QUEUE_DEPTH.set(known("queue_depth", status.queue_depth))
    cluster.RATE_LIMIT_USED.set(known("rate_limit.used", status.rate_limit.used))
    cluster.RATE_LIMIT_WAITING.set(known("rate_limit.waiting", status.rate_limit.waiting))
    cluster.RATE_LIMIT_MAX.set(limit or None)
    cluster.CHAIN_SLOT.set(status.slot)
    cluster.CHAIN_HEIGHT.set(status.block_height)
