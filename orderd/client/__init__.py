"""The Python client of the daemon: calls and order subscriptions, with reconnection.

``Client`` is synchronous, ``AsyncClient`` uses asyncio. The names listed here are public: names may be added, but none
is renamed or removed. Each name is imported on first use, because importing the wire messages takes as long as a short
command. The package depends on ``orderd.wire`` and ``orderd.domain`` only.
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
    from orderd.client.link import Link as AsyncClient
    from orderd.client.news import Closed, News, Opened
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

_NAMES_BY_MODULE: Final = {
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
    "news": ("Closed", "News", "Opened"),
    "protocol": ("Method", "params_of"),
}
_MODULE_BY_NAME: Final = {name: module for module, names in _NAMES_BY_MODULE.items() for name in names}


def __getattr__(name: str) -> object:
    if name == "AsyncClient":
        return import_module("orderd.client.link").Link
    if name not in _MODULE_BY_NAME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"orderd.client.{_MODULE_BY_NAME[name]}"), name)
