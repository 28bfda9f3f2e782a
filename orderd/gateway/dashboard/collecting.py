"""Collects the data of the dashboard. Data that cannot be read is left out."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID

from db.recent import recent
from orderd.domain.errors import OrderdError
from orderd.domain.order import ACTIVE, TERMINAL, OrderStatus
from orderd.engine.order_list import list_orders
from orderd.gateway.access.authentication import Principal
from orderd.gateway.cluster_metrics import ClusterMetrics
from orderd.gateway.dashboard.measured import measured
from orderd.gateway.dashboard.page import SPANS, STEPS, DashboardData, DashboardParams, dashboard_page
from orderd.gateway.health_checks import HealthChecks
from orderd.gateway.service_probe import Probe
from orderd.gateway.threads import DatabaseThreads
from orderd.wire.orders import ListParams, OrderView

T = TypeVar("T")

_LIVE: Final = 20
_ENDED: Final = 10
_METRICS_SECONDS: Final = 4.0
"""Maximum age of the figures of venues and endpoint, so that many readers cost no more than one."""


class Dashboard:
    """Builds the page for a reader: the orders of its account, and the state of the daemon, which all readers may
    see."""

    def __init__(
        self,
        health_checks: HealthChecks,
        metrics: ClusterMetrics,
        lists: DatabaseThreads,
        balances: Callable[[], dict[str, float]],
    ) -> None:
        self._health_checks = health_checks
        self._lists = lists
        self._balances = balances
        self._metrics: Probe[bytes] = Probe(metrics.text, patience=2.0, max_age=_METRICS_SECONDS)

    async def page(self, principal: Principal, params: DashboardParams) -> str:
        """The current page."""
        account = None if principal.sees_all else principal.account_id
        span = SPANS[params.span]
        async with asyncio.TaskGroup() as reads:
            status = reads.create_task(self._health_checks.status())
            readiness = reads.create_task(self._health_checks.readiness())
            text = reads.create_task(self._metrics.find())
            happened = reads.create_task(_or_none(self._lists.run(recent, span, span // STEPS, account)))
            active = reads.create_task(_or_none(self._orders(account, ACTIVE, _LIVE)))
            ended = reads.create_task(_or_none(self._orders(account, TERMINAL, _ENDED)))
            balances = reads.create_task(_or_none(self._lists.run(self._balances)))
        data = DashboardData(
            status=status.result(),
            readiness=readiness.result(),
            recent=happened.result(),
            active=active.result(),
            ended=ended.result(),
            balances=balances.result(),
            measured=measured((text.result().value or b"").decode()),
        )
        return dashboard_page(data, params, datetime.now(UTC))

    async def _orders(self, account: UUID | None, statuses: frozenset[OrderStatus], most: int) -> tuple[OrderView, ...]:
        listed = await self._lists.run(list_orders, account, ListParams(status=tuple(sorted(statuses)), limit=most))
        return listed.orders


async def _or_none(answer: Awaitable[T]) -> T | None:
    """None if it cannot be read now."""
    try:
        return await answer
    except OrderdError:
        return None
