"""POST /api/orders: an order in orderd's format, or in that of another engine with the same path."""

import json
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from uuid_utils.compat import uuid7

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.access.body import has_json_content_type, json_only
from orderd.gateway.access.caller import Callers
from orderd.gateway.http.idempotency import KeysInProgress
from orderd.gateway.rpc.order_entry import OrderEntry
from orderd.wire.message import ClientOrderId, NoParams
from orderd.wire.quotes import QuoteParams
from orderd.wire.submissions import SubmitParams, SubmitResult

Foreign = Callable[[Request], Awaitable[Response | None]]
"""Answers an order that is in the words of another engine; None for any other."""


_NO_OBJECT = {
    "type": "model_attributes_type",
    "loc": ("body",),
    "msg": "Input should be a valid dictionary or object to extract fields from",
}


class OrderBody(QuoteParams):
    """A market order. The client order id may be given as the Idempotency-Key instead; without any, one is made."""

    client_order_id: ClientOrderId | None = None


class _Headers(BaseModel):
    idempotency_key: ClientOrderId | None = Field(None, alias="Idempotency-Key")


class _Posted(BaseModel):
    """The parts of a request together, so that validation errors name the part."""

    model_config = ConfigDict(frozen=True)

    query: NoParams
    header: _Headers
    body: OrderBody


class SubmissionHandler:
    def __init__(self, entry: OrderEntry, callers: Callers, foreign: Foreign) -> None:
        self._entry = entry
        self._callers = callers
        self._foreign = foreign
        self._keys = KeysInProgress()

    async def submit(self, request: Request) -> Response:
        """Answers 201 if the order is new, 200 if it existed. Raises OrderdError, and the errors of an invalid
        request."""
        answer = await self._foreign(request)
        if answer is not None:
            return answer
        given = _read(await request.body()) if has_json_content_type(request) else None
        caller = await self._callers.trader(request)
        await json_only(request)
        posted = _checked(request, given)
        key, body = posted.header.idempotency_key, posted.body
        terms = {name: value for name, value in body if name != "client_order_id"}
        params = SubmitParams.model_construct(**terms, client_order_id=_client_order_id(body.client_order_id, key))
        with nullcontext() if key is None else self._keys.holding(caller.principal.account_id, key):
            result = await self._entry.submit(caller, params)
        return Response(
            SubmitResult.__pydantic_serializer__.to_json(result),
            201 if result.created else 200,
            {"Location": f"/api/orders/{result.order.id}"},
            "application/json",
        )


def _read(body: bytes) -> Any:  # noqa: ANN401  (whatever the client has sent)
    """None without a body. Raises RequestValidationError or HTTPException for invalid JSON."""
    if not body:
        return None
    try:
        return json.loads(body)
    except json.JSONDecodeError as error:
        complaint = {"type": "json_invalid", "loc": ("body", error.pos), "msg": "JSON decode error", "input": {}}
        raise RequestValidationError([complaint]) from error
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "There was an error parsing the body") from error


def _checked(request: Request, body: Any) -> _Posted:  # noqa: ANN401  (it is checked here)
    """Raises RequestValidationError."""
    key = request.headers.get("idempotency-key")
    given: dict[str, Any] = {
        "query": dict(request.query_params) if request.scope["query_string"] else {},
        "header": {} if key is None else {"Idempotency-Key": key},
    }
    if body is not None and not isinstance(body, dict):
        raise RequestValidationError([_NO_OBJECT | {"input": body}])
    if body is not None:
        given["body"] = body
    try:
        return _Posted.model_validate(given)
    except ValidationError as error:
        raise RequestValidationError(error.errors(include_url=False)) from error


def _client_order_id(in_body: str | None, in_header: str | None) -> str:
    if in_body is not None and in_header is not None and in_body != in_header:
        raise OrderdError(
            ErrorCode.REQUEST_INVALID, "client_order_id and the Idempotency-Key are the same thing, but differ"
        )
    return in_body or in_header or str(uuid7())
