"""Pools as listed to traders, on a chain without other traders."""

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

import pytest
from solders.keypair import Keypair

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.pool_kind import PoolKind
from orderd.domain.well_known import registry_of
from orderd.engine.execution.building import Builder
from orderd.engine.execution.fees import FeeMarket
from orderd.engine.execution.wallet_funds import FundsCheck
from orderd.engine.market import Market
from orderd.engine.routing.price_guard import PriceGuard
from orderd.engine.routing.router import Router
from orderd.engine.token_desk import TokenDesk
from orderd.pools.meteora_damm_v2.venue import MeteoraDammV2
from orderd.pools.meteora_dlmm.venue import MeteoraDlmm
from orderd.pools.raydium_amm_v4.venue import RaydiumAmmV4
from orderd.pools.raydium_clmm.venue import RaydiumClmm
from orderd.pools.raydium_cpmm.venue import RaydiumCpmm
from orderd.process.roles import ListeningRole
from orderd.solana.keys import Wallet
from orderd.solana.rpc import RpcClient
from orderd.venues.depth import by_depth
from orderd.venues.reading import read_batch
from orderd.wire.pools import PoolsParams
from tests.conftest import running_simnet


@pytest.fixture(scope="module")
def simnet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ListeningRole]:
    """One chain for all tests of the module, because they do not trade."""
    with running_simnet(tmp_path_factory.mktemp("simnet") / "chain") as chain:
        yield chain


@pytest.fixture
def market(simnet: ListeningRole) -> Iterator[Market]:
    rpc = RpcClient(simnet.url)
    fees = FeeMarket(rpc, percentile=75, floor=10_000, cap=1_000_000, max_age=0.0)
    router = Router(
        [kind(rpc) for kind in (RaydiumCpmm, RaydiumClmm, RaydiumAmmV4, MeteoraDlmm, MeteoraDammV2)],
        read=partial(read_batch, rpc),
        timeout_ms=10_000,
        max_price_impact_bps=2_000,
        guard=PriceGuard(500),
        max_slot_lag=20,
        unit_price=lambda: fees.last,
        threads=2,
    )
    wallet = Wallet(Keypair())
    builder = Builder(router, rpc, wallet, fees, FundsCheck(rpc, wallet.address), blockhash_age=0.0)
    yield Market(router, builder, rpc, TokenDesk(registry_of("simnet"), rpc))
    rpc.close()


def test_a_pair_is_listed_in_the_requested_order(market: Market) -> None:
    forth, back = (market.pools(PoolsParams(token=pair)).pools for pair in (("sol", "USDC"), ("USDC", "SOL")))
    assert {pool.kind for pool in forth} == set(PoolKind)
    assert {pool.address for pool in forth} == {pool.address for pool in back}
    mirrored = {pool.address: pool for pool in back}
    for pool in forth:
        other = mirrored[pool.address]
        assert (pool.token_a, pool.token_b) == ("SOL", "USDC") == (other.token_b, other.token_a)
        assert (pool.reserve_a, pool.reserve_b) == (other.reserve_b, other.reserve_a)
        assert abs(Decimal(pool.price) * Decimal(other.price) - 1) < Decimal("0.00000001")
        assert Decimal(pool.price) == pytest.approx(Decimal(forth[0].price), rel=Decimal("0.05"))
        assert 0 < Decimal(pool.fee) < 5
        assert Decimal(pool.reserve_a) > 0 < pool.slot


def test_the_deepest_pool_comes_first(market: Market) -> None:
    pools = market.pools(PoolsParams(token=("SOL", "USDC"))).pools
    held = {
        pool.address: (int(Decimal(pool.reserve_a) * 10**9), int(Decimal(pool.reserve_b) * 10**6)) for pool in pools
    }
    assert list(held) == by_depth(held)


def test_one_token_lists_its_pairs_and_no_token_lists_all_pools(market: Market) -> None:
    everything, chillguy = market.pools(PoolsParams()), market.pools(PoolsParams(token=("CHILLGUY",)))
    assert {pool.token_a for pool in chillguy.pools} == {"CHILLGUY"}
    assert {pool.address for pool in chillguy.pools} < {pool.address for pool in everything.pools}
    assert everything.slot == max(pool.slot for pool in everything.pools)


@pytest.mark.parametrize(
    ("names", "code"), [(("NOPE",), ErrorCode.TOKEN_UNKNOWN), (("SOL", "SOL"), ErrorCode.TOKEN_SAME)]
)
def test_an_invalid_pair_is_refused(market: Market, names: tuple[str, ...], code: ErrorCode) -> None:
    with pytest.raises(OrderdError) as refused:
        market.pools(PoolsParams(token=names))
    assert refused.value.code is code
