"""Daemons on each of the chains, one after another, which trade in one pool kind or in all."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from orderd.domain.pool_kind import PoolKind
from orderd.process.temporary import running_daemon
from orderd.simnet.programs.binaries import Binaries
from orderd.solana.keys import create_wallet
from orderd.solana.pool_programs import program_of
from tests.acceptance.trader import Trader, order, trading
from tests.conformance.orders import KINDS
from tests.surfpool.orders import CHILLGUY, Row
from tests.surfpool.validator import SLOT_MS, running_surfpool

Daemons = Callable[[Sequence[PoolKind]], AbstractContextManager[Trader]]
"""Starts a daemon that trades in these kinds, on the chain as the previous daemon left it."""

_COMMON: Final = {"ORDERD_RATE_LIMIT": "0", "ORDERD_POOL_MAX_AGE_MS": "0", "ORDERD_SETTLE_INTERVAL_MS": "50"}
_QUIET: Final = {"ORDERD_SIMNET_SLOT_MS": str(SLOT_MS), "ORDERD_SIMNET_MARKET": "false"}


@contextmanager
def on_simnet(state_dir: Path, programs: Path | None) -> Iterator[Daemons]:
    """On the local chain, which executes ``programs``, a directory of binaries, or its own handlers if it is None."""
    state_dir.mkdir()
    yield _daemons(state_dir, _QUIET | ({} if programs is None else {"ORDERD_SIMNET_PROGRAMS": str(programs)}))


@contextmanager
def on_surfpool(state_dir: Path, programs: Path, addon: Path) -> Iterator[Daemons]:
    """On surfpool."""
    state_dir.mkdir()
    wallet = create_wallet(state_dir / "wallet.json").address
    with running_surfpool(addon, programs, wallet) as validator:
        yield _daemons(state_dir, validator.settings)


def kinds_of(programs: Path) -> list[PoolKind]:
    """The kinds whose binaries are in the directory and support the current instructions."""
    ids = Binaries(programs).elfs
    return [kind for kind in KINDS if program_of(kind).ids["localnet"] in ids]


def trade(name: str, daemons: Daemons, kinds: Sequence[PoolKind], count: int) -> Row:
    """Trade ``count`` orders: equal shares in the pools of each kind, and in those of all kinds."""
    row = Row(name)
    for kind in (None, *kinds):
        with daemons(kinds if kind is None else [kind]) as trader:
            if kind is None:  # faucets do not give the third token
                trader.follow(trader.submit(order("SOL", CHILLGUY, "0.2")), seconds=60)
            row.trade(trader, kind, count // (len(kinds) + 1))
    return row


def _daemons(state_dir: Path, settings: Mapping[str, str]) -> Daemons:
    @contextmanager
    def start(kinds: Sequence[PoolKind]) -> Iterator[Trader]:
        chosen = {"ORDERD_POOL_KINDS": json.dumps(kinds)}
        with running_daemon(state_dir, {**_COMMON, **chosen, **settings}) as daemon, trading(daemon.url) as trader:
            yield trader

    return start
