"""DAMM v2's pool with base fees that no pool of the first block has: rate limiters, and fees by the price."""

from dataclasses import replace
from random import Random

from orderd.domain.pool_kind import PoolKind
from orderd.pools.meteora_damm_v2.accounts import BaseFee, BaseFeeMode
from tests.conformance.orders import World
from tests.unit.simnet.pools import DammV2


def prepare(world: World, random: Random) -> None:
    """Give the pool another base fee that started in the past, and an initial price near the current one."""
    (pool,) = world.pools[PoolKind.METEORA_DAMM_V2]
    assert isinstance(pool, DammV2)
    state = pool.state
    base_fee = random.choice((_rate_limiter, _market_cap))(random)
    is_limited = base_fee.base_fee_mode == BaseFeeMode.RATE_LIMITER
    price = state.sqrt_price * random.choice((80, 99, 100, 101)) // 100
    state = replace(
        state,
        fees=replace(state.fees, base_fee=base_fee, init_sqrt_price=price),
        activation_point=world.chain.now - random.choice((0, 50, 1_000)),
        fee_version=random.choice((0, 1)),
        collect_fee_mode=1 if is_limited else random.choice((0, 1)),
    )
    account = world.chain.account(pool.address)
    world.chain.bank.replace({pool.address: account._replace(data=state.encode())})


def _rate_limiter(random: Random) -> BaseFee:
    """One in ten is not configured."""
    cliff, mode = random.choice((100_000, 10_000_000, 50_000_000)), BaseFeeMode.RATE_LIMITER
    if random.random() < 0.1:
        return BaseFee(cliff, mode, bytes(5), 0, 0, 0)
    duration, most_bps = random.choice((100, 5_000, 43_200)), random.choice((1_000, 5_000, 9_900))
    reference = int(10 ** random.uniform(4, 11))
    return BaseFee(cliff, mode, bytes(5), random.choice((1, 10, 100, 500)), duration | most_bps << 32, reference)


def _market_cap(random: Random) -> BaseFee:
    cliff, periods = random.choice((50_000_000, 500_000_000)), random.choice((10, 100))
    step_bps, duration = random.choice((1, 50, 500)), random.choice((100, 10**5, 10**6))
    mode = random.choice((BaseFeeMode.MARKET_CAP_LINEAR, BaseFeeMode.MARKET_CAP_EXPONENTIAL))
    reduction = cliff // periods - 10_000
    if mode == BaseFeeMode.MARKET_CAP_EXPONENTIAL:
        reduction = random.choice((1, 10, 50))
    return BaseFee(cliff, mode, bytes(5), periods, step_bps | duration << 32, reduction)
