"""Alerts survive kills and outages: each fill is delivered, signed, under an id that does not change."""

import base64
import hmac
import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orderd.domain.order import OrderStatus
from orderd.process.temporary import Daemon, running_daemon
from tests.acceptance.trader import order, trading
from tests.conftest import QUICK
from tests.receiver import SECRET, AlertReceiver, ReceivedAlert, receiving

FILE = """
balance_low = {{ SOL = "999999" }}
[receivers.bot]
webhook = "{url}"
secret = "{secret}"
events = ["filled", "balance_low", "restarted"]
"""
ORDERS = 5


@pytest.fixture
def receiver() -> Iterator[AlertReceiver]:
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def settings(tmp_path: Path, receiver: AlertReceiver, given_database: dict[str, str]) -> dict[str, str]:
    file = tmp_path / "alerts.toml"
    file.write_text(FILE.format(url=receiver.url, secret=SECRET))
    file.chmod(0o600)
    return QUICK | given_database | {"ORDERD_ALERTS": str(file)}


@pytest.mark.timeout(300)  # the pauses between retries grow with the outage, and are long on a busy machine
def test_each_fill_is_delivered_despite_kills_and_a_receiver_outage(
    tmp_path: Path, receiver: AlertReceiver, settings: dict[str, str]
) -> None:
    ends: set[str] = set()
    receiver.mode = "hang"  # a receiver that hangs does not delay orders
    with running_daemon(tmp_path, settings) as daemon:
        ends |= fill(daemon)
        kill(tmp_path, "notifier")
        kill(tmp_path, "worker")  # otherwise workers of a killed daemon could stop in order
        receiver.mode, receiver.answer = "answer", 503
        receiver.released.set()
        ends |= fill(daemon)
        daemon.process.kill()
        daemon.process.wait(60)
    receiver.answer = 204
    with running_daemon(tmp_path, settings) as daemon:
        ends |= fill(daemon)
        alerts = [receiver.wait_for(each) for each in ("balance_low", "restarted")]
        confirmed = wait_for_fills(receiver, ends)
        subscribe_to_halts(tmp_path, daemon)
        with trading(daemon.url) as trader:
            trader.halt("lunch")
        alerts.append(receiver.wait_for("halted"))
        assert SECRET not in daemon.log.read_text()
        assert receiver.url not in daemon.log.read_text()
    for each in [*alerts, *confirmed]:
        assert is_signed(each)
    assert {each.headers["webhook-id"] for each in confirmed} == ends
    bodies = {(each.headers["webhook-id"], each.body) for each in confirmed}
    assert len(bodies) == len(ends), "a repeated alert differs from the first one"


def subscribe_to_halts(state_dir: Path, daemon: Daemon) -> None:
    """Subscribe the receiver to halts and reload the settings, as ``systemctl reload`` does."""
    file = state_dir / "alerts.toml"
    file.write_text(file.read_text().replace('"restarted"]', '"restarted", "halted"]'))
    daemon.process.send_signal(signal.SIGHUP)
    while not any(notice.get("STATUS") == "settings read again" for notice in daemon.manager.received()):
        select.select([daemon.manager.fileno()], [], [], 60)


def fill(daemon: Daemon) -> set[str]:
    """Fill some orders; returns the ids of the expected alerts, one per order's last event."""
    with trading(daemon.url) as trader:
        trader.submit_all([order("SOL", "USDC", "0.01") for _ in range(ORDERS)])
        stories = trader.follow_all_to_end(60)
    assert {story.order.status for story in stories} == {OrderStatus.CONFIRMED}
    return {f"{story.id}-{story.events[-1].seq}" for story in stories}


def kill(state_dir: Path, role: str) -> None:
    """Kill the process that holds the lock of this role."""
    os.kill(int((state_dir / f"{role}.lock").read_text()), signal.SIGKILL)


def wait_for_fills(receiver: AlertReceiver, ids: set[str]) -> list[ReceivedAlert]:
    deadline = time.monotonic() + 90
    while not ids <= set(receiver.ids()):
        assert time.monotonic() < deadline, ids - set(receiver.ids())
        receiver.wait(len(receiver.received) + 1, 90)
    return [each for each in receiver.received if each.json["type"] == "filled"]


def is_signed(alert: ReceivedAlert) -> bool:
    """Check the signature by the specification alone."""
    headers = alert.headers
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + alert.body
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    return headers["webhook-signature"] == "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
