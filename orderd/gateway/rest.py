"""Orders over plain HTTP: the methods of the websocket, for clients that ask once and go."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import Field
from uuid_utils.compat import uuid7

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import OrderEvent
from orderd.gateway.auth import Principal, Scope
from orderd.gateway.methods import Methods
from orderd.gateway.problem import HttpProblem
from orderd.wire import (
    AttemptView,
    BalancesResult,
    CancelResult,
    ClientOrderId,
    FailureView,
    GetParams,
    ListParams,
    ListResult,
    Message,
    NoParams,
    OrderDetail,
    OrderRef,
    PoolsParams,
    PoolsResult,
    QuoteParams,
    QuoteResult,
    StatusResult,
    SubmitParams,
    SubmitResult,
    TokensResult,
)


class OrderBody(QuoteParams):
    """A market order. The client order id may be given as the Idempotency-Key instead; without any, one is made."""

    client_order_id: ClientOrderId | None = None


class TimelineEntry(Message):
    """One thing that happened to an order; exactly one of event, attempt and failure is there."""

    at: datetime = Field(description="for an attempt, when it was signed")
    event: OrderEvent | None = None
    attempt: AttemptView | None = None
    failure: FailureView | None = None


class Timeline(Message):
    """Oldest first; what happened at one time stands as event, attempt, failure."""

    entries: tuple[TimelineEntry, ...]


@dataclass(frozen=True, slots=True)
class HttpCaller:
    """Who makes a request."""

    principal: Principal


def rest_router(
    methods: Methods, who: Callable[[Request], Awaitable[Principal]], route_class: type[APIRoute]
) -> APIRouter:
    """``who`` says who makes a request, and raises OrderdError where that is nobody it knows.

    ``route_class`` sees each request first, and may answer an order that is in the words of another engine.
    """

    problem: dict[int | str, dict[str, Any]] = {"4XX": {"model": HttpProblem}, "5XX": {"model": HttpProblem}}
    router = APIRouter(prefix="/api", responses=problem, route_class=route_class)
    _serve_orders(router, methods, who)
    _serve_market(router, methods, who)
    return router


def _serve_orders(router: APIRouter, methods: Methods, who: Callable[[Request], Awaitable[Principal]]) -> None:
    async def reader(request: Request) -> HttpCaller:
        return await _caller(request, who, Scope.READ)

    async def trader(request: Request) -> HttpCaller:
        return await _caller(request, who, Scope.TRADE)

    @router.post("/orders", status_code=201, summary="Submit an order; the answer means that it is on disk")
    async def submit(
        response: Response,
        caller: Annotated[HttpCaller, Depends(trader)],
        body: Annotated[OrderBody, Body()],
        idempotency_key: Annotated[ClientOrderId | None, Header()] = None,
    ) -> SubmitResult:
        given = body.model_dump(exclude={"client_order_id"})
        params = SubmitParams(**given, client_order_id=_client_order_id(body.client_order_id, idempotency_key))
        result = cast(SubmitResult, (await methods.submit(caller, params)).result)
        response.status_code = 201 if result.created else 200
        response.headers["Location"] = f"/api/orders/{result.order.id}"
        return result

    @router.get("/orders", summary="Orders, newest first, in pages")
    async def list_orders(
        caller: Annotated[HttpCaller, Depends(reader)], params: Annotated[ListParams, Query()]
    ) -> ListResult:
        return cast(ListResult, (await methods.list_orders(caller, params)).result)

    @router.get("/orders/{order}", summary="An order with its events, attempts and failures")
    async def get(caller: Annotated[HttpCaller, Depends(reader)], order: OrderRef) -> OrderDetail:
        return cast(OrderDetail, (await methods.get(caller, GetParams(order=order))).result)

    @router.get("/orders/{order}/timeline", summary="All that happened to an order, by time")
    async def timeline(caller: Annotated[HttpCaller, Depends(reader)], order: OrderRef) -> Timeline:
        return _timeline(cast(OrderDetail, (await methods.get(caller, GetParams(order=order))).result))

    @router.delete("/orders/{order}", summary="Withdraw an order of which nothing is signed")
    async def cancel(caller: Annotated[HttpCaller, Depends(trader)], order: OrderRef) -> CancelResult:
        return cast(CancelResult, (await methods.cancel(caller, GetParams(order=order))).result)


def _serve_market(router: APIRouter, methods: Methods, who: Callable[[Request], Awaitable[Principal]]) -> None:
    async def reader(request: Request) -> HttpCaller:
        return await _caller(request, who, Scope.READ)

    @router.get("/quote", summary="What each venue would give")
    async def quote(
        caller: Annotated[HttpCaller, Depends(reader)], params: Annotated[QuoteParams, Query()]
    ) -> QuoteResult:
        return cast(QuoteResult, (await methods.quote(caller, params)).result)

    @router.get("/balances", summary="What the wallet holds")
    async def balances(caller: Annotated[HttpCaller, Depends(reader)]) -> BalancesResult:
        return cast(BalancesResult, (await methods.balances(caller, NoParams())).result)

    @router.get("/tokens", summary="The tokens that can be traded")
    async def tokens(caller: Annotated[HttpCaller, Depends(reader)]) -> TokensResult:
        return cast(TokensResult, (await methods.tokens(caller, NoParams())).result)

    @router.get("/pools", summary="The pools of the venues: what they hold, their price and their fee")
    async def pools(
        caller: Annotated[HttpCaller, Depends(reader)], params: Annotated[PoolsParams, Query()]
    ) -> PoolsResult:
        return cast(PoolsResult, (await methods.pools(caller, params)).result)

    @router.get("/status", summary="How the daemon is: its services, orders by status, queue and rate limit")
    async def status(caller: Annotated[HttpCaller, Depends(reader)]) -> StatusResult:
        return cast(StatusResult, (await methods.status(caller, NoParams())).result)


async def _caller(request: Request, who: Callable[[Request], Awaitable[Principal]], scope: Scope) -> HttpCaller:
    principal = await who(request)
    principal.require(scope)
    return HttpCaller(principal)


def _client_order_id(in_body: str | None, in_header: str | None) -> str:
    if in_body is not None and in_header is not None and in_body != in_header:
        raise OrderdError(
            ErrorCode.REQUEST_INVALID, "client_order_id and the Idempotency-Key are the same thing, but differ"
        )
    return in_body or in_header or str(uuid7())


def _timeline(order: OrderDetail) -> Timeline:
    entries = (
        *(TimelineEntry(at=event.at, event=event) for event in order.events),
        *(TimelineEntry(at=attempt.signed_at, attempt=attempt) for attempt in order.attempts),
        *(TimelineEntry(at=failure.at, failure=failure) for failure in order.failures),
    )
    return Timeline(entries=tuple(sorted(entries, key=lambda entry: entry.at)))
