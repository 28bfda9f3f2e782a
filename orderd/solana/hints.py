"""Hints of what happens on the chain, by websocket. A hint says when to ask, never what the answer is.

A lost connection, a missed notification or an endpoint without a websocket costs nothing but time: a thread that waits
for a hint also asks by itself every now and then. Method reference: https://solana.com/docs/rpc/websocket.
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
_ACCOUNTS_AT_MOST: Final = 512
"""Endpoints allow a connection only so many subscriptions,"""
_CONNECTIONS_AT_MOST: Final = 8
"""and a client only so many connections."""
CommitmentOf = Callable[[], Commitment]
"""At which commitment is to be listened, as of now."""
log = structlog.get_logger(__name__)


def confirmed() -> Commitment:
    return "confirmed"


class Hints(ABC):
    """Listens to an endpoint, over a connection that is opened again when it is lost. Thread-safe."""

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
        """There is a new connection, which knows nothing of what was asked on others."""

    @abstractmethod
    def _received(self, message: dict[str, Any]) -> None:
        """A notification, or the answer to a call."""

    def _call(self, number: int, method: str, params: list[Any]) -> None:
        """Without a connection nothing is asked, and there will be no hint."""
        if (connection := self._connection) is None:
            return
        try:
            connection.send(orjson.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).decode())
        except WebSocketException:
            return  # the listening thread meets the same end of the connection, and reports it

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (OSError, WebSocketException, OrderdError, orjson.JSONDecodeError) as error:
                if not self._stopped.is_set():
                    log.info("no hints", action="hints_lost", error=_explain(error))
            except Exception as error:  # noqa: BLE001  (a fault of one hint does not end those to come)
                failed("hints", error)
            self._stopped.wait(_BACKOFF_SECONDS)

    def _listen(self) -> None:
        """Raises OSError, WebSocketException and OrderdError."""
        endpoint = self._endpoint
        with (
            endpoint.connect(endpoint.proxy(), _CONNECT_SECONDS) as way,
            connect(endpoint.url, sock=way, **_options(endpoint)) as connection,
        ):
            self._connection = connection
            if self._stopped.is_set():  # by a caller that knew of no connection to close
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
    """Calls ``on_hint`` with the signature of a watched transaction, soon after it has reached the ``commitment``."""

    def __init__(self, url: str, on_hint: Callable[[str], None], commitment: CommitmentOf = confirmed) -> None:
        super().__init__(url, commitment)
        self._on_hint = on_hint
        self._numbers = count(1)
        self._requested: dict[int, str] = {}
        self._by_subscription: dict[int, str] = {}
        """A subscription ends with its notification."""

    def watch(self, signature: str) -> None:
        """Subscribe to this transaction."""
        if self._connection is None:
            return
        number = next(self._numbers)
        self._requested[number] = signature
        self._call(number, "signatureSubscribe", [signature, {"commitment": self._commitment()}])

    def _opened(self) -> None:
        """Those that were watched before are asked about anyway."""
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
    """Reports soon after a watched account has changed, or one like those that are watched for. Thread-safe.

    If there are more accounts than one connection takes, another one is opened; beyond a number of these, new accounts
    have no hints.
    """

    def __init__(self, url: str) -> None:
        self.on_hint: Callable[[], None] = lambda: None
        """Called after a watcher of any account."""
        self.commitment: CommitmentOf = confirmed
        self._url = url
        self._on_change: dict[Pubkey | AccountsLike, Callable[[str], None]] = {}
        self._listening = [self._some()]
        self._is_started = False
        self._lock = threading.Lock()

    def start(self) -> None:
        with self._lock:
            self._is_started = True
            for each in self._listening:
                each.start()

    def stop(self, seconds: float) -> None:
        for each in self._listening:
            each.stop(seconds)

    def watch(self, account: Pubkey, on_change: Callable[[], None]) -> None:
        """Call ``on_change`` whenever a block has changed the account, from a listening thread."""
        self._watch(account, lambda _: on_change())

    def watch_for(self, accounts: AccountsLike, on_change: Callable[[str], None]) -> None:
        """Call ``on_change`` with its address whenever a block has made or changed such an account."""
        self._watch(accounts, on_change)

    def _watch(self, watched: Pubkey | AccountsLike, on_change: Callable[[str], None]) -> None:
        with self._lock:
            if watched not in self._on_change and not self._listen(watched):
                return
            self._on_change[watched] = on_change

    def _listen(self, watched: Pubkey | AccountsLike) -> bool:
        if self._listening[-1].is_full:
            if len(self._listening) >= _CONNECTIONS_AT_MOST:
                return False
            self._listening.append(self._some())
            if self._is_started:
                self._listening[-1].start()
        self._listening[-1].watch(watched)
        return True

    def _some(self) -> "_SomeAccounts":
        return _SomeAccounts(self._url, self._changed, lambda: self.commitment())

    def _changed(self, watched: Pubkey | AccountsLike, address: str) -> None:
        if (on_change := self._on_change.get(watched)) is None:
            return
        if isinstance(watched, AccountsLike):  # whoever hears of it looks at the chain: no other hint waits for that
            threading.Thread(target=self._call_back, args=(on_change, address), name="hint", daemon=True).start()
        else:
            self._call_back(on_change, address)

    def _call_back(self, on_change: Callable[[str], None], address: str) -> None:
        with best_effort("hint"):
            on_change(address)
            self.on_hint()


class _SomeAccounts(Hints):
    """As many as one connection takes."""

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
        return len(self._watched) >= _ACCOUNTS_AT_MOST

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
        "proxy": None,  # it is met before
        "open_timeout": _CONNECT_SECONDS,
        "compression": None,
    }


def _explain(error: Exception) -> str:
    """Never the address, whose path or query may hold an API key."""
    return type(error).__name__ if isinstance(error, InvalidURI) else str(error) or type(error).__name__
