"""The dashboard's address: its own where no API key is needed, elsewhere with a key that can do no more than look."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from starlette.responses import HTMLResponse

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.access.authentication import Principal, Scope
from orderd.gateway.access.caller import Callers, HttpCaller
from orderd.gateway.dashboard.page import CONTENT_SECURITY_POLICY, DashboardParams

KEY_PATH: Final = "/dashboard/{key}"
_HEADERS: Final = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}


def dashboard_router(
    page: Callable[[Principal, DashboardParams], Awaitable[str]],
    callers: Callers,
    by_key: Callable[[Request, str], Awaitable[Principal]],
) -> APIRouter:
    """``by_key`` says whose an API key is. Raises OrderdError where it is nobody's."""
    router = APIRouter(include_in_schema=False)

    @router.get("/dashboard")
    async def show(
        caller: Annotated[HttpCaller, Depends(callers.reader)], params: Annotated[DashboardParams, Query()]
    ) -> HTMLResponse:
        return HTMLResponse(await page(caller.principal, params), headers=_HEADERS)

    @router.get(KEY_PATH)
    async def show_to_key(key: str, request: Request, params: Annotated[DashboardParams, Query()]) -> HTMLResponse:
        principal = await by_key(request, key)
        if principal.scope is not Scope.READ or principal.expires_at is None:
            # An address is kept by browsers and shown to whoever looks over a shoulder.
            detail = f"the API key {principal.name} may do more than read, or does not expire"
            raise OrderdError(ErrorCode.AUTH_FORBIDDEN, f"{detail}; an address takes no such key")
        principal.require(Scope.READ)
        return HTMLResponse(await page(principal, params), headers=_HEADERS)

    return router
