"""Each command in the README and docs works: it is run here, or listed here with the reason why not."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import pytest

from orderd.process.temporary import Daemon, running_daemon
from orderd.whole_file import read_address
from tests.acceptance.documented import DocumentedCommand, commands, languages
from tests.acceptance.prices import Prices
from tests.acceptance.trader import order, trading
from tests.conftest import QUICK
from tests.receiver import receiving

NOT_COMMANDS: Final = {"csv", "ini", "json", "python", "text", "toml", "yaml"}
_ELSEWHERE: Final = "run by {}"
_MAKE: Final = "makes an environment, or takes minutes; tests/unit/test_project.py checks that the target exists"
_DEMO: Final = _ELSEWHERE.format("tests/acceptance/test_demonstration.py")
_DAEMON: Final = "starts the daemon that the other commands need; run by tests/integration/test_run.py"
_RECIPES: Final = _ELSEWHERE.format("tests/acceptance/test_recipes.py, with the file of its recipe")
_LAUNCH: Final = "MINT is a placeholder; tests/acceptance/test_on_liquidity.py launches a token"
_TERMINAL: Final = "needs a terminal; tests/unit/orderctl/tui tests the screens without one"
_NETWORK: Final = "downloads files"
_SERVICE: Final = "installs a service; make systemd does so in a container"
NOT_RUN: Final[Mapping[str, str]] = {
    **dict.fromkeys(
        (
            "sudo install -D -m 0644 deploy/orderd.sysusers /etc/sysusers.d/orderd.conf && sudo systemd-sysusers",
            "sudo install -D -m 0644 deploy/orderd.tmpfiles /etc/tmpfiles.d/orderd.conf",
            "sudo systemd-tmpfiles --create orderd.conf",
            "sudo python3 -m venv /opt/orderd",
            "sudo /opt/orderd/bin/pip install --constraint constraints.txt '.[embedded]'",
            "sudo install -m 0600 .env.example /etc/orderd/orderd.env",
            "sudo install -m 0755 deploy/orderd-admin /usr/local/sbin/",
            "sudo install -m 0644 deploy/orderd.service deploy/orderd.socket /etc/systemd/system/",
            "sudo systemctl enable --now orderd.socket orderd.service",
            "systemctl status orderd",
            "/opt/orderd/bin/orderctl submit SOL USDC 1.5 --watch",
        ),
        _SERVICE,
    ),
    "make demo": _DEMO,
    "make demo SLOW=1": _DEMO,
    "orderd demo": _DEMO,
    "make run": _DAEMON,
    "orderd run": _DAEMON,
    "ORDERD_SIMNET_SUCCESS_RATE=0.95 ORDERD_SIMNET_CONFIRM_MS=15000 make run": _DAEMON,
    "make test": _MAKE,
    "make check": _MAKE,
    "make format": _MAKE,
    "make .venv/installed && export PATH=$PWD/.venv/bin:$PATH": _MAKE,
    "make conformance PROGRAMS=DIRECTORY": "needs binaries of the real programs",
    "make surfpool SURFPOOL=package/surfpool-sdk.linux-x64-gnu.node PROGRAMS=DIRECTORY": "needs the same and surfpool",
    "npm pack @solana/surfpool-linux-x64-gnu && tar xzf solana-surfpool-linux-x64-gnu-*.tgz": _NETWORK,
    "git clone URL orderd && cd orderd": _NETWORK,
    "solana program dump $program programs/$program.so": _NETWORK,
    "ORDERD_SIMNET_PROGRAMS=programs make run": _NETWORK,
    "orderd prove": _ELSEWHERE.format("tests/integration/test_proving.py, with its own programs"),
    "export ORDERD_STATE_DIR=$HOME/orderd-state": "would select another daemon than the one used here",
    **dict.fromkeys(
        ("orderd traces --since 24h --endpoint http://collector:4318", "orderd traces --follow"),
        "needs a collector; run by tests/integration/test_traces.py",
    ),
    "sudo install -m 0644 deploy/prometheus/rules.yml /etc/prometheus/orderd.yml": "needs Prometheus, and root",
    "orderctl submit USDC MINT 100 --on-liquidity --max-price 0.01 --min-liquidity 5000": _LAUNCH,
    "orderctl submit USDC MINT 100 --on-liquidity --max-price 0.011 --min-liquidity 5000": _LAUNCH,
    """curl $RPC -H 'content-type: application/json' -d '{"jsonrpc": "2.0", "id": 1, "method": "simnet_createMint", """
    """"params": [{"decimals": 6}]}'""": _LAUNCH,
    """curl $RPC -H 'content-type: application/json' -d '{"jsonrpc": "2.0", "id": 1, "method": "simnet_setPool", """
    """"params": [{"mint": "MINT", "amount": 1000000000000, "quoteAmount": 10000000000, "feeBps": 25}]}'""": _LAUNCH,
    "orderctl tui": _TERMINAL,
    "orderctl submit --file ladder.csv --no-watch": _RECIPES,
    "orderctl list --kind limit --status open": _RECIPES,
    "orderctl pause average-in": _RECIPES,
    "orderctl resume average-in": _RECIPES,
    "orderctl cancel average-in": _RECIPES,
}
"""Commands that are not run here, and the reason."""
UNTIL_INTERRUPTED: Final = {"orderctl watch --all"}
"""These follow resting orders until Ctrl-C."""
INTERRUPTED: Final = 130
RECEIVER: Final = '[receivers.bot]\nwebhook = "{}"\nsecret = "whsec_{}"\n'
ALL: Final = [*{command.text: command for command in commands()}.values()]
RUN: Final = [command for command in ALL if command.text not in NOT_RUN]


def test_each_block_declares_its_language() -> None:
    assert languages() == NOT_COMMANDS | {"sh", "console"}


def test_each_command_listed_as_not_run_is_in_a_document() -> None:
    assert NOT_RUN.keys() | UNTIL_INTERRUPTED <= {command.text for command in ALL}
    assert len(RUN) > len(NOT_RUN)


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory, shared_database: dict[str, str]) -> Iterator[Daemon]:
    """A daemon that has filled one order, with the client order id ``ID`` that documents use as a placeholder."""
    slots = {"ORDERD_SIMNET_SLOT_MS": "100"}  # the daemon is mostly idle while all commands run
    with running_daemon(tmp_path_factory.mktemp("daemon"), QUICK | slots | shared_database) as daemon:
        prices = Prices(daemon.log.parent)
        prices.wait(prices.set("100"))
        with trading(daemon.url) as trader:
            trader.submit(order("SOL", "USDC", "1").model_copy(update={"client_order_id": "ID"}))
            trader.follow_all_to_end(60)
        yield daemon


@pytest.fixture(scope="module")
def reader(
    tmp_path_factory: pytest.TempPathFactory, daemon: Daemon, shared_database: dict[str, str]
) -> Iterator[tuple[Path, dict[str, str]]]:
    """A reader's working directory and environment, with its own home directory."""
    place = tmp_path_factory.mktemp("reader")
    (place / ".config/fish/completions").mkdir(parents=True)
    (place / ".venv").symlink_to(sys.prefix)
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("ORDERD_", "ORDERCTL_", "XDG_"))
    }
    with receiving() as receiver:
        alerts = place / "alerts.toml"
        alerts.write_text(RECEIVER.format(receiver.url, base64.b64encode(b"k" * 24).decode()))
        alerts.chmod(0o600)
        chain = read_address(daemon.log.parent / "simnet/simnet.json")
        yield (
            place,
            inherited
            | shared_database
            | {
                "HOME": str(place),
                "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
                "ORDERCTL_URL": daemon.url,
                "ORDERD_STATE_DIR": str(daemon.log.parent),
                "ORDERD_CONFIG": os.devnull,
                "ORDERD_RPC_URL": chain["http_url"],
                "ORDERD_ALERTS": str(alerts),
            },
        )


@pytest.mark.timeout(300)
def test_each_documented_command_succeeds(reader: tuple[Path, dict[str, str]]) -> None:
    failed = [f"{each.document}: {each.text}\n{said}" for each in RUN if (said := run(each, *reader)) is not None]
    assert failed == [], "\n".join(failed)


def test_a_command_that_fails_is_reported_with_its_output(reader: tuple[Path, dict[str, str]]) -> None:
    said = run(DocumentedCommand("docs/wrong.md", "orderctl quote SOL NONE 1", ()), *reader)
    assert said is not None
    assert "TOKEN_UNKNOWN" in said


def run(command: DocumentedCommand, place: Path, environment: dict[str, str]) -> str | None:
    """The command's output if it failed, otherwise None."""
    before = [each for each in command.before if each not in NOT_RUN]
    process = subprocess.Popen(
        ["bash", "-c", "\n".join(["set -e", *before, command.text])],
        cwd=place,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    expected, first = 0, ""
    try:
        if command.text in UNTIL_INTERRUPTED:
            assert process.stdout is not None
            first = process.stdout.readline()
            os.killpg(process.pid, signal.SIGINT)
            expected = INTERRUPTED
        said, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return None if process.returncode == expected else f"exit code {process.returncode}: {first}{said}"
