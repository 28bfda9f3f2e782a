"""The verbs. Each is a module that is imported when it is called, so that help and every command start fast."""

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
        "oco": "Sell at a higher or at a lower price, whichever is reached first.",
        "quote": "Ask all venues for a price.",
        "depth": "Show what each size of a pair would pay and cost, over the best route and at each venue alone.",
    },
    "Orders": {
        "watch": "Follow orders live until they end.",
        "wait": "Wait until orders are submitted, confirmed or ended, and show their state.",
        "list": "List orders, newest first.",
        "show": "Show everything about an order.",
        "events": "Show an order's events.",
        "cancel": "Cancel orders that are not signed yet.",
        "amend": "Change the price, the amount or the validity of a resting order.",
        "pause": "Start no further executions of an order.",
        "resume": "Continue the executions of a paused order.",
        "simulate-fill": "Show what an order would do now, even if it waits for a price.",
        "resolve": "Show the chain's evidence of an unknown outcome, or resolve it.",
        "tui": "Show all orders, prices and the daemon's load on a full screen.",
    },
    "Wallet and records": {
        "balances": "Show what the wallet holds.",
        "portfolio": "Show what the wallet holds and what it is worth.",
        "history": "List fills, newest first, with their totals.",
        "pnl": "Show what was earned, by token and by day.",
        "export": "Print all fills as CSV or JSON lines.",
    },
    "Market": {
        "chart": "Draw the prices of a pair, with your fills and the prices that orders wait for.",
        "pools": "List the pools: what they hold, their price and their fee.",
        "tokens": "List and search tokens, and choose what their symbols mean.",
    },
    "Daemon": {
        "status": "Show how the daemon and its services are.",
        "halt": "Stop all new signatures and orders, in all processes, until the halt is lifted.",
        "doctor": "Check everything between this client and the chain, and say what to fix.",
        "version": "Show the versions of this client and of the daemon.",
    },
    "Client": {
        "mcp": "Let an assistant quote, list, show and watch over the Model Context Protocol, on stdin and stdout.",
        "config": "Show, check and change the client's configuration.",
        "context": "Choose between several daemons.",
        "schema": "Print the JSON Schema of what -o json and -o jsonl print.",
        "completion": "Print the script that makes a shell complete commands, orders and tokens.",
    },
}
VERBS: Final = {verb: words for group in _GROUPS.values() for verb, words in group.items()}
"""Each is a module of orderctl.commands; the words are the first line of its function's docstring."""
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
"""Those whose work goes on if their output has no reader. The others only read."""


class VerbGroup(Group):
    """Lets global options stand after the verb as well as before it."""

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
        """The same options for after the verb."""
        options: list[Parameter] = []
        for option in self.params:
            # Each verb has an --output of its own, with the formats that it knows.
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
    """Keeps a global option that stands after the verb: it is the one that counts."""
    if value is not None and value is not False:
        setattr(ctx.obj, param.name, value)
    return value
