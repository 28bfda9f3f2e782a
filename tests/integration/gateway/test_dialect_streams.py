"""Websocket streams of the dialects: their first frames, their recipients, and how they end."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from websockets.asyncio.client import ClientConnection, connect

from db.connection import database
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Cancelled, Retrying, Routed, Started
from tests.integration.gateway.conftest import Rig, deferred
from tests.samples.orders import METEORA as QUOTED

pytestmark = pytest.mark.asyncio

STARTED = Started(attempt=1)
ROUTED = Routed(chosen=QUOTED, quotes=(QUOTED,), min_amount_out="150")


def retrying(detail: str) -> Retrying:
    return Retrying(attempt=1, code=ErrorCode.RPC_UNAVAILABLE, detail=detail, until=datetime.now(UTC))


def listen(rig: Rig, path: str, **options: Any) -> connect:
    return connect(rig.url.rstrip("/") + path, compression=None, proxy=None, **options)


async def frames(websocket: ClientConnection, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(10):
        return [json.loads(await websocket.recv()) for _ in range(count)]


async def all_frames(websocket: ClientConnection) -> list[dict[str, Any]]:
    """All frames until the stream is closed normally."""
    async with asyncio.timeout(10):
        found = [json.loads(message) async for message in websocket]
    assert websocket.close_code == 1000
    return found


def statuses(found: list[dict[str, Any]]) -> list[str]:
    return [frame["status"] for frame in found]


async def test_the_stream_of_all_orders_begins_with_the_events_of_active_orders(rig: Rig) -> None:
    async with rig.client() as client:
        ended, routed, waiting = [await client.submit(name) for name in ("ended", "routed", "waiting")]
        await rig.happen(ended, Cancelled())
        await rig.happen(routed, STARTED, ROUTED)
        await rig.happen(waiting, deferred())
        async with listen(rig, "/ws") as websocket:
            sent = await frames(websocket, 6)
            assert [(UUID(frame["orderId"]), frame["status"]) for frame in sent] == [
                (routed, "pending"),
                (routed, "routing"),
                (routed, "routing"),
                (routed, "building"),
                (waiting, "pending"),
                (waiting, "pending"),
            ]
            # Later events carry the quote of the current route.
            await rig.happen(routed, retrying("no answer"))
            (again,) = await frames(websocket, 1)
            assert (again["status"], again["quote"]) == ("pending", sent[2]["quote"])
            # A new attempt has no quote until it is routed.
            await rig.happen(routed, Started(attempt=2))
            assert "quote" not in (await frames(websocket, 1))[0]
            new = await client.submit("new")
            assert (await frames(websocket, 1))[0]["orderId"] == str(new)


@pytest.mark.parametrize(
    ("path", "story"),
    [
        ("/api/orders/execute?orderId={}", ["pending", "routing", "building", "failed"]),
        ("/ws/orders?orderId={}", ["PENDING", "ROUTING", "BUILDING", "FAILED"]),
        ("/ws/orders/{}", ["ROUTING", "ROUTING_COMPLETE", "FAILED"]),
        ("/ws?orderId={}", ["pending", "pending", "routing", "routing", "building", "failed"]),
    ],
)
async def test_a_stream_sends_the_same_frames_whenever_it_starts_and_whatever_redis_loses(
    rig: Rig, path: str, story: list[str]
) -> None:
    async with rig.client() as client:
        order_id = await client.submit("one")
        other = await client.submit("other")
    async with listen(rig, path.format(order_id)) as early:
        await rig.happen(order_id, deferred(), STARTED)
        async with listen(rig, path.format(order_id)) as late:
            first = await frames(late, 1)  # before the order ends: of an ended order only the end is sent
            await rig.happen(order_id, ROUTED, publish=False)
            await rig.happen(other, STARTED)
            await rig.happen(order_id, Cancelled())
            sent = await all_frames(early)
            assert statuses(sent) == story
            assert first + await all_frames(late) == sent
    assert sent[-1]["error"] == "The order was cancelled on request"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/api/orders/execute?orderId={}", []),
        ("/ws/orders?orderId={}", ["FAILED"]),
        ("/ws/orders/{}", []),
        ("/ws?orderId={}", []),
    ],
)
async def test_a_stream_of_an_order_whose_events_were_removed_ends_at_once(
    rig: Rig, path: str, expected: list[str]
) -> None:
    async with rig.client() as client:
        order_id = await client.submit("long-ago")
    await rig.happen(order_id, Cancelled())
    with database.connection_context():
        database.execute_sql("DELETE FROM order_events WHERE order_id = %s", (str(order_id),))
    async with listen(rig, path.format(order_id)) as websocket:
        assert statuses(await all_frames(websocket)) == expected


async def test_messages_of_a_client_are_ignored(rig: Rig) -> None:
    async with rig.client() as client, listen(rig, "/ws") as websocket:
        for message in ("subscribe", b"\x00", '{"jsonrpc": "2.0", "id": 1, "method": "status"}'):
            await websocket.send(message)
        order_id = await client.submit("one")
        (frame,) = await frames(websocket, 1)
        assert frame["orderId"] == str(order_id)


async def test_a_client_that_does_not_keep_up_is_disconnected_with_1013(rig: Rig) -> None:
    async with rig.client() as client, listen(rig, "/ws", max_queue=1, ping_interval=None) as slow:
        order_id = await client.submit("busy")
        await frames(slow, 1)
        connections = rig.gateway._port.connections
        for _ in range(500):
            await rig.happen(order_id, STARTED, retrying("x" * 50_000))
            if len(rig.gateway._port.connections) < len(connections):
                break
        with pytest.raises(Exception, match="1013"):
            await frames(slow, 1_000)


async def test_a_restart_closes_streams_with_1012(rig: Rig) -> None:
    async with rig.client() as client:
        order_id = await client.submit("one")
    async with listen(rig, "/ws") as everything, listen(rig, f"/ws/orders/{order_id}") as one:
        await frames(everything, 1)
        rig.stop.set()
        async with asyncio.timeout(10):
            await asyncio.gather(everything.wait_closed(), one.wait_closed())
        assert (everything.close_code, one.close_code) == (1012, 1012)
