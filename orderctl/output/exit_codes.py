"""The exit codes of orderctl: a contract that scripts rely on."""

from enum import IntEnum

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


class ExitCode(IntEnum):
    OK = 0
    ORDER_FAILED = 1  # the order failed, expired or was cancelled, or the market or the chain said no
    USAGE = 2  # bad input or configuration: the same command fails again
    CONNECTION = 3  # the daemon or a service behind it is away: try again later
    AUTH = 4
    UNKNOWN_OUTCOME = 5  # no answer in time: ask before doing it again
    NOT_FOUND = 6
    INTERRUPTED = 130


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
    ErrorCode.LIMIT_REQUESTS: ExitCode.CONNECTION,
    ErrorCode.LIMIT_CONNECTIONS: ExitCode.CONNECTION,
    ErrorCode.PRICE_WRONG_SIDE: ExitCode.ORDER_FAILED,
    ErrorCode.ROUTE_VENUES_UNAVAILABLE: ExitCode.CONNECTION,
    ErrorCode.ROUTE_STALE: ExitCode.CONNECTION,
    ErrorCode.SERVICE_TIMEOUT: ExitCode.UNKNOWN_OUTCOME,
    ErrorCode.SERVICE_CRASH_LOOP: ExitCode.ORDER_FAILED,
}


def exit_code_of(code: ErrorCode) -> ExitCode:
    """What a command exits with when the daemon, or the check before it, refuses with ``code``."""
    return _BY_CODE.get(code) or _BY_CATEGORY[code.category]


def exit_code_of_error(error: ClientError | OrderdError) -> ExitCode:
    """What a command exits with that ends with ``error``."""
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
    """What following an order to its end exits with."""
    return ExitCode.OK if status in FILLED else ExitCode.ORDER_FAILED
