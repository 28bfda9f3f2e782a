"""A fake daemon with the wire protocol: its answers are set by a test, and it fails like a real one."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Literal, Self
from uuid import UUID

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import OrderEvent
from orderd.domain.order import ACTIVE
from orderd.release import this_release
from orderd.wire.message import Message
from orderd.wire.orders import OrderView
from orderd.wire.problem import Problem
from orderd.wire.rpc import HEARTBEAT, ORDER_EVENT, ORDERD_ERROR, WIRE_VERSION, Method
from orderd.wire.status import RateLimitUse, StatusResult
from orderd.wire.subscriptions import (
    Event,
    Heartbeat,
    Position,
    Ready,
    ResyncRequired,
    Snapshot,
    SubscribeParams,
    SubscribeResult,
)
from tests.samples.orders import START, order_after

Answer = Message | OrderdError | None
"""The answer of a method: its result, its error, or no answer."""


ON_SIMNET = StatusResult(
    version=this_release().version,
    wire_version=WIRE_VERSION,
    chain="simnet",
    wallet="7xKXtg2CW87d97TXJSDpbD5jBkheTqA83TZRuJosgAsU",
    started_at=START,
    draining=False,
    services={},
    orders={},
    rate_limit=RateLimitUse(limit=100, window_seconds=60, used=0, waiting=0),
    queue_depth=0,
    workers=1,
    slot=1,
)


class FakeDaemon:
    """Listens on a free loopback port within its context; ``stop`` and ``start`` keep the port."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.tokens: list[str | None] = []
        self.subscribed = threading.Semaphore(0)
        self.refusal: tuple[int, bytes] | None = None
        self.heartbeat_seconds: int | None = None
        self._sent: Counter[int] = Counter()
        self._answers: dict[str, Callable[[dict[str, Any]], Answer]] = {}
        self._histories: dict[UUID, tuple[OrderView, tuple[OrderEvent, ...]]] = {}
        self._subscribers: list[tuple[ServerConnection, int, UUID | None]] = []
        self._subscriptions = 0
        self._lock = threading.Lock()
        self._port = 0
        self.start()

    def start(self) -> None:
        self._server: Server = serve(
            self._handle, "127.0.0.1", self._port, process_request=self._admit, compression=None, close_timeout=1
        )
        self._port = self._server.socket.getsockname()[1]
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection with 1012, like a restarting daemon."""
        self._server.shutdown(code=1012, reason="service restart")
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}/"

    def answers(self, method: Method, answer: Answer | Callable[[dict[str, Any]], Answer]) -> None:
        self._answers[method] = answer if callable(answer) else lambda _: answer

    def knows(self, *events: OrderEvent, kept: int | None = None) -> None:
        """Add an order with these events as its history, of which the last ones are ``kept``."""
        stored = events if kept is None else events[len(events) - kept :]
        self._histories[events[0].order_id] = (order_after(events), stored)

    def publish(self, event: OrderEvent, *, stored: bool = True) -> None:
        """Add an event, and send it to all subscribers of its order."""
        with self._lock:
            if stored:
                before = self._histories[event.order_id][1] if event.order_id in self._histories else ()
                events = (*before, event)
                self._histories[event.order_id] = (order_after(events), events)
            for connection, subscription, order in self._subscribers:
                if order in (None, event.order_id):
                    self._sent[subscription] += 1
                    with suppress(ConnectionClosed):  # the client has disconnected
                        _notify(connection, Event(subscription=subscription, event=event))

    def beat(self, *, behind: timedelta = timedelta(0), unheard: int = 0) -> None:
        """Send a heartbeat: the database was last read ``behind`` ago, and ``unheard`` events were lost."""
        now = datetime.now(UTC)
        with self._lock:
            for connection, subscription, _ in self._subscribers:
                events = self._sent[subscription] + unheard
                position = Position(subscription=subscription, events=events, order_id=None, seq=None)
                beat = Heartbeat(at=now, as_of=now - behind, subscriptions=(position,))
                _notify(connection, beat, HEARTBEAT)

    def drop_connections(self) -> None:
        """Drop connections like a failing network, without a closing handshake."""
        for connection in self._server.connections:
            connection.close_socket()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Within the block no connection reads anything, not even a ping."""
        connections = list(self._server.connections)
        with ExitStack() as held:
            for connection in connections:
                held.enter_context(connection.protocol_mutex)
            yield

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        authorization = request.headers.get("Authorization")
        self.tokens.append(authorization)
        if self.refusal is None:
            return None
        status, body = self.refusal
        response = connection.respond(status, "")
        del response.headers["Content-Length"]  # setting the header would add a second one
        response.headers["Content-Length"] = str(len(body))
        response.body = body
        return response

    def _handle(self, connection: ServerConnection) -> None:
        try:
            for text in connection:
                self._serve(connection, json.loads(text))
        except ConnectionClosed:
            pass
        finally:
            with self._lock:
                self._subscribers = [known for known in self._subscribers if known[0] is not connection]

    def _serve(self, connection: ServerConnection, call: dict[str, Any]) -> None:
        method, params = call["method"], call["params"]
        if method == Method.STATUS and method not in self._answers:
            # A submission first asks for the chain; unless a test is about that, this call is not lost.
            _reply(connection, call["id"], ON_SIMNET)
            return
        self.calls.append((method, params))
        if method in self._answers:
            answer = self._answers[method](params)
        elif method == Method.ORDERS_SUBSCRIBE:
            answer = self._subscribe(connection, SubscribeParams(**params), call["id"])
        else:
            answer = OrderdError(ErrorCode.REQUEST_UNKNOWN_METHOD, method)
        if answer is not None:
            _reply(connection, call["id"], answer)

    def _subscribe(self, connection: ServerConnection, params: SubscribeParams, request: int) -> Answer:
        if params.order is None:
            self._subscribe_to_all(connection, request)
            return None
        with self._lock:
            try:
                order, events = next(
                    known
                    for known in self._histories.values()
                    if params.order in (known[0].client_order_id, str(known[0].id)[: len(params.order or "")])
                )
            except StopIteration:
                return OrderdError(ErrorCode.ORDER_NOT_FOUND, f"there is no order {params.order}")
            self._subscriptions += 1
            mine = self._subscriptions
            self._subscribers.append((connection, mine, order.id))
            _reply(connection, request, SubscribeResult(subscription=mine, heartbeat_seconds=self.heartbeat_seconds))
            again = [event for event in events if params.after is not None and event.seq > params.after]
            first = again[0].seq if again else order.seq + 1
            if params.after is not None and (params.after > order.seq or first != params.after + 1):
                reason: Literal["AHEAD", "GONE"] = "AHEAD" if params.after > order.seq else "GONE"
                _notify(
                    connection,
                    ResyncRequired(
                        subscription=mine, order_id=order.id, after=params.after, seq=order.seq, reason=reason
                    ),
                )
                again = []
            _notify(connection, Snapshot(subscription=mine, order=order))
            for event in again:
                self._sent[mine] += 1
                _notify(connection, Event(subscription=mine, event=event))
            _notify(connection, Ready(subscription=mine, orders=1))
        self.subscribed.release()
        return None

    def _subscribe_to_all(self, connection: ServerConnection, request: int) -> None:
        with self._lock:
            self._subscriptions += 1
            mine = self._subscriptions
            self._subscribers.append((connection, mine, None))
            _reply(connection, request, SubscribeResult(subscription=mine, heartbeat_seconds=self.heartbeat_seconds))
            active = [order for order, _ in self._histories.values() if order.status in ACTIVE]
            for order in active:
                _notify(connection, Snapshot(subscription=mine, order=order))
            _notify(connection, Ready(subscription=mine, orders=len(active)))
        self.subscribed.release()


def _reply(connection: ServerConnection, request: int, answer: Message | OrderdError) -> None:
    body: dict[str, Any] = {"jsonrpc": "2.0", "id": request}
    if isinstance(answer, OrderdError):
        problem = Problem.of(answer).model_dump(mode="json")
        body["error"] = {"code": ORDERD_ERROR, "message": str(answer), "data": problem}
    else:
        body["result"] = answer.model_dump(mode="json")
    connection.send(json.dumps(body))


def _notify(connection: ServerConnection, notification: Message, method: str = ORDER_EVENT) -> None:
    params = notification.model_dump(mode="json")
    connection.send(json.dumps({"jsonrpc": "2.0", "method": method, "params": params}))
