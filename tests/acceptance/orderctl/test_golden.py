"""Golden outputs: what each verb prints in each of its formats, with the real program, a real daemon and an idle chain.

Values that vary between runs (ids, times, amounts, addresses) are replaced by <id>, <time>, <n> and <address>, and the
version by <version>. The outputs are in the snapshot file; renew them with ``pytest --snapshot-update`` after an
intended change.
"""

import json
import re
import subprocess
from collections.abc import Iterator

import pytest
from jsonschema import Draft202012Validator
from syrupy.assertion import SnapshotAssertion

from orderctl.config.settings import Settings
from orderd.client.connection import Client
from orderd.process.temporary import Daemon, running_daemon
from orderd.release import this_release
from orderd.wire.message import NoParams
from orderd.wire.rpc import Method
from orderd.wire.status import StatusResult
from tests.acceptance.orderctl.conftest import ORDERCTL, Orderctl, Outcome

SETTINGS = {
    "ORDERD_SIMNET_MARKET": "false",
    "ORDERD_SIMNET_SLOT_MS": "50",
    "ORDERD_RATE_LIMIT": "0",
    "ORDERD_VENUE_TIMEOUT_MS": "20000",
    # Otherwise profits would depend on whether the first deposits have been read.
    "ORDERD_RECONCILE_MINUTES": "0",
}
VARYING = [
    (re.compile(rf"(?<![\d.]){re.escape(this_release().version)}(?![\d.])"), "<version>"),
    # The commit is unknown outside a git checkout.
    (re.compile(r", commit [0-9a-f]{10}( with changes)?"), ""),
    (re.compile(r'("commit": )("[0-9a-f]{40}(\+changes)?"|null)'), r'\1"<commit>"'),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4,}\b"), "<id>"),
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "<time>"),
    (re.compile(r"\b\d\d:\d\d:\d\d(\.\d+)?"), "<time>"),
    (re.compile(r"ws://127\.0\.0\.1:\d+/"), "<url>"),
    (re.compile(r"\b[1-9A-HJ-NP-Za-km-z]{3,32}…[1-9A-HJ-NP-Za-km-z]{2,12}"), "<address>"),
    (re.compile(r"\b(?!SOL|USDC|CHILLGUY)(?=[A-Za-z]*\d)[1-9A-HJ-NP-Za-km-z]{32,88}\b"), "<address>"),
    (re.compile(r"\b\d+(\.\d+)? m?s\b|\b\d+:\d\d\b"), "<duration>"),
    (re.compile(r'("(?:latency|latency_p99)_ms": )(\d+(\.\d+)?|null)'), r"\1<n>"),
    # Figures about an endpoint's answers vary.
    (re.compile(r'("(?:processes|requests|unanswered|refused|rate_limited|errors|slot_lag)": )(\d+|null)'), r"\1<n>"),
    (re.compile(r"^(endpoint ).*(\n {2,}.*)?", re.MULTILINE), r"\1<figures>"),
    # Single digits do not vary and are part of what is promised: exit codes, versions, event numbers.
    (re.compile(r"(?<![\w<.])(\d+(,\d{3})*\.\d+|\d+(,\d{3})+|\d{2,})(?![\w>])"), "<n>"),
    # A fee that depends on the chain's clock may change by a base unit between the quote and the fill.
    (re.compile(r", <n> bp (better|worse) than quoted"), ", as quoted"),
    (re.compile(r" {2,}"), "  "),
    (re.compile(r" +$", re.MULTILINE), ""),
]

VALIDATORS: dict[str, Draft202012Validator] = {}
"""Cached validators by document kind; each schema is checked once."""


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Daemon]:
    """A daemon that has filled one order, whose client order id is ``golden``."""
    with running_daemon(tmp_path_factory.mktemp("orderd"), SETTINGS | shared_database) as running:
        trade = ("submit", "SOL", "USDC", "1.5", "--client-order-id", "golden", "--watch")
        subprocess.run([ORDERCTL, "--url", running.url, *trade], check=True, capture_output=True, timeout=60)
        while _confirmed(running) < 1:  # the counts are cached for up to a second
            pass
        yield running


def _confirmed(running: Daemon) -> int:
    asked = (ORDERCTL, "--url", running.url, "status", "-o", "json")
    answer = subprocess.run(asked, check=True, capture_output=True, timeout=60)
    return int(json.loads(answer.stdout)["orders"].get("confirmed", 0))


def normalised(text: str) -> str:
    for pattern, name in VARYING:
        text = pattern.sub(name, text)
    return text


FORMATS = ("", "-o wide", "-o json", "-o jsonl", "-o id", "-q")
IN_EVERY_FORMAT = (
    "",
    "submit SOL USDC 1.5 --client-order-id golden",
    "submit SOL USDC 1.5 --dry-run",
    "buy USDC 150 --with SOL --dry-run",
    "watch golden",
    "wait golden",
    "show golden",
    "events golden",
    "list",
    "history",
    "cancel golden",
    "quote SOL USDC 1.5",
    "balances",
    "tokens",
    "pools",
    "status",
    "halt --lift --yes",
    "doctor",
    "config show",
    "context list",
    "version",
)
OTHERS = (
    "--help",
    "submit SOL USDC 1.5 --client-order-id golden --watch",
    "submit SOL USDC 1.5 --client-order-id golden --watch -o jsonl",
    "submit SOL USDC -1",
    "submit SOL USDC -1 -o json",
    "submit SOL USDC 2 --client-order-id golden",
    "submit SOL UDSC 1",
    "submit SOL",
    "buy --help",
    "buy SOL 1",
    "buy SOL -1 --with USDC",
    "quote SOL USDC --exact-out 150 --max-in 1 -o wide",
    "watch --all",
    "show goldne",
    "show nowhere -o json",
    "show !",
    "list --status failed",
    "list --token UDSC",
    "list --help",
    "halt --help",
    "halt --lift --cancel-open",
    "list --kind market --columns id,status,sell,price,kind",
    "list --kind limit",
    "wait --help",
    "history -o csv",
    "chart SOL",
    "depth SOL USDC --sizes 1,max",
    "depth SOL USDC --sizes 1,100 -o json",
    "depth --help",
    "chart --help",
    "pnl --help",
    "pnl --days",
    "portfolio --help",
    "export csv",
    "export --help",
    "history --token UDSC",
    "history --since yesterday",
    "history --help",
    "list --columns id,stauts",
    "list --columns id -o json",
    "list --all --sort -sell -o id",
    "list --sort sell",
    "cancel --all --yes",
    "quote USDC CHILLGUY 20 -o wide",
    "pools SOL CHILLGUY",
    "tui",
    "mcp --trade",
    "mcp --help",
    "config path",
    "config validate",
    "context use prod",
    "completion bash",
    "completion zsh",
    "completion fish",
    "schema",
    "schema balances",
    "schema balance-sheet",
    "purchase SOL",
    "statsu",
    "status --colour never",
)


@pytest.fixture(scope="module", autouse=True)
def _endpoint_is_known(daemon: Daemon) -> None:
    """Wait until a process has reported the slot of the chain's endpoint."""
    with Client(Settings(url=daemon.url)) as client:
        while not [each for each in client.call(Method.STATUS, NoParams(), StatusResult).endpoints if each.slot]:
            pass


@pytest.mark.parametrize("command", [f"{verb} {how}".strip() for verb in IN_EVERY_FORMAT for how in FORMATS])
def test_a_verb_prints_in_a_format(orderctl: Orderctl, snapshot: SnapshotAssertion, command: str) -> None:
    outcome = orderctl(*command.split())

    assert text_of(outcome) == snapshot
    if outcome.code != 2 and "-o json" in command:
        is_stream = "-o jsonl" in command or command.startswith("watch")
        for document in outcome.out.splitlines() if is_stream else [outcome.out]:
            assert_valid_by_its_schema(orderctl, json.loads(document))


@pytest.mark.parametrize("command", OTHERS)
def test_a_command_prints(orderctl: Orderctl, snapshot: SnapshotAssertion, command: str) -> None:
    assert text_of(orderctl(*command.split())) == snapshot


def text_of(outcome: Outcome) -> str:
    text = normalised(f"--- stdout\n{outcome.out}--- stderr\n{outcome.err}")
    return f"exit code {outcome.code}\n{text}"


def assert_valid_by_its_schema(orderctl: Orderctl, document: dict[str, object]) -> None:
    kind = str(document["schema"]).removeprefix("orderctl.").removesuffix("/1")
    validator_of(orderctl, kind).validate(document)


def validator_of(orderctl: Orderctl, kind: str) -> Draft202012Validator:
    if kind not in VALIDATORS:
        schema = json.loads(orderctl("schema", kind).out)
        Draft202012Validator.check_schema(schema)
        VALIDATORS[kind] = Draft202012Validator(schema)
    return VALIDATORS[kind]
