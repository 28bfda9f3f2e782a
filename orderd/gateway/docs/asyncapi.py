"""The websocket's description for clients and their generators: AsyncAPI 3.0, made from the routes and the wire.

https://www.asyncapi.com/docs/reference/specification/v3.0.0. The daemon is the application that is described, so it
receives what clients call, replies, and sends notifications.
"""

import inspect
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from orderd.gateway.port.websocket_connection import WRITE_BUFFER_BYTES
from orderd.gateway.rpc.dispatch import MAX_BATCH, Routes, RpcMethod
from orderd.gateway.streaming.heartbeat import HEARTBEAT_SECONDS
from orderd.wire.message import Message
from orderd.wire.prices import CandleChange
from orderd.wire.rpc import HEARTBEAT, MAX_MESSAGE_BYTES, ORDER_EVENT, PRICE_CANDLE, Method, RpcFailure
from orderd.wire.subscriptions import Event, Heartbeat, Ready, ResyncRequired, Snapshot

CHANNEL: Final = "rpc"
_NOTIFICATIONS: Final[Mapping[str, tuple[str, tuple[type[Message], ...], str]]] = {
    ORDER_EVENT: (
        "The messages of a subscription to orders.",
        (Snapshot, ResyncRequired, Event, Ready),
        "First each order's SNAPSHOT, preceded by RESYNC_REQUIRED if the order cannot be resumed, and followed by its "
        "events since `after`. READY follows the last snapshot; after it each event is sent as it happens. Snapshots "
        "of many orders are sent in pages. Events of orders that are new or already sent may come between the pages.",
    ),
    PRICE_CANDLE: (
        "The messages of a subscription to prices.",
        (CandleChange,),
        "A complete candle that is new or has changed, at most once per second. No candle is sent twice: after a "
        "disconnection, request the missed candles with `prices`.",
    ),
    HEARTBEAT: (
        f"Sent about every {HEARTBEAT_SECONDS} s on a connection with subscriptions.",
        (Heartbeat,),
        "Shows that a quiet connection is alive, and the last event sent to each subscription.",
    ),
}
_CALL_ID: Final = {"type": ["string", "integer"]}
_DESCRIPTION: Final = f"""\
JSON-RPC 2.0 over one websocket. Parameters are passed by name. A batch has up to {MAX_BATCH} calls. Results are sent in
the order in which the calls finish. A message has at most {MAX_MESSAGE_BYTES} bytes. Amounts and prices are
decimal strings in whole tokens, slippage is a decimal string in percent, times are ISO 8601 in UTC.

The daemon closes a connection with code 1012 when it restarts, 1013 when the client leaves more than
{WRITE_BUFFER_BYTES} bytes unread, and 1008 when its API key is revoked or expires. Connect again, and resume each order
with `after`, the seq of the last event received.
"""


def document(routes: Routes, host: str, secure: bool) -> dict[str, Any]:
    """The description of a daemon at ``host``, with TLS if it is ``secure``."""
    messages = {**_calls(routes), "error": _error(), **_notifications()}
    return {
        "asyncapi": "3.0.0",
        "id": "urn:orderd",
        "info": {"title": "orderd", "version": version("orderd"), "description": _DESCRIPTION},
        "defaultContentType": "application/json",
        "servers": {
            "daemon": {
                "host": host,
                "pathname": "/",
                "protocol": "wss" if secure else "ws",
                "security": [_reference("securitySchemes", "token")],
            }
        },
        "channels": {
            CHANNEL: {
                "address": "/",
                "messages": {name: _reference("messages", name) for name in messages},
                "bindings": {"ws": {"method": "GET", "bindingVersion": "0.1.0"}},
            }
        },
        "operations": {
            **{str(method): _operation(method, route) for method, route in routes.items()},
            **{method: _sending(method) for method in _NOTIFICATIONS},
        },
        "components": {
            "messages": messages,
            "schemas": _schemas(routes),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "Not needed if the daemon listens on a loopback address and trades on simnet.",
                }
            },
        },
    }


def _operation(method: Method, route: RpcMethod[Any, Any]) -> dict[str, Any]:
    return {
        "action": "receive",
        "channel": {"$ref": f"#/channels/{CHANNEL}"},
        "summary": inspect.getdoc(route.handle),
        "description": f"Needs the scope {route.scope}.",
        "messages": [_in_channel(f"{method}.call")],
        "reply": {
            "channel": {"$ref": f"#/channels/{CHANNEL}"},
            "messages": [_in_channel(f"{method}.result"), _in_channel("error")],
        },
    }


def _sending(method: str) -> dict[str, Any]:
    summary, models, description = _NOTIFICATIONS[method]
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{CHANNEL}"},
        "summary": summary,
        "description": description,
        "messages": [_in_channel(_name(method, model)) for model in models],
    }


def _calls(routes: Routes) -> dict[str, Any]:
    messages = {}
    for method, route in routes.items():
        needs_params = any(field.is_required() for field in route.params.model_fields.values())
        call = {
            "id": {"type": ["string", "integer"]},
            "method": {"const": str(method)},
            "params": _schema(route.params),
        }
        needed = ["id", "method", *(["params"] if needs_params else [])]
        messages[f"{method}.call"] = _message(f"A call of {method}", call, needed, "id")
        result = {"id": _CALL_ID, "result": _schema(route.result)}
        messages[f"{method}.result"] = _message(f"What {method} answers", result, ["id", "result"], "id")
    return messages


def _error() -> dict[str, Any]:
    members = {
        "id": {"type": ["string", "integer", "null"], "description": "null where the call's own could not be read"},
        "error": _schema(RpcFailure),
    }
    return _message("Why a call failed", members, ["id", "error"], "id")


def _notifications() -> dict[str, Any]:
    return {
        _name(method, model): _message(
            inspect.getdoc(model) or model.__name__,
            {"method": {"const": method}, "params": _schema(model)},
            ["method", "params"],
        )
        for method, (_, models, _) in _NOTIFICATIONS.items()
        for model in models
    }


def _message(summary: str, members: dict[str, Any], needed: list[str], correlated: str | None = None) -> dict[str, Any]:
    message: dict[str, Any] = {
        "summary": summary,
        "payload": {
            "type": "object",
            "properties": {"jsonrpc": {"const": "2.0"}, **members},
            "required": ["jsonrpc", *needed],
        },
    }
    if correlated is not None:
        message["correlationId"] = {"location": f"$message.payload#/{correlated}"}
    return message


def _schemas(routes: Routes) -> dict[str, Any]:
    """All models that are named by a message, and all that these name."""
    sent = {route.result for route in routes.values()} | {RpcFailure}
    sent |= {model for _, models, _ in _NOTIFICATIONS.values() for model in models}
    wanted: list[tuple[type[BaseModel], JsonSchemaMode]] = [(model, "serialization") for model in sent]
    wanted += [(params, "validation") for params in {route.params for route in routes.values()}]
    wanted.sort(key=lambda each: each[0].__name__)
    _, definitions = models_json_schema(wanted, ref_template="#/components/schemas/{model}")
    schemas: dict[str, Any] = _plain(definitions["$defs"])
    return schemas


def _plain(schema: Any) -> Any:  # noqa: ANN401  (any JSON)
    """Without what OpenAPI and AsyncAPI mean differently: there, a discriminator names a schema."""
    if isinstance(schema, dict):
        return {
            name: _plain(value)
            for name, value in schema.items()
            if not (name == "discriminator" and isinstance(value, dict) and "propertyName" in value)
        }
    return [_plain(each) for each in schema] if isinstance(schema, list) else schema


def _name(method: str, model: type[Message]) -> str:
    _, models, _ = _NOTIFICATIONS[method]
    return method if len(models) == 1 else f"{method}.{model.__name__}"


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return _reference("schemas", model.__name__)


def _in_channel(message: str) -> dict[str, Any]:
    return {"$ref": f"#/channels/{CHANNEL}/messages/{message}"}


def _reference(kind: str, name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/{kind}/{name}"}
