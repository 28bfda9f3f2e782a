"""Who makes an HTTP request, and what it has to look like before anything is done for it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.message import Message as Mime

from fastapi import Request

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.access.authentication import Principal, Scope

Who = Callable[[Request], Awaitable[Principal]]
"""Who makes a request. Raises OrderdError where that is nobody it knows."""


@dataclass(frozen=True, slots=True)
class HttpCaller:
    """Who makes a request."""

    principal: Principal


@dataclass(frozen=True, slots=True)
class Callers:
    """The caller of a route, by the scope that it asks for."""

    who: Who

    async def reader(self, request: Request) -> HttpCaller:
        return await self._caller(request, Scope.READ)

    async def trader(self, request: Request) -> HttpCaller:
        return await self._caller(request, Scope.TRADE)

    async def administrator(self, request: Request) -> HttpCaller:
        return await self._caller(request, Scope.ADMIN)

    async def _caller(self, request: Request, scope: Scope) -> HttpCaller:
        principal = await self.who(request)
        principal.require(scope)
        return HttpCaller(principal)


async def json_only(request: Request) -> None:
    """Raises OrderdError REQUEST_MEDIA_TYPE for a body that is not said to be JSON."""
    given = request.headers.get("content-type", "")
    mime = Mime()
    mime["Content-Type"] = given
    if not given or mime.get_content_type() != "application/json":
        told = repr(given[:100]) if given else "not given"
        raise OrderdError(ErrorCode.REQUEST_MEDIA_TYPE, f"the Content-Type is {told}, not application/json")
