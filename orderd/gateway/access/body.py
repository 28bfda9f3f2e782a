"""The rules for a request's content: no repeated headers or parameters, and a body in JSON and UTF-8 without encodings.

Of a repeated value, one parser uses the first and another the last, so a proxy and the daemon might differ.
"""

import json
from collections.abc import Callable, Coroutine, Iterator
from email.message import Message as Mime
from functools import lru_cache
from typing import Any, Final, get_origin

from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.strict_json import RepeatedMemberError, read_json

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_ONCE: Final = ("Idempotency-Key", "Content-Type", "Content-Encoding")
_CHARSETS: Final = ("utf-8", "utf8", "us-ascii")


class UnclearError(OrderdError):
    """The request is ambiguous or unreadable. Its client is not known yet, because this is checked before the API
    key."""


class StrictRoute(APIRoute):
    """A route that refuses repeated members, and bodies that would have to be decoded first.

    A query parameter may be repeated if the route takes several values of it.
    """

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        repeatable = frozenset(self._repeatable())

        async def strictly(request: Request) -> Response:
            await check_clear(request, repeatable)
            return await handle(request)

        return strictly

    def _repeatable(self) -> Iterator[str]:
        for parameter in self.dependant.query_params:
            model = parameter.field_info.annotation
            if isinstance(model, type) and issubclass(model, BaseModel):
                yield from (name for name, field in model.model_fields.items() if get_origin(field.annotation) is tuple)


async def check_clear(request: Request, repeatable: frozenset[str] = frozenset()) -> None:
    """Raises UnclearError for repeated values, and for an encoded body."""
    try:
        if request.scope["query_string"]:
            check_given_once([name for name, _ in request.query_params.multi_items()], repeatable)
        if request.method not in ("GET", "HEAD"):
            _check_headers(request)
            _check_body(await request.body())
    except OrderdError as error:
        raise UnclearError(error.code, error.detail) from error


def check_given_once(names: list[str], repeatable: frozenset[str] = frozenset()) -> None:
    """Raises OrderdError REQUEST_INVALID for a query parameter that comes twice."""
    for name in names:
        if name not in repeatable and names.count(name) > 1:
            raise OrderdError(ErrorCode.REQUEST_INVALID, f"{name[:50]}: is given twice")


def has_json_content_type(request: Request) -> bool:
    given = request.headers.get("content-type", "")
    return given != "" and _mime(given)[0] == "application/json"


async def json_only(request: Request) -> None:
    """Raises OrderdError REQUEST_MEDIA_TYPE for a body that is not declared as JSON."""
    if not has_json_content_type(request):
        given = request.headers.get("content-type", "")
        content_type = repr(given[:100]) if given else "not given"
        raise OrderdError(ErrorCode.REQUEST_MEDIA_TYPE, f"the Content-Type is {content_type}, not application/json")


def _check_headers(request: Request) -> None:
    """Raises OrderdError: REQUEST_INVALID, REQUEST_MEDIA_TYPE."""
    for name in _ONCE:
        if len(request.headers.getlist(name)) > 1:
            raise OrderdError(ErrorCode.REQUEST_INVALID, f"{name}: is given twice")
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding != "identity":
        raise OrderdError(
            ErrorCode.REQUEST_MEDIA_TYPE,
            f"the body is compressed (Content-Encoding: {encoding[:50]}); send it uncompressed",
        )
    _, charset = _mime(request.headers.get("content-type", ""))
    if charset not in _CHARSETS:
        raise OrderdError(ErrorCode.REQUEST_MEDIA_TYPE, f"the body's charset is {charset[:50]}; send UTF-8")


def _check_body(body: bytes) -> None:
    """Raises OrderdError: REQUEST_INVALID, REQUEST_MEDIA_TYPE. Invalid JSON is left to the code that parses it."""
    encoding = json.detect_encoding(body)
    if not encoding.startswith("utf-8"):
        raise OrderdError(ErrorCode.REQUEST_MEDIA_TYPE, f"the body is in {encoding.upper()}; send UTF-8")
    try:
        read_json(body)
    except RepeatedMemberError as error:
        raise OrderdError(ErrorCode.REQUEST_INVALID, f"body: {error}") from error
    except UnicodeDecodeError as error:
        raise OrderdError(ErrorCode.REQUEST_MEDIA_TYPE, f"the body is not UTF-8: {error.reason}") from error
    except (ValueError, RecursionError):
        pass


@lru_cache(maxsize=64)
def _mime(content_type: str) -> tuple[str, str]:
    """The type, and the charset."""
    mime = Mime()
    mime["Content-Type"] = content_type
    return mime.get_content_type(), mime.get_content_charset("utf-8")
