"""The commands of orderctl. Each is a module that is imported on use, so that help and every command start fast."""

import copy
from importlib import import_module
from typing import TYPE_CHECKING, Final

from typer.core import TyperGroup, TyperOption
from typer.main import get_command

from orderctl.config.flags import Flags
from orderd.command_line import Command, CommandLine, Group, write_sections

if TYPE_CHECKING:
    from typer._click import Command as AnyCommand
    from typer._click import Context, HelpFormatter, Parameter

_GROUPS: Final = {
    "Trade": {
        "submit": "Sell an amount of one token for another.",
        "buy": "Buy an exact amount of a token with another.",
        "oco": "Sell at a higher or a lower price, whichever is reached first.",
        "quote": "Show the prices of all venues.",
        "depth": "Show the price and the cost of several trade sizes, on the best route and at each venue alone.",
    },
    "Orders": {
        "watch": "Follow orders live until they end.",
        "wait": "Wait until orders are submitted, confirmed or ended, and show their state.",
        "list": "List orders, newest first.",
        "show": "Show everything about an order.",
        "events": "Show an order's events.",
        "cancel": "Cancel orders that are not signed yet.",
        "amend": "Change the price, the amount or the validity of a resting order.",
        "pause": "Pause an order with several executions.",
        "resume": "Continue the executions of a paused order.",
        "simulate-fill": "Simulate what an order would do now, even if it waits for a price.",
        "resolve": "Show the chain's evidence about an unknown outcome, or resolve it.",
        "tui": "Open the full-screen terminal interface: orders, prices, venues and profit.",
    },
    "Wallet and records": {
        "balances": "Show the balances of the wallet.",
        "portfolio": "Show the wallet's holdings and their value.",
        "history": "List fills, newest first, with their totals.",
        "pnl": "Show profit and loss, by token or by day.",
        "export": "Print all fills as CSV or JSON lines.",
    },
    "Market": {
        "chart": "Draw the prices of a pair, with your fills and the prices of waiting orders.",
        "pools": "List the pools with their reserves, prices and fees.",
        "tokens": "List and search tokens, and assign symbols to mints.",
    },
    "Daemon": {
        "status": "Show the status of the daemon and its services.",
        "halt": "Stop all new signatures and orders, in all processes, until the halt is lifted.",
        "doctor": "Check the configuration, the daemon, its services and the wallet, and suggest fixes.",
        "version": "Show the versions of this client and of the daemon.",
    },
    "Client": {
        "mcp": "Serve quotes and orders to an AI assistant, by the Model Context Protocol on stdin and stdout.",
        "config": "Show, check and change the client's configuration.",
        "context": "Select one of several daemons.",
        "schema": "Print the JSON Schema of the documents of -o json and -o jsonl.",
        "completion": "Print the script that makes a shell complete commands, orders and tokens.",
    },
}
VERBS: Final = {verb: words for group in _GROUPS.values() for verb, words in group.items()}
"""The commands with the first line of their docstring. Each is a module of ``orderctl.commands``."""
CHANGING: Final = frozenset(
    {
        "submit",
        "buy",
        "oco",
        "cancel",
        "amend",
        "pause",
        "resume",
        "resolve",
        "halt",
        "tokens",
        "tui",
        "mcp",
        "config",
        "context",
    }
)
"""Commands that change something. They complete even if their output is closed; all others stop."""


class VerbGroup(Group):
    """Accepts global options before and after the command."""

    def list_commands(self, ctx: "Context") -> list[str]:  # noqa: ARG002
        return list(VERBS)

    def get_command(self, ctx: "Context", cmd_name: str) -> "AnyCommand | None":  # noqa: ARG002
        if cmd_name not in VERBS:
            return None
        module = import_module(f"orderctl.commands.{cmd_name.replace('-', '_')}")
        app = getattr(module, "app", None)
        if app is None:
            app = CommandLine()
            app.command(cmd_name, cls=getattr(module, "COMMAND_CLASS", Command))(module.run)
        command = get_command(app)
        command.name = cmd_name
        for each in (command, *(command.commands.values() if isinstance(command, TyperGroup) else ())):
            own = {name for param in each.params for name in param.opts}
            each.params += [option for option in self._global_options() if own.isdisjoint(option.opts)]
        return command

    def _global_options(self) -> "list[Parameter]":
        """Hidden copies of the global options, for use after the command."""
        options: list[Parameter] = []
        for option in self.params:
            # Each command has its own --output, with the formats that it supports.
            if isinstance(option, TyperOption) and hasattr(Flags, option.name) and option.name != "output":
                after = copy.copy(option)
                after.expose_value, after.hidden, after.callback = False, True, _remember
                options.append(after)
        return options

    def resolve_command(self, ctx: "Context", args: list[str]) -> "tuple[str | None, AnyCommand | None, list[str]]":
        verb = args[0]
        if verb not in VERBS:
            from difflib import get_close_matches

            from orderd.client.errors import ClientError

            near = get_close_matches(verb, VERBS, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ClientError("There is no such command", f"{verb!r}{hint}", "see: orderctl --help")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:  # noqa: ARG002
        write_sections({heading: list(verbs.items()) for heading, verbs in _GROUPS.items()}, formatter)


def _remember(ctx: "Context", param: "Parameter", value: object) -> object:
    """Store a global option given after the command; it overrides one given before."""
    if value is not None and value is not False:
        setattr(ctx.obj, param.name, value)
    return value
