"""Middleware around all HTTP requests: request id, origin policy, size limit of the body, log and metrics."""

import re
import time
from typing import Any, Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.contextvars import bind_contextvars
from uuid_utils.compat import uuid7

from db.audit import Actor
from orderd.domain.errors import OrderdError
from orderd.gateway.access.authentication import PREFIX
from orderd.gateway.access.origin import OriginPolicy
from orderd.gateway.http.backend import Backend
from orderd.gateway.problem import problem_response
from orderd.metrics.port import HTTP_REQUESTS, HTTP_SECONDS, REFUSED
from orderd.wire.rpc import MAX_MESSAGE_BYTES

_OWN_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")
"""Request ids of the client's that are taken over: they end in the log."""
_API_KEY: Final = re.compile(rf"{PREFIX}[A-Za-z0-9_-]+")
_ALWAYS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of all answers: no caching, no framing, no guessing of the media type."""
_UNANSWERED: Final = 499
"""The status, in log and metrics, of a request whose client did not wait for the answer."""
log = structlog.get_logger(__name__)


class Edge:
    """Checks Host and Origin before a request is processed, and refuses a body beyond the limit.

    Each request has an id, the client's own ``X-Request-Id`` if it is well-formed. It is in the answer, and in all log
    lines of the request. HEAD is answered as GET; the server leaves the body out.
    """

    def __init__(self, app: ASGIApp, origin_policy: OriginPolicy, backend: Backend) -> None:
        """``backend`` is put into each request's state for the routes."""
        self._app = app
        self._origin_policy = origin_policy
        self._backend = backend

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope)
        request_id = _request_id(headers.getlist("x-request-id"))
        inner = dict(scope) | {"state": {"request_id": request_id, "backend": self._backend}}
        if scope["method"] == "HEAD":
            inner["method"] = "GET"
        answer = _Answer(send, request_id)
        began = time.perf_counter()
        bind_contextvars(request_id=request_id)  # to this request's task, which ends with it
        try:
            self._origin_policy.check(headers.getlist("host"), headers.getlist("origin"))
            await self._app(inner, _bounded(receive), answer.send)
        except OrderdError as error:
            REFUSED.labels(error.code).inc()
            self._backend.refused(Actor("", (scope["client"] or ("",))[0]), "connect", error)
            await problem_response(error, scope["path"])(scope, receive, answer.send)
        except ClientDisconnect:
            answer.status = None  # the answer has not reached the client
        except Exception:
            # If nothing was sent before, the application has already answered with a problem.
            log.exception("request failed", action="http_failed", method=scope["method"], path=_logged_path(scope))
            if not answer.is_complete:
                raise  # The server then closes the connection, so that the client sees an incomplete answer.
        finally:
            _record(scope["method"], inner, answer.status or _UNANSWERED, time.perf_counter() - began)


class _Answer:
    """Forwards the application's answer, with the common headers."""

    def __init__(self, send: Send, request_id: str) -> None:
        self._send = send
        self._request_id = request_id
        self.status: int | None = None
        self.is_complete = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in _ALWAYS.items():
                headers.setdefault(name, value)
            headers["X-Request-Id"] = self._request_id
        await self._send(message)
        self.is_complete = message["type"] == "http.response.body" and not message.get("more_body", False)


def _request_id(given: list[str]) -> str:
    return given[0] if given and _OWN_ID.fullmatch(given[0]) else str(uuid7())


def _record(method: str, scope: Scope, status: int, seconds: float) -> None:
    # The route's pattern, not the path: no label may grow with use.
    route: Any = scope.get("route")
    pattern = getattr(route, "path_format", "none")
    HTTP_REQUESTS.labels(method, pattern, status).inc()
    HTTP_SECONDS.labels(pattern).observe(seconds)
    log.debug(
        "request answered",
        action="http_request",
        method=method,
        path=_logged_path(scope),
        status=status,
        milliseconds=round(seconds * 1000, 1),
    )


def _logged_path(scope: Scope) -> str:
    """The request's path without the API key that it may have: see ``orderd.gateway.http.dashboard``."""
    return _API_KEY.sub(f"{PREFIX}...", str(scope["path"]))


def _bounded(receive: Receive) -> Receive:
    """``receive`` that raises HTTPException 413 for a body over the limit, whatever its declared length."""
    received = 0

    async def bounded() -> Message:
        nonlocal received
        message = await receive()
        received += len(message.get("body", b""))
        if received > MAX_MESSAGE_BYTES:
            raise HTTPException(413, f"the body is larger than {MAX_MESSAGE_BYTES} bytes")
        return message

    return bounded
