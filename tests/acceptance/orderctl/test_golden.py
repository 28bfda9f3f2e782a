"""What each verb prints in each of its formats, word by word: the real program, a real daemon, a chain at rest.

Ids, times, amounts and addresses may differ from run to run and stand here as <id>, <time>, <n> and <address>. The
outputs are in the file beside this one; ``pytest --snapshot-update`` renews them after a change that is meant.
"""

import re
import subprocess
from collections.abc import Iterator

import pytest
from syrupy.assertion import SnapshotAssertion

from orderd.demo import Daemon, running_daemon
from tests.acceptance.orderctl.conftest import ORDERCTL, Orderctl

SETTINGS = {
    "ORDERD_SIMNET_MARKET": "false",
    "ORDERD_SIMNET_SLOT_MS": "50",
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_VENUE_TIMEOUT_MS": "20000",
}
VARYING = [
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4,}\b"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d(\.\d+)?"), "<time>"),
    (re.compile(r"ws://127\.0\.0\.1:\d+/"), "<url>"),
    (re.compile(r"\b[1-9A-HJ-NP-Za-km-z]{3,32}…[1-9A-HJ-NP-Za-km-z]{2,12}"), "<address>"),
    (re.compile(r"\b(?!SOL|USDC|CHILLGUY)(?=[A-Za-z]*\d)[1-9A-HJ-NP-Za-km-z]{32,88}\b"), "<address>"),
    (re.compile(r"\b\d+(\.\d+)? m?s\b|\b\d+:\d\d\b"), "<duration>"),
    # A single digit is the same each time, and part of what is promised: exit codes, versions, event numbers.
    (re.compile(r"(?<![\w<.])(\d+(,\d{3})*\.\d+|\d+(,\d{3})+|\d{2,})(?![\w>])"), "<n>"),
    (re.compile(r" {2,}"), "  "),
    (re.compile(r" +$", re.MULTILINE), ""),
]


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """It has filled one order, which answers to the client order id ``golden``."""
    with running_daemon(tmp_path_factory.mktemp("orderd"), SETTINGS) as running:
        trade = ("submit", "SOL", "USDC", "1.5", "--client-order-id", "golden", "--watch")
        subprocess.run([ORDERCTL, "--url", running.url, *trade], check=True, capture_output=True, timeout=60)
        yield running


def normalised(text: str) -> str:
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


@pytest.mark.parametrize(
    "command",
    [
        "",
        "--help",
        "submit SOL USDC 1.5 --client-order-id golden",
        "submit SOL USDC 1.5 --client-order-id golden -o json",
        "submit SOL USDC 1.5 --client-order-id golden -o jsonl",
        "submit SOL USDC 1.5 --client-order-id golden -o id",
        "submit SOL USDC 1.5 --client-order-id golden --watch",
        "submit SOL USDC 1.5 --client-order-id golden --watch -o jsonl",
        "submit SOL USDC 1.5 --dry-run",
        "submit SOL USDC 1.5 --dry-run -o json",
        "submit SOL USDC -1",
        "submit SOL USDC -1 -o json",
        "submit SOL USDC 2 --client-order-id golden",
        "watch golden",
        "watch golden -o jsonl",
        "watch --all",
        "show golden",
        "show golden -o json",
        "show golden -o id",
        "show nowhere",
        "events golden",
        "events golden -o json",
        "events golden -o jsonl",
        "list",
        "list -o wide",
        "list -o json",
        "list -o jsonl",
        "list -o id",
        "list --status failed",
        "cancel golden",
        "cancel golden -o json",
        "cancel --all --yes",
        "quote SOL USDC 1.5",
        "quote SOL USDC 1.5 -o json",
        "balances",
        "balances -o json",
        "tokens",
        "tokens -o json",
        "status",
        "status -o json",
        "tui",
        "doctor",
        "doctor -o json",
        "config show",
        "config show --origin",
        "config show -o json",
        "config path",
        "config validate",
        "context list",
        "context list -o json",
        "context use prod",
        "completion bash",
        "completion zsh",
        "completion fish",
        "version",
        "version -o json",
        "buy SOL",
        "statsu",
    ],
)
def test_a_command_prints(orderctl: Orderctl, snapshot: SnapshotAssertion, command: str) -> None:
    outcome = orderctl(*command.split())

    told = f"--- stdout\n{outcome.out}--- stderr\n{outcome.err}"
    assert f"exit code {outcome.code}\n{normalised(told)}" == snapshot
