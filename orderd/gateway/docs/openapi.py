"""The OpenAPI document: refusals, headers, links and permissions, which FastAPI does not derive."""

import json
from copy import deepcopy
from functools import cache
from typing import Any, Final

from fastapi import FastAPI
from pydantic import BaseModel

from orderd.domain.errors import ERRORS, ErrorCode, OrderdError
from orderd.gateway.problem import MEDIA_TYPE, HttpProblem
from orderd.wire.problem import Problem

Responses = dict[int | str, dict[str, Any]]

_REF: Final = "#/components/schemas/{model}"
_TEXT: Final = {"type": "string"}
LOCATION: Final = {"Location": {"description": "The URL of the order.", "required": True, "schema": _TEXT}}
LINK: Final = {"Link": {"description": 'The next page, as rel="next"; absent on the last.', "schema": _TEXT}}
_RETRY_AFTER: Final = {
    "Retry-After": {
        "description": "Seconds until the same request may succeed.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
_AUTHENTICATE: Final = {"WWW-Authenticate": {"description": "Bearer.", "required": True, "schema": _TEXT}}
_REQUEST_ID: Final = {
    "X-Request-Id": {
        "description": "The request's id, as in the daemon's log; the client's own id if it sent one.",
        "required": True,
        "schema": _TEXT,
    }
}
_ALWAYS: Final = (ErrorCode.AUTH_ORIGIN_REFUSED, ErrorCode.REQUEST_INVALID, ErrorCode.SERVICE_INTERNAL)
_AUTHENTICATED: Final = (
    ErrorCode.AUTH_REQUIRED,
    ErrorCode.AUTH_INVALID,
    ErrorCode.AUTH_FORBIDDEN,
    ErrorCode.LIMIT_REQUESTS,
    ErrorCode.SERVICE_OVERLOADED,
    ErrorCode.SERVICE_UNAVAILABLE,
)
_TAGS: Final = {
    "orders": "Submit, follow and cancel orders. To follow them live, subscribe over the websocket on the same port.",
    "market": "Prices, pools and balances; read-only.",
    "tokens": "Known tokens and their symbols.",
    "records": "Past fills, profit and prices.",
    "daemon": "State of the daemon and its services.",
}
EXAMPLES: Final[dict[str, Any]] = {
    "token_in": "SOL",
    "token_out": "USDC",
    "amount_in": "1.5",
    "slippage": "0.5",
    "exact_out": "150",
    "min_out": "213",
    "max_in": "1.1",
    "max_cost": "1",
    "floor": "first",
    "use_wrapped": False,
    "type": "limit",
    "limit_price": "150",
    "stop_price": "130",
    "take_profit_price": "170",
    "trail": "3%",
    "min_liquidity": "5000",
    "max_pool_fee": "5",
    "max_round_trip_loss": "10",
    "max_holder": "20",
    "allow": "mint_authority",
    "max_slippage": "5",
    "confirm": 2,
    "confirm_for": "2s",
    "time_in_force": "gtc",
    "partial": False,
    "min_fill": "10",
    "slices": 10,
    "over": "5m",
    "every": "1h",
    "jitter": "20",
    "catch_up": "one",
    "then_take_profit": "170",
    "then_stop": "130",
    "valid_for": "10m",
    "expires": "2026-12-01T09:30:00Z",
    "pair": "SOL/USDC",
    "interval": "5m",
    "since": "2026-11-01T00:00:00Z",
    "from": "2026-11-21T00:00:00Z",
    "order": "rebalance-2026-11-21",
    "Idempotency-Key": "rebalance-2026-11-21",
    "token": "SOL",
    "symbol": "CHILL",
    "text": "chill",
    "status": ["confirmed"],
    "kind": ["market"],
    "limit": 50,
}
"""Examples of parameters, by name."""
_DESCRIPTION: Final = """\
Trades tokens on Solana at the best price over Raydium and Meteora, each order at most once.

Amounts and prices are decimal strings in whole tokens, slippage is in percent, times are ISO 8601 in UTC.
What is refused is a problem by RFC 9457: its `code` does not change between releases, `retryable` says whether the same
request may succeed later, `next_step` what to do. A body has at most 64 KiB and is `application/json`; query parameters
that a path does not know are refused.

An `Idempotency-Key` makes a submission safe to repeat: the same key and body are answered with the same order, another
body with 422, and a key whose first request is not answered yet with 409.
"""


def category(*names: str) -> tuple[ErrorCode, ...]:
    """All codes of these categories."""
    return tuple(code for code in ErrorCode if code.category in names)


def problems(*codes: ErrorCode, for_all: bool = False) -> Responses:
    """The refusals of an operation, by status: the common ones, and ``codes``. ``for_all``: it needs no API key."""
    by_status: dict[int, list[ErrorCode]] = {}
    for code in dict.fromkeys((*_ALWAYS, *(() if for_all else _AUTHENTICATED), *codes)):
        by_status.setdefault(ERRORS[code].http_status, []).append(code)
    return {status: _refusal(status, by_status[status]) for status in sorted(by_status)}


def _refusal(status: int, codes: list[ErrorCode]) -> dict[str, Any]:
    headers: dict[str, Any] = {}
    if status == 401:
        headers |= _AUTHENTICATE
    if status in (429, 503):
        headers |= _RETRY_AFTER
    return {
        "description": "; ".join(f"{code}: {ERRORS[code].title}" for code in codes) + ".",
        "headers": headers,
        "content": {
            MEDIA_TYPE: {
                "schema": {"$ref": _REF.format(model=HttpProblem.__name__)},
                "examples": {code: {"summary": ERRORS[code].title, "value": _example(code)} for code in codes},
            }
        },
    }


@cache
def _example(code: ErrorCode) -> dict[str, Any]:
    error = OrderdError(code, ERRORS[code].title)
    return HttpProblem(**Problem.of(error).model_dump(), instance="/api/orders", error=error.detail).model_dump(
        mode="json", exclude_none=True
    )


def success(
    status: int,
    example: BaseModel,
    headers: dict[str, Any] | None = None,
    *,
    links: dict[str, Any] | None = None,
    of: type[BaseModel] | None = None,
    description: str | None = None,
) -> Responses:
    """An answer, by example; with ``of`` and ``description`` if it is not the operation's first answer."""
    answer: dict[str, Any] = {
        "headers": headers or {},
        # As text, because FastAPI omits null values from the document.
        "content": {"application/json": {"example": example.model_dump_json(by_alias=True)}},
    }
    if links is not None:
        answer["links"] = links
    if of is not None:
        answer["model"] = of
    if description is not None:
        answer["description"] = description
    return {status: answer}


def link_to_order(order: str) -> dict[str, Any]:
    """OpenAPI links from an answer to the operations on its order; ``order`` is a runtime expression."""
    names = {"LookAtIt": "get_order", "ReadItsTimeline": "get_order_timeline", "CancelIt": "cancel_order"}
    return {name: {"operationId": operation, "parameters": {"order": order}} for name, operation in names.items()}


def openapi_document(app: FastAPI, *, api_key_required: bool) -> dict[str, Any]:
    """The application's document. A given API key must be valid even if none is required."""
    document = deepcopy(app.openapi())  # which the application keeps
    document["info"]["description"] = _DESCRIPTION
    document["tags"] = [{"name": name, "description": text} for name, text in _TAGS.items()]
    document["servers"] = [{"url": "/"}]
    components = document.setdefault("components", {})
    schema = HttpProblem.model_json_schema(mode="serialization", ref_template=_REF)
    components["schemas"] |= schema.pop("$defs", {}) | {HttpProblem.__name__: schema}
    components["securitySchemes"] = {
        "token": {
            "type": "http",
            "scheme": "bearer",
            "description": "Made by `orderd api-key create`. Submitting and cancelling take the scope trade."
            " It sees the orders of its account; with the scope admin those of all.",
        }
    }
    security: list[dict[str, list[str]]] = [{"token": []}]
    if not api_key_required:
        security.append({})
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                response["headers"] = response.get("headers", {}) | _REQUEST_ID
                content = response["content"].get("application/json", {})
                if "example" in content:
                    content["example"] = json.loads(content["example"])
            if "401" in operation["responses"]:
                operation["security"] = security
            for parameter in operation.get("parameters", ()):
                example = EXAMPLES.get(parameter["name"])
                if example is not None:
                    is_list = parameter["schema"].get("type") == "array"
                    parameter["example"] = [example] if is_list and not isinstance(example, list) else example
    return document
