"""Many subscribers at one gateway, some of which do not read: each reader gets all events of its own order."""

import asyncio
import json
import socket
from collections.abc import Sequence
from contextlib import AsyncExitStack, suppress
from typing import Any
from uuid import UUID

import pytest
from websockets import CloseCode
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from db import journal
from db.connection import database
from db.journal import Change
from orderd.domain.events import AnyFact, Cancelled, Deferred
from orderd.domain.order import OrderStatus
from orderd.gateway.port import websocket_connection as port
from orderd.metrics.port import SLOW_DISCONNECTS
from tests.integration.gateway.conftest import Rig, deferred

pytestmark = pytest.mark.asyncio
SUBSCRIBERS, STUCK = 200, 10
ROUNDS = 3
LARGE = "x" * 20_000
"""Large enough that the unread events of stuck clients exceed all buffers."""


async def _call(websocket: ClientConnection, method: str, **params: Any) -> Any:
    await websocket.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
    while "id" not in (message := json.loads(await websocket.recv())):
        pass
    return message["result"]


async def _follow_own_order(websocket: ClientConnection, number: int) -> UUID:
    terms = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1", "client_order_id": f"own-{number}"}
    order = (await _call(websocket, "order.submit", **terms))["order"]["id"]
    await _call(websocket, "orders.subscribe", order=order)
    return UUID(order)


async def _events_to_the_end(websocket: ClientConnection) -> list[tuple[str, int]]:
    """Order id and seq of each event up to the cancellation."""
    received = []
    async for text in websocket:
        params = json.loads(text)["params"]
        if params.get("type") == "EVENT":
            received.append((params["event"]["order_id"], params["event"]["seq"]))
            if params["event"]["status"] == "cancelled":
                return received
    raise AssertionError("the connection ended before its order did")


async def _get_stuck(rig: Rig, stack: AsyncExitStack) -> ClientConnection:
    """Follow all orders with a small buffer, and stop reading."""
    small = socket.socket()
    small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    small.setblocking(False)
    await asyncio.get_running_loop().sock_connect(small, ("127.0.0.1", rig.port))
    websocket = await stack.enter_async_context(
        connect(rig.url, sock=small, compression=None, ping_interval=None, close_timeout=0)
    )
    await _call(websocket, "orders.subscribe")
    websocket.transport.pause_reading()
    return websocket


async def _happen(rig: Rig, orders: Sequence[UUID], fact: AnyFact) -> None:
    """Store the same fact for every order, in one commit."""

    def apply() -> list[journal.Moved]:
        with database.connection_context():
            to = OrderStatus.PENDING if isinstance(fact, Deferred) else None
            return journal.apply([Change(order, fact, None, to=to) for order in orders])

    moved = await asyncio.to_thread(apply)
    assert len(moved) == len(orders)
    rig.publisher.publish(moved)


async def test_each_reader_gets_all_events_of_its_order_and_stuck_clients_are_disconnected(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port, "CLOSE_SECONDS", 0.2)
    closed_before = SLOW_DISCONNECTS._value.get()
    async with AsyncExitStack() as stack, asyncio.timeout(60):
        websockets = [
            await stack.enter_async_context(connect(rig.url, compression=None, proxy=None)) for _ in range(SUBSCRIBERS)
        ]
        orders = [await _follow_own_order(websocket, number) for number, websocket in enumerate(websockets)]
        stuck = [await _get_stuck(rig, stack) for _ in range(STUCK)]
        reading = [asyncio.create_task(_events_to_the_end(websocket)) for websocket in websockets]
        for _ in range(ROUNDS):
            await _happen(rig, orders, deferred(LARGE))
        await _happen(rig, orders, Cancelled())
        for order, received in zip(orders, await asyncio.gather(*reading), strict=True):
            assert received == [(str(order), seq) for seq in range(2, 2 + ROUNDS + 1)]

        for websocket in stuck:
            websocket.transport.resume_reading()
            with suppress(ConnectionClosed):
                async for _ in websocket:
                    pass
            assert websocket.close_code in (CloseCode.TRY_AGAIN_LATER, CloseCode.ABNORMAL_CLOSURE)
        assert SLOW_DISCONNECTS._value.get() - closed_before == STUCK
        assert len(rig.gateway._port.connections) == SUBSCRIBERS
