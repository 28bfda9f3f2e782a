"""A client of the port: calls, and orders' news through disconnections. Knows the wire and the domain alone.

``Client`` blocks, ``AsyncClient`` is its twin on asyncio. The names listed here are public: some may be added, and none
is renamed or removed. Each is loaded when it is used, because the messages of the wire take as long as a short command.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from orderd.client.connection import Client
    from orderd.client.endpoint import Endpoint
    from orderd.client.errors import (
        AnswerLostError,
        ClientError,
        ConfigError,
        FollowTimeoutError,
        RefusedError,
        UnexpectedError,
        UnreachableError,
        UnreadableError,
    )
    from orderd.client.following import Lost, Resumed, Update
    from orderd.client.freshness import Fresh, Stale
    from orderd.client.link import Closed, News, Opened
    from orderd.client.link import Link as AsyncClient
    from orderd.client.protocol import params_of
    from orderd.wire.rpc import Method

__all__ = [
    "AnswerLostError",
    "AsyncClient",
    "Client",
    "ClientError",
    "Closed",
    "ConfigError",
    "Endpoint",
    "FollowTimeoutError",
    "Fresh",
    "Lost",
    "Method",
    "News",
    "Opened",
    "RefusedError",
    "Resumed",
    "Stale",
    "UnexpectedError",
    "UnreachableError",
    "UnreadableError",
    "Update",
    "params_of",
]

_HOMES: Final = {
    "connection": ("Client",),
    "endpoint": ("Endpoint",),
    "errors": (
        "AnswerLostError",
        "ClientError",
        "ConfigError",
        "FollowTimeoutError",
        "RefusedError",
        "UnexpectedError",
        "UnreachableError",
        "UnreadableError",
    ),
    "following": ("Lost", "Resumed", "Update"),
    "freshness": ("Fresh", "Stale"),
    "link": ("Closed", "News", "Opened"),
    "protocol": ("Method", "params_of"),
}
_MODULES: Final = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "AsyncClient":
        return import_module("orderd.client.link").Link
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"orderd.client.{_MODULES[name]}"), name)
