"""Shell completion with the Tab key."""

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from orderctl import completion
from orderctl.app import app
from orderctl.completion import OPTIONS_WITH_VALUE, complete
from orderctl.display.columns import COLUMNS
from orderctl.verbs import VERBS
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import OrderKind
from orderd.wire.orders import ListResult
from orderd.wire.rpc import Method
from orderd.wire.tokens import TokenFound, TokensFound, TokensResult, TokenView
from tests.samples.orders import FILLED, ORDER_ID, history, order_after
from tests.unit.orderctl.conftest import Orderctl
from tests.unit.orderctl.daemon import FakeDaemon

TOKENS = TokensResult(
    tokens=(TokenView(symbol="SOL", mint="So1", decimals=9), TokenView(symbol="USDC", mint="EPj", decimals=6))
)

FOUND = TokensFound(
    tokens=tuple(TokenFound(symbol=token.symbol, mint=token.mint, verified=True) for token in TOKENS.tokens)
)
"""Entries of the token list for any prefix: the shell filters by prefix."""


@pytest.fixture(autouse=True)
def _a_daemon_with_orders(daemon: FakeDaemon, orderctl: Orderctl, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is asked for as long as a busy machine takes."""
    monkeypatch.setattr(completion, "DAEMON_SECONDS", 30.0)
    daemon.answers(Method.TOKENS, TOKENS)
    daemon.answers(Method.TOKENS_SEARCH, FOUND)
    daemon.answers(Method.ORDERS_LIST, ListResult(orders=(order_after(history(FILLED[:2])),), next_cursor=None))


def offered(*words: str) -> list[str]:
    """The completions for the last of ``words``."""
    return complete(["bash", str(len(words)), "orderctl", *words]).splitlines()


def options_with_value(command: Any, context: Any) -> Iterator[str]:
    for parameter in command.params:
        if parameter.param_type_name == "option" and not parameter.is_flag:
            yield from parameter.opts
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from options_with_value(command.get_command(context, name), context)


def test_the_recorded_options_with_values_match_the_commands() -> None:
    """They are written down for completion, which loads no command."""
    command = get_command(app)
    context = command.make_context("orderctl", [], resilient_parsing=True)
    assert frozenset(options_with_value(command, context)) == OPTIONS_WITH_VALUE


def test_verbs_come_first() -> None:
    assert offered("") == list(VERBS)
    assert offered("con") == ["config", "context"]


@pytest.mark.parametrize("verb", ["submit", "quote", "pools"])
def test_a_trade_takes_two_tokens_and_not_the_same_twice(verb: str) -> None:
    assert offered(verb, "") == ["SOL", "USDC"]
    assert offered(verb, "SOL", "") == ["USDC"]
    assert offered(verb, "SOL", "USDC", "") == []


@pytest.mark.parametrize(
    ("verb", "states"),
    [
        ("watch", ["held", "open", "pending", "routing", "building", "submitted"]),
        ("cancel", ["held", "open", "pending", "routing", "building"]),
        ("resolve", ["submitted"]),
    ],
)
def test_a_verb_offers_orders_in_suitable_states(daemon: FakeDaemon, verb: str, states: list[str]) -> None:
    assert offered(verb, "") == [str(ORDER_ID)]
    assert daemon.calls[-1] == ("orders.list", {"limit": 50, "status": states})


def test_show_offers_any_order(daemon: FakeDaemon) -> None:
    assert offered("show", "0199") == [str(ORDER_ID)]
    assert daemon.calls[-1] == ("orders.list", {"limit": 50})
    assert offered("watch", str(ORDER_ID), "") == []
    assert offered("show", "zzz") == []


def test_a_client_order_id_is_offered_for_its_prefix(daemon: FakeDaemon) -> None:
    named = order_after(history(FILLED[:2])).model_copy(update={"client_order_id": "golden"})
    daemon.answers(Method.ORDERS_LIST, ListResult(orders=(named,), next_cursor=None))

    assert offered("show", "go") == ["golden"]
    assert offered("show", "") == [str(ORDER_ID)]


def test_options_and_choices_of_the_verb_are_offered() -> None:
    assert {"--slippage", "--dry-run", "--url"} <= set(offered("submit", "--"))
    assert "--slippage" not in offered("list", "--")
    assert offered("list", "--status", "c") == ["confirmed", "cancelled"]
    assert offered("list", "-o", "js") == ["json", "jsonl"]
    assert offered("--color", "") == ["auto", "always", "never"]
    assert offered("list", "--token", "") == ["SOL", "USDC"]
    assert offered("list", "--kind", "") == offered("submit", "--type", "") == list(OrderKind)
    assert offered("submit", "--time-in-force", "") == ["gtc", "ioc", "fok"]
    assert {"--limit", "--stop", "--take-profit", "--trail", "--valid-for"} <= set(offered("submit", "--"))


def test_columns_are_offered_without_repetition() -> None:
    assert offered("list", "--columns", "") == list(COLUMNS)
    assert offered("list", "--columns", "id,st") == ["id,status", "id,stages"]
    assert offered("list", "--columns", "status,id,st") == ["status,id,stages"]
    assert offered("list", "--sort", "c") == ["created", "client_order_id"]
    assert offered("list", "--sort", "-c") == ["-created", "-client_order_id"]


def test_subcommands_are_offered() -> None:
    assert offered("config", "") == ["show", "path", "validate", "set"]
    assert offered("completion", "f") == ["fish"]
    assert offered("config", "set", "api") == ["api_key_file", "api_key_command"]


def test_contexts_of_the_file_are_offered(tmp_path: Path) -> None:
    path = tmp_path / "config" / "orderctl" / "orderctl.toml"
    path.parent.mkdir(parents=True)
    path.write_text('[contexts.prod]\nurl = "ws://prod/"\n')

    assert offered("context", "use", "") == ["prod"]
    assert offered("--context", "") == ["prod"]


def test_descriptions_are_given_to_shells_that_show_them() -> None:
    assert complete(["fish", "2", "orderctl", "submit", "S"]) == "SOL\tSo1\n"
    assert complete(["zsh", "2", "orderctl", "show", ""]) == f"{ORDER_ID}:routing, sell 1.5 SOL for USDC\n"


def test_nothing_is_offered_if_the_daemon_is_unavailable_slow_or_refuses(
    daemon: FakeDaemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    daemon.answers(Method.TOKENS, OrderdError(ErrorCode.AUTH_REQUIRED, "no token"))
    assert offered("submit", "") == []
    daemon.answers(Method.TOKENS, None)
    with monkeypatch.context() as brief:
        brief.setattr(completion, "DAEMON_SECONDS", 0.1)
        assert offered("submit", "") == []
    daemon.stop()
    assert offered("submit", "") == []
    daemon.start()


@pytest.mark.parametrize("words", [("submit", ""), ("list", "--columns", "id,")])
def test_completion_imports_neither_wire_models_nor_rich(words: tuple[str, ...]) -> None:
    script = "import sys; from orderctl.completion import complete; complete(sys.argv[1:]); print(sorted(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", script, "bash", str(len(words)), "orderctl", *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    assert not set(ast.literal_eval(done.stdout)) & {"pydantic", "rich", "orderd.wire"}


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_is_valid_in_its_shell(orderctl: Orderctl, shell: str) -> None:
    script = orderctl("completion", shell).out
    assert f"orderctl complete {shell}" in script
    program = shutil.which(shell)
    if program is None:
        pytest.skip(f"{shell} is not installed")
    checked = subprocess.run([program, "-n"], input=script, text=True, capture_output=True, check=False, timeout=10)
    assert (checked.returncode, checked.stderr) == (0, "")
