"""Random swaps: in every pool of a kind, of all sizes, in both directions and modes, and routes over several pools."""

from collections.abc import Callable, Iterator
from random import Random
from typing import Final

from solders.instruction import Instruction

from orderd.amm.swap import SwapError
from orderd.domain.pool_kind import PoolKind
from orderd.solana.programs import associated_token, token
from tests.unit.simnet.conftest import LocalChain
from tests.unit.simnet.pools import Clmm, Cpmm, DammV2, Dlmm, Pool
from tests.unit.simnet.test_swaps import POOLS, give_everything

U64_MAX: Final = 2**64 - 1
MAX_SWAPS: Final = 3
_KINDS: Final[dict[type[Pool], PoolKind]] = {
    Cpmm: PoolKind.RAYDIUM_CPMM,
    Clmm: PoolKind.RAYDIUM_CLMM,
    Dlmm: PoolKind.METEORA_DLMM,
    DammV2: PoolKind.METEORA_DAMM_V2,
}
KINDS: Final = tuple(_KINDS.values())
"""Without AMM v4: no available binary supports its current instructions. See ``tests.conformance.amm_v4``."""


class World:
    """A chain with the pools of the first block, and a trader with large balances of all tokens."""

    def __init__(self) -> None:
        self.chain = LocalChain()
        give_everything(self.chain)
        self.pools: dict[PoolKind, list[Pool]] = {kind: [] for kind in KINDS}
        for make, address in POOLS.values():
            pool = make(self.chain, address)
            if type(pool) in _KINDS:
                self.pools[_KINDS[type(pool)]].append(pool)


Make = Callable[[World, Random], list[Instruction]]
"""Makes a transaction's instructions."""


def orders(kind: PoolKind) -> Make:
    return lambda world, random: [_order(world, kind, random)]


def route(world: World, random: Random) -> list[Instruction]:
    """Several swaps in pools of any kinds, after an idempotent creation of an existing account for wrapped SOL."""
    trader = world.chain.trader.pubkey()
    swaps = [_order(world, random.choice(KINDS), random) for _ in range(random.randint(2, MAX_SWAPS))]
    return [associated_token.create_idempotent(trader, trader, token.NATIVE_MINT), *swaps]


def waits(random: Random) -> Iterator[int]:
    """Seconds between consecutive orders."""
    while True:
        yield random.choice((0, 0, 1, 5, 20, 100, 700, 5_000))


def _order(world: World, kind: PoolKind, random: Random) -> Instruction:
    """One swap: a third have a limit that may fail, a tenth too few arrays, and some are extremely large or small."""
    pool = random.choice(world.pools[kind])
    forward, exact_out, amount = random.random() < 0.5, random.random() < 0.4, random_amount(random)
    limit = random_limit(pool, amount, random, forward=forward, exact_out=exact_out)
    if isinstance(pool, Dlmm | Clmm) and random.random() < 0.1:
        arrays = pool.arrays(forward=forward)[random.randint(0, 1) :][: random.randint(1, 3)]
        return pool.swap(amount, limit, forward=forward, exact_out=exact_out, arrays=arrays)
    return pool.swap(amount, limit, forward=forward, exact_out=exact_out)


def random_amount(random: Random) -> int:
    if random.random() < 0.02:
        return random.choice((0, 1, 2, U64_MAX))
    return int(10 ** random.uniform(0.5, 14.0))


def random_limit(pool: Pool, amount: int, random: Random, *, forward: bool, exact_out: bool) -> int:
    """Usually no limit; otherwise one near the quoted amount, on either side."""
    if random.random() < 0.7:
        return U64_MAX if exact_out else 0
    try:
        swap = pool.quote(amount, forward=forward, exact_out=exact_out)
    except SwapError:
        return 1
    return max((swap.amount_in if exact_out else swap.amount_out) + random.randint(-1, 1), 0)
