"""The verbs. Each is a module that is imported when it is called, so that help and every command start fast."""

import copy
from importlib import import_module
from typing import TYPE_CHECKING, Final

from typer.core import TyperGroup, TyperOption
from typer.main import get_command

from orderctl.config.flags import Flags
from orderd.command_line import Command, CommandLine, Group

if TYPE_CHECKING:
    from typer._click import Command as AnyCommand
    from typer._click import Context, HelpFormatter, Parameter

VERBS: Final = {
    "submit": "Sell an amount of one token for another.",
    "buy": "Buy an exact amount of a token with another.",
    "oco": "Sell at a better price or at a worse one, whichever comes first.",
    "watch": "Follow orders to their ends.",
    "wait": "Wait until orders are submitted, confirmed or ended, and say how they stand.",
    "show": "Show all that is known of an order.",
    "events": "Show an order's events.",
    "list": "List orders, newest first.",
    "history": "List fills, newest first, with their totals.",
    "cancel": "Cancel orders that are not signed yet.",
    "amend": "Change the price, the amount or the validity of an order that rests.",
    "pause": "Begin no further executions of an order.",
    "resume": "Go on with the executions of an order that was paused.",
    "simulate-fill": "Show what an order would do now, whatever it waits for.",
    "resolve": "Show the chain's evidence of an unknown outcome, or resolve it.",
    "halt": "Stop all new signatures and orders, in all processes, until the halt is lifted.",
    "quote": "Ask all venues for a price.",
    "depth": "Show what each size of a pair would pay and cost, over the best route and at each venue alone.",
    "pnl": "Show what was earned, by token and by day.",
    "portfolio": "Show what the wallet holds and what that is worth.",
    "export": "Print all fills as CSV or JSON lines.",
    "chart": "Draw what a pair has cost, with own fills and prices that orders wait for.",
    "balances": "Show what the wallet holds.",
    "tokens": "List and search tokens, and say what their symbols mean.",
    "pools": "List the pools: what they hold, their price and their fee.",
    "status": "Show how the daemon and its services are.",
    "tui": "Show all orders, prices and the daemon's load on a full screen.",
    "mcp": "Let an assistant quote, list, show and watch over the Model Context Protocol, on stdin and stdout.",
    "doctor": "Check everything between here and the chain, and say what to mend.",
    "config": "Show, check and change the client's configuration.",
    "context": "Choose among several daemons.",
    "schema": "Print the JSON Schema of what -o json and -o jsonl print.",
    "completion": "Print what makes a shell complete commands, orders and tokens.",
    "version": "Show the versions of this client and of the daemon.",
}
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
        with formatter.section("Commands"):
            formatter.write_dl(list(VERBS.items()))


def _remember(ctx: "Context", param: "Parameter", value: object) -> object:
    """Keeps a global option that stands after the verb: it is the one that counts."""
    if value is not None and value is not False:
        setattr(ctx.obj, param.name, value)
    return value
