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

FRAMES_PER_SECOND = "240"
"""Textual draws at the next frame, even if nothing was drawn for a long time. With its default of 60 frames per second,
a key would wait for up to 17 ms."""
DRIVER = "TEXTUAL_DRIVER"
"""The variable is set if Textual does not draw on a terminal but in a browser."""


def run(
    ctx: typer.Context,
    read_only: Annotated[bool, typer.Option("--read-only", help="Disable trading and cancelling.")] = False,
    web: Annotated[bool, typer.Option("--web", help="Serve the screen to a browser on this machine.")] = False,
    port: Annotated[
        int, typer.Option("--port", help="The port for --web; 0 selects a free one.", min=0, max=65_535)
    ] = 0,
) -> ExitCode:
    """Open the full-screen terminal interface: orders, prices, venues and profit.

    The keys are shown at the bottom; press ? for help. Orders continue when you quit.
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
            f"{'stderr' if only_stderr_is_redirected else 'stdin or stdout'} is not a terminal, or a dumb one",
            "run it in a terminal; for a script: orderctl list -o json, orderctl watch ID -o jsonl",
        )
    from orderctl.tui.opening import opening

    with nullcontext() if DRIVER in os.environ else opening(settings.url):
        os.environ.setdefault("TEXTUAL_FPS", FRAMES_PER_SECOND)
        # Imported here because Textual loads slowly.
        from orderctl.tui.app import OrderctlApp
        from orderctl.tui.desk import Desk
        from orderctl.tui.keymap import binding_ids, keymap_path, read_keymap
        from orderctl.tui.lazy_link import LazyLink
        from orderctl.tui.remembered import Memory, memory_path

        keymap = read_keymap(keymap_path(os.environ), binding_ids)
        os.environ.update(environment(settings))  # for commands typed in the TUI
        # By name, because completion depends on all commands.
        complete = import_module("orderctl.completion").candidates
        app = OrderctlApp(Desk(settings.url, read_only), LazyLink(settings), Memory(memory_path()), complete)
        app.set_keymap(keymap)
    # The collector starts when many objects were created: while a key is answered. Instead, the application starts it.
    gc.freeze()
    gc.disable()
    error = app.run()
    if error is not None:
        raise error
    return ExitCode.OK
