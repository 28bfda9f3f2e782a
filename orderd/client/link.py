"""The asyncio websocket client: one connection for the events of all orders and for any number of concurrent calls.

It reconnects without limit, with exponential backoff. Each connection begins with snapshots of all active orders.
"""

import asyncio
from collections import Counter
from contextlib import suppress
from itertools import count
from typing import Any, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException

from orderd.client import handshake, protocol
from orderd.client.endpoint import Endpoint
from orderd.client.errors import ClientError
from orderd.client.freshness import check_count
from orderd.client.news import Closed, OnNews, Opened
from orderd.client.notifications import read_notification
from orderd.wire.message import Message
from orderd.wire.rpc import Method
from orderd.wire.subscriptions import Event, Heartbeat, Ready, SubscribeParams, SubscribeResult

A = TypeVar("A", bound=Message)


class Link:
    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._connection: ClientConnection | None = None
        self._ids = count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._failures = 0
        self._why_closed = "not connected yet"

    async def run(self, on_news: OnNews) -> None:
        """Keep a connection open and pass all notifications, in order, to ``on_news`` on the event loop.

        Raises ClientError if a retry would not help: missing permission, or a message that violates the protocol.
        """
        while True:
            try:
                await self._one_connection(on_news)
            except ClientError as error:
                if not handshake.is_retryable(error):
                    raise
                self._why_closed = error.detail.removeprefix(f"{self._endpoint.url}: ")
            delay = handshake.backoff(self._failures)
            self._failures += 1
            on_news(Closed(self._why_closed, delay))
            await asyncio.sleep(delay)

    async def call(self, method: Method, params: Message, answer: type[A]) -> A:
        """Call ``method`` and return its result as ``answer``.

        Raises UnreachableError (nothing was sent), AnswerLostError (the outcome is unknown) or RefusedError.
        """
        connection = self._connection
        if connection is None:
            raise handshake.unreachable(self._endpoint.url, self._why_closed)
        request = next(self._ids)
        reply = self._waiting[request] = asyncio.get_running_loop().create_future()
        try:
            async with asyncio.timeout(self._endpoint.timeout):
                await connection.send(protocol.encode_call(request, method, params))
                return protocol.read_answer(await reply, answer)
        except TimeoutError as error:
            raise handshake.no_answer(method, self._endpoint.timeout) from error
        except ConnectionClosed as error:
            raise handshake.connection_lost(handshake.reason(error)) from error
        finally:
            del self._waiting[request]

    async def _one_connection(self, on_news: OnNews) -> None:
        """Serve one connection until it ends. Always raises ClientError."""
        url = self._endpoint.url
        try:
            options = await asyncio.to_thread(handshake.options, self._endpoint)
            async with connect(url, **options) as connection:
                self._connection = connection
                on_news(Opened())
                reading = asyncio.create_task(self._read(connection, on_news))
                try:
                    await self.call(Method.ORDERS_SUBSCRIBE, SubscribeParams(), SubscribeResult)
                    await reading
                finally:
                    self._connection = None
                    reading.cancel()
                    with suppress(asyncio.CancelledError, ConnectionClosed, ClientError):
                        await reading
        except InvalidStatus as error:
            raise handshake.refused(url, error) from error
        except ConnectionClosed as error:
            raise handshake.connection_lost(handshake.reason(error)) from error
        except (OSError, WebSocketException) as error:
            raise handshake.not_opened(url, error) from error

    async def _read(self, connection: ClientConnection, on_news: OnNews) -> None:
        """Receive messages for ever. Raises ConnectionClosed, UnreadableError, AnswerLostError if an event is missing,
        and what ``on_news`` raises."""
        counted: Counter[int] = Counter()
        try:
            while True:
                message = protocol.decode(await connection.recv())
                if (reply := self._waiting.get(message.get("id", 0))) is not None:
                    if not reply.done():
                        reply.set_result(message)
                elif (news := read_notification(message)) is not None:
                    if isinstance(news, Ready):
                        self._failures = 0
                    elif isinstance(news, Event):
                        counted[news.subscription] += 1
                    elif isinstance(news, Heartbeat):
                        check_count(news, counted)
                    on_news(news)
                    # A burst of buffered messages would block the event loop, and with it the screen.
                    await asyncio.sleep(0)
        except (ConnectionClosed, ClientError) as error:
            why = error.detail if isinstance(error, ClientError) else handshake.reason(error)
            for reply in self._waiting.values():
                if not reply.done():
                    reply.set_exception(handshake.connection_lost(why))
            raise
