"""A daemon on each of the chains, with the same pool kinds: those whose programs' binaries are there."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from orderd.domain.quote import PoolKind
from orderd.process.temporary import running_daemon
from orderd.simnet.programs.binaries import Binaries
from orderd.solana.keys import create_wallet
from orderd.solana.pool_programs import pool_programs
from tests.acceptance.trader import Trader, order, trading
from tests.surfpool.orders import CHILLGUY
from tests.surfpool.validator import SLOT_MS, running_surfpool

_COMMON: Final = {"ORDERD_RATE_LIMIT": "0", "ORDERD_POOL_MAX_AGE_MS": "0", "ORDERD_SETTLE_INTERVAL_MS": "50"}
_QUIET: Final = {"ORDERD_SIMNET_SLOT_MS": str(SLOT_MS), "ORDERD_SIMNET_MARKET": "false"}


@contextmanager
def on_simnet(state_dir: Path, programs: Path, *, binaries: bool) -> Iterator[Trader]:
    """On the local chain, whose swaps are those of its handlers or of the binaries."""
    state_dir.mkdir()
    chosen = {"ORDERD_SIMNET_PROGRAMS": str(programs.resolve())} if binaries else {}
    with _daemon(state_dir, programs, _QUIET | chosen) as trader:
        trader.follow(trader.submit(order("SOL", CHILLGUY, "0.2")), seconds=60)  # of which the faucet gives nothing
        yield trader


@contextmanager
def on_surfpool(state_dir: Path, programs: Path, addon: Path) -> Iterator[Trader]:
    """On a validator that knows nothing of orderd."""
    state_dir.mkdir()
    wallet = create_wallet(state_dir / "wallet.json").address
    with (
        running_surfpool(addon, programs, wallet) as validator,
        _daemon(state_dir, programs, validator.settings) as trader,
    ):
        yield trader


def kinds_of(programs: Path) -> list[PoolKind]:
    """Those whose binaries are there."""
    ids = Binaries(programs).elfs
    return [program.kind for program in pool_programs() if program.ids["localnet"] in ids]


@contextmanager
def _daemon(state_dir: Path, programs: Path, settings: Mapping[str, str]) -> Iterator[Trader]:
    kinds = {"ORDERD_POOL_KINDS": json.dumps(kinds_of(programs))}
    with running_daemon(state_dir, {**_COMMON, **kinds, **settings}) as daemon, trading(daemon.url) as trader:
        yield trader
