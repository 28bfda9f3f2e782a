"""``orderd demo``: a daemon of its own in a temporary directory, one order in front of you, nothing left behind."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from orderd.process.temporary import running_daemon

_COMMANDS: Final = (
    ("submit", "SOL", "USDC", "1.5", "--client-order-id", "demo", "--watch"),
    ("show", "demo"),
)


def demo() -> None:
    """Start everything in a directory of its own, trade 1.5 SOL for USDC in front of you, stop everything."""
    sys.exit(_trade())


def _trade() -> int:
    """On the local chain. Returns the exit code of the first command that failed, else 0.

    Raises OrderdError when the daemon does not start or does not stop as it should.
    """
    with tempfile.TemporaryDirectory(prefix="orderd-demo-") as directory:
        sys.stderr.write("Starting Postgres, Redis, a local Solana and orderd in a directory of their own ...\n")
        with running_daemon(Path(directory)) as daemon:
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
