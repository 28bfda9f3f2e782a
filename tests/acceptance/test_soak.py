"""Many orders at full speed: each lands exactly once, and balances add up to the base unit."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from orderd.config.settings import Settings
from orderd.domain.order import OrderStatus
from orderd.domain.pool_kind import PoolKind
from orderd.process.temporary import Daemon
from orderd.wire.submissions import SubmitParams
from tests.acceptance.audit import audit
from tests.acceptance.ledger import Ledger
from tests.acceptance.postgres_log import logged_errors
from tests.acceptance.trader import Story, Trader, order, trading

ROLES = ("gateway", "worker", "simnet")
MAIN_TRADES = (
    ("SOL", "USDC", ("0.01", "0.5", "1.234567891")),
    ("USDC", "SOL", ("1", "50", "120.654321")),
)
SHALLOW_TRADES = (
    ("SOL", "CHILLGUY", ("0.0005", "0.001000001")),
    ("CHILLGUY", "SOL", ("0.35", "0.654321")),
)
TRADES = (*MAIN_TRADES * 4, *SHALLOW_TRADES)


@dataclass(frozen=True)
class Use:
    """Resources that a process uses; ``memory`` in bytes."""

    descriptors: int
    threads: int
    memory: int


def use_of(daemon: Daemon) -> dict[str, Use]:
    return {role: _use(int((daemon.log.parent / f"{role}.lock").read_text())) for role in ROLES}


def _use(pid: int) -> Use:
    process = Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in (process / "status").read_text().splitlines())
    memory = int(status["VmRSS"].split()[0]) * 1024
    return Use(len([*(process / "fd").iterdir()]), int(status["Threads"]), memory)


POOLED = Settings.model_fields["worker_threads"].default * (1 + len(PoolKind))
"""Threads that read and look up pools at each venue: they start on demand, so on a busy machine some start late."""


def mixed(count: int, seed: int) -> list[SubmitParams]:
    """All pairs, directions and sizes in turn, so that the orders themselves do not move a price far."""
    choice = random.Random(seed)
    trades = [TRADES[number % len(TRADES)] for number in range(count)]
    return [order(token_in, token_out, choice.choice(amounts), slippage="5") for token_in, token_out, amounts in trades]


def stock_up(trader: Trader) -> None:
    """Buy the token that a new wallet does not hold."""
    trader.follow(trader.submit(order("SOL", "CHILLGUY", "0.2")), seconds=30)


def check_all_confirmed(stories: Sequence[Story]) -> None:
    others = [story.order for story in stories if story.order.status is not OrderStatus.CONFIRMED]
    assert not others, [(view.token_in, view.amount_in, view.token_out, view.error) for view in others]


def test_each_of_sixty_orders_lands_once_and_balances_add_up(daemon: Daemon) -> None:
    ledger = Ledger(daemon.log.parent)
    with trading(daemon.url) as trader:
        before = ledger.balances()
        stock_up(trader)
        trader.submit_all(mixed(60, seed=1))
        stories = trader.follow_all_to_end(seconds=60)
        check_all_confirmed(stories)
        audit(trader, stories, ledger, before)
    assert logged_errors(daemon.log.parent) == []


@pytest.mark.soak
@pytest.mark.timeout(600)
def test_each_of_a_thousand_orders_lands_once_without_resource_leaks(daemon: Daemon) -> None:
    """Descriptors, threads and memory are compared after each half, when caches and pools are warm."""
    ledger = Ledger(daemon.log.parent)
    with trading(daemon.url) as trader:
        before = ledger.balances()
        stock_up(trader)
        trader.submit_all(mixed(500, seed=2))
        trader.follow_all_to_end(seconds=200)
        warm = use_of(daemon)
        trader.submit_all(mixed(500, seed=3))
        stories = trader.follow_all_to_end(seconds=200)
        check_all_confirmed(stories)
        audit(trader, stories, ledger, before)
    assert logged_errors(daemon.log.parent) == []
    check_no_leak(warm, use_of(daemon))


def check_no_leak(warm: Mapping[str, Use], now: Mapping[str, Use]) -> None:
    """A leak per order would exceed these bounds after 500 orders."""
    for role in ROLES:
        assert now[role].descriptors <= warm[role].descriptors + 20, role
        assert now[role].threads <= warm[role].threads + POOLED, role
        assert now[role].memory <= warm[role].memory + 20 * 2**20, role
