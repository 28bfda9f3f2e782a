"""orderctl tui"""

import gc
import os
import sys
from contextlib import nullcontext
from importlib import import_module
from typing import Annotated

import typer

from orderctl.config.settings import environment, settings_of
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import is_live
from orderd.client.errors import ConfigError

RARE_COLLECTIONS = (10_000, 10, 100)
"""Each takes a few milliseconds then; Python's own thresholds have each dialog bring one of fifty."""
DRIVER = "TEXTUAL_DRIVER"
"""Set where Textual draws into something else than a terminal: a browser."""


def run(
    ctx: typer.Context,
    read_only: Annotated[bool, typer.Option("--read-only", help="Show everything, trade and cancel nothing.")] = False,
    web: Annotated[bool, typer.Option("--web", help="Show it in a browser, on this machine only.")] = False,
    port: Annotated[int, typer.Option("--port", help="For --web; 0 takes a free one.", min=0, max=65_535)] = 0,
) -> ExitCode:
    """Show all orders, prices and the daemon's load on a full screen.

    The keys are at its foot, ? explains them. Orders go on when it is left.
    """
    settings = settings_of(ctx, "table")
    if web:
        from orderctl.tui.web import WebServer

        WebServer(settings, port, read_only=read_only).run()
        return ExitCode.OK
    # Textual reads from stdin and draws on stderr.
    if DRIVER not in os.environ and not (sys.stdin.isatty() and is_live(sys.stdout) and is_live(sys.stderr)):
        only_stderr_is_redirected = sys.stdin.isatty() and is_live(sys.stdout)
        raise ConfigError(
            "A full screen needs a terminal",
            f"{'stderr' if only_stderr_is_redirected else 'stdin or stdout'} is none, or a dumb one",
            "run it in a terminal; for a script: orderctl list -o json, orderctl watch ID -o jsonl",
        )
    from orderctl.tui.opening import opening

    with nullcontext() if DRIVER in os.environ else opening(settings.url):
        # Textual takes longer to load than a command may take.
        from orderctl.tui.app import OrderctlApp
        from orderctl.tui.desk import Desk
        from orderctl.tui.keymap import binding_ids, keymap_path, read_keymap
        from orderctl.tui.remembered import Memory, memory_path
        from orderd.client.link import Link

        keymap = read_keymap(keymap_path(os.environ), binding_ids)
        os.environ.update(environment(settings))  # for commands that are typed there
        # Completion knows all verbs, so it stands above them.
        complete = import_module("orderctl.completion").candidates
        app = OrderctlApp(Desk(settings.url, read_only), Link(settings), Memory(memory_path()), complete)
        app.set_keymap(keymap)
    # A pass of the collector over all that is loaded would be felt at a key: that is left out, and passes are rare.
    gc.freeze()
    gc.set_threshold(*RARE_COLLECTIONS)
    error = app.run()
    if error is not None:
        raise error
    return ExitCode.OK
