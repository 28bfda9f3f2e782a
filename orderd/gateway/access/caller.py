"""The client of an HTTP request, and whether it may make it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request

from orderd.gateway.access.authentication import Principal, Scope

PrincipalOf = Callable[[Request], Awaitable[Principal]]
"""Identifies the client of a request. Raises OrderdError if it is not known."""


@dataclass(frozen=True, slots=True)
class HttpCaller:
    """The client of a request."""

    principal: Principal


@dataclass(frozen=True, slots=True)
class Callers:
    """Dependencies that return the caller of a route, by the required scope."""

    principal_of: PrincipalOf

    async def reader(self, request: Request) -> HttpCaller:
        return await self._caller(request, Scope.READ)

    async def trader(self, request: Request) -> HttpCaller:
        return await self._caller(request, Scope.TRADE)

    async def administrator(self, request: Request) -> HttpCaller:
        return await self._caller(request, Scope.ADMIN)

    async def _caller(self, request: Request, scope: Scope) -> HttpCaller:
        principal = await self.principal_of(request)
        principal.require(scope)
        return HttpCaller(principal)
