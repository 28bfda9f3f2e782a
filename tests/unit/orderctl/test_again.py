"""The command that is offered to run again does the same, whatever was given with it."""

import shlex
from pathlib import Path
from uuid import UUID

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.wire.rpc import Method
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon


@pytest.fixture(autouse=True)
def _a_daemon_that_stops(daemon: FakeDaemon) -> None:
    daemon.answers(Method.ORDER_SUBMIT, OrderdError(ErrorCode.SERVICE_DRAINING, "the daemon stops"))


def offered(orderctl: Orderctl, *words: str) -> str:
    """The command that is told after this one has met a daemon that takes no orders now."""
    (line,) = [line for line in orderctl(*words).err.splitlines() if "cannot double: " in line]
    return line.partition("cannot double: ")[2]


def test_whatever_was_given_stands_in_the_command(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    given = (
        "submit SOL USDC 1.5 --slippage 0.3 --min-out 150 --max-cost 1 --floor each --use-wrapped"
        " --no-watch --client-order-id mine --yes --output wide"
        f" --url {daemon.url} --timeout 3.0 --quiet"
    )
    assert offered(orderctl, *given.split()) == f"orderctl {given}"


def test_what_stood_before_the_verb_is_not_forgotten(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    before = ("--url", daemon.url, "-o", "wide")
    again = offered(orderctl, *before, "submit", "SOL", "USDC", "1", "--client-order-id", "mine")
    assert again == f"orderctl submit SOL USDC 1 --client-order-id mine --output wide --url {daemon.url}"


def test_the_command_offers_itself_again(orderctl: Orderctl) -> None:
    again = offered(orderctl, "submit", "SOL", "USDC", "1", "-s", "0.5", "--client-order-id", "mine")
    assert offered(orderctl, *shlex.split(again)[1:]) == again


def test_an_id_that_was_made_stands_in_the_command(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    again = offered(orderctl, "submit", "SOL", "USDC", "1")
    (sent,) = (params["client_order_id"] for _, params in daemon.calls)
    assert again == f"orderctl submit SOL USDC 1 --client-order-id {UUID(sent)}"


def test_of_a_file_the_whole_is_sent_again(orderctl: Orderctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "my orders.csv"
    path.write_text("token_in,token_out,amount_in\nSOL,USDC,1\n")
    monkeypatch.setattr("orderctl.trading.sending.MAX_TRIES", 1)

    again = offered(orderctl, "submit", "-f", str(path), "-s", "1", "--client-order-id", "monday")

    assert again == f"orderctl submit --slippage 1 --file '{path}' --client-order-id monday"
