"""The command line: the global options, and how every error leaves the program."""

import gc
import os
import sys
import traceback
from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_command

from orderctl.config.origins import Colour, Flags
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import OUTPUT, Format, print_line, report
from orderctl.verbs import VerbGroup
from orderd.client.errors import ClientError, UnexpectedError
from orderd.domain.errors import OrderdError

EPILOG = """
Exit codes: 0 ok, 1 order failed, 2 bad input, 3 no connection, 4 not allowed, 5 outcome unknown, 6 not found.
"""


def _print_version(wanted: bool) -> None:
    if wanted:
        from orderctl.version import client_version

        print_line(f"orderctl {client_version()}")
        raise typer.Exit


app = typer.Typer(
    cls=VerbGroup, add_completion=False, rich_markup_mode=None, context_settings={"help_option_names": ["-h", "--help"]}
)


@app.callback(invoke_without_command=True, epilog=EPILOG)
def orderctl(
    ctx: typer.Context,
    url: Annotated[str | None, typer.Option(metavar="URL", help="The daemon's address.", envvar=None)] = None,
    ca: Annotated[Path | None, typer.Option(metavar="FILE", help="The authority of the daemon's certificate.")] = None,
    context: Annotated[str | None, typer.Option(metavar="NAME", help="Which of the configured daemons.")] = None,
    token_file: Annotated[Path | None, typer.Option(metavar="FILE", help="A file that holds the API token.")] = None,
    color: Annotated[Colour | None, typer.Option(metavar="WHEN", help="auto, always or never.")] = None,
    timeout: Annotated[float | None, typer.Option(metavar="SECONDS", help="How long to wait for an answer.")] = None,
    output: Annotated[Format, OUTPUT] = "table",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No narration on stderr, only errors.")] = False,
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

    Without a command it shows how the daemon is and the orders that are active.
    """
    flags: Flags = ctx.obj
    flags.url, flags.ca, flags.context, flags.token_file = url, ca, context, token_file
    flags.color, flags.timeout = color, timeout
    flags.quiet, flags.debug = quiet, debug
    if ctx.invoked_subcommand is None:
        from orderctl.commands.overview import overview

        return overview(ctx, output)
    if output != "table":
        chosen = {"output": output}
        ctx.default_map = {ctx.invoked_subcommand: {**chosen, "show": chosen, "list": chosen}}
    return None


def run(args: list[str]) -> int:
    """Runs one command line and returns its exit code. Errors are told on stderr, in JSON where JSON was asked for."""
    flags = Flags()
    try:
        outcome = get_command(app).main(args, prog_name="orderctl", standalone_mode=False, obj=flags)
    except (ClientError, OrderdError) as error:
        return _fail(error, flags)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except SystemExit as leaving:
        # How Typer and Rich leave when the reader of stdout has seen enough: nothing is wrong.
        if isinstance(leaving.__context__, BrokenPipeError):
            return ExitCode.OK
        raise
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        command = context.command_path if context else "orderctl"
        title = "The command line cannot be understood"
        # The library says "Value error, ..." for a choice that is none; the words after it are enough.
        why = error.format_message().replace("Value error, ", "")
        return _fail(ClientError(title, why, f"see: {command} --help"), flags)
    except Exception as error:  # noqa: BLE001  (the last stop: no traceback reaches a trader who did not ask for it)
        cause = f"{type(error).__name__}: {error}"
        return _fail(UnexpectedError("orderctl met an unexpected condition", cause, "run it with --debug"), flags)
    return outcome if isinstance(outcome, int) else ExitCode.OK


def _fail(error: ClientError | OrderdError, flags: Flags) -> int:
    if flags.debug:
        traceback.print_exc()
    return report(error, flags.output, flags.color or "auto")


def main() -> None:
    if sys.argv[1:2] == ["complete"]:
        from orderctl.completion import complete

        sys.stdout.write(complete(sys.argv[2:]))
        sys.exit(ExitCode.OK)
    # Loading makes objects by the ten thousand and no garbage; looking for it took a tenth of a short command.
    gc.set_threshold(50_000)
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has seen enough: nothing is left for the interpreter to flush at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)
