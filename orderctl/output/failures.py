"""Reports errors on stderr, and determines exit codes.

Imported only after an error, or by commands that continue after a refusal.
"""

import json
import sys

import typer

from orderctl.config.flags import Colour
from orderctl.output.colours import Tone
from orderctl.output.exit_codes import ExitCode
from orderctl.output.streams import has_colour, needs_escapes
from orderd.client.errors import (
    AnswerLostError,
    ClientError,
    FollowTimeoutError,
    RefusedError,
    UnexpectedError,
    UnreachableError,
)
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.order import FILLED, OrderStatus

_BY_CATEGORY = {
    "REQUEST": ExitCode.USAGE,
    "TOKEN": ExitCode.USAGE,
    "AMOUNT": ExitCode.USAGE,
    "SLIPPAGE": ExitCode.USAGE,
    "COST": ExitCode.USAGE,
    "PRICE": ExitCode.USAGE,
    "TIME": ExitCode.USAGE,
    "WALLET": ExitCode.USAGE,
    "AUTH": ExitCode.AUTH,
    "LIMIT": ExitCode.AUTH,
    "ORDER": ExitCode.ORDER_FAILED,
    "ROUTE": ExitCode.ORDER_FAILED,
    "FUNDS": ExitCode.ORDER_FAILED,
    "POOL": ExitCode.ORDER_FAILED,
    "TX": ExitCode.ORDER_FAILED,
    "SERVICE": ExitCode.CONNECTION,
    "RPC": ExitCode.CONNECTION,
}
_BY_CODE = {
    ErrorCode.REQUEST_IN_PROGRESS: ExitCode.CONNECTION,
    ErrorCode.REQUEST_TIMEOUT: ExitCode.CONNECTION,
    ErrorCode.ORDER_NOT_FOUND: ExitCode.NOT_FOUND,
    ErrorCode.ORDER_AMBIGUOUS: ExitCode.USAGE,
    ErrorCode.ORDER_CONFLICT: ExitCode.USAGE,
    ErrorCode.ORDER_TERMS_CONTRADICT: ExitCode.USAGE,
    ErrorCode.ORDER_TYPE_UNSUPPORTED: ExitCode.USAGE,
    ErrorCode.LIMIT_REQUESTS: ExitCode.CONNECTION,
    ErrorCode.LIMIT_CONNECTIONS: ExitCode.CONNECTION,
    ErrorCode.PRICE_WRONG_SIDE: ExitCode.ORDER_FAILED,
    ErrorCode.ROUTE_VENUES_UNAVAILABLE: ExitCode.CONNECTION,
    ErrorCode.ROUTE_STALE: ExitCode.CONNECTION,
    ErrorCode.SERVICE_TIMEOUT: ExitCode.UNKNOWN_OUTCOME,
    ErrorCode.SERVICE_CRASH_LOOP: ExitCode.ORDER_FAILED,
}


def exit_code_of(code: ErrorCode) -> ExitCode:
    """The exit code for an error code of the daemon, or of the client's own checks."""
    return _BY_CODE.get(code) or _BY_CATEGORY[code.category]


def exit_code_of_error(error: ClientError | OrderdError) -> ExitCode:
    """The exit code of a command that ends with this error."""
    match error:
        case OrderdError(code=code):
            return exit_code_of(code)
        case RefusedError(problem=problem):
            return exit_code_of(problem.code)
        case UnreachableError() | AnswerLostError(changes_something=False):
            return ExitCode.CONNECTION
        case AnswerLostError() | UnexpectedError() | FollowTimeoutError():
            return ExitCode.UNKNOWN_OUTCOME
        case _:
            return ExitCode.USAGE


def exit_code_of_status(status: OrderStatus) -> ExitCode:
    """The exit code for the final status of a followed order."""
    return ExitCode.OK if status in FILLED else ExitCode.ORDER_FAILED


def report(error: ClientError | OrderdError, output: str, colour: Colour) -> ExitCode:
    """Print an error on stderr, as JSON if that is the output format, and return the exit code."""
    code: ErrorCode | None
    if isinstance(error, OrderdError):
        title, next_step, code = error.spec.title, error.spec.next_step, error.code
    else:
        code = error.problem.code if isinstance(error, RefusedError) else None
        title, next_step = error.title, error.next_step
        if isinstance(error, RefusedError) and error.problem.retry_after is not None:
            next_step = f"{next_step}; it may succeed in {error.problem.retry_after} s"
    exit_code = exit_code_of_error(error)
    if output in ("json", "jsonl"):
        from orderctl.output.documents import Failure
        from orderctl.output.schemas import document

        failure = Failure(code=code, title=title, detail=error.detail, next_step=next_step, exit_code=exit_code)
        sys.stderr.write(f"{json.dumps(document(failure), ensure_ascii=needs_escapes(sys.stderr))}\n")
    else:
        sys.stderr.write(_error_text(title, error.detail, next_step, code, has_colour(sys.stderr, colour)))
    return exit_code


def _error_text(title: str, detail: str, next_step: str, code: str | None, coloured: bool) -> str:
    def styled(text: str, fg: Tone) -> str:
        return typer.style(text, fg=fg, bold=True) if coloured else text

    label = f"error[{code}]" if code else "error"
    return (
        f"{styled(label, Tone.BAD)}: {title}\n"
        f"  {styled('why', Tone.HINT)}:  {detail}\n"
        f"  {styled('next', Tone.HINT)}: {next_step}\n"
    )
