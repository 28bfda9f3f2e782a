"""Waiting orders, and traders who follow them: through a crash of the gateway, or until a timeout."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator

import pytest

from orderd.process.temporary import Daemon, running_daemon
from orderd.whole_file import read_address
from tests.acceptance.orderctl.conftest import ORDERCTL, Orderctl
from tests.conftest import QUICK


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Daemon]:
    """The rate limit allows one start per hour: all orders but the first wait, however slow the commands are."""
    limits = {"ORDERD_RATE_LIMIT": "1", "ORDERD_RATE_WINDOW_SECONDS": "3600"}
    with running_daemon(tmp_path_factory.mktemp("orderd"), QUICK | shared_database | limits) as running:
        yield running


@pytest.fixture
def waiting_order(orderctl: Orderctl) -> str:
    """The id of an order that waits for its start."""
    _, waiting = [orderctl("submit", "SOL", "USDC", "0.1", "-o", "id").out.strip() for _ in range(2)]
    return waiting


def kill_the_gateway(daemon: Daemon) -> None:
    os.kill(read_address(daemon.log.with_name("gateway.json"))["pid"], signal.SIGKILL)


def test_following_resumes_after_the_gateway_is_killed(
    daemon: Daemon, environment: dict[str, str], orderctl: Orderctl, waiting_order: str
) -> None:
    with subprocess.Popen(
        [ORDERCTL, "watch", waiting_order, "-o", "jsonl"],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,  # what readline() buffers, communicate() would not return
    ) as watching:
        assert watching.stdout is not None
        assert watching.stderr is not None
        first = watching.stdout.readline()
        kill_the_gateway(daemon)
        narration = b""
        while b"reconnected, " not in narration and (line := watching.stderr.readline()):
            narration += line
        cancelled = orderctl("cancel", waiting_order)
        rest, _ = watching.communicate(timeout=60)

    events = [json.loads(line) for line in (first, *rest.splitlines())]
    assert (cancelled.code, watching.returncode) == (0, 1)
    assert [event["seq"] for event in events] == list(range(1, len(events) + 1))
    assert events[-1]["status"] == "cancelled"
    assert b"connection lost" in narration
    assert b"reconnected, " in narration


def test_a_waiting_order_can_be_cancelled_and_is_not_traded(orderctl: Orderctl, waiting_order: str) -> None:
    cancelled = orderctl("cancel", waiting_order)

    assert (cancelled.code, cancelled.out) == (0, f"{waiting_order}  cancelled\n")
    watched = orderctl("watch", waiting_order)
    assert watched.code == 1
    assert "on request; nothing was traded" in watched.out


def test_watch_prints_how_to_resume_after_its_timeout(orderctl: Orderctl, waiting_order: str) -> None:
    outcome = orderctl("watch", waiting_order, "--for", "0.2")

    assert outcome.code == 5
    assert f"orderctl watch {waiting_order}" in outcome.err
