"""orderctl mcp"""

from typing import Annotated

import typer

from orderctl.config.flags import Flags
from orderctl.config.settings import settings_of
from orderctl.output.exit_codes import ExitCode
from orderd.client.errors import ConfigError


def run(
    ctx: typer.Context,
    trade: Annotated[bool, typer.Option("--trade", help="Allow trading, with the API key of --api-key-file.")] = False,
) -> ExitCode:
    """Serve quotes and orders to an AI assistant, by the Model Context Protocol on stdin and stdout.

    \b
    orderctl mcp
    orderctl mcp --trade --api-key-file assistant.key

    The server is read-only, unless --trade is given with a file that contains a separate API key for the assistant. The
    daemon enforces what the key can trade, and how much. A trade needs two calls: a quote with its minimum, and a
    submit of that quote within 30 seconds. There are no tools for keys, halts and unknown outcomes.
    """
    settings = settings_of(ctx, "table")
    flags: Flags = ctx.obj
    if trade and flags.api_key_file is None:
        raise ConfigError(
            "An assistant that trades needs a separate API key",
            "--trade is given without --api-key-file",
            "create a key with limits, see: orderd api-key create --help; then add --api-key-file FILE",
        )
    try:
        from orderctl.assistant.server import server_of
    except ModuleNotFoundError as error:
        if error.name is None or not error.name.startswith("mcp"):
            raise
        why = "the mcp library is not installed"
        raise ConfigError(
            "The server for assistants cannot start", why, "install it: pip install 'orderd[mcp]'"
        ) from error
    server_of(settings, may_trade=trade).run("stdio")
    return ExitCode.OK
