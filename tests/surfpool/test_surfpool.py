"""A part of ``make surfpool``, if surfpool and the binaries are available (``SURFPOOL``, ``PROGRAMS``).

Nothing is installed for this test: it is skipped otherwise.
"""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from orderd.domain.errors import ErrorCode
from orderd.domain.order import OrderStatus
from orderd.process.temporary import running_daemon
from orderd.simnet.programs.binaries import Binaries
from orderd.solana.keys import create_wallet
from orderd.wire.orders import OrderView
from tests.acceptance.trader import order, trading
from tests.surfpool.chains import kinds_of, on_surfpool, trade
from tests.surfpool.validator import missing, running_surfpool

REASON = missing(os.environ.get("SURFPOOL"), os.environ.get("PROGRAMS"))
ADDON, PROGRAMS = (Path(os.environ.get(name, "")) for name in ("SURFPOOL", "PROGRAMS"))
pytestmark = pytest.mark.skipif(REASON is not None, reason=str(REASON))


def test_orders_on_an_independent_validator_are_paid_as_quoted(tmp_path: Path) -> None:
    kinds = kinds_of(PROGRAMS)
    with on_surfpool(tmp_path / "state", PROGRAMS, ADDON) as daemons:
        row = trade("surfpool", daemons, kinds, 4 * (len(kinds) + 1))
    assert row.differences == []
    assert row.confirmed == row.as_quoted == row.orders
    assert set(row.swaps) == set(kinds)


def test_programs_are_traded_only_while_proved(tmp_path: Path) -> None:
    """Each daemon reads the deployments when it first needs them."""
    wallet = create_wallet(tmp_path / "wallet.json").address
    with running_surfpool(ADDON, PROGRAMS, wallet) as validator:
        settings = {**validator.settings, "ORDERD_REQUIRE_PROOF": "true"}
        assert_unproven(sold(tmp_path, settings))
        assert proved(tmp_path, settings) == set(kinds_of(PROGRAMS))
        assert sold(tmp_path, settings).status is OrderStatus.CONFIRMED
        validator.upgrade(Binaries(PROGRAMS).elfs)
        assert_unproven(sold(tmp_path, settings))


def sold(state_dir: Path, settings: Mapping[str, str]) -> OrderView:
    """A new daemon's order after its end."""
    with running_daemon(state_dir, settings) as daemon, trading(daemon.url) as trader:
        order_id = trader.submit(order("SOL", "USDC", "0.1"))
        trader.follow(order_id, 60)
        return trader.detail(order_id).order


def assert_unproven(view: OrderView) -> None:
    assert view.status is OrderStatus.FAILED
    assert view.error is not None
    assert view.error.code is ErrorCode.POOL_UNPROVEN


def proved(state_dir: Path, settings: Mapping[str, str]) -> set[str]:
    """The kinds that ``orderd prove`` reports as proved. It reports no differences."""
    done = subprocess.run(
        [Path(sys.executable).parent / "orderd", "prove", "--state-dir", state_dir],
        env={**os.environ, **settings, "ORDERD_CONFIG": os.devnull},
        capture_output=True,
        text=True,
        check=True,
    )
    verdicts = [line.split("\t") for line in done.stdout.splitlines() if not line.startswith("\t")]
    return {kind for kind, verdict, *_ in verdicts if verdict == "proved"}
