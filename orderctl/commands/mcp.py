"""orderctl mcp"""

from typing import Annotated

import typer

from orderctl.config.flags import Flags
from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderd.client.errors import ConfigError


def run(
    ctx: typer.Context,
    trade: Annotated[
        bool, typer.Option("--trade", help="Let the assistant trade, with the API key of --api-key-file.")
    ] = False,
) -> ExitCode:
    """Let an assistant quote, list, show and watch over the Model Context Protocol, on stdin and stdout.

    \b
    orderctl mcp
    orderctl mcp --trade --api-key-file assistant.key

    It reads only, unless --trade is given together with a file that holds an API key for the assistant alone: what the
    key may trade, and how much, the daemon enforces. A trade takes two calls, a quote with its minimum and a submit of
    that quote within 30 seconds. There is no tool for keys, for halting, and for outcomes that are unknown.
    """
    settings = settings_of(ctx, "table")
    flags: Flags = ctx.obj
    if trade and flags.api_key_file is None:
        raise ConfigError(
            "An assistant that trades needs an API key of its own",
            "--trade is given without --api-key-file",
            "make a key with limits, see: orderd api-key create --help; then add --api-key-file FILE",
        )
    try:
        from orderctl.assistant.server import server_of
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("mcp"):
            raise
        why = "the library of the Model Context Protocol is not installed"
        raise ConfigError("There is no server for assistants", why, "install it: pip install 'orderd[mcp]'") from error
    server_of(settings, may_trade=trade).run("stdio")
    return ExitCode.OK
