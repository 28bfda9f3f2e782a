"""Hints that a transaction has landed, by ``signatureSubscribe``. A hint says when to ask, never what the answer is.

A lost connection, a missed notification or an endpoint without a websocket costs nothing but time: whoever waits asks
by itself every now and then. Method reference: https://solana.com/docs/rpc/websocket/signaturesubscribe.
"""

import json
import threading
from collections.abc import Callable
from typing import Final

import structlog
from websockets.exceptions import InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect

_CONNECT_SECONDS: Final = 5.0
_BACKOFF_SECONDS: Final = 5.0
log = structlog.get_logger(__name__)


class LandingHints:
    """Calls ``on_hint`` soon after a watched transaction is confirmed. Thread-safe."""

    def __init__(self, url: str, on_hint: Callable[[], None]) -> None:
        self._url = url
        self._on_hint = on_hint
        self._connection: ClientConnection | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hints", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, seconds: float) -> None:
        self._stopped.set()
        if (connection := self._connection) is not None:
            connection.close()
        self._thread.join(seconds)

    def watch(self, signature: str) -> None:
        """Ask to be told of this transaction. Without a connection there is no hint of it."""
        if (connection := self._connection) is None:
            return
        params = [signature, {"commitment": "confirmed"}]
        try:
            connection.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "signatureSubscribe", "params": params}))
        except WebSocketException:
            return  # the listening thread meets the same end of the connection, and reports it

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (OSError, WebSocketException) as error:
                if not self._stopped.is_set():
                    log.info("no hints", action="hints_lost", error=_explain(error))
            self._stopped.wait(_BACKOFF_SECONDS)

    def _listen(self) -> None:
        with connect(self._url, open_timeout=_CONNECT_SECONDS, compression=None) as connection:
            self._connection = connection
            try:
                for message in connection:
                    # Answers to our own calls come here too; only a notification has a method.
                    if '"signatureNotification"' in str(message):
                        self._on_hint()
            finally:
                self._connection = None


def _explain(error: Exception) -> str:
    """Never the address, whose path or query may hold an API key."""
    return type(error).__name__ if isinstance(error, InvalidURI) else str(error) or type(error).__name__
