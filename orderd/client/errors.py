"""What can go wrong between a client and the daemon.

    ClientError
    ├── ConfigError          settings or files of the client cannot be used
    ├── UnreachableError     no connection; nothing was sent
    ├── AnswerLostError      sent, and no answer: the outcome of what changes something is unknown
    │   └── UnreadableError  an answer that does not follow the protocol: trying again would not help
    ├── UnexpectedError      a mistake in the client itself: what was sent before it is not known
    ├── FollowTimeoutError   an order did not end within the time that was given
    └── RefusedError         the daemon answered with a Problem

What is certainly wrong before anything is sent raises orderd's own OrderdError, with the code the daemon would answer.
"""

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from uuid import UUID

    from orderd.wire.problem import Problem


class ClientError(Exception):
    """Says what happened (``title``), why (``detail``) and what to do (``next_step``)."""

    def __init__(self, title: str, detail: str, next_step: str) -> None:
        super().__init__(f"{title}: {detail}")
        self.title = title
        self.detail = detail
        self.next_step = next_step


class ConfigError(ClientError):
    pass


def unusable(origin: str, detail: str) -> ConfigError:
    """A setting that cannot be used, by where it comes from."""
    title, next_step = "The configuration cannot be used", "correct it and run the command again"
    return ConfigError(title, f"{origin}: {detail}", next_step)


class UnreachableError(ClientError):
    pass


class AnswerLostError(ClientError):
    changes_something = True
    """Whether the call, if it arrived, may have changed an order. If not, it can be repeated without harm."""


class UnreadableError(AnswerLostError):
    pass


class UnexpectedError(ClientError):
    pass


class FollowTimeoutError(ClientError):
    pass


class RefusedError(ClientError):
    """The daemon said no."""

    def __init__(self, problem: "Problem", order: str | None = None) -> None:
        """``order`` is the trader's word for the order that was asked about."""
        super().__init__(problem.title, problem.detail, about_order(problem.next_step, order or problem.order_id))
        self.problem = problem
        self.order = order


def about_order(next_step: str, order: "UUID | str | None") -> str:
    """A next step that names a command for ``ID``, with the order's own id in its place."""
    return next_step if order is None else re.sub(r"\b(?:CLIENT_ORDER_)?ID\b", str(order), next_step)
