"""Orders while Redis loses its data, Redis or Postgres is killed, or the chain hangs: all of them are confirmed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from orderd.domain.order import OrderStatus
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.postgres_log import logged_errors
from tests.acceptance.trader import trading
from tests.chaos.storm import Storm, alternating, storm, trade_through

Disruption = Callable[[], object]

CALM: dict[str, object] = {}


def redis_loses_its_data(struck: Storm) -> list[Disruption]:
    return [struck.empty_redis] * 4


def redis_is_killed(struck: Storm) -> list[Disruption]:
    return [partial(struck.kill, "redis")] * 3


def postgres_is_killed(struck: Storm) -> list[Disruption]:
    return [partial(struck.kill, "postgres")] * 2


def chain_hangs(struck: Storm) -> list[Disruption]:
    return [partial(struck.hang, "simnet", 3.0)]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("disruptions_of", [redis_loses_its_data, redis_is_killed, postgres_is_killed, chain_hangs])
def test_fifty_orders_are_confirmed_while(disruptions_of: Callable[[Storm], list[Disruption]], tmp_path: Path) -> None:
    with storm(tmp_path, CALM) as struck, trading(struck.url) as trader:
        ledger = Ledger(tmp_path)
        before = ledger.balances()
        trade_through(disruptions_of(struck), trader.submit_all, alternating(50), seed=1, within=0.15)
        stories = trader.follow_all_to_end(seconds=120)
        audit(trader, stories, ledger, before)
        assert logged_errors(tmp_path) == []
        assert [story.order for story in stories if story.order.status is not OrderStatus.CONFIRMED] == []
