"""The HTTP application: health, metrics, documents and the routes of REST."""

import asyncio
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.metadata import version
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse
from starlette.types import ASGIApp

from orderd.domain.errors import OrderdError
from orderd.gateway.access.body import StrictRoute
from orderd.gateway.access.origin import OriginPolicy
from orderd.gateway.docs.openapi import Responses, openapi_document, problems
from orderd.gateway.docs.page import CONTENT_SECURITY_POLICY, docs_page
from orderd.gateway.health_checks import Health, Readiness
from orderd.gateway.http import error_handlers
from orderd.gateway.http.backend import Backend, GatewayBackend, Reader, reader
from orderd.gateway.http.dashboard import dashboard_router
from orderd.gateway.http.edge import Edge
from orderd.gateway.http.fast_path import FastPath
from orderd.gateway.http.foreign import foreign_router
from orderd.gateway.http.orders import rest_router
from orderd.wire.message import NoParams

_NOT_READY: Final[Responses] = {503: {"model": Readiness, "description": "Not now."}}
_AUTHORIZE_SECONDS: Final = 1.0


def http_app(backend: Backend, origin_policy: OriginPolicy) -> ASGIApp:
    """The application as one gateway serves it."""
    posts = {"/api/orders": backend.submissions.submit, **backend.foreign.posts()}
    served: ASGIApp = FastPath(application(), posts, error_handlers.answer)
    if origin_policy.origins:
        served = CORSMiddleware(
            served,
            allow_origins=origin_policy.origins,
            allow_methods=("GET", "POST", "DELETE"),
            allow_headers=("Authorization", "Content-Type", "Idempotency-Key", "X-Request-Id"),
            expose_headers=("Location", "Retry-After", "X-Request-Id"),
        )
    return Edge(served, origin_policy, backend)


@cache
def application() -> FastAPI:
    """The application with all routes. Their backend is in each request's state."""
    app = FastAPI(
        title="orderd",
        version=version("orderd"),
        summary="An order execution engine for Solana.",
        openapi_url=None,
        generate_unique_id_function=lambda route: route.name,
    )
    app.router.route_class = StrictRoute
    error_handlers.install(app)
    app.include_router(_health_router())
    app.include_router(rest_router())
    app.include_router(foreign_router())
    app.include_router(dashboard_router())
    app.include_router(_documents_router())
    return app


def _health_router() -> APIRouter:
    router = APIRouter(tags=["daemon"], route_class=StrictRoute)

    @router.get(
        "/health",
        summary="Check whether the process is alive",
        response_description="The process is alive. The state of its services does not change the status code.",
        responses=problems(for_all=True),
    )
    async def get_health(request: Request, backend: GatewayBackend, _query: Annotated[NoParams, Query()]) -> Health:
        answer = await backend.health()
        if backend.api_key_required and not await _may_read(request):
            return answer.model_copy(update={"dependencies": {}})
        return answer

    @router.get(
        "/ready",
        summary="Check whether the process accepts orders",
        response_description="The process accepts orders.",
        responses=_NOT_READY | problems(for_all=True),
    )
    async def get_readiness(
        response: Response, backend: GatewayBackend, _query: Annotated[NoParams, Query()]
    ) -> Readiness:
        state = await backend.readiness()
        response.status_code = 200 if state.ready else 503
        return state

    @router.get(
        "/metrics",
        summary="Read the metrics",
        response_description="In the text format of Prometheus.",
        response_class=PlainTextResponse,
        responses=problems(),
    )
    async def get_metrics(backend: GatewayBackend, _reader: Reader, _query: Annotated[NoParams, Query()]) -> Response:
        return Response(await backend.metrics(), media_type=CONTENT_TYPE_LATEST)

    return router


async def _may_read(request: Request) -> bool:
    """Whether the client may see the details. A client without an API key, such as a load balancer, gets only the
    status, without a query; the query for other clients has a short time-out."""
    if "authorization" not in request.headers:
        return False
    try:
        async with asyncio.timeout(_AUTHORIZE_SECONDS):
            await reader(request)
    except (OrderdError, TimeoutError):
        return False
    return True


@cache
def _description(*, api_key_required: bool) -> Mapping[str, Any]:
    return openapi_document(application(), api_key_required=api_key_required)


@lru_cache(maxsize=8)
def _page(address: str, *, api_key_required: bool) -> str:
    return docs_page(_description(api_key_required=api_key_required), address)


def _documents_router() -> APIRouter:
    """The documents for clients and people; with an API key if one is required. They are made at the first request."""
    router = APIRouter(include_in_schema=False, dependencies=[Depends(reader)])

    @router.get("/openapi.json")
    async def openapi(backend: GatewayBackend) -> Response:
        return JSONResponse(_description(api_key_required=backend.api_key_required))

    @router.get("/asyncapi.json")
    async def asyncapi(request: Request, backend: GatewayBackend) -> Response:
        return JSONResponse(backend.describe_websocket(request.headers["host"], request.url.scheme == "https"))

    @router.get("/docs")
    async def docs(request: Request, backend: GatewayBackend) -> Response:
        address = f"{request.url.scheme}://{request.headers['host']}"
        page = _page(address, api_key_required=backend.api_key_required)
        return HTMLResponse(page, headers={"Content-Security-Policy": CONTENT_SECURITY_POLICY})

    return router
