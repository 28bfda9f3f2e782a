"""Answers posted orders, which are most HTTP requests, without the framework.

The framework would take several times as long as the rest of the work for an order. It still has a route for each of
these paths, for the documentation and for other methods.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from orderd.gateway.access.body import Handler, check_clear

ErrorHandler = Callable[[Request, Exception], Awaitable[tuple[Response, bool]]]


@dataclass(frozen=True, slots=True)
class _Route:
    """The attributes of a route that metrics and the refusal log read from the scope."""

    path_format: str


class FastPath:
    """Answers a POST to one of its paths, and leaves everything else to ``app``."""

    def __init__(self, app: ASGIApp, posts: Mapping[str, Handler], failed: ErrorHandler) -> None:
        """``failed`` answers a request that ended in an exception."""
        self._app = app
        self._posts = {path: (_Route(path), handler) for path, handler in posts.items()}
        self._failed = failed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = self._posts.get(scope["path"]) if scope["method"] == "POST" else None
        if found is None:
            await self._app(scope, receive, send)
            return
        scope["route"], handler = found
        request = Request(scope, receive)
        try:
            await check_clear(request)
            response = await handler(request)
        except ClientDisconnect:
            raise
        except Exception as error:
            response, foreseen = await self._failed(request, error)
            if not foreseen:
                await response(scope, receive, send)
                raise
        await response(scope, receive, send)
