"""``python -m benchmarks.routing``: CPU time of a quote over twelve pools, and quotes per second by pool kind."""

import statistics
import time
from random import Random

from rich.console import Console
from rich.table import Table

from orderd.amm.best_split import best_split
from tests.unit.amm.pools import KINDS, Sample, random_pool

TWELVE = ("cpmm", "amm_v4", "damm_v2", "cpmm", "amm_v4", "damm_v2", "cpmm", "cpmm", "clmm", "dlmm", "clmm", "dlmm")
SIZES = (0.0001, 0.001, 0.01, 0.05)
MARKETS = 100
SECONDS_PER_KIND = 0.5


def quote_cpu_seconds(pools: list[Sample], part: float) -> float:
    """CPU seconds for the best route over all pools, including their curves."""
    amount = int(sum(pool.depth for pool in pools) * part)
    began = time.process_time()
    best_split([pool.side for pool in pools], amount, max_legs=3, cost_per_leg=100)
    return time.process_time() - began


def quotes_per_second(kind: str, part: float) -> float:
    """Exact quotes of pools in turn, as routing requests them."""
    random = Random(kind)
    pools = [random_pool(random, kind) for _ in range(20)]
    made = 0
    began = time.process_time()
    while (took := time.process_time() - began) < SECONDS_PER_KIND:
        for pool in pools:
            pool.side.quote(int(pool.depth * part))
        made += len(pools)
    return made / took


def main() -> None:
    random = Random(12)
    console = Console()
    table = Table("order, of the liquidity", "median", "maximum", title="CPU of the best route over 12 pools")
    for part in SIZES:
        took = [quote_cpu_seconds([random_pool(random, kind) for kind in TWELVE], part) for _ in range(MARKETS)]
        table.add_row(f"{part:.2%}", f"{statistics.median(took) * 1000:.2f} ms", f"{max(took) * 1000:.2f} ms")
    console.print(table)
    table = Table(
        "pool",
        *(f"{part:.2%}" for part in SIZES),
        title="Exact quotes per second, by the order's share of the liquidity",
    )
    for kind in KINDS:
        table.add_row(kind, *(f"{quotes_per_second(kind, part):,.0f}" for part in SIZES))
    console.print(table)


if __name__ == "__main__":
    main()
