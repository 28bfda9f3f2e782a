"""The services behind the routes of one gateway. Routes are built once per process, and find it in each request's
state."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, cast

from fastapi import Depends, Request

from db.audit import Actor
from orderd.domain.errors import OrderdError
from orderd.gateway.access.authentication import Principal
from orderd.gateway.access.caller import Callers, HttpCaller
from orderd.gateway.dashboard.page import DashboardParams
from orderd.gateway.dialects.orders import ForeignOrders
from orderd.gateway.health_checks import Health, Readiness
from orderd.gateway.http.submission import SubmissionHandler
from orderd.gateway.rpc.daemon import DaemonMethods
from orderd.gateway.rpc.market import MarketMethods
from orderd.gateway.rpc.order_entry import OrderEntry
from orderd.gateway.rpc.orders import OrderMethods
from orderd.gateway.rpc.records import Records


@dataclass(frozen=True, slots=True)
class Backend:
    entry: OrderEntry
    orders: OrderMethods
    market: MarketMethods
    daemon: DaemonMethods
    records: Records
    callers: Callers
    submissions: SubmissionHandler
    foreign: ForeignOrders
    health: Callable[[], Awaitable[Health]]
    readiness: Callable[[], Awaitable[Readiness]]
    metrics: Callable[[], Awaitable[bytes]]
    dashboard: Callable[[Principal, DashboardParams], Awaitable[str]]
    principal_of: Callable[[Request, str], Awaitable[Principal]]
    """Raises OrderdError if the API key is unknown."""
    refused: Callable[[Actor, str, OrderdError], None]
    """Called for each refusal of a client."""
    api_key_required: bool
    describe_websocket: Callable[[str, bool], Mapping[str, Any]]
    """Makes the AsyncAPI document for a host, with or without TLS."""


def backend_of(request: Request) -> Backend:
    return cast(Backend, request.state.backend)


async def reader(request: Request) -> HttpCaller:
    """Raises OrderdError if the client may not read."""
    return await backend_of(request).callers.reader(request)


async def _backend(request: Request) -> Backend:
    return backend_of(request)


async def _trader(request: Request) -> HttpCaller:
    return await backend_of(request).callers.trader(request)


async def _administrator(request: Request) -> HttpCaller:
    return await backend_of(request).callers.administrator(request)


GatewayBackend = Annotated[Backend, Depends(_backend)]
Reader = Annotated[HttpCaller, Depends(reader)]
Trader = Annotated[HttpCaller, Depends(_trader)]
Administrator = Annotated[HttpCaller, Depends(_administrator)]
