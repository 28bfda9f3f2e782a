"""The REST API of a whole daemon, attacked by schemathesis with all that its OpenAPI document promises."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from orderd.gateway.docs.openapi import EXAMPLES
from orderd.process.temporary import Daemon, running_daemon
from tests.conftest import QUICK

ROOT = Path(__file__).parents[2]


@pytest.fixture
def busy_daemon(tmp_path: Path, given_database: dict[str, str]) -> Iterator[Daemon]:
    """Orders of which the first five have been started and the others wait, and can be cancelled; five rest."""
    state_dir = tmp_path / "daemon"
    state_dir.mkdir()
    with running_daemon(state_dir, QUICK | given_database | {"ORDERD_RATE_LIMIT": "5"}) as daemon:
        order = {"token_in": "SOL", "token_out": "USDC", "amount_in": "0.1"}
        for number in range(20):
            body = order | {"client_order_id": f"fuzz-{number:02}"}
            assert httpx.post(f"{_http(daemon)}api/orders", json=body, trust_env=False).status_code == 201
        for name in ("rests-0", "rests-1", "rests-2", "rests-3", EXAMPLES["order"]):
            body = order | {"client_order_id": name, "limit_price": "300"}
            assert httpx.post(f"{_http(daemon)}api/orders", json=body, trust_env=False).status_code == 201
        yield daemon


def attack(daemon: Daemon, *options: str) -> None:
    """Fails with all that was found, each with the request that shows it."""
    run = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            *("--no-color", "--config-file", str(ROOT / "tests/fuzz/schemathesis.toml"), "run"),
            # A halt is what it says: all orders after it would be refused.
            *(f"{_http(daemon)}openapi.json", "--exclude-path", "/api/halt", "--request-timeout", "20", *options),
        ],
        cwd=daemon.log.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT), "NO_PROXY": "*"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert httpx.get(f"{_http(daemon)}ready", trust_env=False).status_code == 200
    assert [line for line in daemon.log.read_text().splitlines() if "http_failed" in line] == []


def _http(daemon: Daemon) -> str:
    return daemon.url.replace("ws://", "http://")


def test_a_short_attack_finds_nothing(busy_daemon: Daemon) -> None:
    """The same requests each time."""
    attack(busy_daemon, "--max-examples", "10", "--seed", "1")


@pytest.mark.fuzz
@pytest.mark.timeout(1_200)
def test_a_long_attack_finds_nothing(busy_daemon: Daemon) -> None:
    attack(busy_daemon, "--max-examples", "200", "--max-time", "600")
