"""The command line: the global options, and ``orderctl`` without a command."""

from pathlib import Path
from typing import Annotated

import typer

from orderctl.config.flags import Colour, Flags
from orderctl.output.exit_codes import ExitCode
from orderctl.output.guard import stop_when_output_is_closed
from orderctl.output.streams import OUTPUT, Format, print_line
from orderctl.verbs import CHANGING, VerbGroup
from orderd.command_line import CommandLine

EPILOG = """
Exit codes: 0 ok, 1 order failed, 2 bad input, 3 no connection, 4 not allowed, 5 outcome unknown, 6 not found.
"""


def _print_version(wanted: bool) -> None:
    if wanted:
        from orderd.release import this_release

        print_line(f"orderctl {this_release().description}")
        raise typer.Exit


app = CommandLine(cls=VerbGroup, context_settings={"help_option_names": ["-h", "--help"]})


@app.callback(invoke_without_command=True, epilog=EPILOG)
def orderctl(
    ctx: typer.Context,
    url: Annotated[str | None, typer.Option(metavar="URL", help="The daemon's address.", envvar=None)] = None,
    ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="PEM file with the CA of the daemon's certificate.")
    ] = None,
    context: Annotated[
        str | None, typer.Option(metavar="NAME", help="A configured daemon; see orderctl context.")
    ] = None,
    api_key_file: Annotated[Path | None, typer.Option(metavar="FILE", help="A file that contains the API key.")] = None,
    token_file: Annotated[Path | None, typer.Option(hidden=True)] = None,
    color: Annotated[Colour | None, typer.Option(metavar="WHEN", help="auto, always or never.")] = None,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="How long to wait for a response.")] = None,
    output: Annotated[Format, OUTPUT] = "table",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only errors on stderr.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[  # noqa: ARG001  (its callback prints it)
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_print_version)
    ] = False,
) -> ExitCode | None:
    """Trade on Solana through orderd, at the best price of Raydium and Meteora.

    \b
    orderctl quote SOL USDC 1.5
    orderctl submit SOL USDC 1.5
    orderctl watch ID

    Without a command, it shows the daemon's status and the active orders.
    """
    flags: Flags = ctx.obj
    flags.url, flags.ca, flags.context = url, ca, context
    flags.api_key_file, flags.token_file = api_key_file, token_file
    flags.color, flags.timeout = color, timeout
    flags.quiet, flags.debug = quiet, debug
    if ctx.invoked_subcommand not in CHANGING:
        stop_when_output_is_closed()
    if ctx.invoked_subcommand is None:
        from orderctl.commands.overview import overview

        return overview(ctx, output)
    if output != "table":
        chosen = {"output": output}
        ctx.default_map = {ctx.invoked_subcommand: {**chosen, "show": chosen, "list": chosen}}
    return None
