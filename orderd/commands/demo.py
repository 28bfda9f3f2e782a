"""``orderd demo``: a daemon of its own in a temporary directory, one order in front of you, nothing left behind."""

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
"""Each step of an order takes long enough to be seen. For its first quote a venue is asked more than once."""


def demo(
    slow: Annotated[bool, typer.Option("--slow", help="On a chain so slow that each step can be watched.")] = False,
) -> None:
    """Start everything in a directory of its own, trade 1.5 SOL for USDC in front of you, stop everything."""
    sys.exit(_trade(_SLOW if slow else {}))


def _trade(settings: Mapping[str, str]) -> int:
    """On the local chain. Returns the exit code of the first command that failed, else 0.

    Raises OrderdError when the daemon does not start or does not stop as it should.
    """
    with tempfile.TemporaryDirectory(prefix="orderd-demo-") as directory:
        sys.stderr.write("Starting Postgres, Redis, a local Solana and orderd in a directory of their own ...\n")
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
