"""Opening connections to the daemon: options, errors and backoff, shared by the synchronous and the asyncio client."""

import logging
import os
import random
import ssl
from typing import Any
from urllib.parse import urlsplit

from websockets import CloseCode
from websockets.exceptions import ConnectionClosed, InvalidStatus

from orderd.client import protocol
from orderd.client.endpoint import Endpoint
from orderd.client.errors import AnswerLostError, ClientError, RefusedError, UnreachableError, UnreadableError, unusable
from orderd.client.trust import tls_failure, tls_next_step, tls_options
from orderd.domain.host import is_loopback
from orderd.wire.rpc import Method

MAX_ANSWER_BYTES = 16 * 2**20
KEEPALIVE_SECONDS = 10
BACKOFF_BASE_SECONDS = 0.25
BACKOFF_CAP_SECONDS = 5.0

_UNREACHABLE = "The daemon cannot be reached"
_CHANGING = frozenset({Method.ORDER_SUBMIT, Method.ORDER_CANCEL, Method.ORDER_RESOLVE})
_DISCARDING_LOGGER = logging.getLogger("orderd.client")
"""Discards the log lines of websockets about failed connections: the client reports them as errors."""
_DISCARDING_LOGGER.addHandler(logging.NullHandler())
_DISCARDING_LOGGER.propagate = False

_CLOSE_REASONS: dict[int, str] = {
    CloseCode.GOING_AWAY: "the daemon stops",
    CloseCode.SERVICE_RESTART: "the daemon restarts",
    CloseCode.TRY_AGAIN_LATER: "the daemon found this client too slow",
}


def options(endpoint: Endpoint) -> dict[str, Any]:
    """Arguments for both ``connect`` functions of websockets.

    Blocks while it connects to a proxy, if one is configured. Raises ConfigError and UnreachableError.
    """
    return {
        "additional_headers": {"Authorization": f"Bearer {endpoint.api_key}"} if endpoint.api_key else None,
        "compression": None,
        "proxy": None,
        "open_timeout": endpoint.timeout,
        "ping_interval": KEEPALIVE_SECONDS,
        "ping_timeout": KEEPALIVE_SECONDS,
        "close_timeout": 1,
        "max_size": MAX_ANSWER_BYTES,
        "logger": _DISCARDING_LOGGER,
        **tls_options(endpoint),
        **_proxy_socket(endpoint),
    }


def backoff(failures: int) -> float:
    """Seconds to wait after this many consecutive failures."""
    full = min(BACKOFF_CAP_SECONDS, BACKOFF_BASE_SECONDS * 2.0 ** min(failures, 10))
    return full * random.uniform(0.5, 1.0)  # noqa: S311  (spreads reconnections; guards nothing)


def is_retryable(error: ClientError) -> bool:
    """Whether a retry may succeed."""
    if isinstance(error, RefusedError):
        return error.problem.retryable
    return not isinstance(error, UnreadableError)


def reason(error: Exception) -> str:
    """Why a connection failed or ended, for the trader."""
    if isinstance(error, ConnectionClosed):
        close = error.rcvd
        if close is None:
            return "the network dropped it"
        return _CLOSE_REASONS.get(close.code) or f"the daemon closed it: {close.code} {close.reason}".rstrip()
    if isinstance(error, TimeoutError):
        return "no response in time"
    if isinstance(error, ssl.SSLError):
        return tls_failure(error)
    if isinstance(error, OSError) and error.errno is not None:
        # asyncio words a refused connection differently; a name that cannot be resolved has a negative errno.
        return os.strerror(error.errno) if error.errno > 0 else str(error.strerror)
    return str(error) or type(error).__name__


def refused(url: str, error: InvalidStatus) -> ClientError:
    """The error for a handshake that the daemon answered without opening a websocket."""
    answer = error.response
    if "TLS" in answer.reason_phrase and url.startswith("ws:"):
        return UnreachableError(_UNREACHABLE, f"{url}: the port requires TLS", "write wss:// instead of ws:// in --url")
    return protocol.read_handshake_refusal(url, answer.status_code, bytes(answer.body or b""))


def unreachable(url: str, why: str) -> UnreachableError:
    return UnreachableError(_UNREACHABLE, f"{url}: {why}", "start it with: orderd run; or give its address with --url")


def not_opened(url: str, error: Exception) -> UnreachableError:
    """The error for a connection that failed before the daemon answered."""
    if isinstance(error, ssl.SSLError):
        return UnreachableError(_UNREACHABLE, f"{url}: {tls_failure(error)}", tls_next_step(error))
    return unreachable(url, reason(error))


def connection_lost(why: str, method: Method | None = None) -> AnswerLostError:
    """The error for a connection that ended before the response to ``method``, or during a subscription."""
    return _lost("The connection was lost before the response arrived", why, method)


def no_answer(method: Method, seconds: float) -> AnswerLostError:
    return _lost("The daemon did not respond in time", f"no response to {method} within {seconds:g} s", method)


def _lost(title: str, why: str, method: Method | None) -> AnswerLostError:
    check = "the daemon's log" if method is Method.STATUS else "orderctl status"
    error = AnswerLostError(title, why, f"check the state of the daemon: {check}")
    error.changes_something = method in _CHANGING
    return error


def gap(seq: int, after: int) -> AnswerLostError:
    """The error for a missing event: the client must subscribe again."""
    return connection_lost(f"event {seq} followed event {after}")


def _proxy_socket(endpoint: Endpoint) -> dict[str, Any]:
    """The ``sock`` argument: a connection through the configured proxy. Empty without a proxy."""
    parts = urlsplit(endpoint.url)
    is_secure = parts.scheme == "wss"
    host, port = parts.hostname or "", parts.port or (443 if is_secure else 80)
    if is_loopback(host):  # most daemons: what knows proxies is not even loaded
        return {}
    from orderd.proxy import ProxyError, proxy_for

    try:
        proxy = proxy_for(host, port, is_secure=is_secure)
    except ProxyError as error:
        raise unusable("environment", str(error)) from error
    if proxy is None:
        return {}
    try:
        return {"sock": proxy.connect(host, port, endpoint.timeout)}
    except OSError as error:
        raise unreachable(endpoint.url, f"through the proxy {proxy.host}:{proxy.port}: {reason(error)}") from error
