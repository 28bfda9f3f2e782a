"""Each follower gets each event once and in order, whatever Redis loses, repeats or reorders, whenever it
subscribes."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch
from uuid import UUID

from hypothesis import example, given, settings
from hypothesis import strategies as st

from orderd.domain.events import Cancelled, Deferred, OrderEvent
from orderd.domain.order import TERMINAL, OrderStatus
from orderd.gateway.access.authentication import Principal, Scope
from orderd.gateway.streaming import active_orders as roll_module
from orderd.gateway.streaming import hub as hub_module
from orderd.gateway.streaming.history import Head, OrderSnapshot
from orderd.gateway.streaming.hub import Hub
from orderd.gateway.streaming.selection import Selection
from orderd.gateway.streaming.session import Session
from orderd.gateway.streaming.subscription import Subscription
from orderd.wire.orders import OrderView

MINE, THEIRS = UUID(int=1), UUID(int=2)
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def tokens_of(order_id: UUID) -> tuple[str, str]:
    """The tokens that an order sells and buys."""
    return ("USDC", "SOL") if order_id.int % 2 else ("SOL", "USDC")


def kind_of(order_id: UUID) -> str:
    return "market" if order_id.int < 3 else "another kind"


class Store:
    """Stands in for Postgres: ``events`` are committed. Answers arrive after a few turns of the event loop."""

    def __init__(self) -> None:
        self.events: dict[UUID, list[OrderEvent]] = {}
        self.owner: dict[UUID, UUID] = {}
        self.long_ago: set[UUID] = set()
        self.commits = 0
        self.delay = 0

    def commit(self, order_id: UUID, *, end: bool = False) -> OrderEvent:
        self.commits += 1
        history = self.events.setdefault(order_id, [])
        self.owner.setdefault(order_id, THEIRS if order_id.int % 3 == 0 else MINE)
        at = _BEGAN + timedelta(milliseconds=self.commits)
        event = OrderEvent(
            order_id=order_id,
            seq=len(history) + 1,
            at=at,
            status=OrderStatus.CANCELLED if end else OrderStatus.PENDING,
            data=Cancelled() if end else Deferred(until=at, reason="played"),
        )
        history.append(event)
        return event

    def has_ended(self, order_id: UUID) -> bool:
        return self.events[order_id][-1].status in TERMINAL

    async def run(self, call: Callable[..., Any], *args: Any) -> Any:
        for _ in range(self.delay):
            await asyncio.sleep(0)
        answer = getattr(self, call.__name__)(*args)
        for _ in range(self.delay):
            await asyncio.sleep(0)
        return answer

    def active_heads(self) -> list[Head]:
        return [head for head in self.heads_moved([], 0)[1] if not head.ended]

    def clock_now(self) -> datetime:
        return _BEGAN + timedelta(milliseconds=self.commits)

    def heads_moved(self, _said: Sequence[datetime], _seconds: float) -> tuple[datetime, list[Head]]:
        return self.clock_now(), [self._head(order_id) for order_id in self.events if order_id not in self.long_ago]

    def _head(self, order_id: UUID) -> Head:
        sells, buys = tokens_of(order_id)
        seq = len(self.events[order_id])
        return Head(order_id, self.owner[order_id], sells, buys, kind_of(order_id), seq, self.has_ended(order_id))

    def missing(self, order_id: UUID, seq: int) -> tuple[Head | None, list[OrderEvent]]:
        if order_id not in self.events:
            return None, []
        return self._head(order_id), self.events[order_id][seq:]

    def snapshots(self, selection: Selection, among: Sequence[UUID] = ()) -> list[OrderSnapshot]:
        if not selection.orders:
            return [
                OrderSnapshot(self._view(each))
                for each in among
                if is_wanted(selection, each, self.owner[each]) and not self.has_ended(each)
            ]
        return [
            OrderSnapshot(self._view(each), after, () if after is None else tuple(self.events[each][after:]))
            for each, after in selection.orders.items()
        ]

    def _view(self, order_id: UUID) -> OrderView:
        last = self.events[order_id][-1]
        sells, buys = tokens_of(order_id)
        return OrderView(
            id=order_id,
            client_order_id="played",
            token_in=sells,
            token_out=buys,
            amount_in="1",
            slippage="0.5",
            status=last.status,
            seq=last.seq,
            attempt=0,
            created_at=_BEGAN,
            updated_at=last.at,
        )


def is_wanted(selection: Selection, order_id: UUID, owner: UUID) -> bool:
    sells, buys = tokens_of(order_id)
    if selection.orders:
        return order_id in selection.orders
    is_of_pair = selection.token_in in (None, sells) and selection.token_out in (None, buys)
    return selection.account_id in (None, owner) and is_of_pair and selection.kind in (None, kind_of(order_id))


@dataclass
class Follower:
    """A peer that records what it was sent, and checks its consistency."""

    session: Session = field(init=False)
    subscription: Subscription | None = None
    seen: dict[UUID, list[int]] = field(default_factory=dict)
    snapshots: dict[UUID, int] = field(default_factory=dict)
    ready: bool = False

    def __post_init__(self) -> None:
        self.session = Session(self, Principal(MINE, Scope.READ, "follower"))

    async def answer(self, message: bytes) -> None:
        self.push(message)
        await asyncio.sleep(0)

    def push(self, message: bytes) -> None:
        params = json.loads(message)["params"]
        match params["type"]:
            case "SNAPSHOT":
                assert not self.ready
                assert UUID(params["order"]["id"]) not in self.seen
                self.snapshots[UUID(params["order"]["id"])] = params["order"]["seq"]
            case "READY":
                assert params["orders"] == len(self.snapshots)
                self.ready = True
            case _:
                self.seen.setdefault(UUID(params["event"]["order_id"]), []).append(params["event"]["seq"])

    def close_slow(self) -> None:
        raise AssertionError("no follower is slow in this test")


class World:
    def __init__(self) -> None:
        self.store = Store()
        self.hub = Hub(self.store)  # type: ignore[arg-type]  # plays DatabaseThreads
        self.followers: list[Follower] = []
        self.under_way: list[OrderEvent] = []

    def commit(self, number: int, end: bool) -> None:
        order_id = UUID(int=number)
        if order_id not in self.store.events or not self.store.has_ended(order_id):
            self.under_way.append(self.store.commit(order_id, end=end))

    def deliver(self, index: int, times: int) -> None:
        """Let Redis deliver one of the pending messages: any of them, twice, or never (0 times)."""
        if self.under_way:
            event = self.under_way.pop(index % len(self.under_way))
            for _ in range(times):
                self.hub.receive(event.model_dump_json().encode())

    def join(
        self,
        orders: dict[int, int | None],
        token_in: str | None,
        token_out: str | None,
        kind: str | None = None,
        account: UUID | None = MINE,
    ) -> None:
        """Follow these orders, each from its seq, or all orders of a selection."""
        stored = {UUID(int=number): after for number, after in orders.items() if UUID(int=number) in self.store.events}
        resumed = {
            order_id: None if after is None else min(after, len(self.store.events[order_id]))
            for order_id, after in stored.items()
        }
        selection = Selection(account, resumed) if resumed else Selection(account, {}, token_in, token_out, kind)
        follower = Follower()
        follower.subscription = self.hub.follow(follower.session, selection)
        follower.session.spawn(self.hub.begin(follower.subscription))
        self.followers.append(follower)

    async def settle(self) -> None:
        """Deliver the last messages, and sweep until nothing changes."""
        while self.under_way:
            self.deliver(0, 1)
        for _ in range(3):
            await self.hub.sweep()
            while self.hub._tasks:
                await asyncio.wait(self.hub._tasks)
        for follower in self.followers:
            await follower.session.finish()

    def check(self) -> None:
        for follower in self.followers:
            assert follower.ready
            assert follower.subscription is not None
            selection = follower.subscription.selection
            for order_id, history in self.store.events.items():
                seen = follower.seen.get(order_id, [])
                if not is_wanted(selection, order_id, self.store.owner[order_id]):
                    assert not seen
                elif (after := selection.orders.get(order_id)) is not None:
                    assert seen == list(range(after + 1, len(history) + 1))
                elif order_id in follower.snapshots:
                    assert seen == list(range(follower.snapshots[order_id] + 1, len(history) + 1))
                elif seen or not self.store.has_ended(order_id):
                    assert seen == list(range(1, len(history) + 1))
            self._check_position(follower, follower.subscription)

    def _check_position(self, follower: Follower, subscription: Subscription) -> None:
        """A heartbeat's position is what the follower has received."""
        position = subscription.position
        assert position is not None
        assert position.events == sum(map(len, follower.seen.values()))
        if position.order_id is not None:
            last = follower.seen.get(position.order_id) or [follower.snapshots[position.order_id]]
            assert position.seq == last[-1]


_NUMBERS = st.integers(1, 4)
_ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), _NUMBERS, st.sampled_from([False] * 9 + [True])),
        st.tuples(st.just("commit"), _NUMBERS, st.just(False)),
        st.tuples(st.just("deliver"), st.integers(0, 5), st.sampled_from([1, 1, 1, 2, 0])),
        st.tuples(st.just("deliver"), st.just(0), st.just(1)),
        st.tuples(
            st.just("join"),
            st.dictionaries(_NUMBERS, st.none() | st.integers(0, 3), max_size=2),
            st.sampled_from([None, None, "SOL"]),
            st.sampled_from([None, None, "USDC", "SOL"]),
            st.sampled_from([None, None, "market", "another kind"]),
            st.sampled_from([MINE, MINE, None]),
        ),
        st.tuples(st.just("breathe"), st.integers(1, 8)),
        st.tuples(st.just("sweep")),
        st.tuples(st.just("redis"), st.booleans()),
        st.tuples(st.just("delay"), st.integers(0, 4)),
    ),
    min_size=30,
    max_size=80,
)


@settings(deadline=None, max_examples=160)
@given(
    actions=_ACTIONS,
    beginning=st.lists(st.tuples(_NUMBERS, st.booleans()), max_size=8),
    page=st.sampled_from([1, 2, 250]),
)
@example(  # the order ends before its page is read, and the event arrives first
    actions=[("commit", 1, False), ("commit", 1, True), ("join", {}, None, None, None)],
    beginning=[(1, False)],
    page=1,
)
def test_every_follower_sees_every_event_once_and_in_order(
    actions: list[tuple[Any, ...]], beginning: list[tuple[int, bool]], page: int
) -> None:
    async def play() -> None:
        world = World()
        for number, end in beginning:
            world.commit(number, end)
        world.under_way.clear()  # events before this gateway's start
        await world.hub.start()
        sweeps: list[asyncio.Task[None]] = []
        for action, *args in actions:
            match action:
                case "commit":
                    world.commit(*args)
                case "deliver":
                    world.deliver(*args)
                case "join":
                    world.join(*args)
                case "breathe":
                    for _ in range(args[0]):
                        await asyncio.sleep(0)
                case "redis":
                    (world.hub.is_redis_connected,) = args
                case "sweep":
                    sweeps.append(asyncio.create_task(world.hub.sweep()))
                case _:
                    (world.store.delay,) = args
        await asyncio.gather(*sweeps)
        await world.settle()
        world.check()

    with patch.object(roll_module, "PAGE", page):
        asyncio.run(play())


def test_an_ended_order_is_forgotten_and_its_late_events_are_not_sent() -> None:
    async def play() -> None:
        world = World()
        await world.hub.start()
        world.join({}, None, None)
        await world.followers[0].session.finish()
        old = UUID(int=1)
        world.commit(1, False)
        world.commit(1, True)
        await world.settle()
        with patch.object(hub_module, "MEMORY_SECONDS", -1.0):
            await world.hub.sweep()
        assert old not in world.hub._marks
        world.store.long_ago.add(old)
        straggler = world.store.events[old][0]
        world.store.commits += 120_000
        world.commit(2, False)
        await world.hub.sweep()
        await world.settle()
        world.hub.receive(straggler.model_dump_json().encode())
        assert old not in world.hub._marks
        assert world.followers[0].seen[old] == [1, 2]

    asyncio.run(play())


def test_a_rolled_back_order_is_not_forgotten() -> None:
    async def play() -> None:
        world = World()
        await world.hub.start()
        world.join({}, None, None)
        await world.followers[0].session.finish()
        revived = UUID(int=1)
        world.commit(1, False)
        world.commit(1, True)
        await world.settle()
        world.hub.receive(world.store.commit(revived).model_dump_json().encode())
        assert revived in world.hub._active_orders.page(0)[0]
        with patch.object(hub_module, "MEMORY_SECONDS", -1.0):
            await world.hub.sweep()
        assert revived in world.hub._marks
        world.join({}, None, None)
        await world.settle()
        assert world.followers[0].seen[revived] == [1, 2, 3]
        assert world.followers[1].snapshots == {revived: 3}

    asyncio.run(play())


def test_a_follower_of_some_orders_has_no_state_of_others() -> None:
    async def play() -> None:
        world = World()
        for number in range(1, 9):
            world.commit(number, False)
        world.under_way.clear()
        await world.hub.start()
        world.join({}, "SOL", None)
        (follower,) = world.followers
        await follower.session.finish()
        assert follower.subscription is not None
        assert {number.int for number in follower.snapshots} == {2, 4, 8}
        assert follower.subscription._sent_seq == {}

    asyncio.run(play())


def test_an_event_that_was_not_stored_is_not_sent() -> None:
    async def play() -> None:
        world = World()
        await world.hub.start()
        world.join({}, None, None)
        await world.followers[0].session.finish()
        forged = Store().commit(UUID(int=1))
        world.hub.receive(forged.model_dump_json().encode())
        world.hub.receive(b'{"not": "an event"}')
        while world.hub._tasks:
            await asyncio.wait(world.hub._tasks)
        assert world.followers[0].seen == {}

    asyncio.run(play())


def test_late_events_are_awaited_and_lost_ones_are_read() -> None:
    async def play() -> None:
        world = World()
        world.hub.is_redis_connected = True
        await world.hub.start()
        world.commit(1, False)
        world.deliver(0, 1)
        world.join({1: None}, None, None)
        (follower,) = world.followers
        await follower.session.finish()
        reads: list[str] = []
        run = world.store.run

        async def counted(call: Callable[..., Any], *args: Any) -> Any:
            reads.append(call.__name__)
            return await run(call, *args)

        world.store.run = counted  # type: ignore[method-assign]
        world.commit(1, False)
        await world.hub.sweep()
        world.deliver(0, 1)
        await world.hub.sweep()
        assert follower.seen[UUID(int=1)] == [2]
        assert "missing" not in reads

        world.commit(1, False)
        world.deliver(0, 0)
        for _ in range(2):
            await world.hub.sweep()
        while world.hub._tasks:
            await asyncio.wait(world.hub._tasks)
        assert follower.seen[UUID(int=1)] == [2, 3]

        world.commit(1, False)
        world.deliver(0, 0)
        world.hub.request_sweep()  # as after a lost subscription to Redis
        await world.hub.sweep()
        while world.hub._tasks:
            await asyncio.wait(world.hub._tasks)
        assert follower.seen[UUID(int=1)] == [2, 3, 4]

    asyncio.run(play())
