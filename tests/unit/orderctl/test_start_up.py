"""What a command may import: start-up time matters for every call."""

import ast
import inspect
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from orderctl.verbs import VERBS
from orderd import client, wire

HEAVY = ("textual", "fastapi", "peewee", "dramatiq", "redis", "psycopg2", "solders", "httpx", "uvicorn", "structlog")

_DOMAIN = (
    *(
        "accounts",
        "authority",
        "errors",
        "events",
        "exits",
        "frozen",
        "halt",
        "host",
        "mint",
        "money",
        "order",
        "pool_kind",
    ),
    *(
        "price",
        "price_by_symbol",
        "quote",
        "quoted",
        "schedule",
        "strict_json",
        "terms",
        "terms_formatted",
        "terms_given",
        "terms_checking",
        "terms_parsing",
        "text",
        "times",
        "tokens",
    ),
    *("trigger", "well_known"),
)
KNOWN = {
    *("orderd.client", "orderd.command_line", "orderd.domain", "orderd.proxy", "orderd.release", "orderd.wire"),
    *(
        f"{package.__name__}.{module.stem}"
        for package in (client, wire)
        for module in Path(package.__path__[0]).glob("*.py")
    ),
    *(f"orderd.domain.{name}" for name in _DOMAIN),
}
"""Modules of the daemon that the client shares."""


def modules_after(*args: str) -> set[str]:
    """The modules loaded after ``orderctl *args`` has run in its own process."""
    script = "import sys; from orderctl.run import run; run(sys.argv[1:]); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script, *args], capture_output=True, text=True, check=True, timeout=60)
    loaded: list[str] = ast.literal_eval(done.stdout.splitlines()[-1])
    return set(loaded)


@pytest.mark.parametrize("verb", [verb for verb in VERBS if verb not in ("tui", "mcp")])
def test_a_verb_imports_no_library_of_the_daemon_or_the_tui(verb: str) -> None:
    arguments = {"submit": ("SOL", "USDC", "1"), "quote": ("SOL", "USDC", "1")}.get(verb, ())
    needs_order = ("0199d3a0",) if verb in ("watch", "show", "cancel") else ()

    loaded = modules_after("--url", "ws://127.0.0.1:1/", verb, *arguments, *needs_order)

    assert f"orderctl.commands.{verb.replace('-', '_')}" in loaded
    assert not loaded & set(HEAVY)
    assert {name for name in loaded if name.startswith(("orderd.", "db"))} <= KNOWN


def test_the_libraries_of_the_tui_are_imported_only_for_the_tui() -> None:
    assert "textual" not in modules_after("tui")


def test_the_tui_imports_neither_a_screen_that_is_not_open_nor_the_connection() -> None:
    script = "import sys, orderctl.tui.app, orderctl.tui.lazy_link; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    loaded = set(ast.literal_eval(done.stdout))
    assert {name for name in loaded if name.startswith("orderctl.tui.screens.")} == {"orderctl.tui.screens.orders"}
    assert not loaded & {"textual_plot", "orderctl.completion", "orderctl.display.prospect", "orderd.wire.profit"}
    assert not loaded & {"websockets", "orderctl.trading.depth"}


def test_the_opening_screen_imports_nothing_of_the_tui() -> None:
    script = "import sys, orderctl.tui.opening; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert not set(ast.literal_eval(done.stdout)) & {"textual", "rich", "pydantic", "asyncio"}


def test_the_mcp_library_is_imported_only_for_mcp() -> None:
    assert "mcp" not in modules_after("mcp", "--trade")


def test_help_imports_no_verb_no_wire_model_and_no_rich() -> None:
    loaded = modules_after("--help")

    assert not {name for name in loaded if name.startswith("orderctl.commands.")}
    assert not loaded & {"pydantic", "websockets", "rich", "tomllib", "orderd.domain.errors", *HEAVY}


def test_the_garbage_collector_is_configured_before_imports() -> None:
    script = "import sys, orderctl.main; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert not set(ast.literal_eval(done.stdout)) & {"typer", "orderctl.run", "orderctl.app"}


def test_modules_that_only_libraries_import_are_deferred() -> None:
    script = """
from orderctl.deferred_imports import defer_imports

defer_imports()
import sys, importlib.metadata, orderctl.app, orderctl.commands.list, orderctl.display.orders
print(sorted(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    unused = {"_ssl", "_bz2", "_lzma", "_csv", "_posixsubprocess", "email.message", "http.client"}
    assert not set(ast.literal_eval(done.stdout)) & unused


def test_a_deferred_module_is_imported_when_it_is_used() -> None:
    script = """
import sys
from orderctl.deferred_imports import DEFERRED, defer_imports

defer_imports()
import ssl, urllib.request
before = "_ssl" in sys.modules, "http.client" in sys.modules
context, address = ssl.create_default_context(), urllib.request.Request("http://127.0.0.1/").host
from ssl import SSLContext
import ssl as real
from importlib.metadata import version
print(*before, isinstance(context, SSLContext), real.SSLContext is ssl.SSLContext, address, version("typer") != "")
defer_imports()
print(all(hasattr(__import__(name, fromlist=["x"]), "__file__") for name in DEFERRED))
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.splitlines() == ["False False True True 127.0.0.1 True", "True"]


def test_absent_options_and_plain_words_import_no_conversion_library() -> None:
    app = """
import sys
from orderd.command_line import CommandLine

app = CommandLine()

@app.command()
def run(url: str | None = None, timeout: float | None = None, limit: int = 3, names: list[str] | None = None) -> None:
    print(url, timeout, limit, names, "pydantic" in sys.modules)

app(sys.argv[1:])
"""

    def printed(*args: str) -> str:
        done = subprocess.run([sys.executable, "-c", app, *args], capture_output=True, text=True, check=True)
        return done.stdout.strip()

    assert printed("--url", "ws://127.0.0.1:1/") == "ws://127.0.0.1:1/ None 3 None False"
    assert printed("--timeout", "1", "--names", "a") == "None 1.0 3 ['a'] True"


@pytest.mark.parametrize("verb", ["config", "context", "completion"])
def test_local_verbs_import_no_wire_model_and_no_rich(verb: str) -> None:
    loaded = modules_after(verb, *(("bash",) if verb == "completion" else ()))

    assert not loaded & {"websockets", "orderd.wire", "orderd.domain.events", "rich", *HEAVY}


@pytest.mark.parametrize(
    ("args", "messages"),
    [
        (("list",), {"orders"}),
        (("status",), {"halts", "status"}),
        (("balances",), {"balances"}),
        (("cancel", "0199d3a0"), {"orders"}),
        (("quote", "SOL", "USDC", "1"), {"quotes", "tokens"}),
        (("submit", "SOL", "USDC", "1"), {"halts", "orders", "quotes", "status", "submissions", "tokens"}),
    ],
)
def test_a_call_imports_only_its_own_messages_before_the_answer(args: tuple[str, ...], messages: set[str]) -> None:
    loaded = modules_after("--url", "ws://127.0.0.1:1/", *args)

    wire_modules = {name.removeprefix("orderd.wire.") for name in loaded if name.startswith("orderd.wire.")}
    assert wire_modules == {"message", "problem", "rpc", *messages}
    assert not loaded & {"orderd.client.following", "orderd.domain.events", "rich", "asyncio", *HEAVY}


@pytest.mark.parametrize("verb", ["quote", "buy"])
def test_the_terms_of_a_command_line_are_checked_without_the_understood_ones(verb: str) -> None:
    loaded = modules_after(
        "--url", "ws://127.0.0.1:1/", verb, "SOL", "1", *(["--with", "USDC"] if verb == "buy" else ["1"])
    )

    assert "orderd.domain.terms_checking" in loaded
    assert "orderd.domain.terms" not in loaded


def test_the_events_of_an_order_import_no_other_document() -> None:
    loaded = modules_after("--url", "ws://127.0.0.1:1/", "events", "0199d3a0")

    assert not loaded & {"orderctl.output.schemas", "orderctl.output.documents"}
    assert not loaded & {"orderctl.trading.event_feed", "orderd.client.following"}


@pytest.mark.parametrize("verb", ["list", "show", "status"])
def test_verbs_that_show_orders_import_nothing_of_submission_or_proxies(verb: str) -> None:
    loaded = modules_after("--url", "ws://127.0.0.1:1/", verb, *(("0199d3a0",) if verb == "show" else ()))

    spared = {"orderd.domain.terms", "orderd.domain.terms_given", "orderd.domain.schedule", "orderd.wire.submissions"}
    assert not loaded & {*spared, "orderd.proxy", "orderctl.display.waterfall"}


@pytest.mark.parametrize(
    ("view", "spared"),
    [
        ("orders", {"orderd.domain.tokens", "orderd.domain.trigger"}),
        ("detail", {"orderd.domain.tokens", "orderd.domain.trigger", "orderctl.display.orders"}),
        ("daemon", {"orderd.domain.events", "orderd.domain.terms", "orderd.domain.terms_given", "orderd.wire.orders"}),
        ("orders", {"orderd.domain.events", "orderd.wire.order_detail"}),
        ("quotes", {"orderd.domain.events", "orderd.wire.order_detail", "orderd.wire.orders"}),
        ("detail", {"orderd.domain.terms", "orderd.domain.terms_given"}),
        ("tables", {"orderd.domain.events", "orderd.wire"}),
    ],
)
def test_a_view_imports_only_the_messages_it_shows(view: str, spared: set[str]) -> None:
    script = f"import sys, orderctl.display.{view}; print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)

    assert not set(ast.literal_eval(done.stdout)) & {"textual", *spared}


def test_a_message_is_built_when_it_is_first_used() -> None:
    script = "from orderd.wire.orders import ListResult, OrderView as V; ListResult(orders=(), next_cursor=None)"
    report = "print(ListResult.__pydantic_complete__, V.__pydantic_complete__)"
    done = subprocess.run([sys.executable, "-c", f"{script}; {report}"], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "False"]


@pytest.mark.parametrize("verb", VERBS)
def test_the_overview_of_verbs_matches_each_verbs_help(verb: str) -> None:
    documented = inspect.getdoc(import_module(f"orderctl.commands.{verb.replace('-', '_')}").run)

    assert documented is not None
    assert documented.splitlines()[0] == VERBS[verb]
