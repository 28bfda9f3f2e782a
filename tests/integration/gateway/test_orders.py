"""Orders over the websocket, from the client's point of view."""

from uuid import UUID

import pytest

from orderd.domain.errors import ErrorCode
from orderd.wire.subscriptions import Event, Ready, Snapshot
from tests.integration.gateway.conftest import CallRefusedError, Rig, deferred

pytestmark = pytest.mark.asyncio


async def test_an_accepted_order_is_stored_and_can_be_read(rig: Rig) -> None:
    async with rig.client() as client:
        order_id = await client.submit("first")
        detail = await client.call("order.get", order="first")
    assert detail["order"]["id"] == str(order_id)
    assert detail["order"]["status"] == "pending"
    assert [event["data"]["kind"] for event in detail["events"]] == ["accepted"]


async def test_a_resubmitted_order_is_the_same_order(rig: Rig) -> None:
    terms = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "client_order_id": "twice"}
    async with rig.client() as client:
        first = await client.call("order.submit", **terms)
        again = await client.call("order.submit", **terms)
        with pytest.raises(CallRefusedError) as refused:
            await client.call("order.submit", **terms | {"amount_in": "1.6"})
    assert first["created"]
    assert not again["created"]
    assert again["order"]["id"] == first["order"]["id"]
    assert refused.value.problem.code is ErrorCode.ORDER_CONFLICT


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"amount_in": "-1"}, ErrorCode.AMOUNT_NOT_POSITIVE),
        ({"amount_in": "0"}, ErrorCode.AMOUNT_NOT_POSITIVE),
        ({"amount_in": "NaN"}, ErrorCode.AMOUNT_INVALID),
        ({"amount_in": "0.0000000001"}, ErrorCode.AMOUNT_TOO_PRECISE),
        ({"amount_in": "18446744073709551616"}, ErrorCode.AMOUNT_TOO_LARGE),
        ({"amount_in": 1.5}, ErrorCode.REQUEST_INVALID),
        ({"token_out": "DOGE"}, ErrorCode.TOKEN_UNKNOWN),
        ({"token_out": "SOL"}, ErrorCode.TOKEN_SAME),
        ({"slippage": "100.01"}, ErrorCode.SLIPPAGE_OUT_OF_RANGE),
        ({"slippage": "-1"}, ErrorCode.SLIPPAGE_OUT_OF_RANGE),
        ({"client_order_id": "no spaces"}, ErrorCode.REQUEST_INVALID),
        ({"surprise": 1}, ErrorCode.REQUEST_INVALID),
    ],
)
async def test_invalid_input_is_refused_with_its_reason_and_changes_nothing(
    rig: Rig, wrong: dict[str, object], code: ErrorCode
) -> None:
    terms = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5", "client_order_id": "bad"}
    async with rig.client() as client:
        with pytest.raises(CallRefusedError) as refused:
            await client.call("order.submit", **terms | wrong)
        listed = await client.call("orders.list")
    assert refused.value.problem.code is code
    assert refused.value.problem.detail
    assert refused.value.problem.next_step
    assert listed["orders"] == []


async def test_an_unknown_id_and_an_invalid_id_are_different_errors(rig: Rig) -> None:
    async with rig.client() as client:
        with pytest.raises(CallRefusedError) as unknown:
            await client.call("order.get", order="0190abcd")
        with pytest.raises(CallRefusedError) as wrong:
            await client.call("order.get", order="no id")
    assert unknown.value.problem.code is ErrorCode.ORDER_NOT_FOUND
    assert wrong.value.problem.code is ErrorCode.REQUEST_INVALID
    assert wrong.value.problem.detail.startswith("order: ")


async def test_a_cancelled_pending_order_is_reported_to_its_followers(rig: Rig) -> None:
    async with rig.client() as client:
        order_id = await client.submit("unwanted")
        await client.call("orders.subscribe", order=str(order_id))
        assert isinstance(await client.next(), Snapshot)
        assert isinstance(await client.next(), Ready)
        cancelled = await client.call("order.cancel", order="unwanted")
        event = await client.next()
    assert cancelled["order"]["status"] == "cancelled"
    assert isinstance(event, Event)
    assert event.event.data.kind == "cancelled"
    assert event.event.seq == 2


async def test_a_follower_gets_a_snapshot_and_then_each_event_once_and_in_order(rig: Rig) -> None:
    async with rig.client() as client:
        order_id = await client.submit("followed")
        await rig.happen(order_id, deferred(), deferred())
        subscribed = await client.call("orders.subscribe", order=str(order_id))
        snapshot = await client.next()
        assert isinstance(snapshot, Snapshot)
        assert snapshot.subscription == subscribed["subscription"]
        assert snapshot.order.seq == 3
        assert await client.next() == Ready(subscription=subscribed["subscription"], orders=1)
        await rig.happen(order_id, deferred(), deferred(), deferred())
        assert await client.events(3) == [(order_id, 4), (order_id, 5), (order_id, 6)]


async def test_a_follower_that_resumes_gets_the_missed_events(rig: Rig) -> None:
    async with rig.client() as client:
        order_id = await client.submit("resumed")
        await rig.happen(order_id, deferred(), deferred(), deferred())
        await client.call("orders.subscribe", order=str(order_id), after=2)
        assert isinstance(await client.next(), Snapshot)
        assert await client.events(2) == [(order_id, 3), (order_id, 4)]
        assert isinstance(await client.next(), Ready)
        await rig.happen(order_id, deferred())
        assert await client.events(1) == [(order_id, 5)]


async def test_events_that_redis_lost_are_read_from_postgres(rig: Rig) -> None:
    async with rig.client() as client:
        order_id = await client.submit("gappy")
        await client.call("orders.subscribe", order=str(order_id))
        assert isinstance(await client.next(), Snapshot)
        assert isinstance(await client.next(), Ready)
        await rig.happen(order_id, deferred(), deferred(), publish=False)
        await rig.happen(order_id, deferred())
        assert await client.events(3) == [(order_id, 2), (order_id, 3), (order_id, 4)]


async def test_an_unpublished_event_is_found_by_the_sweep(rig: Rig) -> None:
    async with rig.client() as client:
        order_id = await client.submit("silent")
        await client.call("orders.subscribe", order=str(order_id))
        assert isinstance(await client.next(), Snapshot)
        assert isinstance(await client.next(), Ready)
        await rig.happen(order_id, deferred(), publish=False)
        assert await client.events(1) == [(order_id, 2)]


async def test_a_follower_of_all_orders_gets_active_orders_and_all_events_of_new_ones(rig: Rig) -> None:
    async with rig.client() as client, rig.client() as trader:
        old = await trader.submit("old")
        ended = await trader.submit("ended")
        await trader.call("order.cancel", order="ended")
        await client.call("orders.subscribe")
        snapshot = await client.next()
        assert isinstance(snapshot, Snapshot)
        assert snapshot.order.id == old
        assert isinstance(await client.next(), Ready)
        new = await trader.submit("new")
        assert await client.events(1) == [(new, 1)]
        await rig.happen(new, deferred())
        await rig.happen(old, deferred())
        assert await client.events(2) == [(new, 2), (old, 2)]
        assert ended not in (old, new)


async def test_no_event_arrives_after_the_end_of_a_subscription(rig: Rig) -> None:
    async with rig.client() as client:
        order_id = await client.submit("dropped")
        dropped = await client.call("orders.subscribe", order=str(order_id))
        kept = await client.call("orders.subscribe", order=str(order_id))
        for _ in range(4):
            await client.next()
        assert (await client.call("orders.unsubscribe", subscription=dropped["subscription"]))["removed"]
        assert not (await client.call("orders.unsubscribe", subscription=dropped["subscription"]))["removed"]
        await rig.happen(order_id, deferred())
        event = await client.next()
        assert event.subscription == kept["subscription"]
        assert client.notifications.empty()


async def test_pages_of_the_list_are_consecutive(rig: Rig) -> None:
    async with rig.client() as client:
        ids = [await client.submit(f"page-{number}") for number in range(5)]
        seen, cursor = [], None
        while True:
            page = await client.call("orders.list", limit=2, cursor=cursor)
            seen += [UUID(order["id"]) for order in page["orders"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
    assert seen == ids[::-1]
