"""How a request that ends in an exception is answered: with a problem, whatever raised it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException

from db.audit import Actor
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.access.authentication import Principal
from orderd.gateway.access.body import UnclearError
from orderd.gateway.http.backend import backend_of
from orderd.gateway.problem import problem_response

_CODES: Final = {400: ErrorCode.REQUEST_INVALID, 413: ErrorCode.REQUEST_TOO_LARGE}
_Handler = Callable[[Request, Any], Awaitable[Response]]


def install(app: FastAPI) -> None:
    """Install the error handlers in the application."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)


async def answer(request: Request, error: Exception) -> tuple[Response, bool]:
    """The answer, and whether the exception is one that was foreseen."""
    kind = next(each for each in type(error).__mro__ if each in _HANDLERS)
    return await _HANDLERS[kind](request, error), kind is not Exception


async def _refusal(request: Request, error: OrderdError) -> Response:
    backend_of(request).refused(_actor(request), f"{request.method} {_pattern(request)}", error)
    return problem_response(error, request.url.path)


async def _unclear(request: Request, error: UnclearError) -> Response:
    return problem_response(error, request.url.path)


async def _invalid(request: Request, error: RequestValidationError) -> Response:
    complaints = "; ".join(_describe(each) for each in error.errors()[:5])
    return problem_response(OrderdError(ErrorCode.REQUEST_INVALID, complaints), request.url.path)


async def _not_served(request: Request, error: HTTPException) -> Response:
    path = request.url.path
    code = _CODES.get(error.status_code, ErrorCode.REQUEST_UNKNOWN_METHOD)
    problem = OrderdError(code, f"{request.method} {path}: {error.detail}; see /openapi.json")
    if error.status_code != 405:
        return problem_response(problem, path)
    response = Response(status_code=204) if request.method == "OPTIONS" else problem_response(problem, path, 405)
    response.headers["Allow"] = ", ".join(_methods_at(request.app, path))
    return response


async def _internal(request: Request, error: Exception) -> Response:
    detail = f"look for request_id {request.state.request_id} in the daemon's log: {type(error).__name__}"
    return problem_response(OrderdError(ErrorCode.SERVICE_INTERNAL, detail), request.url.path)


_HANDLERS: Final[Mapping[type[Exception], _Handler]] = {
    OrderdError: _refusal,
    UnclearError: _unclear,
    RequestValidationError: _invalid,
    HTTPException: _not_served,
    Exception: _internal,
}


def _actor(request: Request) -> Actor:
    principal: Principal | None = getattr(request.state, "principal", None)
    return principal.actor if principal else Actor("", getattr(request.state, "address", ""))


def _pattern(request: Request) -> str:
    """The route's path, not the request's, which may be anything."""
    return str(getattr(request.scope.get("route"), "path_format", "none"))


def _methods_at(app: FastAPI, path: str) -> list[str]:
    """All methods of a path; the framework only knows those of one route."""
    routes = (route for route in iter_route_contexts(app.routes) if route.methods and route.path_regex.match(path))
    methods = {method for route in routes for method in route.methods or ()}
    return sorted(methods | {"OPTIONS"} | ({"HEAD"} if "GET" in methods else set()))


def _describe(error: dict[str, Any]) -> str:
    """The field and its error."""
    path = ".".join(str(step) for step in error["loc"][1:]) or str(error["loc"][0])
    return f"{path}: {error['msg']}"
