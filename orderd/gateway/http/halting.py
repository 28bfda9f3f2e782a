"""The kill switch, over plain HTTP."""

from typing import Annotated, cast

from fastapi import APIRouter, Body, Depends, Query

from orderd.domain.errors import ErrorCode
from orderd.gateway.access.body import StrictRoute, json_only
from orderd.gateway.access.caller import Callers, HttpCaller
from orderd.gateway.docs import examples
from orderd.gateway.docs.openapi import problems, success
from orderd.gateway.rpc.methods import Methods
from orderd.wire.halts import HaltParams, HaltResult, LiftResult
from orderd.wire.message import NoParams


def halting_router(methods: Methods, callers: Callers) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["daemon"], route_class=StrictRoute)

    @router.post(
        "/halt",
        summary="Halt all trading",
        response_description="From now on nothing new is signed, and no new order is taken, by any process.",
        responses=success(200, examples.HALTED)
        | problems(ErrorCode.REQUEST_TOO_LARGE, ErrorCode.REQUEST_MEDIA_TYPE, ErrorCode.SERVICE_TIMEOUT),
    )
    async def halt_trading(
        caller: Annotated[HttpCaller, Depends(callers.administrator)],
        _json: Annotated[None, Depends(json_only)],
        body: Annotated[HaltParams, Body(openapi_examples=examples.HALT_BODIES)],
        _query: Annotated[NoParams, Query()],
    ) -> HaltResult:
        return cast(HaltResult, (await methods.halt(caller, body)).result)

    @router.delete(
        "/halt",
        summary="Let trading go on",
        response_description="Nothing stands against it any more, but for what is said to stand by the status.",
        responses=success(200, examples.LIFTED) | problems(ErrorCode.SERVICE_TIMEOUT),
    )
    async def lift_halt(
        caller: Annotated[HttpCaller, Depends(callers.administrator)], _query: Annotated[NoParams, Query()]
    ) -> LiftResult:
        return cast(LiftResult, (await methods.lift(caller, NoParams())).result)

    return router
