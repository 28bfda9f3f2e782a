"""The errors of the client.

    ClientError
    ├── ConfigError          a setting or file of the client is invalid
    ├── UnreachableError     no connection; nothing was sent
    ├── AnswerLostError      sent, but not answered: it is unknown whether the call had an effect
    │   └── UnreadableError  the response violates the protocol: a retry would not help
    ├── UnexpectedError      a bug in the client: it is unknown what was sent before it
    ├── FollowTimeoutError   an order did not end within the given time
    └── RefusedError         the daemon responded with a Problem

Parameters that the client itself finds invalid raise OrderdError with the code that the daemon would send.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from orderd.wire.problem import Problem


class ClientError(Exception):
    """The base class: what happened (``title``), why (``detail``) and what to do (``next_step``)."""

    def __init__(self, title: str, detail: str, next_step: str) -> None:
        super().__init__(f"{title}: {detail}")
        self.title = title
        self.detail = detail
        self.next_step = next_step


class ConfigError(ClientError):
    pass


def unusable(origin: str, detail: str) -> ConfigError:
    """The error for an invalid setting; ``origin`` names the flag, variable or file that it comes from."""
    title, next_step = "The configuration cannot be used", "correct it and run the command again"
    return ConfigError(title, f"{origin}: {detail}", next_step)


class UnreachableError(ClientError):
    pass


class AnswerLostError(ClientError):
    changes_something = True
    """Whether the call may have changed an order. If false, it can be repeated safely."""


class UnreadableError(AnswerLostError):
    pass


class UnexpectedError(ClientError):
    pass


class FollowTimeoutError(ClientError):
    pass


class RefusedError(ClientError):
    """The daemon refused the call."""

    def __init__(self, problem: "Problem", order: str | None = None) -> None:
        """``order`` is the reference to the order (id, prefix or client order id) that the trader gave."""
        super().__init__(problem.title, problem.detail, with_order_id(problem.next_step, order or problem.order_id))
        self.problem = problem
        self.order = order


def with_order_id(next_step: str, order: "UUID | str | None") -> str:
    """Replace the placeholder ``ID`` in the command of a next step by the order's id."""
    return next_step if order is None else re.sub(r"\b(?:CLIENT_ORDER_)?ID\b", str(order), next_step)
