"""Read-only HTTP routes: prices, pools, balances, and the daemon's state."""

from typing import Annotated

from fastapi import APIRouter, Query

from orderd.domain.errors import ErrorCode
from orderd.gateway.access.body import StrictRoute
from orderd.gateway.docs import examples
from orderd.gateway.docs.openapi import category, problems, success
from orderd.gateway.http.backend import GatewayBackend, Reader
from orderd.wire.balances import BalancesResult
from orderd.wire.message import NoParams
from orderd.wire.pools import PoolsParams, PoolsResult
from orderd.wire.quotes import QuoteParams, QuoteResult
from orderd.wire.status import StatusResult


def market_router() -> APIRouter:
    router = APIRouter(prefix="/api", route_class=StrictRoute)

    @router.get(
        "/quote",
        tags=["market"],
        summary="Get a quote",
        response_description="The output of each pool, and the route that an order would take.",
        responses=success(200, examples.QUOTE)
        | problems(
            *category("TOKEN", "AMOUNT", "SLIPPAGE", "COST", "ROUTE", "POOL", "FUNDS", "RPC"),
            ErrorCode.TX_TOO_LARGE,
            ErrorCode.SERVICE_TIMEOUT,
        ),
    )
    async def get_quote(
        backend: GatewayBackend, caller: Reader, params: Annotated[QuoteParams, Query()]
    ) -> QuoteResult:
        return await backend.market.quote(caller, params)

    @router.get(
        "/pools",
        tags=["market"],
        summary="List the pools",
        response_description="Reserves, price and fee of each pool, the deepest pool of a pair first.",
        responses=success(200, examples.POOLS) | problems(*category("TOKEN", "RPC")),
    )
    async def list_pools(
        backend: GatewayBackend, caller: Reader, params: Annotated[PoolsParams, Query()]
    ) -> PoolsResult:
        return await backend.market.pools(caller, params)

    @router.get(
        "/balances",
        tags=["market"],
        summary="Get the wallet's balances",
        response_description="The balance of each token that can be traded.",
        responses=success(200, examples.BALANCES) | problems(*category("RPC")),
    )
    async def get_balances(
        backend: GatewayBackend, caller: Reader, params: Annotated[NoParams, Query()]
    ) -> BalancesResult:
        return await backend.market.balances(caller, params)

    @router.get(
        "/status",
        tags=["daemon"],
        summary="Get the daemon's status",
        response_description="Its services, orders by status, queue and rate limit.",
        responses=success(200, examples.STATUS) | problems(),
    )
    async def get_status(backend: GatewayBackend, caller: Reader, params: Annotated[NoParams, Query()]) -> StatusResult:
        return await backend.daemon.status(caller, params)

    return router
