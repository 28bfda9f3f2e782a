"""HTTP routes for records: fills, profits, the portfolio."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from orderd.gateway.access.body import StrictRoute
from orderd.gateway.docs import record_examples as examples
from orderd.gateway.docs.openapi import LINK, category, problems, success
from orderd.gateway.http.backend import GatewayBackend, Reader
from orderd.wire.fills import HistoryParams, HistoryResult
from orderd.wire.prices import PricesParams, PricesResult
from orderd.wire.profit import PnlParams, PnlResult, PortfolioParams, PortfolioResult


def records_router() -> APIRouter:
    router = APIRouter(prefix="/api", tags=["records"], route_class=StrictRoute)

    @router.get(
        "/history",
        summary="List fills",
        response_description="The fills, newest first; the first page has the totals of all of them.",
        responses=success(200, examples.HISTORY, LINK) | problems(*category("TIME")),
    )
    async def list_fills(
        request: Request,
        response: Response,
        backend: GatewayBackend,
        caller: Reader,
        params: Annotated[HistoryParams, Query()],
    ) -> HistoryResult:
        page = await backend.records.history(caller, params)
        if page.next_cursor is not None:
            following = request.url.include_query_params(cursor=page.next_cursor)
            response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
        return page

    @router.get(
        "/prices",
        summary="Get candles of a pair",
        response_description="The candles, oldest first.",
        responses=success(200, examples.PRICES) | problems(*category("TOKEN", "TIME")),
    )
    async def get_prices(
        backend: GatewayBackend, caller: Reader, params: Annotated[PricesParams, Query()]
    ) -> PricesResult:
        return await backend.records.prices(caller, params)

    @router.get(
        "/pnl",
        summary="Get realised and unrealised profit",
        response_description="Profit by token and by day.",
        responses=success(200, examples.PNL) | problems(*category("TOKEN", "TIME")),
    )
    async def get_pnl(backend: GatewayBackend, caller: Reader, params: Annotated[PnlParams, Query()]) -> PnlResult:
        return await backend.records.pnl(caller, params)

    @router.get(
        "/portfolio",
        summary="Get the portfolio",
        response_description="Each token with its balance, value, share and change of price.",
        responses=success(200, examples.PORTFOLIO) | problems(*category("TOKEN", "RPC")),
    )
    async def get_portfolio(
        backend: GatewayBackend, caller: Reader, params: Annotated[PortfolioParams, Query()]
    ) -> PortfolioResult:
        return await backend.records.portfolio(caller, params)

    return router
