"""JSON-RPC 2.0 as orderd speaks it, without I/O: texts to wire models and to errors.

Tolerant of members and notifications that a newer daemon adds; whatever else does not fit is an UnreadableError.
"""

import json
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from orderctl.errors import OrderctlError, RefusedError, UnreachableError, UnreadableError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire import (
    ORDER_EVENT,
    Event,
    Message,
    Method,
    Notification,
    Problem,
    Ready,
    ResyncRequired,
    RpcFailure,
    Snapshot,
)

A = TypeVar("A", bound=Message)

_NOTIFICATION: TypeAdapter[Snapshot | ResyncRequired | Event | Ready] = TypeAdapter(Notification)
_KNOWN_NOTIFICATIONS = ("SNAPSHOT", "RESYNC_REQUIRED", "EVENT", "READY")


def params_of(model: type[A], **fields: object) -> A:
    """The parameters of a call. Raises OrderdError REQUEST_INVALID, as the daemon would."""
    try:
        return model(**fields)
    except ValidationError as error:
        raise OrderdError(ErrorCode.REQUEST_INVALID, _first(error)) from error


def encode_call(request: int, method: Method, params: Message) -> str:
    # What is left at its default goes unsaid: a daemon that is older than the parameter still understands the call.
    body = params.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    return json.dumps({"jsonrpc": "2.0", "id": request, "method": method, "params": body})


def decode(text: str | bytes) -> dict[str, Any]:
    """Raises UnreadableError."""
    try:
        message = json.loads(text)
    except ValueError as error:
        raise _unreadable(str(error)) from error
    if not isinstance(message, dict):
        raise _unreadable(f"a {type(message).__name__} where a JSON object is due")
    return message


def read_answer(message: dict[str, Any], model: type[A], order: str | None = None) -> A:
    """The result of a call, about the order that the trader calls ``order``. Raises RefusedError with the daemon's
    Problem, or UnreadableError."""
    try:
        if "error" in message:
            raise RefusedError(RpcFailure.model_validate(message["error"], extra="ignore").data, order)
        return model.model_validate(message.get("result"), extra="ignore")
    except ValidationError as error:
        raise _unreadable(_first(error)) from error


def read_notification(message: dict[str, Any]) -> Snapshot | Event | Ready | None:
    """None for what is no news of an order. Raises UnreadableError, also for an order whose events from where it was
    known cannot be told any more."""
    params = message.get("params")
    if message.get("method") != ORDER_EVENT or not isinstance(params, dict):
        return None
    if params.get("type") not in _KNOWN_NOTIFICATIONS:
        return None
    try:
        news = _NOTIFICATION.validate_python(params, extra="ignore")
    except ValidationError as error:
        raise _unreadable(_first(error)) from error
    if isinstance(news, ResyncRequired):
        raise UnreadableError(
            "The daemon does not know the order as it was known here",
            f"its last event is {news.seq}, and {news.after} was seen: its database is another one, or an older one",
            f"see what it knows: orderctl show {news.order_id}",
        )
    return news


def read_handshake_refusal(url: str, status: int, body: bytes) -> OrderctlError:
    """Why the daemon answered an upgrade with HTTP ``status`` and not with a websocket."""
    try:
        return RefusedError(Problem.model_validate_json(body, extra="ignore"))
    except ValidationError:
        if status in (401, 403):
            code = ErrorCode.AUTH_REQUIRED if status == 401 else ErrorCode.AUTH_FORBIDDEN
            return RefusedError(Problem.of(OrderdError(code, f"{url} answered with HTTP {status}")))
    return UnreachableError(
        "The daemon did not open a websocket",
        f"{url} answered with HTTP {status}",
        "check the address (--url); while the daemon restarts, try again in a moment",
    )


def _unreadable(reason: str) -> UnreadableError:
    return UnreadableError(
        "The daemon's answer cannot be read",
        reason,
        "the daemon and this client may differ in version: compare orderctl --version and orderd --version",
    )


def _first(error: ValidationError) -> str:
    details = error.errors(include_url=False)[0]
    return f"{'.'.join(str(part) for part in details['loc'])}: {details['msg']}, not {str(details['input'])[:50]!r}"
