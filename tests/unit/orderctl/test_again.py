"""The command printed for a retry does the same as the original command, whatever its options."""

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
    """The command that is printed after a daemon has refused orders for now."""
    (line,) = [line for line in orderctl(*words).err.splitlines() if "cannot create a second order: " in line]
    return line.partition("cannot create a second order: ")[2]


def test_every_given_option_is_in_the_command(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    given = (
        "submit SOL USDC 1.5 --slippage 0.3 --min-out 150 --max-cost 1 --floor each --use-wrapped"
        " --no-watch --client-order-id mine --yes --output wide"
        f" --url {daemon.url} --timeout 3.0 --quiet"
    )
    assert offered(orderctl, *given.split()) == f"orderctl {given}"


def test_global_options_are_in_the_command(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    before = ("--url", daemon.url, "-o", "wide")
    again = offered(orderctl, *before, "submit", "SOL", "USDC", "1", "--client-order-id", "mine")
    assert again == f"orderctl submit SOL USDC 1 --client-order-id mine --output wide --url {daemon.url}"


def test_the_command_prints_itself_again(orderctl: Orderctl) -> None:
    again = offered(orderctl, "submit", "SOL", "USDC", "1", "-s", "0.5", "--client-order-id", "mine")
    assert offered(orderctl, *shlex.split(again)[1:]) == again


def test_a_generated_client_order_id_is_in_the_command(daemon: FakeDaemon, orderctl: Orderctl) -> None:
    again = offered(orderctl, "submit", "SOL", "USDC", "1")
    (sent,) = (params["client_order_id"] for _, params in daemon.calls)
    assert again == f"orderctl submit SOL USDC 1 --client-order-id {UUID(sent)}"


def test_the_command_for_a_file_sends_the_whole_file(
    orderctl: Orderctl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "my orders.csv"
    path.write_text("token_in,token_out,amount_in\nSOL,USDC,1\n")
    monkeypatch.setattr("orderctl.trading.sending.MAX_TRIES", 1)

    again = offered(orderctl, "submit", "-f", str(path), "-s", "1", "--client-order-id", "monday")

    assert again == f"orderctl submit --slippage 1 --file '{path}' --client-order-id monday"
