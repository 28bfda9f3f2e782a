from dataclasses import dataclass, field
from typing import cast

from orderd.engine.routing.quote_collection import Pair
from orderd.engine.routing.router import Router
from orderd.engine.triggers.new_pools import NewPoolSearch

ONE, OTHER = ("USDC", "A"), ("USDC", "B")


@dataclass
class Chain:
    """Stands in for the router: records pair lookups, and says which pairs have a new pool."""

    asked: list[Pair] = field(default_factory=list)
    new: set[Pair] = field(default_factory=set)

    def find_new_pools(self, pair: Pair) -> bool:
        self.asked.append(pair)
        return pair in self.new


def test_each_pair_is_looked_up_every_few_seconds_and_new_pools_are_reported() -> None:
    chain, pairs, now, notified = Chain(new={OTHER}), {ONE}, [100.0], list[float]()
    find_new_pools = NewPoolSearch(
        cast("Router", chain), lambda: pairs, lambda: notified.append(now[0]), seconds=5, clock=lambda: now[0]
    )
    find_new_pools.run_once()
    now[0] = 104.9
    pairs.add(OTHER)
    find_new_pools.run_once()
    assert (chain.asked, notified) == ([ONE, OTHER], [104.9]), "a new pool is reported at once"
    now[0] = 105.0
    find_new_pools.run_once()
    assert chain.asked == [ONE, OTHER, ONE]
    pairs.discard(ONE)
    find_new_pools.run_once()
    pairs.add(ONE)
    find_new_pools.run_once()
    assert chain.asked == [ONE, OTHER, ONE, ONE], "a new pair is looked up at once"
