"""Unknown outcomes, over plain HTTP: the evidence, and an operator's decision."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query

from orderd.domain.errors import ErrorCode
from orderd.gateway.access.body import StrictRoute, json_only
from orderd.gateway.docs import examples
from orderd.gateway.docs.openapi import category, problems, success
from orderd.gateway.http.backend import Administrator, GatewayBackend, Reader
from orderd.wire.message import NoParams, OrderRef
from orderd.wire.order_detail import EvidenceResult, Resolved, ResolveParams, ResolveResult
from orderd.wire.orders import GetParams

_REFUSALS = (
    ErrorCode.ORDER_NOT_FOUND,
    ErrorCode.ORDER_AMBIGUOUS,
    ErrorCode.ORDER_NOT_RESOLVABLE,
    ErrorCode.SERVICE_TIMEOUT,
)


def resolution_router() -> APIRouter:
    router = APIRouter(prefix="/api", tags=["orders"], route_class=StrictRoute)

    @router.get(
        "/orders/{order}/evidence",
        summary="Get the evidence about an unknown outcome",
        response_description="What is stored about the order's transaction, and what the chain reports about it now.",
        responses=success(200, examples.EVIDENCE) | problems(*_REFUSALS),
    )
    async def get_evidence(
        backend: GatewayBackend, caller: Reader, order: OrderRef, _query: Annotated[NoParams, Query()]
    ) -> EvidenceResult:
        return await backend.orders.evidence(caller, GetParams(order=order))

    @router.post(
        "/orders/{order}/resolution",
        summary="Resolve an unknown outcome",
        response_description="The order is ended: as its transaction ended, or as failed.",
        responses=success(200, examples.RESOLVED)
        | problems(
            *_REFUSALS,
            ErrorCode.ORDER_MAY_LAND,
            ErrorCode.REQUEST_TOO_LARGE,
            ErrorCode.REQUEST_MEDIA_TYPE,
            *category("RPC"),
        ),
    )
    async def resolve_order(
        backend: GatewayBackend,
        caller: Administrator,
        _json: Annotated[None, Depends(json_only)],
        order: OrderRef,
        body: Annotated[Resolved, Body(openapi_examples=examples.RESOLUTION_BODIES)],
        _query: Annotated[NoParams, Query()],
    ) -> ResolveResult:
        params = ResolveParams(order=order, landed=body.landed, dead=body.dead)
        return await backend.orders.resolve(caller, params)

    return router
