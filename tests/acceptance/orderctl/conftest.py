import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from orderd.process.temporary import Daemon, running_daemon

ORDERCTL = Path(sys.executable).with_name("orderctl")


class Outcome(NamedTuple):
    """The exit code, stdout and stderr of a command."""

    code: int
    out: str
    err: str


Orderctl = Callable[..., Outcome]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Daemon]:
    """``orderd run`` with its own Redis and local chain, shared by a module's tests. A trading market would use CPU."""
    settings = {"ORDERD_SIMNET_SLOT_MS": "50", "ORDERD_SIMNET_MARKET": "false"}
    with running_daemon(tmp_path_factory.mktemp("orderd"), shared_database | settings) as running:
        yield running


@pytest.fixture
def environment(daemon: Daemon) -> dict[str, str]:
    """The environment without the user's own settings."""
    inherited = {
        name: value for name, value in os.environ.items() if name != "COLUMNS" and not name.startswith("ORDERCTL_")
    }
    return {**inherited, "ORDERCTL_URL": daemon.url, "ORDERCTL_CONFIG": os.devnull}


@pytest.fixture
def orderctl(environment: dict[str, str]) -> Orderctl:
    """Runs the installed program against ``daemon``."""

    def command(*args: str) -> Outcome:
        done = subprocess.run(
            [ORDERCTL, *args], env=environment, capture_output=True, text=True, check=False, timeout=60
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return command
