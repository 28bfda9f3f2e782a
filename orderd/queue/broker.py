"""The queue: Dramatiq's Redis broker, with a consumer that is woken instead of polling, and orders sent in batches.

Keys and messages are those of Dramatiq's own broker. The differences:

* An idle consumer waits in Redis until the queue is not empty, and fetches with the same round trip, so an order is
  picked up in less than a millisecond, and idle processes use no CPU time for polling.
* ``send`` puts any number of orders in the queue with one round trip, and acknowledgements travel with fetches.
* Messages that wait for a thread are joined: a turn costs little more for 64 orders than for ten.
* A lost connection is retried after a short backoff, whereas Dramatiq's consumer pauses for seconds.
* Messages of a process that died go back to the queue within seconds.
* There is no queue for delayed messages: orders that are due later wait in Postgres.

A message may come twice or never; both are harmless, because the claim in Postgres decides which worker executes an
order.
"""

import time
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from itertools import chain
from threading import Condition
from typing import Any, Final
from uuid import UUID

import redis
import structlog
from dramatiq import Message
from dramatiq.broker import Consumer, MessageProxy
from dramatiq.brokers.redis import RedisBroker
from dramatiq.errors import DecodeError
from dramatiq.middleware import Middleware, SkipMessage
from redis.backoff import ConstantBackoff
from redis.client import Pipeline
from redis.retry import Retry
from uuid_utils import uuid7

from orderd.engine.execution.preparation import Preparation
from orderd.engine.one_way import Command
from orderd.queue.limiter import RateLimiter

QUEUE: Final = "orders"
ACTOR: Final = "execute_order"
MAX_ORDERS_PER_MESSAGE: Final = 64
"""Orders a message, which one thread works together."""
CHECK_FIRST: Final = "look"  # earlier releases send this name
"""Message option: the order first checks whether the cause of its wait is over."""
_ID: Final = "redis_message_id"
"""The option by which Dramatiq's broker names a message in Redis."""
_IDS: Final = "redis_message_ids"
"""Message option: the Redis ids of the messages that were joined into this one."""
_NAMESPACE: Final = "orderd:queue"
_DEAD_AFTER_MS: Final = 10_000
"""A process that has not polled for this long counts as dead, and others get its messages."""
_MAINTENANCE_SECONDS: Final = 1.0
_MAX_BACKOFF_SECONDS: Final = 1.0
log = structlog.get_logger(__name__)


def redis_client(url: str) -> "redis.Redis":
    """A client with a time-out of 2 s, and one retry after a stale connection."""
    return redis.Redis.from_url(
        url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(ConstantBackoff(0.01), retries=1)
    )


def ids_of(order_ids: list[str] | str) -> list[UUID]:
    """The orders in a message; messages of older releases hold one."""
    return [UUID(order_id) for order_id in ([order_ids] if isinstance(order_ids, str) else order_ids)]


def orders_of(message: MessageProxy) -> list[UUID]:
    """The orders that a message names."""
    return ids_of(message.args[0])


def keep(message: MessageProxy, order_ids: Collection[UUID]) -> None:
    """Restrict the message to these orders. Raises SkipMessage if there are none."""
    kept = [str(order_id) for order_id in orders_of(message) if order_id in order_ids]
    if not kept:
        raise SkipMessage("its orders wait")
    message._message = message._message.copy(args=(kept,))


class OrderBroker(RedisBroker):
    """Carries order ids, several per message. Senders use it alone; workers add middleware and the actor.

    ``line`` is the rate limiter whose line an order joins when it is sent. ``name`` identifies this process for
    ``mark_dead``. While a turn is in ``preparation``, new messages wait to be joined.
    """

    def __init__(
        self,
        client: "redis.Redis",
        *,
        middleware: Sequence[Middleware] = (),
        line: RateLimiter | None = None,
        name: str | None = None,
        preparation: Preparation | None = None,
    ) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            client=client, namespace=_NAMESPACE, middleware=list(middleware), heartbeat_timeout=_DEAD_AFTER_MS
        )
        if name is not None:
            self.broker_id = name
        self._maintain_at = 0.0
        self._line = line
        self.preparation = preparation or Preparation()
        self._list = f"{_NAMESPACE}:{QUEUE}"
        self._messages = f"{self._list}.msgs"

    @property
    def consumer_class(self) -> "type[OrderConsumer]":
        return OrderConsumer

    def declare_queue(self, queue_name: str) -> None:
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)

    def _should_do_maintenance(self, command: str) -> int:
        """Run Dramatiq's maintenance once per second, instead of at random: it requeues messages of dead processes."""
        now = time.monotonic()
        if command != "fetch" or now < self._maintain_at:
            return 0
        self._maintain_at = now + _MAINTENANCE_SECONDS
        return 1

    def send(self, order_ids: Sequence[UUID], *, check_first: bool = False) -> None:
        """Put orders in the queue in this order, all or none. Raises redis.RedisError.

        With ``check_first``, they first check whether they can go on. They are not joined with others, so that they do
        not delay orders that wait for a start.
        """
        with self.client.pipeline(transaction=True) as pipe:
            for command in self.sending(order_ids, check_first=check_first):
                pipe.execute_command(*command)
            pipe.execute()

    def sending(self, order_ids: Sequence[UUID], *, check_first: bool = False) -> list[Command]:
        """The commands of ``send``."""
        messages: dict[str | bytes, bytes] = {}
        for start in range(0, len(order_ids), MAX_ORDERS_PER_MESSAGE):
            batch = [str(order_id) for order_id in order_ids[start : start + MAX_ORDERS_PER_MESSAGE]]
            message_id = str(uuid7())
            options: dict[str, Any] = {_ID: message_id}
            if check_first:
                options[CHECK_FIRST] = True
            messages[message_id] = Message(QUEUE, ACTOR, (batch,), {}, options, message_id).encode()
        commands = self._line.entering(order_ids) if self._line and not check_first else []
        commands.append(("HSET", self._messages, *chain.from_iterable(messages.items())))
        commands.append(("RPUSH", self._list, *messages))
        return commands

    def mark_dead(self, names: Sequence[str]) -> None:
        """Mark processes as dead, so that their fetched messages are requeued soon. Raises redis.RedisError."""
        self.client.zadd(f"{_NAMESPACE}:__heartbeats__", dict.fromkeys(names, 0), xx=True)

    def depth(self) -> int:
        """Messages that no worker has fetched yet. Raises redis.RedisError."""
        return int(self.client.llen(self._list))

    def has_lost_messages(self) -> bool:
        """Whether Redis was emptied or restarted since any process last asked. Raises redis.RedisError.

        A restart counts, because the last second of its file may be missing.
        """
        run_id: str = self.client.info("server")["run_id"]
        return self.client.set(f"{_NAMESPACE}:memory", run_id, get=True) != run_id.encode()

    def fetch(self, most: int, done: Sequence[str], wait_seconds: float) -> list[bytes | None]:
        """Acknowledge ``done`` and fetch up to ``most`` messages, with one round trip. Raises redis.RedisError.

        If there is none, wait for the first one. BLMOVE blocks until the list has an element; moving from its left end
        to its left end changes nothing. Redis does not look at the next command of a connection that is blocked.
        """
        with self.client.pipeline(transaction=False) as pipe:
            if done:
                self._forget(done, pipe)
            if wait_seconds:
                pipe.blmove(self._list, self._list, wait_seconds, "LEFT", "LEFT")  # type: ignore[arg-type]  # a float will do
            pipe.evalsha(self.scripts["dispatch"].sha, 1, _NAMESPACE, *self._fetch_arguments(), most)
            try:
                messages: list[bytes | None] = pipe.execute()[-1]
            except redis.exceptions.NoScriptError:
                messages = self.do_fetch(QUEUE, most)
        return messages

    def _fetch_arguments(self) -> tuple[str | int, ...]:
        """The first arguments of Dramatiq's script, in its order."""
        now_ms = time.time_ns() // 1_000_000
        at_a_time: int = self._max_unpack_size()  # type: ignore[no-untyped-call]
        maintains = self._should_do_maintenance("fetch")
        return "fetch", now_ms, QUEUE, self.broker_id, _DEAD_AFTER_MS, self.dead_message_ttl, maintains, at_a_time

    def acknowledge(self, message_ids: Sequence[str]) -> None:
        """Forget messages that this process has fetched and dealt with. Raises redis.RedisError."""
        with self.client.pipeline(transaction=False) as pipe:
            self._forget(message_ids, pipe)
            pipe.execute()

    def _forget(self, message_ids: Sequence[str], pipe: Pipeline) -> None:
        # In this order, because Redis puts no message back into the queue whose content is gone.
        pipe.hdel(self._messages, *message_ids)
        pipe.srem(f"{_NAMESPACE}:__acks__.{self.broker_id}.{QUEUE}", *message_ids)


class OrderConsumer(Consumer):
    """Fetches for one worker process. Worker threads acknowledge, the consumer thread does the rest.

    Dramatiq requests at most ``prefetch`` messages, two per thread. A free thread gets all waiting messages, joined
    into one message up to its maximum of orders. While all threads are busy, or another turn is being prepared,
    messages wait here. ``timeout`` in milliseconds bounds every wait; it is how long a stop can take.
    """

    def __init__(self, broker: OrderBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        self._broker = broker
        self._queue_name = queue_name
        self._threads = max(prefetch // 2, 1)
        self._timeout = timeout / 1000
        self._fetched: deque[MessageProxy] = deque()
        self._free = Condition()
        self._under_way = 0
        self._done: list[str] = []
        self._failures = 0

    def __next__(self) -> MessageProxy | None:
        try:
            if not self._await_thread():
                return None
            if self._under_way:
                self._broker.preparation.wait()
            self._fetch(0 if self._fetched else self._timeout)
            self._failures = 0
        except redis.RedisError as error:
            self._back_off(error)
        if not self._fetched:
            return None
        with self._free:
            self._under_way += 1
        message = self._joined()
        if CHECK_FIRST not in message.options:  # a check may take long, and may have no turn
            self._broker.preparation.begin()
        return message

    def _await_thread(self) -> bool:
        with self._free:
            return self._free.wait_for(lambda: self._under_way < self._threads, self._timeout)

    def _fetch(self, wait_seconds: float) -> None:
        with self._free:
            done, self._done = self._done, []
        try:
            fetched = self._broker.fetch(self._threads - len(self._fetched), done, wait_seconds)
        except redis.RedisError:
            with self._free:
                self._done += done
            raise
        self._fetched.extend(message for data in fetched if (message := _decoded(data)))

    def _joined(self) -> MessageProxy:
        """The first waiting message, joined with as many of the following ones as fit."""
        first = self._fetched.popleft()
        if not _may_be_joined(first):
            return first
        orders, ids = dict.fromkeys(first.args[0]), [first.options[_ID]]
        while self._fetched and _may_be_joined(self._fetched[0]):
            joined = orders | dict.fromkeys(self._fetched[0].args[0])
            if len(joined) > MAX_ORDERS_PER_MESSAGE:
                break
            orders = joined
            ids.append(self._fetched.popleft().options[_ID])
        first._message = first._message.copy(args=([*orders],))
        first.options[_IDS] = ids
        return first

    def _back_off(self, error: redis.RedisError) -> None:
        if self._failures == 0:
            log.warning("queue unreachable", action="queue_unreachable", error=str(error))
        time.sleep(min(0.02 * 2**self._failures, _MAX_BACKOFF_SECONDS))
        self._failures = min(self._failures + 1, 10)

    def ack(self, message: MessageProxy) -> None:
        """Called by worker threads. Redis gets it with the next fetch."""
        self._broker.preparation.cancel()
        with self._free:
            self._done += _ids_in_queue(message)
            self._under_way -= 1
            self._free.notify()

    def nack(self, message: MessageProxy) -> None:
        """For messages to an actor that does not exist; they are kept for seven days in the queue's dead letters."""
        self._broker.preparation.cancel()
        with self._free:  # whatever Redis answers
            self._under_way -= 1
            self._free.notify()
        self._broker.do_nack(self._queue_name, message.options[_ID])

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        message_ids = [message_id for message in messages for message_id in _ids_in_queue(message)]
        if message_ids:
            self._broker.do_requeue(self._queue_name, *message_ids)

    def close(self) -> None:
        """Requeue messages that were not handed out, and send the remaining acknowledgements."""
        try:
            self.requeue(self._fetched)
            if self._done:
                self._broker.acknowledge(self._done)
        except redis.RedisError as error:
            log.warning("queue unreachable", action="queue_unreachable", error=str(error), unsaid=len(self._done))


def _may_be_joined(message: MessageProxy) -> bool:
    """Whether its orders may share a turn with others. Orders that first check whether they can go on may not."""
    return message.actor_name == ACTOR and CHECK_FIRST not in message.options and isinstance(message.args[0], list)


def _ids_in_queue(message: MessageProxy) -> list[str]:
    """The Redis ids of the message, or of those from which it was joined."""
    ids: list[str] = message.options.get(_IDS) or [message.options[_ID]]
    return ids


def _decoded(data: bytes | None) -> MessageProxy | None:
    if data is None:  # another worker has processed this message, because this one was considered dead
        return None
    try:
        return MessageProxy(Message.decode(data))
    except DecodeError as error:
        log.exception("message not readable", action="message_dropped", error=str(error))
        return None
