"""After a fork rolls a confirmed fill back, the order is active again and its new fill is the one on the chain."""

import os
import signal
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import orjson
import pytest
from websockets.sync.client import connect

from orderd.domain.events import Confirmed, OrderEvent, RolledBack
from orderd.domain.order import OrderStatus
from orderd.process.temporary import Daemon, running_daemon
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger, Mint
from tests.acceptance.simnet import call
from tests.acceptance.trader import Story, Trader, order, trading
from tests.conftest import QUICK

ALL_HONEST = {"honest": 1, "behind": 0, "restarted": 0, "pruned": 0, "forked": 0, "historyless": 0}
FORKING = QUICK | {
    "ORDERD_SIMNET_SLOT_MS": "100",
    "ORDERD_SIMNET_FAULTS": orjson.dumps({"nodes": "pool", "views": ALL_HONEST, "landing_again": 0.0}).decode(),
    "ORDERD_RPC_SINGLE_NODE": "false",
    "ORDERD_LEASE_SECONDS": "2",
}
"""Blocks are final after about three seconds; a rolled-back transaction lands again only if it is sent again."""
_BETWEEN_QUESTIONS = 0.01
"""Seconds. Polling without a pause would slow down the chain that the test waits for."""
DEEP = 12
"""Slots before a fill that a fork also removes if the fill's blockhash has to disappear: it is valid for four slots."""


class Filled(NamedTuple):
    """A daemon that has reported an order's fill, and the chain's balances before it."""

    daemon: Daemon
    trader: Trader
    ledger: Ledger
    before: dict[Mint, int]
    events: list[OrderEvent]
    fill: Confirmed

    @property
    def order_id(self) -> UUID:
        return self.events[0].order_id


@pytest.fixture
def filled(tmp_path: Path, given_database: dict[str, str]) -> Iterator[Filled]:
    with running_daemon(tmp_path, FORKING | given_database) as daemon, trading(daemon.url) as trader:
        funded = call(tmp_path, "getSlot")
        while call(tmp_path, "getSlot") <= funded + DEEP:
            time.sleep(_BETWEEN_QUESTIONS)  # the fork must not remove the funding of the wallet
        ledger = Ledger(tmp_path)
        before = ledger.balances()
        events = trader.follow(trader.submit(order("SOL", "USDC", "0.1")), 60)
        fill = events[-1].data
        assert isinstance(fill, Confirmed)
        yield Filled(daemon, trader, ledger, before, events, fill)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("worker", ["worker lives", "worker is killed"])
def test_a_rolled_back_transaction_lands_again_with_the_same_bytes(tmp_path: Path, filled: Filled, worker: str) -> None:
    if worker == "worker is killed":
        os.kill(int((tmp_path / "worker.lock").read_text()), signal.SIGKILL)
    fork(tmp_path, filled.fill.slot, filled.fill.signature)

    later = follow_past_the_end(filled)
    taken_back, again = next(later), next(later)
    later.close()
    assert isinstance(taken_back.data, RolledBack)
    assert (taken_back.status, taken_back.data.slot) == (OrderStatus.SUBMITTED, filled.fill.slot)
    assert isinstance(again.data, Confirmed)
    assert again.data.slot > filled.fill.slot
    detail = filled.trader.detail(filled.order_id)
    assert [attempt.outcome for attempt in detail.attempts] == ["landed"], "another transaction was signed"
    audit(filled.trader, [Story([*filled.events, taken_back, again], detail)], filled.ledger, filled.before)


@pytest.mark.timeout(120)
def test_an_order_whose_blockhash_is_rolled_back_is_executed_again_once(tmp_path: Path, filled: Filled) -> None:
    fork(tmp_path, filled.fill.slot - DEEP, filled.fill.signature)

    later = []
    for event in follow_past_the_end(filled):
        later.append(event)
        if isinstance(event.data, Confirmed):
            break
    assert isinstance(later[0].data, RolledBack)
    detail = filled.trader.detail(filled.order_id)
    assert [attempt.outcome for attempt in detail.attempts] == ["expired", "landed"]
    audit(filled.trader, [Story([*filled.events, *later], detail)], filled.ledger, filled.before)


def fork(state_dir: Path, slot: int, signature: str) -> None:
    """Remove all blocks from ``slot`` on, and with them the transaction."""
    while True:  # a block may be sealed between the two calls
        blocks = call(state_dir, "getBlocks", slot, slot + 1_000, {"commitment": "confirmed"})
        call(state_dir, "simnet_fork", len(blocks))
        if call(state_dir, "getSignatureStatuses", [signature])["value"] == [None]:
            return


def follow_past_the_end(filled: Filled) -> Generator[OrderEvent, None, None]:
    """The order's events after those that ``filled`` has, including events after the terminal one."""
    with connect(filled.daemon.url, proxy=None) as connection:
        params = {"order": str(filled.order_id), "after": filled.events[-1].seq}
        connection.send(orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "orders.subscribe", "params": params}))
        while True:
            message = orjson.loads(connection.recv(60))
            if message.get("method") == "order.event" and message["params"]["type"] == "EVENT":
                yield OrderEvent.model_validate(message["params"]["event"])
