"""JSON-RPC 2.0 without I/O: converts between texts, wire models and errors.

Members and notifications that only a newer daemon sends are ignored. Any other violation is an UnreadableError.
"""

import json
from typing import Any, TypeVar

from pydantic import ValidationError

from orderd.client.errors import ClientError, RefusedError, UnreachableError, UnreadableError
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.message import Message
from orderd.wire.problem import Problem
from orderd.wire.rpc import Method, RpcFailure

A = TypeVar("A", bound=Message)


def params_of(model: type[A], /, **fields: object) -> A:
    """Create the parameters of a call. Raises OrderdError REQUEST_INVALID, as the daemon would."""
    try:
        return model(**fields)
    except ValidationError as error:
        raise OrderdError(ErrorCode.REQUEST_INVALID, _first(error)) from error


def encode_call(request: int, method: Method, params: Message) -> str:
    # Defaults are left out, so that a daemon that is older than a parameter still accepts the call.
    body = params.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    return json.dumps({"jsonrpc": "2.0", "id": request, "method": method, "params": body})


def decode(text: str | bytes) -> dict[str, Any]:
    """Parse a message. Raises UnreadableError."""
    try:
        message = json.loads(text)
    except ValueError as error:
        raise _unreadable(str(error)) from error
    if not isinstance(message, dict):
        raise _unreadable(f"expected a JSON object, not a {type(message).__name__}")
    return message


def read_answer(message: dict[str, Any], model: type[A], order: str | None = None) -> A:
    """Parse the result of a call; ``order`` is the reference to the order that the trader gave. Raises RefusedError
    with the daemon's Problem, or UnreadableError."""
    try:
        if "error" in message:
            raise RefusedError(RpcFailure.model_validate(message["error"], extra="ignore").data, order)
        return model.model_validate(message.get("result"), extra="ignore")
    except ValidationError as error:
        raise unreadable(error) from error


def read_handshake_refusal(url: str, status: int, body: bytes) -> ClientError:
    """The error for a websocket upgrade that was answered with HTTP ``status``."""
    try:
        return RefusedError(Problem.model_validate_json(body, extra="ignore"))
    except ValidationError:
        if status in (401, 403):
            code = ErrorCode.AUTH_REQUIRED if status == 401 else ErrorCode.AUTH_FORBIDDEN
            return RefusedError(Problem.of(OrderdError(code, f"{url} responded with HTTP {status}")))
    return UnreachableError(
        "The daemon did not open a websocket",
        f"{url} responded with HTTP {status}",
        "check the address (--url); while the daemon restarts, try again in a moment",
    )


def unreadable(error: ValidationError) -> UnreadableError:
    """The error for a message of the daemon that does not match its model."""
    return _unreadable(_first(error))


def _unreadable(reason: str) -> UnreadableError:
    return UnreadableError(
        "The daemon's response cannot be read",
        reason,
        "the daemon and this client may differ in version: compare orderctl --version and orderd --version",
    )


def _first(error: ValidationError) -> str:
    details = error.errors(include_url=False)[0]
    if details["type"] == "string_pattern_mismatch":
        why = "an id has up to 64 letters, digits and any of . _ : -"
        return f"{details['loc'][-1]}: {details['input'][:50]!r} is not an id: {why}"
    return f"{'.'.join(str(part) for part in details['loc'])}: {details['msg']}, not {str(details['input'])[:50]!r}"
