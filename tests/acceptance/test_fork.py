"""A chain that takes back what it had confirmed: the order is under way again, and its fill is that of the chain."""

import os
import signal
from collections.abc import Generator
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import orjson
import pytest
from websockets.sync.client import connect

from orderd.domain.events import Confirmed, OrderEvent, RolledBack
from orderd.domain.order import OrderStatus
from orderd.process.temporary import Daemon, running_daemon
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.trader import Story, order, trading
from tests.conftest import QUICK

ALL_HONEST = {"honest": 1, "behind": 0, "restarted": 0, "pruned": 0, "forked": 0, "historyless": 0}
FORKING = QUICK | {
    "ORDERD_SIMNET_SLOT_MS": "100",
    "ORDERD_SIMNET_FAULTS": orjson.dumps({"nodes": "pool", "views": ALL_HONEST, "landing_again": 0.0}).decode(),
    "ORDERD_RPC_SINGLE_NODE": "false",
    "ORDERD_LEASE_SECONDS": "2",
}
"""Blocks are final after some three seconds, and what a fork has undone lands again only when it is sent again."""


@pytest.mark.timeout(120)
@pytest.mark.parametrize("worker", ["lives", "is killed"])
def test_what_is_rolled_back_lands_again_by_the_same_bytes(
    tmp_path: Path, given_database: dict[str, str], worker: str
) -> None:
    with running_daemon(tmp_path, FORKING | given_database) as daemon, trading(daemon.url) as trader:
        ledger = Ledger(tmp_path)
        before = ledger.balances()
        order_id = trader.submit(order("SOL", "USDC", "0.1"))
        told = trader.follow(order_id, 60)
        confirmed = told[-1].data
        assert isinstance(confirmed, Confirmed)
        if worker == "is killed":
            os.kill(int((tmp_path / "worker.lock").read_text()), signal.SIGKILL)
        fork(tmp_path, confirmed.slot, confirmed.signature)

        later = follow_past_the_end(daemon, order_id, told[-1].seq)
        taken_back, again = next(later), next(later)
        later.close()
        assert isinstance(taken_back.data, RolledBack)
        assert (taken_back.status, taken_back.data.slot) == (OrderStatus.SUBMITTED, confirmed.slot)
        assert isinstance(again.data, Confirmed)
        assert again.data.slot > confirmed.slot
        detail = trader.detail(order_id)
        assert [attempt.outcome for attempt in detail.attempts] == ["landed"], "nothing else was signed"
        audit(trader, [Story([*told, taken_back, again], detail)], ledger, before)


@pytest.mark.timeout(120)
def test_where_its_blockhash_is_rolled_back_too_it_is_executed_anew_and_once(
    tmp_path: Path, given_database: dict[str, str]
) -> None:
    with running_daemon(tmp_path, FORKING | given_database) as daemon, trading(daemon.url) as trader:
        ledger = Ledger(tmp_path)
        before = ledger.balances()
        order_id = trader.submit(order("SOL", "USDC", "0.1"))
        told = trader.follow(order_id, 60)
        confirmed = told[-1].data
        assert isinstance(confirmed, Confirmed)
        fork(tmp_path, confirmed.slot - 12, confirmed.signature)  # a blockhash serves for as long as four slots

        later = []
        for event in follow_past_the_end(daemon, order_id, told[-1].seq):
            later.append(event)
            if isinstance(event.data, Confirmed):
                break
        assert isinstance(later[0].data, RolledBack)
        detail = trader.detail(order_id)
        assert [attempt.outcome for attempt in detail.attempts] == ["expired", "landed"]
        audit(trader, [Story([*told, *later], detail)], ledger, before)


def fork(state_dir: Path, slot: int, signature: str) -> None:
    """Let the chain give up all blocks from ``slot`` on, and with them the transaction."""
    url = orjson.loads((state_dir / "simnet" / "simnet.json").read_bytes())["http_url"]

    def call(method: str, *params: Any) -> Any:
        body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = httpx.post(url, json=body, trust_env=False).json()
        assert "error" not in answer, answer
        return answer["result"]

    while True:  # a block may be sealed between the two calls
        call("simnet_fork", len(call("getBlocks", slot, slot + 1_000, {"commitment": "confirmed"})))
        if call("getSignatureStatuses", [signature])["value"] == [None]:
            return


def follow_past_the_end(daemon: Daemon, order_id: UUID, after: int) -> Generator[OrderEvent, None, None]:
    """The order's events after ``after``, for as long as somebody reads them."""
    with connect(daemon.url, proxy=None) as connection:
        params = {"order": str(order_id), "after": after}
        connection.send(orjson.dumps({"jsonrpc": "2.0", "id": 1, "method": "orders.subscribe", "params": params}))
        while True:
            message = orjson.loads(connection.recv(60))
            if message.get("method") == "order.event" and message["params"]["type"] == "EVENT":
                yield OrderEvent.model_validate(message["params"]["event"])
