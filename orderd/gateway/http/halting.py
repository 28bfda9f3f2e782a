"""The kill switch, over plain HTTP."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query

from orderd.domain.errors import ErrorCode
from orderd.gateway.access.body import StrictRoute, json_only
from orderd.gateway.docs import examples
from orderd.gateway.docs.openapi import problems, success
from orderd.gateway.http.backend import Administrator, GatewayBackend
from orderd.wire.halts import HaltParams, HaltResult, LiftResult
from orderd.wire.message import NoParams


def halting_router() -> APIRouter:
    router = APIRouter(prefix="/api", tags=["daemon"], route_class=StrictRoute)

    @router.post(
        "/halt",
        summary="Halt all trading",
        response_description="No process signs anything new or accepts new orders.",
        responses=success(200, examples.HALTED)
        | problems(ErrorCode.REQUEST_TOO_LARGE, ErrorCode.REQUEST_MEDIA_TYPE, ErrorCode.SERVICE_TIMEOUT),
    )
    async def halt_trading(
        backend: GatewayBackend,
        caller: Administrator,
        _json: Annotated[None, Depends(json_only)],
        body: Annotated[HaltParams, Body(openapi_examples=examples.HALT_BODIES)],
        _query: Annotated[NoParams, Query()],
    ) -> HaltResult:
        return await backend.daemon.halt(caller, body)

    @router.delete(
        "/halt",
        summary="Lift the halt",
        response_description="The halt is lifted. The result lists other halts that remain, if any.",
        responses=success(200, examples.LIFTED) | problems(ErrorCode.SERVICE_TIMEOUT),
    )
    async def lift_halt(
        backend: GatewayBackend, caller: Administrator, _query: Annotated[NoParams, Query()]
    ) -> LiftResult:
        return await backend.daemon.lift(caller, NoParams())

    return router
