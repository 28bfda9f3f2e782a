"""The HTTP side of the port: is the process alive, is it of use, and how is it doing."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from uuid import uuid4

import structlog
from fastapi import FastAPI, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.origin import Door
from orderd.telemetry import REFUSED
from orderd.wire import Problem, ServiceHealth

log = structlog.get_logger(__name__)


class Health(BaseModel):
    """The process answers. ``loop_lag_seconds`` is how late its event loop last was."""

    status: str
    loop_lag_seconds: float


class Readiness(BaseModel):
    """Whether clients should be sent here, and what stands against it."""

    ready: bool
    checks: dict[str, ServiceHealth]


def problem_response(error: OrderdError) -> Response:
    """RFC 9457."""
    headers = {"WWW-Authenticate": "Bearer"} if error.spec.http_status == 401 else None
    return Response(
        Problem.of(error).model_dump_json(exclude_none=True),
        status_code=error.spec.http_status,
        media_type="application/problem+json",
        headers=headers,
    )


def http_app(
    *,
    door: Door,
    loop_lag: Callable[[], float],
    readiness: Callable[[], Awaitable[Readiness]],
    authorize: Callable[[str | None], Awaitable[object]],
    refresh_metrics: Callable[[], Awaitable[None]],
) -> ASGIApp:
    """``authorize`` is given the Authorization header and raises OrderdError where it does not do."""
    app = FastAPI(
        title="orderd",
        version=version("orderd"),
        summary="An order execution engine for Solana.",
        docs_url=None,
        redoc_url=None,
    )

    @app.get("/health", summary="Is the process alive?")
    async def health() -> Health:
        return Health(status="ok", loop_lag_seconds=loop_lag())

    @app.get("/ready", summary="Should clients be sent here?", responses={503: {"model": Readiness}})
    async def ready(response: Response) -> Readiness:
        state = await readiness()
        response.status_code = 200 if state.ready else 503
        return state

    @app.get("/metrics", summary="Prometheus metrics", response_class=Response)
    async def metrics(request: Request) -> Response:
        await authorize(request.headers.get("authorization"))
        await refresh_metrics()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    @app.exception_handler(OrderdError)
    async def refused(_: Request, error: OrderdError) -> Response:
        return problem_response(error)

    @app.exception_handler(HTTPException)
    async def not_served(request: Request, error: HTTPException) -> Response:
        response = problem_response(
            OrderdError(
                ErrorCode.REQUEST_UNKNOWN_METHOD,
                f"{request.method} {request.url.path}: {error.detail}; see /openapi.json",
            )
        )
        response.status_code = error.status_code
        return response

    @app.exception_handler(Exception)
    async def stumbled(request: Request, error: Exception) -> Response:
        correlation = uuid4().hex[:12]
        log.error(
            "request failed",
            action="http_internal_error",
            path=request.url.path,
            correlation_id=correlation,
            exc_info=error,
        )
        return problem_response(
            OrderdError(ErrorCode.SERVICE_INTERNAL, f"look for correlation_id {correlation} in the daemon's log")
        )

    return _DoorKeeper(app, door)


class _DoorKeeper:
    """Checks Host and Origin before anything else looks at a request."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            self._door.check(headers.getlist("host"), headers.getlist("origin"))
        except OrderdError as error:
            REFUSED.labels(error.code).inc()
            await problem_response(error)(scope, receive, send)
            return
        await self._app(scope, receive, send)
