"""orderctl tui"""

import sys
from typing import Annotated

import typer

from orderctl.errors import ConfigError
from orderctl.exit_codes import ExitCode
from orderctl.output import is_live
from orderctl.settings import settings_of


def run(
    ctx: typer.Context,
    read_only: Annotated[bool, typer.Option("--read-only", help="Show everything, trade and cancel nothing.")] = False,
) -> ExitCode:
    """Show all orders, prices and the daemon's load on a full screen.

    The keys are at its foot, ? explains them. Orders go on when it is left.
    """
    settings = settings_of(ctx, "table")
    if not (sys.stdin.isatty() and is_live(sys.stdout)):
        raise ConfigError(
            "A full screen needs a terminal",
            "stdin or stdout is none, or a dumb one",
            "run it in a terminal; for a script: orderctl list -o json, orderctl watch ID -o jsonl",
        )
    # Textual takes longer to load than a command may take.
    from orderctl.tui.app import OrderctlApp
    from orderctl.tui.desk import Desk
    from orderctl.tui.link import Link

    error = OrderctlApp(Desk(settings.url, read_only), Link(settings)).run()
    if error is not None:
        raise error
    return ExitCode.OK
