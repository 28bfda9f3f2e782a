"""Commands whose answers nobody needs, on a real Redis that answers late, with errors, or not at all."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from select import select

import pytest
import redis

from orderd.engine.one_way import OneWay
from orderd.metrics.process import BEST_EFFORT_FAILURES

KEY = "one-way"


@pytest.fixture
def one_way(redis_client: "redis.Redis") -> Iterator[OneWay]:
    redis_client.delete(KEY)
    one_way = OneWay("test", redis_client)
    yield one_way
    one_way.close()


def failures() -> float:
    failures: float = BEST_EFFORT_FAILURES.labels("test")._value.get()
    return failures


def append(one_way: OneWay, text: str) -> bool:
    return one_way.try_to_send(lambda: [["APPEND", KEY, text]])


def wait_for_answers(one_way: OneWay) -> None:
    one_way.send([["CLIENT", "SETNAME", KEY]])


def hang(one_way: OneWay) -> None:
    """Send a command that Redis answers when ``end_hang`` is called."""
    assert one_way.try_to_send(lambda: [["BLPOP", f"{KEY}-hang", 0]])


def close_connection(one_way: OneWay, client: "redis.Redis") -> None:
    (number,) = (each["id"] for each in client.client_list() if each["name"] == KEY)
    assert client.client_kill_filter(_id=number) == 1
    readable, _, _ = select([one_way._connection._get_socket()], [], [], 20)
    assert readable


def end_hang(client: "redis.Redis") -> None:
    client.rpush(f"{KEY}-hang", "go on")


def test_nothing_is_sent_until_a_waiting_sender_has_opened_the_connection(
    one_way: OneWay, redis_client: "redis.Redis"
) -> None:
    assert not append(one_way, "a")
    wait_for_answers(one_way)
    assert append(one_way, "b")
    wait_for_answers(one_way)
    assert redis_client.get(KEY) == b"b"


def test_nothing_is_sent_while_redis_has_not_answered(one_way: OneWay, redis_client: "redis.Redis") -> None:
    wait_for_answers(one_way)
    hang(one_way)
    assert not append(one_way, "a")
    end_hang(redis_client)
    wait_for_answers(one_way)
    assert append(one_way, "b")
    one_way.send([["APPEND", KEY, "c"]])
    assert redis_client.get(KEY) == b"bc"


@contextmanager
def a_waiting_thread(one_way: OneWay, client: "redis.Redis") -> Iterator[Future[None]]:
    """A thread that sends, and waits for the answer until the block ends."""
    wait_for_answers(one_way)
    hang(one_way)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(one_way.send, [["APPEND", KEY, "a"]])
        while not one_way._lock.locked():
            pass
        yield waiting
        end_hang(client)
        waiting.result(20)


def test_nobody_waits_for_a_thread_that_waits(one_way: OneWay, redis_client: "redis.Redis") -> None:
    with a_waiting_thread(one_way, redis_client):
        assert not append(one_way, "b")
    assert redis_client.get(KEY) == b"a"


def test_closing_does_not_wait_for_a_thread_that_waits(one_way: OneWay, redis_client: "redis.Redis") -> None:
    with a_waiting_thread(one_way, redis_client) as waiting:
        one_way.close()
        assert not waiting.done()


def test_an_error_is_reported_with_the_next_command(one_way: OneWay, redis_client: "redis.Redis") -> None:
    wait_for_answers(one_way)
    before = failures()
    assert one_way.try_to_send(lambda: [["NO-SUCH-COMMAND"]])
    one_way.send([["APPEND", KEY, "a"]])
    assert failures() == before + 1
    assert append(one_way, "b")
    wait_for_answers(one_way)
    assert redis_client.get(KEY) == b"ab"


def test_all_commands_are_answered_although_one_is_refused(one_way: OneWay, redis_client: "redis.Redis") -> None:
    commands = [["APPEND", KEY, "a"], ["NO-SUCH-COMMAND"], ["APPEND", KEY, "b"]]
    with pytest.raises(redis.ResponseError):
        one_way.send(commands)
    before = failures()
    assert one_way.try_to_send(lambda: commands)
    wait_for_answers(one_way)
    assert failures() == before + 1
    assert redis_client.get(KEY) == b"abab"


def test_a_refusal_is_raised_by_a_waiting_sender(one_way: OneWay, redis_client: "redis.Redis") -> None:
    with pytest.raises(redis.ResponseError):
        one_way.send([["NO-SUCH-COMMAND"]])
    assert append(one_way, "a")
    wait_for_answers(one_way)
    assert redis_client.get(KEY) == b"a"


def test_a_closed_connection_is_opened_again_by_a_waiting_sender(one_way: OneWay, redis_client: "redis.Redis") -> None:
    wait_for_answers(one_way)
    close_connection(one_way, redis_client)
    assert not append(one_way, "a")
    one_way.send([["APPEND", KEY, "b"]])
    assert append(one_way, "c")
    wait_for_answers(one_way)
    assert redis_client.get(KEY) == b"bc"


def test_a_connection_that_is_closed_before_the_answer_is_reported(
    one_way: OneWay, redis_client: "redis.Redis"
) -> None:
    wait_for_answers(one_way)
    before = failures()
    hang(one_way)
    close_connection(one_way, redis_client)
    assert not append(one_way, "a")
    assert failures() == before + 1
    one_way.send([["APPEND", KEY, "b"]])
    assert redis_client.get(KEY) == b"b"
