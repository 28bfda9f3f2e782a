"""The websocket side of the port: admits connections, receives their calls, and ends the sessions of API keys."""

import http
from collections.abc import Iterable, Iterator
from uuid import UUID
from weakref import WeakKeyDictionary

import structlog
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from db.audit import Actor
from orderd.domain.errors import OrderdError
from orderd.gateway.access.authenticator import Authenticator
from orderd.gateway.access.origin import OriginPolicy
from orderd.gateway.access.refusal_log import Refusals
from orderd.gateway.dialects.streams import Stream, Streams
from orderd.gateway.port.listener import POLICY_VIOLATION
from orderd.gateway.port.websocket_connection import PortConnection
from orderd.gateway.problem import problem_response
from orderd.gateway.rpc.dispatch import Rpc
from orderd.gateway.streaming.hub import Hub
from orderd.gateway.streaming.price_feed import PriceFeed
from orderd.gateway.streaming.session import Session
from orderd.metrics.port import CONNECTIONS, REFUSED

log = structlog.get_logger(__name__)


class WebsocketSessions:
    """The sessions of one gateway."""

    def __init__(
        self,
        origin_policy: OriginPolicy,
        authenticator: Authenticator,
        refusals: Refusals,
        rpc: Rpc,
        streams: Streams,
        hub: Hub,
        price_feed: PriceFeed,
    ) -> None:
        self._origin_policy = origin_policy
        self._authenticator = authenticator
        self._refusals = refusals
        self._rpc = rpc
        self._streams = streams
        self._hub = hub
        self._price_feed = price_feed
        self._sessions: dict[Session, PortConnection] = {}
        self._streams_requested: WeakKeyDictionary[PortConnection, Stream] = WeakKeyDictionary()
        """The stream that a connection requested by its path, if that is not the path of the methods."""

    def __len__(self) -> int:
        return len(self._sessions)

    @property
    def subscriptions(self) -> int:
        """The number of subscriptions to orders."""
        return sum(len(session.subscriptions) for session in self._sessions)

    def unsent_bytes(self) -> Iterator[int]:
        """For each connection, the bytes that wait to be sent."""
        return (each.transport.get_write_buffer_size() for each in self._sessions.values())

    async def admit(self, connection: PortConnection, request: Request) -> Response | None:
        """Admit a websocket (None), or return the refusal."""
        headers = request.headers
        address = self._authenticator.address(connection.address, headers.get_all("X-Forwarded-For"))
        try:
            self._origin_policy.check(headers.get_all("Host"), headers.get_all("Origin"))
            connection.principal = await self._authenticator.identify(headers.get_all("Authorization"), address)
            stream = await self._streams.requested(request.path, connection.principal)
        except OrderdError as error:
            REFUSED.labels(error.code).inc()
            log.info("connection refused", action="connection_refused", code=error.code, detail=error.detail)
            self._refusals.note(Actor("", address), "connect", error)
            return _refusal(error, request.path)
        if stream is not None:
            self._streams_requested[connection] = stream
        return None

    async def converse(self, connection: PortConnection) -> None:
        """Receive calls until the connection closes. Answers are sent as the calls finish.

        A client that requested a stream by the connection's path gets the stream instead, and its messages are ignored.
        """
        session = Session(connection, connection.principal)
        self._sessions[session] = connection
        CONNECTIONS.inc()
        try:
            if self._authenticator.has_ended(connection.principal):
                self._dismiss(session)
            stream = self._streams_requested.get(connection)
            if stream is not None:
                self._streams.begin(stream, session, connection)
            while True:
                message = await connection.recv(decode=False)
                if stream is None:
                    await self._rpc.receive(session, message)
        except ConnectionClosed:
            pass
        finally:
            session.end()
            self._hub.end(session)
            self._price_feed.end(session)
            del self._sessions[session]
            CONNECTIONS.dec()

    async def finish(self) -> None:
        """Wait until all calls are answered."""
        for session in tuple(self._sessions):
            await session.finish()

    # API keys that end

    def keys_in_use(self) -> set[UUID]:
        return {key_id for session in self._sessions if (key_id := session.principal.key_id)}

    def end_keys(self, key_ids: Iterable[UUID]) -> None:
        """End the sessions of API keys: pending calls are refused, subscriptions end, and the connections are
        closed."""
        ended = frozenset(key_ids)
        self._authenticator.close_to(ended)
        for session in tuple(self._sessions):
            if session.principal.key_id in ended:
                self._dismiss(session)

    def _dismiss(self, session: Session) -> None:
        log.info("API key ended", action="key_ended", key=session.principal.name)
        session.expire()
        self._hub.end(session)
        self._price_feed.end(session)
        self._sessions[session].dismiss(POLICY_VIOLATION, "the API key has been revoked or has expired")


def _refusal(error: OrderdError, path: str) -> Response:
    problem = problem_response(error, path.partition("?")[0])
    headers = Headers(dict(problem.headers.items()) | {"Connection": "close"})
    status = http.HTTPStatus(problem.status_code)
    return Response(status.value, status.phrase, headers, bytes(problem.body))
