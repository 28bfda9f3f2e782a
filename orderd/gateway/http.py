"""The HTTP side of the port: is the process alive, is it of use, and how is it doing."""

from collections.abc import Awaitable, Callable
from importlib.metadata import version
from typing import Any, Final
from uuid import uuid4

import structlog
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.types import Message as StarletteMessage

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.origin import Door
from orderd.gateway.rest import HttpProblem
from orderd.telemetry import REFUSED
from orderd.wire import MAX_MESSAGE_BYTES, Problem, ServiceHealth

RETRY_AFTER_SECONDS: Final = 1
_CODES: Final = {400: ErrorCode.REQUEST_INVALID, 413: ErrorCode.REQUEST_TOO_LARGE}
log = structlog.get_logger(__name__)


class Health(BaseModel):
    """The process answers. ``loop_lag_seconds`` is how late its event loop last was."""

    status: str
    loop_lag_seconds: float


class Readiness(BaseModel):
    """Whether clients should be sent here, and what stands against it."""

    ready: bool
    checks: dict[str, ServiceHealth]


def problem_response(error: OrderdError, instance: str, status: int | None = None) -> Response:
    """RFC 9457, with the status of the error's code where HTTP has no ``status`` of its own for it."""
    status = status or error.spec.http_status
    headers = {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if status in (429, 503):
        headers["Retry-After"] = str(error.retry_after or RETRY_AFTER_SECONDS)
    problem = HttpProblem(**Problem.of(error).model_dump() | {"status": status}, instance=instance)
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=status,
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
    rest: APIRouter,
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
    async def refused(request: Request, error: OrderdError) -> Response:
        return problem_response(error, request.url.path)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        complaints = "; ".join(_describe(each) for each in error.errors()[:5])
        return problem_response(OrderdError(ErrorCode.REQUEST_INVALID, complaints), request.url.path)

    @app.exception_handler(HTTPException)
    async def not_served(request: Request, error: HTTPException) -> Response:
        code = _CODES.get(error.status_code, ErrorCode.REQUEST_UNKNOWN_METHOD)
        problem = OrderdError(code, f"{request.method} {request.url.path}: {error.detail}; see /openapi.json")
        response = problem_response(problem, request.url.path, error.status_code)
        response.headers.update(error.headers or {})
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
            OrderdError(ErrorCode.SERVICE_INTERNAL, f"look for correlation_id {correlation} in the daemon's log"),
            request.url.path,
        )

    app.include_router(rest)
    return _DoorKeeper(app, door)


def _describe(error: dict[str, Any]) -> str:
    """The field, and what is wrong with it."""
    path = ".".join(str(step) for step in error["loc"][1:]) or str(error["loc"][0])
    return f"{path}: {error['msg']}"


class _DoorKeeper:
    """Checks Host and Origin before anything else looks at a request, and takes no body beyond the limit."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        try:
            self._door.check(headers.getlist("host"), headers.getlist("origin"))
        except OrderdError as error:
            REFUSED.labels(error.code).inc()
            await problem_response(error, scope["path"])(scope, receive, send)
            return
        await self._app(scope, _bounded(receive), send)


def _bounded(receive: Receive) -> Receive:
    """``receive`` that raises HTTPException 413 for a body over the limit, whatever length it was said to have."""
    received = 0

    async def bounded() -> StarletteMessage:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_MESSAGE_BYTES:
            raise HTTPException(413, f"the body is larger than {MAX_MESSAGE_BYTES} bytes")
        return message

    return bounded
