"""``orderctl``: runs one command line; how every error leaves the program."""

import gc
import sys
import traceback
from itertools import pairwise

import typer
from typer.main import get_command

from orderctl.app import app
from orderctl.config.origins import Flags
from orderctl.output.exit_codes import ExitCode
from orderctl.output.guard import UnheardError, guard_streams, has_left, loss
from orderctl.output.streams import report
from orderd.client.errors import ClientError, UnexpectedError
from orderd.domain.errors import OrderdError


def run(args: list[str]) -> int:
    """Runs one command line and returns its exit code. Errors are told on stderr, in JSON where JSON was asked for."""
    flags = Flags()
    try:
        _check_filled(args)
        outcome = get_command(app).main(args, prog_name="orderctl", standalone_mode=False, obj=flags)
    except (ClientError, OrderdError) as error:
        return _fail(error, flags)
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except UnheardError as error:
        if has_left(error.cause):
            return ExitCode.OK
        title = "What was asked for could not be written to stdout"
        return _fail(ClientError(title, str(error), "make room, or write it elsewhere, and run it again"), flags)
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


def _check_filled(args: list[str]) -> None:
    """An empty word is mostly a variable that a script has not set: to go on without it would be to do something else.

    Raises ClientError.
    """
    for before, word in pairwise(["", *args]):
        name, equals, value = word.partition("=")
        if not word or (name.startswith("--") and equals and not value):
            empty = name or (f"the value of {before}" if before.startswith("-") else "a word of it")
            raise ClientError(
                "The command line cannot be understood", f"{empty} is empty", "give it a value, or leave it out"
            )


def _fail(error: ClientError | OrderdError, flags: Flags) -> int:
    if flags.debug:
        traceback.print_exc()
    return report(error, flags.output, flags.color or "auto")


def main() -> None:
    guard_streams()
    if sys.argv[1:2] == ["complete"]:
        from orderctl.completion import complete

        sys.stdout.write(complete(sys.argv[2:]))
        sys.exit(ExitCode.OK)
    # Loading makes objects by the ten thousand and no garbage; looking for it took a tenth of a short command.
    gc.set_threshold(50_000)
    code = run(sys.argv[1:])
    sys.stdout.flush()
    if (lost := loss()) is not None:
        sys.stderr.write(f"the work went on, but of what it told on stdout the rest is lost: {lost}\n")
    sys.exit(code)
