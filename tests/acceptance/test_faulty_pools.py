"""Faulty pools: dead pools besides good ones, and pools whose program refuses on the chain."""

import re
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import orjson
import pytest
from solders.pubkey import Pubkey

from orderctl.config.settings import Settings
from orderd.client.connection import Client
from orderd.domain.events import Routed
from orderd.domain.order import OrderStatus
from orderd.domain.pool_kind import PoolKind
from orderd.pools.meteora_damm_v2.simnet import genesis as damm_v2_genesis
from orderd.pools.meteora_damm_v2.simnet.genesis import SOL_USDC_DAMM_V2
from orderd.pools.meteora_dlmm.simnet import genesis as dlmm_genesis
from orderd.pools.meteora_dlmm.simnet.genesis import SOL_USDC_BS4, SOL_USDC_BS10
from orderd.pools.raydium_amm_v4.simnet import genesis as amm_v4_genesis
from orderd.pools.raydium_amm_v4.simnet.genesis import SOL_USDC_AMM_V4
from orderd.pools.raydium_clmm import addresses as raydium_clmm
from orderd.pools.raydium_clmm.simnet import genesis as clmm_genesis
from orderd.pools.raydium_clmm.simnet.genesis import SOL_USDC_CLMM_4BPS, SOL_USDC_CLMM_25BPS
from orderd.pools.raydium_cpmm import addresses as raydium_cpmm
from orderd.pools.raydium_cpmm.simnet import genesis as cpmm_genesis
from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from orderd.process.temporary import running_daemon
from orderd.simnet.chain import ledger_path
from orderd.simnet.genesis import USDC, Genesis
from orderd.simnet.genesis.accounts import FirstAccounts, snapshot
from orderd.simnet.ledger.ledger import Ledger
from orderd.solana.programs import token
from orderd.wire.pools import PoolsParams, PoolsResult
from orderd.wire.quotes import PreviewResult
from orderd.wire.rpc import Method
from tests.acceptance.trader import Story, order, trading

SETTINGS = {
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_SIMNET_SLOT_MS": "50",
    "ORDERD_SIMNET_MARKET": "false",
    "ORDERD_RETRY_BASE_MS": "50",
}
ORDERS = 20
PATIENCE = 90.0
POOLS = (
    *(SOL_USDC_CPMM, SOL_USDC_CLMM_4BPS, SOL_USDC_CLMM_25BPS, SOL_USDC_AMM_V4),
    *(SOL_USDC_BS4, SOL_USDC_BS10, SOL_USDC_DAMM_V2),
)


def address_of(number: int) -> Pubkey:
    return Pubkey.from_bytes(bytes([0xDE, 0xAD, number]) + bytes(29))


def put_dead_pools(state_dir: Path) -> set[str]:
    """Create a chain that has a dead SOL/USDC pool of each kind besides the good ones; returns the dead ones."""
    first = Genesis(int(time.time())).block()
    dead = FirstAccounts(first.time, dict(first.changed))  # type: ignore[arg-type]  # no first account is None
    sol = token.NATIVE_MINT

    cpmm = raydium_cpmm.pool_address(raydium_cpmm.config_address(77), sol, USDC)
    cpmm_genesis.add_sol_usdc(dead, cpmm, 77, (0, 0))

    unpriced = snapshot(PoolKind.RAYDIUM_CLMM, "constructed_sol_usdc_25bps")
    unpriced["pool_state"] |= {"sqrt_price_x64": "0", "liquidity": "0"}
    clmm = raydium_clmm.pool_address(raydium_clmm.config_address(77), sol, USDC)
    clmm_genesis.add(dead, unpriced, clmm, 77)

    empty = snapshot(PoolKind.RAYDIUM_AMM_V4, "semi_real_sol_usdc") | {"coin_vault_amount": "0", "pc_vault_amount": "0"}
    names = ("coin_vault", "pc_vault", "lp_mint")
    empty["addresses"] |= {name: str(address_of(number)) for number, name in enumerate(names)}
    amm_v4_genesis.add(dead, empty, address_of(10))

    nothing = snapshot(PoolKind.METEORA_DLMM, "constructed_sol_usdc_bs4") | {"active_id": str(2**31 - 1)}
    dlmm_genesis.add(dead, nothing, sol, USDC, address_of(11), quiet_since=first.time)

    withdrawn = snapshot(PoolKind.METEORA_DAMM_V2, "recentred_sol_usdc_25bps") | {"liquidity": "0"}
    damm_v2_genesis.add(dead, withdrawn, address_of(12))

    directory = state_dir / "simnet"
    directory.mkdir()
    with closing(Ledger(ledger_path(directory))) as ledger:
        ledger.append(replace(first, changed=dict(dead.accounts)), ())
    return {str(pool) for pool in (cpmm, clmm, *map(address_of, (10, 11, 12)))}


def routes(story: Story) -> list[Routed]:
    return [event.data for event in story.stored.events if isinstance(event.data, Routed)]


def actions(log: Path) -> list[str]:
    return re.findall(r'"action": ?"(\w+)"', log.read_text())


def test_a_dead_pool_of_each_kind_does_not_affect_orders(tmp_path: Path, given_database: dict[str, str]) -> None:
    dead = put_dead_pools(tmp_path)
    with running_daemon(tmp_path, SETTINGS | given_database) as daemon, trading(daemon.url) as trader:
        for number in range(ORDERS):
            trader.submit(order("SOL", "USDC", f"0.{number + 1:02}"))
        stories = trader.follow_all_to_end(PATIENCE)
        with Client(Settings(url=daemon.url)) as client:
            answer = client.call(Method.POOLS, PoolsParams(token=("SOL", "USDC")), PoolsResult)
    assert [story.order.status for story in stories] == [OrderStatus.CONFIRMED] * ORDERS
    assert not any(story.failures for story in stories)
    used = {leg.pool for story in stories for route in routes(story) for leg in route.route}
    assert not used & dead
    assert {pool.address for pool in answer.pools} >= set(map(str, POOLS))
    reasons = " ".join(refused.detail for refused in answer.refusals)
    assert all(pool in reasons for pool in dead - {pool.address for pool in answer.pools})
    assert "pool_fault" not in actions(daemon.log), "a dead pool raised an unforeseen exception"


TradeWhileRefusing = Callable[[Sequence[Pubkey], int], tuple[list[Story], Path]]


@pytest.fixture
def trade_while_refusing(tmp_path: Path, given_database: dict[str, str]) -> TradeWhileRefusing:
    """Trade a number of orders one after another while ``pools`` refuse; returns their stories and the daemon's log."""
    return partial(_trade_while_refusing, tmp_path, given_database)


def _trade_while_refusing(
    tmp_path: Path, given_database: dict[str, str], pools: Sequence[Pubkey], orders: int
) -> tuple[list[Story], Path]:
    faults = orjson.dumps({"refusing_pools": [str(pool) for pool in pools]}).decode()
    with (
        running_daemon(tmp_path, SETTINGS | given_database | {"ORDERD_SIMNET_FAULTS": faults}) as daemon,
        trading(daemon.url) as trader,
    ):
        for _ in range(orders):
            trader.follow(trader.submit(order("SOL", "USDC", "1.5")), seconds=PATIENCE)
        return trader.follow_all_to_end(PATIENCE), daemon.log


def test_a_best_pool_that_refuses_costs_one_route_and_cools_down_for_the_next_order(
    trade_while_refusing: TradeWhileRefusing,
) -> None:
    (first, second), log = trade_while_refusing([SOL_USDC_BS4], 2)
    assert (first.order.status, first.failures, len(first.attempts)) == (OrderStatus.CONFIRMED, (), 1)
    refused, taken = routes(first)
    assert str(SOL_USDC_BS4) in {leg.pool for leg in refused.route}
    assert str(SOL_USDC_BS4) not in {leg.pool for leg in taken.route}
    assert any("cooling down: its program refused with PoolDisabled" in each.detail for each in taken.refusals)
    assert first.order.pool == taken.chosen.pool

    assert (second.order.status, second.failures) == (OrderStatus.CONFIRMED, ())
    (only,) = routes(second)
    assert str(SOL_USDC_BS4) not in {quote.pool for quote in only.quotes}
    assert actions(log).count("pool_cooling") == 1


def test_a_preview_shows_a_route_without_refusing_pools(tmp_path: Path, given_database: dict[str, str]) -> None:
    faults = orjson.dumps({"refusing_pools": [str(SOL_USDC_BS4)]}).decode()
    with (
        running_daemon(tmp_path, SETTINGS | given_database | {"ORDERD_SIMNET_FAULTS": faults}) as daemon,
        Client(Settings(url=daemon.url)) as client,
    ):
        preview = client.call(Method.ORDER_PREVIEW, order("SOL", "USDC", "1.5"), PreviewResult)
    assert preview.succeeds
    assert str(SOL_USDC_BS4) not in {leg.pool for leg in preview.quote.route}


def test_an_order_trades_at_the_only_pool_that_does_not_refuse(trade_while_refusing: TradeWhileRefusing) -> None:
    last = SOL_USDC_AMM_V4
    (story,), _ = trade_while_refusing([pool for pool in POOLS if pool != last], 1)
    assert (story.order.status, story.failures) == (OrderStatus.CONFIRMED, ())
    assert {leg.pool for leg in routes(story)[-1].route} == {str(last)}


def test_an_order_that_every_pool_refuses_fails_with_the_chains_answer(
    trade_while_refusing: TradeWhileRefusing,
) -> None:
    (story,), _ = trade_while_refusing(POOLS, 1)
    assert story.order.status is OrderStatus.FAILED
    assert story.order.error is not None
    assert story.order.error.code == "POOL_CLOSED"
    assert "the chain answered" in story.order.error.detail


@pytest.mark.parametrize("kind", ["raydium", "meteora"])
def test_an_order_trades_at_the_other_venue_when_all_pools_of_one_refuse(
    trade_while_refusing: TradeWhileRefusing, kind: str
) -> None:
    pools = POOLS[:4] if kind == "raydium" else POOLS[4:]
    (story,), _ = trade_while_refusing(pools, 1)
    assert (story.order.status, story.failures) == (OrderStatus.CONFIRMED, ())
