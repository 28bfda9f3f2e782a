"""``orderd alert``: what an operator sees of receivers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from db import alerts
from orderd.domain.alerts import AlertKind
from tests.receiver import SECRET, AlertReceiver

ORDERD = Path(sys.executable).with_name("orderd")
Outcome = subprocess.CompletedProcess[str]
FILE = """
[receivers.bot]
webhook = "{url}"
secret = "{secret}"
[receivers.nobody]
webhook = "http://127.0.0.1:9/"
secret = "{secret}"
"""


@pytest.fixture
def environment(tmp_path: Path, connected: str, receiver: AlertReceiver) -> dict[str, str]:
    file = tmp_path / "alerts.toml"
    file.write_text(FILE.format(url=receiver.url, secret=SECRET))
    file.chmod(0o600)
    return {"ORDERD_CONFIG": "/dev/null", "ORDERD_DATABASE_URL": connected, "ORDERD_ALERTS": str(file)}


def orderd(environment: dict[str, str], *words: str) -> Outcome:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORDERD_")}
    return subprocess.run(
        [ORDERD, *words], env=inherited | environment, capture_output=True, text=True, check=False, timeout=60
    )


def test_one_named_receiver_is_tested_alone(environment: dict[str, str], receiver: AlertReceiver) -> None:
    tried = orderd(environment, "alert", "test", "bot")
    (received,) = receiver.received
    assert (tried.returncode, received.json["type"]) == (0, "test")
    assert tried.stdout == f"bot\tok\tconfirmed alert {received.headers['webhook-id']}\n"


def test_a_failing_receiver_is_named_and_the_others_are_still_tested(environment: dict[str, str]) -> None:
    tried = orderd(environment, "alert", "test")
    assert tried.returncode == 1
    assert [line.split("\t")[:2] for line in tried.stdout.splitlines()] == [["bot", "ok"], ["nobody", "failed"]]
    assert SECRET not in tried.stdout + tried.stderr


def test_an_unknown_receiver_is_refused_with_the_known_ones(environment: dict[str, str]) -> None:
    tried = orderd(environment, "alert", "test", "boot")
    assert tried.returncode == 2
    assert "there is no receiver boot; the file contains bot, nobody" in tried.stderr


@pytest.mark.usefixtures("subscribed")
def test_waiting_alerts_are_listed_with_their_age_and_reason(environment: dict[str, str]) -> None:
    assert orderd(environment, "alert", "list").stdout == "All alerts have been delivered.\n"
    alerts.store(AlertKind.RESTARTED, {})
    alerts.distribute({"bot": AlertKind})
    (delivery,) = alerts.take("bot", 1)
    alerts.postpone("bot", {delivery.alert.id: 60}, "it answered with status 500")
    since = f"{delivery.alert.at:%Y-%m-%d %H:%M:%S}"
    assert orderd(environment, "alert", "list").stdout == f"bot\t1\tsince {since} UTC\tit answered with status 500\n"
