"""Slow, greedy and faulty peers, and a stopping gateway: other clients are not affected, and no accepted order is
lost."""

import asyncio
import json
import random
import threading
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from redis import Redis
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.protocol import State

from db.connection import database
from db.models import ApiKey
from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.events import OrderEvent
from orderd.domain.order import OrderStatus
from orderd.engine.intake import Submission, SubmitOutcome
from orderd.gateway.access.authentication import new_api_key
from orderd.gateway.port import websocket_connection as port
from orderd.gateway.rpc import orders
from orderd.gateway.server import DATABASE_THREADS, LIST_THREADS
from orderd.gateway.streaming import session
from orderd.wire.orders import ListResult
from orderd.wire.subscriptions import Event, Ready, Snapshot
from tests.integration.gateway.api_keys import issue, revoke
from tests.integration.gateway.conftest import CallRefusedError, Rig, deferred

pytestmark = pytest.mark.asyncio


async def test_a_subscriber_that_does_not_read_is_disconnected_with_1013_and_others_are_not(rig: Rig) -> None:
    async with connect(rig.url, compression=None, max_queue=1, ping_interval=None) as slow:
        (served,) = rig.gateway._port.connections
        async with rig.client() as brisk:
            order_id = await brisk.submit("busy")
            subscription = {"method": "orders.subscribe", "params": {"order": str(order_id)}}
            await slow.send(json.dumps({"jsonrpc": "2.0", "id": 1, **subscription}))
            while '"READY"' not in str(await slow.recv()):
                pass
            await brisk.call("orders.subscribe", order=str(order_id))
            assert isinstance(await brisk.next(), Snapshot)
            assert isinstance(await brisk.next(), Ready)

            for seq in range(2, 1_000):
                rig.gateway._hub.receive(_large_event(order_id, seq))
                assert await brisk.events(1) == [(order_id, seq)]
                if served.state is not State.OPEN:
                    break  # it is aborted some seconds later, unless it reads
            await _count(slow)
            assert slow.close_code == 1013
            assert "resume" in (slow.close_reason or "")


def _large_event(order_id: UUID, seq: int) -> bytes:
    event = OrderEvent(
        order_id=order_id, seq=seq, at=datetime.now(UTC), status=OrderStatus.PENDING, data=deferred("x" * 60_000)
    )
    return event.model_dump_json().encode()


async def test_a_peer_that_receives_nothing_is_disconnected(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(port, "STALL_SECONDS", 0.2)
    async with rig.client() as trader:
        order_id = await trader.submit("heavy")
        await rig.happen(order_id, *(deferred("x" * 60_000) for _ in range(20)))
    async with connect(rig.url, compression=None, max_queue=1, ping_interval=None) as silent:
        silent.transport.pause_reading()
        (served,) = rig.gateway._port.connections
        for number in range(40):
            call = {"jsonrpc": "2.0", "id": number, "method": "order.get", "params": {"order": "heavy"}}
            await silent.send(json.dumps(call))
        async with asyncio.timeout(10):
            await served.wait_closed()
        silent.transport.abort()


async def test_a_connection_is_read_only_as_fast_as_its_calls_are_executed(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If all slots of a connection are in use, its next call waits; another connection is served."""
    release, full = asyncio.Event(), asyncio.Event()
    started = 0

    async def held(*_: object) -> SubmitOutcome:
        nonlocal started
        started += 1
        if started == session.MAX_IN_FLIGHT:
            full.set()
        await release.wait()
        raise OrderdError(ErrorCode.SERVICE_OVERLOADED, "played")

    monkeypatch.setattr(rig.gateway._entry._batcher, "submit", held)
    async with rig.client() as greedy, rig.client() as other:
        calls = [asyncio.create_task(greedy.submit(f"greedy-{number}")) for number in range(session.MAX_IN_FLIGHT + 10)]
        async with asyncio.timeout(10):
            await full.wait()
            assert await other.call("status")
        assert started == session.MAX_IN_FLIGHT
        release.set()
        failures = await asyncio.gather(*calls, return_exceptions=True)
    assert {str(failure).split(":")[0] for failure in failures} == {"SERVICE_OVERLOADED"}


async def test_concurrent_submissions_share_commits_and_each_gets_its_own_answer(rig: Rig) -> None:
    batches: list[int] = []
    whole = rig.intake.submit_batch

    def counted(submissions: Sequence[Submission]) -> Sequence[SubmitOutcome | OrderdError]:
        batches.append(len(submissions))
        return whole(submissions)

    rig.gateway._entry._batcher._submit_batch = counted
    async with rig.client() as client:
        ids = await asyncio.gather(*(client.submit(f"many-{number}") for number in range(60)))
        orders = [await client.call("order.get", order=f"many-{number}") for number in range(60)]
    assert [order["order"]["id"] for order in orders] == [str(order_id) for order_id in ids]
    assert sum(batches) == 60
    assert len(batches) < 30


def _damage(message: bytearray, dice: random.Random) -> None:
    at = dice.randrange(len(message) or 1)
    match dice.randrange(5):
        case 0:
            message[at : at + 1] = bytes([dice.randrange(256)])
        case 1:
            del message[at : at + dice.randint(1, 10)]
        case 2:
            message[at:at] = dice.choice([b'"', b"{", b"]", b"\\u0000", b"null", b"1e999", b"-", b"\xff\xfe", b"[[["])
        case 3:
            message[at:at] = message[: dice.randint(0, 30)]
        case _:
            message.extend(dice.randbytes(dice.randint(1, 5)))


async def _count(peer: ClientConnection) -> int:
    """The number of messages until the answer to the last call or the end of the connection."""
    count = 0
    with suppress(ConnectionClosed):
        while b'"id":"last"' not in await peer.recv(decode=False):
            count += 1
    return count


async def test_damaged_bytes_on_the_wire_never_stop_the_gateway(rig: Rig) -> None:
    dice = random.Random(21)
    for _ in range(150):
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.port)
        message = bytearray(
            b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" + dice.randbytes(40)
        )
        for _ in range(dice.randint(0, 4)):
            _damage(message, dice)
        writer.write(message)
        await writer.drain()
        if dice.random() < 0.5:
            writer.write_eof()
        writer.transport.abort()
        del reader
    async with rig.client() as client:
        assert await client.call("status")


async def test_the_gateway_recovers_from_lost_redis_connections(rig: Rig, redis_url: str) -> None:
    async with rig.client() as client:
        order_id = await client.submit("survivor")
        await client.call("orders.subscribe", order=str(order_id))
        assert isinstance(await client.next(), Snapshot)
        assert isinstance(await client.next(), Ready)
        with Redis.from_url(redis_url) as admin:
            admin.client_kill_filter(_type="pubsub")
            admin.flushall()
        await rig.happen(order_id, deferred(), deferred())
        assert await client.events(2) == [(order_id, 2), (order_id, 3)]


async def test_the_gateway_recovers_from_lost_postgres_connections(rig: Rig) -> None:
    async with rig.client() as client:
        await client.submit("before")
        await asyncio.to_thread(_cut_all_connections)
        await client.submit("after")
        listed = await client.call("orders.list")
    assert [order["client_order_id"] for order in listed["orders"]] == ["after", "before"]


def _cut_all_connections() -> None:
    with database.connection_context():
        database.execute_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_a_stopping_gateway_refuses_new_calls_finishes_running_ones_and_closes_with_1012(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = asyncio.Event()
    submit = rig.gateway._entry._batcher.submit

    async def held(submission: Submission) -> SubmitOutcome:
        await release.wait()
        return await submit(submission)

    monkeypatch.setattr(rig.gateway._entry._batcher, "submit", held)
    async with rig.client() as client:
        accepted = asyncio.create_task(client.submit("last"))
        await client.call("status")
        rig.stop.set()
        assert (await client.call("status"))["draining"]
        with pytest.raises(CallRefusedError) as refused:
            await client.submit("late")
        assert refused.value.problem.code is ErrorCode.SERVICE_DRAINING
        release.set()
        assert isinstance(await accepted, UUID)
        await client.websocket.wait_closed()
        assert client.websocket.close_code == 1012
    await rig.served
    with pytest.raises(OSError, match="refused"):
        await asyncio.open_connection("127.0.0.1", rig.port)


class TestApiKeys:
    """With API keys required."""

    @pytest.fixture
    def settings(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
        return settings.model_copy(update={"chain": "devnet"})

    async def test_a_connection_without_a_key_is_refused(self, rig: Rig) -> None:
        with pytest.raises(InvalidStatus) as refused:
            async with rig.client():
                pass
        assert refused.value.response.status_code == 401
        assert refused.value.response.headers["WWW-Authenticate"] == "Bearer"
        assert json.loads(refused.value.response.body)["code"] == "AUTH_REQUIRED"

    @pytest.mark.parametrize("flaw", ["unknown", "expired", "revoked", "basic"])
    async def test_an_invalid_key_is_refused(self, rig: Rig, flaw: str) -> None:
        now = datetime.now(UTC)
        token = await asyncio.to_thread(
            issue,
            "read",
            expires_at=now - timedelta(seconds=1) if flaw == "expired" else None,
            revoked_at=now if flaw == "revoked" else None,
        )
        scheme = "Basic" if flaw == "basic" else "Bearer"
        shown = new_api_key() if flaw == "unknown" else token
        with pytest.raises(InvalidStatus) as refused:
            async with rig.client(additional_headers={"Authorization": f"{scheme} {shown}"}):
                pass
        assert refused.value.response.status_code == 401
        assert json.loads(refused.value.response.body)["code"] == "AUTH_INVALID"

    async def test_a_read_key_may_read_and_not_trade(self, rig: Rig) -> None:
        token = await asyncio.to_thread(issue, "read")
        async with rig.client(additional_headers={"Authorization": f"Bearer {token}"}) as reader:
            assert await reader.call("orders.list")
            for method, params in (("order.cancel", {"order": "0190abcd"}), ("order.submit", _TERMS)):
                with pytest.raises(CallRefusedError) as refused:
                    await reader.call(method, **params)
                assert refused.value.problem.code is ErrorCode.AUTH_FORBIDDEN

    async def test_a_trade_key_may_read_and_trade_and_records_its_last_use(self, rig: Rig) -> None:
        token = await asyncio.to_thread(issue, "trade")
        async with rig.client(additional_headers={"Authorization": f"Bearer {token}"}) as trader:
            await trader.call("order.submit", **_TERMS)
            assert len((await trader.call("orders.list"))["orders"]) == 1
        async with asyncio.timeout(30):
            while await asyncio.to_thread(_last_use) is None:  # it is stored independently of the answers
                pass

    async def test_a_revoked_key_loses_its_connections(self, rig: Rig) -> None:
        kept = {"Authorization": f"Bearer {await asyncio.to_thread(issue, 'read')}"}
        token = await asyncio.to_thread(issue, "read")
        async with (
            rig.client(additional_headers={"Authorization": f"Bearer {token}"}) as revoked,
            rig.client(additional_headers=kept) as other,
        ):
            await revoked.call("orders.list")
            await asyncio.to_thread(revoke, token)
            await asyncio.wait_for(revoked.websocket.wait_closed(), 10)
            assert revoked.websocket.close_code == 1008
            assert await other.call("orders.list")

    async def test_accounts_do_not_see_each_other(self, rig: Rig) -> None:
        other = uuid4()
        with database.connection_context():
            database.execute_sql("INSERT INTO accounts (id, name) VALUES (%s, 'other')", (str(other),))
        mine = {"Authorization": f"Bearer {await asyncio.to_thread(issue, 'trade')}"}
        theirs = {"Authorization": f"Bearer {await asyncio.to_thread(issue, 'trade', account_id=other)}"}
        async with rig.client(additional_headers=mine) as me, rig.client(additional_headers=theirs) as them:
            await them.call("orders.subscribe")
            assert await them.next() == Ready(subscription=1, orders=0)
            await me.call("order.submit", **_TERMS)
            with pytest.raises(CallRefusedError) as hidden:
                await them.call("order.get", order=_TERMS["client_order_id"])
            assert hidden.value.problem.code is ErrorCode.ORDER_NOT_FOUND
            own = await them.call("order.submit", **_TERMS)
            event = await them.next()
            assert isinstance(event, Event)
            assert str(event.event.order_id) == own["order"]["id"]
            assert them.notifications.empty()


_TERMS = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1", "client_order_id": "terms"}


def _last_use() -> datetime | None:
    with database.connection_context():
        used: datetime | None = ApiKey.get().last_used_at
    return used


async def test_slow_lists_delay_neither_orders_nor_other_answers(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, over = threading.Semaphore(0), threading.Event()

    def listed(*_: object) -> ListResult:
        begun.release()
        over.wait()
        return ListResult(orders=(), next_cursor=None)

    monkeypatch.setattr(orders, "list_orders", listed)
    async with rig.client() as lister, rig.client() as client, asyncio.TaskGroup() as tasks:
        lists = [tasks.create_task(lister.call("orders.list")) for _ in range(2 * DATABASE_THREADS)]
        try:
            for _ in range(LIST_THREADS):
                await asyncio.to_thread(begun.acquire)
            order_id = await client.submit("among-lists")
            assert (await client.call("order.get", order=str(order_id)))["order"]["id"] == str(order_id)
            assert not any(each.done() for each in lists)
        finally:
            over.set()
