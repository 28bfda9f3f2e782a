"""Orders while processes are killed and requests are lost: each order ends, none is lost and none is executed twice."""

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from orderd.domain.order import OrderStatus
from orderd.wire.submissions import SubmitParams
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.postgres_log import logged_errors
from tests.acceptance.trader import Story, trading
from tests.chaos.storm import DAEMON, NODES, ORDERS, PATIENCE, SEED, alternating, storm, trade_through


def trade_under_kills(
    state_dir: Path, *, orders: int, kills: Sequence[str], seed: int, seconds: float, nodes: str = "one"
) -> Sequence[Story]:
    """The orders and their events, after the audit."""
    with (
        storm(state_dir, nodes=nodes, ORDERD_SIMNET_MARKET="true", ORDERD_SIMNET_SEED=str(seed)) as killed,
        trading(killed.url) as trader,
        trading(killed.url) as follower,
        ThreadPoolExecutor(1) as following,
    ):
        ledger = Ledger(state_dir)
        before = ledger.balances()
        assert follower.orders() == []
        followed = {}

        def submit_all(wave: Sequence[SubmitParams]) -> None:
            for params in wave:
                order_id = trader.submit(params)
                followed[order_id] = following.submit(follower.follow, order_id, seconds)

        trade_through([partial(killed.kill, name) for name in kills], submit_all, alternating(orders), seed=seed)
        if nodes == "pool":
            unknown = trader.follow_all_to_end_or_unknown(seconds)
            print(f"{len(unknown)} of {orders} outcomes were unknown for a while")  # noqa: T201  (make chaos shows it)
            killed.calm_down()
        stories = trader.follow_all_to_end(seconds)
        audit(trader, stories, ledger, before)
        assert logged_errors(state_dir) == []
        for story in stories:
            assert followed[story.id].result() == story.events, "the follower has other events than the daemon"
    # A daemon in which every order fails would pass the audit too.
    confirmed = [story for story in stories if story.order.status is OrderStatus.CONFIRMED]
    assert len(confirmed) > orders / 2
    return stories


@pytest.mark.timeout(300)
def test_a_few_orders_survive_the_kill_of_every_process(tmp_path: Path) -> None:
    trade_under_kills(tmp_path, orders=20, kills=["worker", "simnet", DAEMON, "gateway"], seed=1, seconds=120)


@pytest.mark.chaos
@pytest.mark.timeout(2 * PATIENCE[NODES])
def test_two_hundred_orders_survive_twenty_kills_of_the_daemon_and_five_of_the_chain(tmp_path: Path) -> None:
    kills = [*[DAEMON, "gateway", "worker"] * 7][:20] + ["simnet"] * 5
    random.Random(SEED).shuffle(kills)
    stories = trade_under_kills(tmp_path, orders=ORDERS, kills=kills, seed=SEED, seconds=PATIENCE[NODES], nodes=NODES)
    outcomes = {attempt.outcome for story in stories for attempt in story.attempts}
    assert outcomes == {"landed", "failed", "expired"}, "the faults did not cause all outcomes"
