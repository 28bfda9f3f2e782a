"""Several workers share the pairs of resting orders: each pair is watched by one worker, also after a worker died."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID

import pytest
from uuid_utils.compat import uuid7

from db import journal, processes
from db.connection import database
from db.journal import NewOrder
from db.processes import Process
from orderd.domain.order import OrderKind, OrderStatus
from orderd.domain.tokens import Token
from orderd.engine.presence import Presence
from orderd.engine.triggers.shares import Shares
from tests.integration.engine.test_presence import known_as
from tests.integration.engine.test_triggers import Begin, Market, Watch, begin  # noqa: F401  (a fixture)
from tests.integration.orders import new_order, read

PAIRS = 40


@pytest.fixture
def other() -> "Iterator[subprocess.Popen[bytes]]":
    """The process of another worker on this machine."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


@pytest.fixture
def presence() -> Presence:
    return Presence(watches=lambda: True)


@pytest.fixture
def orders() -> list[UUID]:
    """A limit order per pair, met when 1 SOL buys 105.3 of the pair's token."""
    return [accept(f"T{number}") for number in range(PAIRS)]


def accept(symbol: str) -> UUID:
    given = new_order(amount_in=10**9, kind=OrderKind.LIMIT, limit_price="0.0095")
    token = Token(symbol, symbol.rjust(32, "1"), 6)
    terms = replace(given.terms, token_out=token)
    (moved,) = journal.accept([NewOrder(uuid7(), given.account_id, symbol, terms, given.by)])
    return moved.order.id


def two_workers(begin: Begin, market: Market, presence: Presence, process: Process) -> tuple[Watch, Watch]:  # noqa: F811
    """This worker and another one that lives as long as its process; both know of each other."""
    processes.beat(process, watches=True)
    presence.run_once()
    both = frozenset({presence.name, process.name})
    assert presence.watchers == both
    here = begin(market, Shares(presence.name, lambda: presence.watchers).is_mine)
    there = begin(market, Shares(process.name, lambda: both).is_mine)
    return here, there


def kill(process: "subprocess.Popen[bytes]") -> None:
    process.kill()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


def test_each_order_fires_at_the_worker_that_watches_its_pair(
    begin: Begin,  # noqa: F811
    presence: Presence,
    other: "subprocess.Popen[bytes]",
    orders: list[UUID],
) -> None:
    market = Market()
    here, there = two_workers(begin, market, presence, known_as(other.pid))
    for each in (here, there):
        each.triggers.run_once()
    assert len(here.triggers) + len(there.triggers) == PAIRS
    assert min(len(here.triggers), len(there.triggers)) > 0
    market.moves(106)
    fired = [each.triggers.run_once() for each in (here, there)]
    assert fired == [len(here.queue.sent), len(there.queue.sent)]
    assert sorted([*here.queue.sent, *there.queue.sent]) == sorted(orders)
    assert {read(each).seq for each in orders} == {2}


def test_orders_of_a_dead_worker_fire_even_if_their_price_was_met_before_the_takeover(
    begin: Begin,  # noqa: F811
    presence: Presence,
    other: "subprocess.Popen[bytes]",
    orders: list[UUID],
) -> None:
    market = Market()
    here, there = two_workers(begin, market, presence, known_as(other.pid))
    for each in (here, there):
        each.triggers.run_once()
    its_own, left = len(here.triggers), len(there.triggers)
    kill(other)
    market.moves(106)
    assert here.triggers.run_once() == its_own
    assert here.triggers.run_once() == 0, "the death is not known yet"
    presence.run_once()
    assert presence.watchers == {presence.name}
    assert here.triggers.run_once() == left, "orders fire without a new price"
    assert {read(each).status for each in orders} == {OrderStatus.PENDING}
    assert there.triggers.run_once() == 0, "the worker that was taken for dead fired an order again"
    assert {read(each).seq for each in orders} == {2}


def test_a_joining_worker_takes_its_share_and_a_leaving_one_returns_it(
    begin: Begin,  # noqa: F811
    presence: Presence,
    other: "subprocess.Popen[bytes]",
    orders: list[UUID],
) -> None:
    here = begin(Market(), Shares(presence.name, lambda: presence.watchers).is_mine)
    presence.run_once()
    assert here.sees(100) == 0
    assert len(here.triggers) == PAIRS
    process = known_as(other.pid)
    for watches, least, most in ((True, 1, PAIRS - 1), (False, PAIRS, PAIRS)):
        processes.beat(process, watches=watches)
        presence.run_once()
        assert here.sees(100) == 0
        assert least <= len(here.triggers) <= most


def test_a_new_order_is_left_to_the_worker_that_watches_its_pair(
    begin: Begin,  # noqa: F811
    presence: Presence,
    other: "subprocess.Popen[bytes]",
    orders: list[UUID],
) -> None:
    market = Market()
    here, there = two_workers(begin, market, presence, known_as(other.pid))
    for each in (here, there):
        each.triggers.run_once()
    database.execute_sql("UPDATE orders SET version = version + 1")
    for number in range(PAIRS, 2 * PAIRS):
        accept(f"T{number}")
    for each in (here, there):
        assert each.triggers.run_once() == 0
    assert len(here.triggers) + len(there.triggers) == 2 * PAIRS
    assert here.sees(106) + there.sees(106) == 2 * PAIRS
