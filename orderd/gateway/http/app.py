"""The HTTP application: health, metrics, documents and the routes of REST."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, lru_cache, partial
from importlib.metadata import version
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.types import ASGIApp

from db.audit import Actor
from orderd.domain.errors import OrderdError
from orderd.gateway.access.body import Handler, StrictRoute
from orderd.gateway.access.origin import OriginPolicy
from orderd.gateway.docs.openapi import Responses, openapi_document, problems
from orderd.gateway.docs.page import CONTENT_SECURITY_POLICY, docs_page
from orderd.gateway.health_checks import Health, Readiness
from orderd.gateway.http.edge import Edge
from orderd.gateway.http.error_handlers import ErrorHandlers
from orderd.gateway.http.fast_path import FastPath
from orderd.wire.message import NoParams

_NOT_READY: Final[Responses] = {503: {"model": Readiness, "description": "Not now."}}
_AUTHORIZE_SECONDS: Final = 1.0


def http_app(
    *,
    origin_policy: OriginPolicy,
    health: Callable[[], Awaitable[Health]],
    readiness: Callable[[], Awaitable[Readiness]],
    authorize: Callable[[Request], Awaitable[object]],
    metrics: Callable[[], Awaitable[bytes]],
    refused: Callable[[Actor, str, OrderdError], None],
    rest: APIRouter,
    posts: Mapping[str, Handler],
    api_key_required: bool,
    describe_websocket: Callable[[str, bool], Mapping[str, Any]],
) -> ASGIApp:
    """``authorize`` raises OrderdError if the client of the request may not read.

    ``posts`` answer the most frequent requests, by their paths, before the framework sees them.
    ``describe_websocket`` makes the AsyncAPI document for a host, with or without TLS.
    """
    app = FastAPI(
        title="orderd",
        version=version("orderd"),
        summary="An order execution engine for Solana.",
        openapi_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.router.route_class = StrictRoute

    @app.get(
        "/health",
        tags=["daemon"],
        summary="Does the process live?",
        response_description="It does. How its services answer is told beside, and changes nothing about the status.",
        responses=problems(for_all=True),
    )
    async def get_health(request: Request, _query: Annotated[NoParams, Query()]) -> Health:
        answer = await health()
        if api_key_required and not await _may_read(request, authorize):
            return answer.model_copy(update={"dependencies": {}})
        return answer

    @app.get(
        "/ready",
        tags=["daemon"],
        summary="Should clients be sent here?",
        response_description="Yes.",
        responses=_NOT_READY | problems(for_all=True),
    )
    async def get_readiness(response: Response, _query: Annotated[NoParams, Query()]) -> Readiness:
        state = await readiness()
        response.status_code = 200 if state.ready else 503
        return state

    @app.get(
        "/metrics",
        tags=["daemon"],
        summary="Read the metrics",
        response_description="In the text format of Prometheus.",
        response_class=PlainTextResponse,
        responses=problems(),
    )
    async def get_metrics(
        _reader: Annotated[object, Depends(authorize)], _query: Annotated[NoParams, Query()]
    ) -> Response:
        return Response(await metrics(), media_type=CONTENT_TYPE_LATEST)

    handlers = ErrorHandlers(app, refused)
    handlers.install()
    app.include_router(rest)
    describe = cache(partial(openapi_document, app, api_key_required=api_key_required))
    app.include_router(_documents(describe, describe_websocket, authorize))
    served: ASGIApp = FastPath(app, posts, handlers.answer)
    if origin_policy.origins:
        served = CORSMiddleware(
            served,
            allow_origins=origin_policy.origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "Idempotency-Key", "X-Request-Id"),
            expose_headers=("Location", "Retry-After", "X-Request-Id"),
        )
    return Edge(served, origin_policy, refused)


async def _may_read(request: Request, authorize: Callable[[Request], Awaitable[object]]) -> bool:
    """Whether the client may see the details. A load balancer without an API key gets the status, and waits for
    nothing; no client waits long for a database that does not answer."""
    if "authorization" not in request.headers:
        return False
    try:
        async with asyncio.timeout(_AUTHORIZE_SECONDS):
            await authorize(request)
    except (OrderdError, TimeoutError):
        return False
    return True


def _documents(
    describe: Callable[[], Mapping[str, Any]],
    describe_websocket: Callable[[str, bool], Mapping[str, Any]],
    authorize: Callable[[Request], Awaitable[object]],
) -> APIRouter:
    """What clients and people read first; with an API key where one is asked for. Made when first asked for."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(authorize)])
    page = lru_cache(maxsize=8)(lambda address: docs_page(describe(), address))

    @router.get("/openapi.json")
    async def openapi() -> Response:
        return JSONResponse(describe())

    @router.get("/asyncapi.json")
    async def asyncapi(request: Request) -> Response:
        return JSONResponse(describe_websocket(request.headers["host"], request.url.scheme == "https"))

    @router.get("/docs")
    async def docs(request: Request) -> Response:
        address = f"{request.url.scheme}://{request.headers['host']}"
        return HTMLResponse(page(address), headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})

    return router
