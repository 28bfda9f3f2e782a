"""Runs one command line; how every error leaves the program.

The code for error reports is imported on use, so that help and every command start fast.
"""

import sys
from itertools import pairwise
from typing import TYPE_CHECKING

import typer
from typer.main import get_command

from orderctl.app import app
from orderctl.config.flags import Flags
from orderctl.output.exit_codes import ExitCode
from orderctl.output.guard import OutputClosedError, is_closed_by_reader

if TYPE_CHECKING:
    from orderd.client.errors import ClientError
    from orderd.domain.errors import OrderdError


def run(args: list[str]) -> int:
    """Run a command line and return its exit code. Errors are printed on stderr, as JSON if the output format is
    JSON."""
    flags = Flags()
    try:
        _check_no_empty_argument(args)
        outcome = get_command(app).main(args, prog_name="orderctl", standalone_mode=False, obj=flags)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as error:  # noqa: BLE001  (the last stop: no traceback reaches a trader who did not ask for it)
        if isinstance(error, OutputClosedError) and is_closed_by_reader(error.cause):
            return ExitCode.OK
        if flags.debug:
            sys.excepthook(type(error), error, error.__traceback__)
        from orderctl.output.failures import report

        return report(_reportable(error), flags.output, flags.color or "auto")
    return outcome if isinstance(outcome, int) else ExitCode.OK


def _check_no_empty_argument(args: list[str]) -> None:
    """Refuse empty arguments: they are usually unset variables of a script, and ignoring them would change the meaning.

    Raises ClientError.
    """
    for before, word in pairwise(["", *args]):
        name, equals, value = word.partition("=")
        if not word or (name.startswith("--") and equals and not value):
            from orderd.client.errors import ClientError

            empty = name or (f"the value of {before}" if before.startswith("-") else "a word of it")
            raise ClientError(
                "The command line cannot be understood", f"{empty} is empty", "give it a value, or leave it out"
            )


def _reportable(error: Exception) -> "ClientError | OrderdError":
    """Convert any exception to an error with a title, a detail and a next step."""
    from orderd.client.errors import ClientError, UnexpectedError
    from orderd.domain.errors import OrderdError

    match error:
        case ClientError() | OrderdError():
            return error
        case OutputClosedError():
            title = "The output could not be written to stdout"
            return ClientError(title, str(error), "free some space, or redirect the output, and run the command again")
        case typer.TyperException():
            context = getattr(error, "ctx", None)
            command = context.command_path if context else "orderctl"
            # Typer prefixes the message of an invalid choice with "Value error, ", and lists choices on several lines.
            why = " ".join(error.format_message().replace("Value error, ", "").split())
            return ClientError("The command line cannot be understood", why, f"see: {command} --help")
        case _:
            cause = f"{type(error).__name__}: {error}"
            return UnexpectedError("orderctl met an unexpected condition", cause, "run it with --debug")
