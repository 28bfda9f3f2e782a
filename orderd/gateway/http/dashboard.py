"""The dashboard's address: without an API key if none is required, otherwise with a read-only key in the path."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import HTMLResponse

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.access.authentication import Scope
from orderd.gateway.dashboard.page import CONTENT_SECURITY_POLICY, DashboardParams
from orderd.gateway.http.backend import GatewayBackend, Reader

KEY_PATH: Final = "/dashboard/{key}"
_HEADERS: Final = {"Content-Security-Policy": CONTENT_SECURITY_POLICY}


def dashboard_router() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/dashboard")
    async def show(
        backend: GatewayBackend, caller: Reader, params: Annotated[DashboardParams, Query()]
    ) -> HTMLResponse:
        return HTMLResponse(await backend.dashboard(caller.principal, params), headers=_HEADERS)

    @router.get(KEY_PATH)
    async def show_to_key(
        backend: GatewayBackend, key: str, request: Request, params: Annotated[DashboardParams, Query()]
    ) -> HTMLResponse:
        principal = await backend.principal_of(request, key)
        if principal.scope is not Scope.READ or principal.expires_at is None:
            # Browsers keep addresses, and others can see them on the screen.
            detail = f"the API key {principal.name} may do more than read, or does not expire"
            raise OrderdError(ErrorCode.AUTH_FORBIDDEN, f"{detail}; an address takes no such key")
        principal.require(Scope.READ)
        return HTMLResponse(await backend.dashboard(principal, params), headers=_HEADERS)

    return router
