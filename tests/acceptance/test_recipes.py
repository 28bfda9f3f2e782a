"""Each file and command in docs/recipes.md creates the orders that the document promises."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from orderd.process.temporary import Daemon, running_daemon
from tests.acceptance.orderctl.conftest import ORDERCTL
from tests.acceptance.prices import Prices
from tests.conftest import QUICK

TEXT: Final = (Path(__file__).parents[2] / "docs" / "recipes.md").read_text()
FILES: Final = re.findall(r"```csv\n(.*?)```", TEXT, re.DOTALL)
COMMANDS: Final = "".join(re.findall(r"```sh\n(orderctl.*?)```", TEXT, re.DOTALL)).splitlines()
KINDS: Final = {
    "ladder-3": "limit",
    "grid-buy-2": "limit",
    "both-ends": "oco",
    "average-in": "twap",
    "trail-percent": "trailing",
    "rebalance": "twap",
    "at-once": "limit",
}
"""The order kind of one order per recipe."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Daemon]:
    with running_daemon(tmp_path_factory.mktemp("daemon"), QUICK | shared_database) as daemon:
        prices = Prices(daemon.log.parent)
        prices.wait(prices.set("100"))
        yield daemon


def orderctl(daemon: Daemon, *words: str, given: str = "") -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("ORDERCTL_")}
    done = subprocess.run(
        [ORDERCTL, "--url", daemon.url, *words],
        input=given,
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_every_recipe_creates_the_orders_that_it_names(daemon: Daemon) -> None:
    for file in FILES:
        orderctl(daemon, "submit", "--file", "-", "--no-watch", given=file)
    listed: list[dict[str, Any]] = json.loads(orderctl(daemon, "list", "--all", "-o", "json"))["orders"]
    made = {order["client_order_id"]: order["kind"] for order in listed}
    assert {name: made[name] for name in KINDS} == KINDS
    names = {line.rsplit(",", 1)[-1] for file in FILES for line in file.splitlines()[1:]}
    assert names <= made.keys(), "a row of a file is not an order"
    for command in COMMANDS:
        words = shlex.split(command)[1:]
        if "--file" not in words:
            orderctl(daemon, *words)
    for name in names - {"at-once", "average-in"}:
        orderctl(daemon, "cancel", name)
