"""The example program in the API document works against a daemon."""

import subprocess
import sys
from pathlib import Path

from orderd.process.temporary import running_daemon
from tests.conftest import QUICK
from tests.unit.orderctl.test_client_names import program


def test_the_example_client_submits_follows_and_prints_a_fill(tmp_path: Path, given_database: dict[str, str]) -> None:
    with running_daemon(tmp_path, QUICK | given_database) as daemon:
        code = program().replace("ws://127.0.0.1:3000/", daemon.url)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    sold, _, bought = done.stdout.partition(" SOL for ")
    assert sold == "1.5", done.stdout
    assert bought.endswith(" USDC\n")
