"""Orders over plain HTTP: the methods of the websocket, for clients without a lasting connection."""

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from pydantic import Field

from orderd.domain.errors import ErrorCode
from orderd.domain.events import OrderEvent
from orderd.domain.order import SIGNED
from orderd.gateway.access.body import StrictRoute, json_only
from orderd.gateway.dialects.answer import OrderAnswer
from orderd.gateway.docs import examples
from orderd.gateway.docs.openapi import LINK, LOCATION, category, link_to_order, problems, success
from orderd.gateway.http.backend import GatewayBackend, Reader, Trader
from orderd.gateway.http.halting import halting_router
from orderd.gateway.http.market import market_router
from orderd.gateway.http.records import records_router
from orderd.gateway.http.resolution import resolution_router
from orderd.gateway.http.submission import OrderBody
from orderd.gateway.http.tokens import tokens_router
from orderd.wire.message import ClientOrderId, Message, NoParams, OrderRef, build_messages
from orderd.wire.order_detail import AttemptView, FailureView, OrderDetail
from orderd.wire.orders import CancelResult, GetParams, ListParams, ListResult
from orderd.wire.quotes import SimulatedFill
from orderd.wire.status import QueueMetrics
from orderd.wire.submissions import Amendment, AmendParams, AmendResult, SubmitResult

_TERMS = (*category("TOKEN", "AMOUNT", "SLIPPAGE", "COST", "PRICE", "TIME"), ErrorCode.ORDER_TERMS_CONTRADICT)
_ONE_ORDER = (ErrorCode.ORDER_NOT_FOUND, ErrorCode.ORDER_AMBIGUOUS)


class OrdersPage(ListResult):
    """A page of orders, newest first, with figures of the queue. ``next_cursor`` is absent on the last page."""

    queue: QueueMetrics


_EXAMPLE_PAGE = OrdersPage(**dict(examples.LISTED), queue=examples.QUEUE)


class TimelineEntry(Message):
    """One entry of an order's timeline; exactly one of event, attempt and failure is present."""

    at: datetime = Field(description="for an attempt, when it was signed")
    event: OrderEvent | None = None
    attempt: AttemptView | None = None
    failure: FailureView | None = None


class Timeline(Message):
    """The timeline of an order, oldest first. Entries of the same time are in the order event, attempt, failure."""

    entries: tuple[TimelineEntry, ...]


def rest_router() -> APIRouter:
    """All that is served below ``/api``."""
    build_messages()
    router = APIRouter()
    router.include_router(_orders_router())
    router.include_router(resolution_router())
    router.include_router(halting_router())
    router.include_router(market_router())
    router.include_router(records_router())
    router.include_router(tokens_router())
    return router


def _orders_router() -> APIRouter:
    router = APIRouter(prefix="/api", tags=["orders"], route_class=StrictRoute)

    @router.post(
        "/orders",
        status_code=201,
        response_model=SubmitResult,
        summary="Submit an order",
        response_description="The order is stored, and will be executed at most once.",
        responses=success(201, examples.SUBMITTED, LOCATION, links=link_to_order("$response.body#/order/id"))
        | success(
            200, examples.SUBMITTED_BEFORE, LOCATION, of=SubmitResult, description="The same order, submitted before."
        )
        | problems(
            *_TERMS,
            ErrorCode.ORDER_CONFLICT,
            ErrorCode.REQUEST_TOO_LARGE,
            ErrorCode.REQUEST_MEDIA_TYPE,
            ErrorCode.REQUEST_IN_PROGRESS,
            ErrorCode.SERVICE_DRAINING,
            *category("LIMIT", "ROUTE", "POOL", "FUNDS", "RPC"),  # an order that is limited in money is priced first
            ErrorCode.SERVICE_TIMEOUT,
        ),
    )
    async def submit_order(
        request: Request,
        body: Annotated[OrderBody, Body(openapi_examples=examples.ORDER_BODIES)],  # noqa: ARG001  (described)
        _query: Annotated[NoParams, Query()],
        backend: GatewayBackend,
        idempotency_key: Annotated[  # noqa: ARG001  (described)
            ClientOrderId | None,
            Header(alias="Idempotency-Key", description="the client order id, if the body has none"),
        ] = None,
    ) -> Response:
        return await backend.submissions.submit(request)

    @router.get(
        "/orders",
        summary="List orders",
        response_description="A page of orders, newest first, and the queue's metrics.",
        responses=success(200, _EXAMPLE_PAGE, LINK) | problems(ErrorCode.TOKEN_UNKNOWN),
    )
    async def list_orders(
        request: Request,
        response: Response,
        backend: GatewayBackend,
        caller: Reader,
        params: Annotated[ListParams, Query()],
    ) -> OrdersPage:
        page, queue = await asyncio.gather(backend.orders.list_orders(caller, params), backend.daemon.queue())
        if page.next_cursor is not None:
            following = request.url.include_query_params(cursor=page.next_cursor)
            response.headers["Link"] = f'<{following.path}?{following.query}>; rel="next"'
        return OrdersPage.model_construct(orders=page.orders, next_cursor=page.next_cursor, queue=queue)

    @router.get(
        "/orders/{order}",
        summary="Get an order",
        response_description="The order with its events, attempts, failures and fills.",
        responses=success(200, OrderAnswer.of(examples.DETAIL)) | problems(*_ONE_ORDER),
    )
    async def get_order(
        backend: GatewayBackend, caller: Reader, order: OrderRef, _query: Annotated[NoParams, Query()]
    ) -> OrderAnswer:
        return OrderAnswer.of(await backend.orders.get(caller, GetParams(order=order)))

    @router.get(
        "/orders/{order}/timeline",
        summary="Get an order's timeline",
        response_description="All events of the order, attempts included, by time.",
        responses=success(200, _timeline(examples.DETAIL)) | problems(*_ONE_ORDER),
    )
    async def get_order_timeline(
        backend: GatewayBackend, caller: Reader, order: OrderRef, _query: Annotated[NoParams, Query()]
    ) -> Timeline:
        return _timeline(await backend.orders.get(caller, GetParams(order=order)))

    @router.delete(
        "/orders/{order}",
        summary="Cancel an order",
        response_description="The order is cancelled. Nothing had been signed.",
        responses=success(200, examples.CANCELLED)
        | success(
            202,
            examples.CANCEL_REQUESTED,
            of=CancelResult,
            description="The order is signed already. It is not retried, and ends as its transaction does.",
        )
        | problems(*_ONE_ORDER, ErrorCode.ORDER_NOT_CANCELLABLE),
    )
    async def cancel_order(
        backend: GatewayBackend,
        caller: Trader,
        order: OrderRef,
        _query: Annotated[NoParams, Query()],
        response: Response,
    ) -> CancelResult:
        result = await backend.orders.cancel(caller, GetParams(order=order))
        if result.order.cancel_requested and result.order.status in SIGNED:
            response.status_code = 202
        return result

    @router.patch(
        "/orders/{order}",
        summary="Amend a resting order",
        response_description="The order with its new terms, which replace the old ones.",
        responses=success(200, examples.AMENDED)
        | problems(
            *_ONE_ORDER,
            ErrorCode.ORDER_NOT_AMENDABLE,
            ErrorCode.REQUEST_TOO_LARGE,
            ErrorCode.REQUEST_MEDIA_TYPE,
            *_TERMS,
            ErrorCode.FUNDS_RESERVED,
        ),
    )
    async def amend_order(
        backend: GatewayBackend,
        caller: Trader,
        _json: Annotated[None, Depends(json_only)],
        order: OrderRef,
        body: Annotated[Amendment, Body(openapi_examples=examples.AMENDMENT_BODIES)],
        _query: Annotated[NoParams, Query()],
    ) -> AmendResult:
        params = AmendParams(order=order, **dict(body))
        return await backend.entry.amend(caller, params)

    @router.get(
        "/orders/{order}/simulated-fill",
        summary="Preview an order",
        response_description="What the order would wait for, its route, and the node's simulation of its transaction.",
        responses=success(200, examples.SIMULATED_FILL)
        | problems(*_ONE_ORDER, ErrorCode.ORDER_HELD, *category("ROUTE", "RPC")),
    )
    async def simulate_fill(
        backend: GatewayBackend, caller: Reader, order: OrderRef, _query: Annotated[NoParams, Query()]
    ) -> SimulatedFill:
        return await backend.orders.simulate_fill(caller, GetParams(order=order))

    return router


def _timeline(order: OrderDetail) -> Timeline:
    entries = (
        *(TimelineEntry(at=event.at, event=event) for event in order.events),
        *(TimelineEntry(at=attempt.signed_at, attempt=attempt) for attempt in order.attempts),
        *(TimelineEntry(at=failure.at, failure=failure) for failure in order.failures),
    )
    return Timeline(entries=tuple(sorted(entries, key=lambda entry: entry.at)))
