"""``orderd demo``: starts a daemon in a temporary directory, executes one order, and removes everything."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

from orderd.process.temporary import running_daemon

_COMMANDS: Final = (
    ("submit", "SOL", "USDC", "1.5", "--client-order-id", "demo", "--watch"),
    ("show", "demo"),
)


_SLOW: Final = {
    "ORDERD_SIMNET_RAYDIUM_LATENCY_MS": "1200",
    "ORDERD_SIMNET_METEORA_LATENCY_MS": "2000",
    "ORDERD_SIMNET_CONFIRM_MS": "8000",
    "ORDERD_VENUE_TIMEOUT_MS": "20000",
}
"""Delays that make each step of an order visible. The time-out is longer because the first quote of a venue needs
several requests."""


def demo(
    slow: Annotated[bool, typer.Option("--slow", help="Slow the chain down, to see each step.")] = False,
) -> None:
    """Start everything in a temporary directory, trade 1.5 SOL for USDC, and stop everything."""
    sys.exit(_trade(_SLOW if slow else {}))


def _trade(settings: Mapping[str, str]) -> int:
    """Run the commands on the local chain. Returns the exit code of the first one that failed, or else 0.

    Raises OrderdError if the daemon does not start or stop properly.
    """
    with tempfile.TemporaryDirectory(prefix="orderd-demo-") as directory:
        sys.stderr.write("Starting Postgres, Redis, a local Solana chain and orderd in a temporary directory ...\n")
        with running_daemon(Path(directory), settings) as daemon:
            for arguments in _COMMANDS:
                sys.stderr.write(f"\n$ orderctl {' '.join(arguments)}\n")
                exit_code = subprocess.run(  # noqa: S603  (our own argv)
                    [Path(sys.executable).with_name("orderctl"), *arguments],
                    env={**os.environ, "ORDERCTL_URL": daemon.url},
                    check=False,
                ).returncode
                if exit_code != 0:
                    return exit_code
    return 0
