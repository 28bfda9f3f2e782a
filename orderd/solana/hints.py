"""Hints about changes on the chain, by websocket. A hint says when to query the chain, not what the result is.

A lost connection, a missed notification or an endpoint without a websocket only costs time, because threads that wait
for a hint also poll. Method reference: https://solana.com/docs/rpc/websocket.
"""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import count
from typing import Any, Final

import orjson
import structlog
from solders.pubkey import Pubkey
from websockets.exceptions import InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect

from orderd.best_effort import best_effort, failed
from orderd.domain.errors import OrderdError
from orderd.solana.endpoint import EndpointUrl
from orderd.solana.rpc import Commitment
from orderd.solana.rpc_types import AccountsLike

_CONNECT_SECONDS: Final = 5.0
_BACKOFF_SECONDS: Final = 5.0
_MAX_ACCOUNTS: Final = 512
"""Subscriptions per connection; endpoints limit them."""
_MAX_CONNECTIONS: Final = 8
"""Connections per client; endpoints limit them."""
CommitmentOf = Callable[[], Commitment]
"""Returns the current commitment for subscriptions."""
log = structlog.get_logger(__name__)


def confirmed() -> Commitment:
    return "confirmed"


class Hints(ABC):
    """Listens to an endpoint over a connection that is reopened when it is lost. Thread-safe."""

    def __init__(self, url: str, commitment: CommitmentOf) -> None:
        self._endpoint = EndpointUrl.of(url)
        self._commitment = commitment
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

    @abstractmethod
    def _opened(self) -> None:
        """Called after each connect. Subscriptions of earlier connections are gone."""

    @abstractmethod
    def _received(self, message: dict[str, Any]) -> None:
        """Called with each notification and each response to a call."""

    def _call(self, number: int, method: str, params: list[Any]) -> None:
        """Send a request. Without a connection nothing is sent, and there will be no hint."""
        if (connection := self._connection) is None:
            return
        try:
            connection.send(orjson.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).decode())
        except WebSocketException:
            return  # the listening thread sees the closed connection too, and reports it

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (OSError, WebSocketException, OrderdError, orjson.JSONDecodeError) as error:
                if not self._stopped.is_set():
                    log.info("no hints", action="hints_lost", error=_explain(error))
            except Exception as error:  # noqa: BLE001  (an error in one hint must not end the listening)
                failed("hints", error)
            self._stopped.wait(_BACKOFF_SECONDS)

    def _listen(self) -> None:
        """Connect and process messages until the connection ends. Raises OSError, WebSocketException and
        OrderdError."""
        endpoint = self._endpoint
        with (
            endpoint.connect(endpoint.proxy(), _CONNECT_SECONDS) as way,
            connect(endpoint.url, sock=way, **_options(endpoint)) as connection,
        ):
            self._connection = connection
            if self._stopped.is_set():  # stop() ran before the connection was set
                return
            try:
                self._opened()
                for text in connection:
                    message = orjson.loads(text)
                    if isinstance(message, dict):
                        self._received(message)
            finally:
                self._connection = None


def first_slot(url: str) -> int:
    """The first slot that the endpoint reports to a new subscriber. Raises OSError if it reports none in time.

    Raises OrderdError for an unusable proxy, and ValueError if it is not an address.
    """
    endpoint = EndpointUrl.of(url)
    try:
        with (
            endpoint.connect(endpoint.proxy(), _CONNECT_SECONDS) as way,
            connect(endpoint.url, sock=way, **_options(endpoint)) as connection,
        ):
            connection.send('{"jsonrpc": "2.0", "id": 1, "method": "slotSubscribe"}')
            while True:
                message = orjson.loads(connection.recv(timeout=_CONNECT_SECONDS))
                if message.get("method") == "slotNotification":
                    return int(message["params"]["result"]["slot"])
    except (WebSocketException, orjson.JSONDecodeError, KeyError, TypeError) as error:
        raise OSError(_explain(error)) from error


class LandingHints(Hints):
    """Calls ``on_hint`` with the signature of a watched transaction soon after it has reached the ``commitment``."""

    def __init__(self, url: str, on_hint: Callable[[str], None], commitment: CommitmentOf = confirmed) -> None:
        super().__init__(url, commitment)
        self._on_hint = on_hint
        self._numbers = count(1)
        self._requested: dict[int, str] = {}
        self._by_subscription: dict[int, str] = {}
        """Signatures by subscription. A subscription ends with its notification."""

    def watch(self, signature: str) -> None:
        """Subscribe to this transaction."""
        if self._connection is None:
            return
        number = next(self._numbers)
        self._requested[number] = signature
        self._call(number, "signatureSubscribe", [signature, {"commitment": self._commitment()}])

    def _opened(self) -> None:
        """Drop earlier subscriptions; their transactions are polled anyway."""
        self._requested.clear()
        self._by_subscription.clear()

    def _received(self, message: dict[str, Any]) -> None:
        match message:
            case {"id": int(number), "result": int(subscription)} if number in self._requested:
                self._by_subscription[subscription] = self._requested.pop(number)
            case {"method": "signatureNotification", "params": {"subscription": int(subscription)}}:
                if (signature := self._by_subscription.pop(subscription, None)) is not None:
                    self._on_hint(signature)


class AccountHints:
    """Reports changes of watched accounts, and of accounts that match a filter. Thread-safe.

    If one connection has no room for more subscriptions, another one is opened. When all connections are full, further
    accounts get no hints.
    """

    def __init__(self, url: str) -> None:
        self.on_hint: Callable[[], None] = lambda: None
        """Called after the callback of each hint."""
        self.commitment: CommitmentOf = confirmed
        self._url = url
        self._on_change: dict[Pubkey | AccountsLike, Callable[[str], None]] = {}
        self._connections = [self._new_connection()]
        self._is_started = False
        self._lock = threading.Lock()

    def start(self) -> None:
        with self._lock:
            self._is_started = True
            for each in self._connections:
                each.start()

    def stop(self, seconds: float) -> None:
        for each in self._connections:
            each.stop(seconds)

    def watch(self, account: Pubkey, on_change: Callable[[], None]) -> None:
        """Call ``on_change`` whenever a block has changed the account, from a listening thread."""
        self._watch(account, lambda _: on_change())

    def watch_for(self, accounts: AccountsLike, on_change: Callable[[str], None]) -> None:
        """Call ``on_change`` with the address of each account that matches and that a block has created or changed."""
        self._watch(accounts, on_change)

    def _watch(self, watched: Pubkey | AccountsLike, on_change: Callable[[str], None]) -> None:
        with self._lock:
            if watched not in self._on_change and not self._listen(watched):
                return
            self._on_change[watched] = on_change

    def _listen(self, watched: Pubkey | AccountsLike) -> bool:
        if self._connections[-1].is_full:
            if len(self._connections) >= _MAX_CONNECTIONS:
                return False
            self._connections.append(self._new_connection())
            if self._is_started:
                self._connections[-1].start()
        self._connections[-1].watch(watched)
        return True

    def _new_connection(self) -> "_AccountConnection":
        return _AccountConnection(self._url, self._changed, lambda: self.commitment())

    def _changed(self, watched: Pubkey | AccountsLike, address: str) -> None:
        if (on_change := self._on_change.get(watched)) is None:
            return
        if isinstance(watched, AccountsLike):  # these callbacks query the chain, which must not delay other hints
            threading.Thread(target=self._call_back, args=(on_change, address), name="hint", daemon=True).start()
        else:
            self._call_back(on_change, address)

    def _call_back(self, on_change: Callable[[str], None], address: str) -> None:
        with best_effort("hint"):
            on_change(address)
            self.on_hint()


class _AccountConnection(Hints):
    """The watched accounts of one connection."""

    def __init__(
        self, url: str, changed: Callable[[Pubkey | AccountsLike, str], None], commitment: CommitmentOf
    ) -> None:
        super().__init__(url, commitment)
        self._changed = changed
        self._watched: list[Pubkey | AccountsLike] = []
        self._by_subscription: dict[int, Pubkey | AccountsLike] = {}
        self._lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        return len(self._watched) >= _MAX_ACCOUNTS

    def watch(self, watched: Pubkey | AccountsLike) -> None:
        with self._lock:
            self._watched.append(watched)
            self._subscribe(len(self._watched) - 1)

    def _opened(self) -> None:
        with self._lock:
            self._by_subscription.clear()
            for number in range(len(self._watched)):
                self._subscribe(number)

    def _subscribe(self, number: int) -> None:
        config = {"commitment": self._commitment(), "encoding": "base64", "dataSlice": {"offset": 0, "length": 0}}
        match self._watched[number]:
            case AccountsLike() as alike:
                self._call(number, "programSubscribe", [str(alike.program), config | {"filters": alike.to_json()}])
            case account:
                self._call(number, "accountSubscribe", [str(account), config])

    def _received(self, message: dict[str, Any]) -> None:
        match message:
            case {"id": int(number), "result": int(subscription)} if 0 <= number < len(self._watched):
                self._by_subscription[subscription] = self._watched[number]
            case {"method": "accountNotification", "params": {"subscription": int(subscription)}}:
                if (account := self._by_subscription.get(subscription)) is not None:
                    self._changed(account, str(account))
            case {
                "method": "programNotification",
                "params": {"subscription": int(subscription), "result": {"value": {"pubkey": str(address)}}},
            }:
                if (alike := self._by_subscription.get(subscription)) is not None:
                    self._changed(alike, address)


def _options(endpoint: EndpointUrl) -> dict[str, Any]:
    authorization = endpoint.authorization
    return {
        "additional_headers": {} if authorization is None else {"Authorization": authorization},
        "proxy": None,  # the proxy is handled by ``connect`` of the endpoint
        "open_timeout": _CONNECT_SECONDS,
        "compression": None,
    }


def _explain(error: Exception) -> str:
    """The error without the URL, whose path or query may hold an API key."""
    return type(error).__name__ if isinstance(error, InvalidURI) else str(error) or type(error).__name__
