"""The exit codes of orderctl: a contract that scripts rely on."""

from enum import IntEnum


class ExitCode(IntEnum):
    OK = 0
    ORDER_FAILED = 1  # the order failed, expired or was cancelled, or the market or the chain said no
    USAGE = 2  # bad input or configuration: the same command fails again
    CONNECTION = 3  # the daemon or a service behind it is unavailable: try again later
    AUTH = 4
    UNKNOWN_OUTCOME = 5  # no answer in time: ask before doing it again
    NOT_FOUND = 6
    INTERRUPTED = 130
