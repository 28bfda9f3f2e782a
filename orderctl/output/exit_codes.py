"""The exit codes of orderctl: a contract that scripts rely on."""

from enum import IntEnum


class ExitCode(IntEnum):
    OK = 0
    ORDER_FAILED = 1  # the order failed, expired or was cancelled, or the market or the chain refused it
    USAGE = 2  # invalid input or configuration: a retry fails again
    CONNECTION = 3  # the daemon or one of its services is unavailable: retry later
    AUTH = 4
    UNKNOWN_OUTCOME = 5  # no response in time: check before a retry
    NOT_FOUND = 6
    INTERRUPTED = 130
