"""Shell completion of commands, options, orders and tokens.

It runs at each press of Tab, so it imports neither the wire models nor a drawing library, sends one request to the
daemon, and has a short time-out. On any failure there are no candidates. Typer's own completion would import all
commands.
"""

import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

from orderctl.config.flags import Flags
from orderctl.config.origins import FILE_KEYS, read_file
from orderctl.config.settings import Settings, load
from orderctl.verbs import VERBS
from orderd.client.errors import ClientError
from orderd.domain.order import (
    ACTIVE,
    CANCELLABLE,
    IDLE,
    RESTING,
    SIGNED,
    CatchUp,
    Floor,
    OrderKind,
    OrderStatus,
    TimeInForce,
)

DAEMON_SECONDS: Final = 0.12
ORDERS: Final = 50

Candidate = tuple[str, str]
"""A word and its description."""

_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "--output": ("table", "wide", "json", "jsonl", "id"),
    "-o": ("table", "wide", "json", "jsonl", "id"),
    "--color": ("auto", "always", "never"),
    "--status": tuple(OrderStatus),
    "--kind": tuple(OrderKind),
    "--floor": tuple(Floor),
    "--type": tuple(OrderKind),
    "--time-in-force": tuple(TimeInForce),
    "--catch-up": tuple(CatchUp),
    "--unit": ("USDC", "SOL"),
    "--method": ("fifo", "average"),
}
_STATES_FOR: Final = {
    "watch": ACTIVE,
    "wait": ACTIVE,
    "cancel": CANCELLABLE,
    "amend": IDLE,
    "pause": RESTING,
    "resume": RESTING,
    "simulate-fill": ACTIVE,
    "resolve": SIGNED,
}
"""The states of orders that a command accepts."""
_OF_ONE_ORDER: Final = ("show", "events", "amend", "pause", "resume", "simulate-fill", "resolve")
OPTIONS_WITH_VALUE: Final = frozenset(
    {*_CHOICES, "--url", "--context", "--api-key-file", "--token-file", "--ca", "--timeout", "--token", "--limit",
     "-n", "--slippage", "-s", "--exact-out", "--min-out", "--max-in", "--with", "--max-cost", "--client-order-id",
     "--for", "--file", "-f", "--port", "--landed", "--columns", "--sort", "--account", "--stop", "--take-profit",
     "--trail", "--max-slippage", "--confirm", "--valid-for", "--expires", "--min-fill", "--twap", "--over",
     "--max-price", "--min-liquidity", "--max-pool-fee", "--max-round-trip-loss", "--max-holder", "--allow",
     "--every", "--jitter", "--amount", "--then-stop", "--then-take-profit", "--since", "--until", "--reason",
     "--resume", "--interval", "--svg", "--width", "--height", "--sizes"}
)  # fmt: skip
_SECOND: Final[dict[str, tuple[str, ...]]] = {
    "config": ("show", "path", "validate", "set"),
    "context": ("list", "use"),
    "tokens": ("list", "search", "add", "pin", "remove"),
    "completion": ("bash", "zsh", "fish"),
    "export": ("csv", "jsonl"),
}


def complete(arguments: Sequence[str]) -> str:
    """Return the candidates, one per line, for the arguments ``SHELL INDEX WORD...``. The cursor is at word ``INDEX``;
    word 0 is the program."""
    shell, index, words = arguments[0], int(arguments[1]), list(arguments[2:])
    present = words[index] if index < len(words) else ""
    found = [one for one in candidates(words[1:index], present) if one[0].startswith(present)]
    return "".join(f"{_shown(shell, one)}\n" for one in found)


def _shown(shell: str, candidate: Candidate) -> str:
    word, meaning = candidate
    if shell == "zsh":
        return f"{word.replace(':', chr(92) + ':')}:{meaning}"
    return f"{word}\t{meaning}" if shell == "fish" else word


def candidates(before: Sequence[str], present: str) -> Iterable[Candidate]:
    """The candidates after the words ``before``; ``present`` is what is typed of the next word."""
    flags, arguments = _parsed(before)
    verb = arguments[0] if arguments else None
    last = before[-1] if before else ""
    if last in _CHOICES:
        return [(choice, "") for choice in _CHOICES[last]]
    if last == "--columns":
        return _columns(present[: present.rfind(",") + 1])
    if last == "--sort":
        return _columns("-" if present.startswith("-") else "")
    with suppress(ClientError):
        if last == "--context":
            return _contexts()
        if last in ("--token", "--with"):
            return _tokens(load(flags, os.environ), present)
    if last in OPTIONS_WITH_VALUE:
        return []
    if present.startswith("-"):
        return _options(verb)
    if verb is None:
        return list(VERBS.items())
    with suppress(ClientError):
        return _arguments(verb, len(arguments), arguments, flags, present)
    return []


def _parsed(before: Sequence[str]) -> tuple[Flags, list[str]]:
    """The global options that select the daemon, and the words that are not options."""
    flags, arguments, words = Flags(), [], iter(before)
    for word in words:
        if word in OPTIONS_WITH_VALUE:
            value = next(words, None)
            if word in ("--url", "--context"):
                setattr(flags, word[2:], value)
        elif not word.startswith("-"):
            arguments.append(word)
    return flags, arguments


def _arguments(verb: str, position: int, arguments: Sequence[str], flags: Flags, present: str) -> Iterable[Candidate]:
    """The candidates for an argument. Raises ClientError if the configuration is invalid."""
    if (verb in ("submit", "oco", "quote", "pools", "depth") and position <= 2) or (verb == "buy" and position == 1):
        return [one for one in _tokens(load(flags, os.environ), present) if one[0] not in arguments[1:]]
    if verb in ("watch", "wait", "cancel") or (verb in _OF_ONE_ORDER and position == 1):
        states = _STATES_FOR.get(verb)
        only = {} if states is None else {"status": [status for status in OrderStatus if status in states]}
        answer = _ask(load(flags, os.environ), "orders.list", {"limit": ORDERS, **only})
        orders = [order for order in answer.get("orders", ()) if order["id"] not in arguments]
        own = [order for order in orders if present and not _is_made(order["client_order_id"])]
        return [
            *((order["id"], _terms(order)) for order in orders),
            *((order["client_order_id"], _terms(order)) for order in own),
        ]
    if verb == "tokens" and len(arguments) > 1 and arguments[1] == "remove":
        return _tokens(load(flags, os.environ), present)
    if position == 1:
        return [(word, "") for word in _SECOND.get(verb, ())]
    if arguments[:2] == ["context", "use"] and position == 2:
        return _contexts()
    if arguments[:2] == ["config", "set"] and position == 2:
        return [(name, "") for name in FILE_KEYS]
    return []


def _is_made(client_order_id: str) -> bool:
    """Whether the id was generated by orderctl and not chosen by the trader."""
    try:
        return UUID(client_order_id).version == 7
    except ValueError:
        return False


def _columns(begun: str) -> list[Candidate]:
    """The columns that the comma-terminated list ``begun`` does not contain yet."""
    from orderctl.display.columns import COLUMNS

    return [(f"{begun}{name}", "") for name in COLUMNS if name not in begun.split(",")]


def _contexts() -> list[Candidate]:
    contexts = read_file(os.environ).get("contexts", {})
    return [(name, str(table.get("url", ""))) for name, table in contexts.items()]


def _tokens(settings: Settings, present: str) -> list[Candidate]:
    """The daemon's tokens, or those in the token list that match what is typed."""
    method, params = ("tokens.search", {"text": present}) if present else ("tokens", {})
    return [(token["symbol"], token["mint"]) for token in _ask(settings, method, params).get("tokens", ())]


def _terms(order: dict[str, Any]) -> str:
    if order.get("exact_out") is not None:
        return f"{order['status']}, buy {order['exact_out']} {order['token_out']} with {order['token_in']}"
    waits = f", {reads}" if (reads := order.get("price_reads")) and order["status"] in IDLE else ""
    return f"{order['status']}, sell {order['amount_in'] or 'all'} {order['token_in']} for {order['token_out']}{waits}"


def _options(verb: str | None) -> list[Candidate]:
    from typer.core import TyperOption
    from typer.main import get_command

    from orderctl.app import app

    command = get_command(app)
    if verb in VERBS:
        context = command.make_context("orderctl", [], resilient_parsing=True)
        command = command.get_command(context, verb)  # type: ignore[attr-defined]
    options = [param for param in command.params if isinstance(param, TyperOption)]
    return [(name, option.help or "") for option in options for name in (*option.opts, *option.secondary_opts)]


def _ask(settings: Settings, method: str, params: dict[str, Any]) -> dict[str, Any]:
    """The result of a call as JSON; empty if the daemon does not respond in time."""
    from websockets.exceptions import WebSocketException
    from websockets.sync.client import connect

    from orderd.client.trust import tls_options

    headers = {"Authorization": f"Bearer {settings.api_key}"} if settings.api_key else None
    with (
        suppress(OSError, WebSocketException, ValueError, KeyError),
        connect(
            settings.url,
            additional_headers=headers,
            compression=None,
            proxy=None,
            open_timeout=DAEMON_SECONDS,
            close_timeout=0,
            max_size=None,
            **tls_options(settings),
        ) as connection,
    ):
        connection.send(json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
        answer: dict[str, Any] = json.loads(connection.recv(DAEMON_SECONDS))["result"]
        return answer
    return {}
