"""JSON-RPC 2.0 as orderd speaks it, without I/O: texts to wire models and to errors.

Members and notifications that a newer daemon adds are ignored; everything else that does not fit is an UnreadableError.
"""

import json
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from orderd.client.errors import ClientError, RefusedError, UnreachableError, UnreadableError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.message import Message
from orderd.wire.problem import Problem
from orderd.wire.rpc import Method, RpcFailure

if TYPE_CHECKING:
    pass

A = TypeVar("A", bound=Message)


def params_of(model: type[A], /, **fields: object) -> A:
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
        raise unreadable(error) from error


def read_handshake_refusal(url: str, status: int, body: bytes) -> ClientError:
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


def unreadable(error: ValidationError) -> UnreadableError:
    """The daemon's message does not fit its model."""
    return _unreadable(_first(error))


def _unreadable(reason: str) -> UnreadableError:
    return UnreadableError(
        "The daemon's answer cannot be read",
        reason,
        "the daemon and this client may differ in version: compare orderctl --version and orderd --version",
    )


def _first(error: ValidationError) -> str:
    details = error.errors(include_url=False)[0]
    if details["type"] == "string_pattern_mismatch":
        why = "it takes up to 64 letters, digits and any of . _ : -"
        return f"{details['loc'][-1]}: {details['input'][:50]!r} is not an id: {why}"
    return f"{'.'.join(str(part) for part in details['loc'])}: {details['msg']}, not {str(details['input'])[:50]!r}"
