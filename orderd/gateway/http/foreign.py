"""The framework's routes for the dialects' paths, for the documentation and for other methods."""

from fastapi import APIRouter, Request, Response

from orderd.gateway.access.body import StrictRoute
from orderd.gateway.dialects.orders import PATHS
from orderd.gateway.http.backend import GatewayBackend


def foreign_router() -> APIRouter:
    router = APIRouter(include_in_schema=False, route_class=StrictRoute)

    async def execute(request: Request, backend: GatewayBackend) -> Response:
        return await backend.foreign.execute(request)

    for path in PATHS:
        router.add_api_route(path, execute, methods=["POST"])
    return router
