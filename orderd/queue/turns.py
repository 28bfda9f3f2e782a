"""Measures the running turns: a turn that no time limit could interrupt hangs, and its thread is lost."""

import threading
import time
from typing import Final

from dramatiq.broker import Broker, MessageProxy
from dramatiq.middleware import Middleware

TURN_SECONDS: Final = 60.0
"""A longer turn counts as hanging: it is aborted, and its order can be retried."""


class Turns(Middleware):
    """The last middleware, so that it times the turns alone. A worker thread has one turn at a time."""

    def __init__(self) -> None:
        self._began: dict[int, float] = {}

    @property
    def longest_seconds(self) -> float:
        """Age of the oldest running turn; 0 if there is none."""
        return max((time.monotonic() - began for began in [*self._began.values()]), default=0.0)

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:  # noqa: ARG002
        self._began[threading.get_ident()] = time.monotonic()

    def after_process_message(
        self,
        broker: Broker,  # noqa: ARG002
        message: MessageProxy,  # noqa: ARG002
        *,
        result: object = None,  # noqa: ARG002
        exception: BaseException | None = None,  # noqa: ARG002
    ) -> None:
        self._began.pop(threading.get_ident(), None)
