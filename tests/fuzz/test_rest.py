"""Schemathesis generates requests from the OpenAPI document and sends them to the REST API of a daemon."""

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
    """A daemon with 5 started orders, 15 that wait and can be cancelled, and 5 resting ones."""
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


def fuzz(daemon: Daemon, *options: str) -> None:
    """Raises AssertionError with all failures, each with a request that reproduces it."""
    run = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            *("--no-color", "--config-file", str(ROOT / "tests/fuzz/schemathesis.toml"), "run"),
            # After a halt all orders would be refused.
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


@pytest.mark.timeout(480)
def test_a_short_run_finds_nothing(busy_daemon: Daemon) -> None:
    """Sends the same requests in each run. It computes longer than any other test, without a pause: on a slow machine
    with two cores it has taken more than two minutes beside the others."""
    fuzz(busy_daemon, "--max-examples", "10", "--seed", "1")


@pytest.mark.fuzz
@pytest.mark.timeout(1_200)
def test_a_long_run_finds_nothing(busy_daemon: Daemon) -> None:
    fuzz(busy_daemon, "--max-examples", "200", "--max-time", "600")
