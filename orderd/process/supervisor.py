"""Supervises services: starts them in order, restarts those that end unexpectedly, and stops them in reverse order.

The supervisor has one thread and blocks all stop signals and SIGCHLD; it receives them only in ``sigtimedwait``. So no
signal interrupts an operation, and there are no signal handlers.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

from orderd.best_effort import best_effort
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.embedded.child import (
    STOP_SIGNALS,
    Child,
    ChildEndedError,
    Meanwhile,
    StopRequested,
    ignore_wait,
    stop_signals,
)

_MIN_BACKOFF_SECONDS = 0.1
_MAX_BACKOFF_SECONDS = 10.0
_STABLE_SECONDS = 30.0
"""A service that ran at least this long restarts with the shortest backoff."""
_MAX_FIRST_STARTS = 5
"""Maximum number of tries of the first start. Once a service has been ready, it is restarted without limit."""
_EXIT_CONFIGURATION = 2
"""The exit code of a role whose configuration is invalid: a restart would not help."""

_log = structlog.get_logger(__name__)


class Service(Protocol):
    @property
    def name(self) -> str: ...

    def start(self, meanwhile: Meanwhile = ignore_wait) -> Child:
        """Start the service and wait until it is ready. Raises OrderdError or StopRequested."""
        ...


@contextmanager
def blocked_signals() -> Iterator[None]:
    """Block the signals that the supervisor waits for. Children start with no signal blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP_SIGNALS, signal.SIGCHLD})
    try:
        yield
    finally:
        while signal.sigtimedwait(STOP_SIGNALS, 0) is not None:
            pass  # discard further stop signals
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Supervisor:
    """Runs services until it is stopped. Use it within ``blocked_signals``."""

    def __init__(self, meanwhile: Meanwhile = ignore_wait) -> None:
        """``meanwhile`` is called repeatedly while a service starts."""
        self._watched: list[_Watched] = []
        self._meanwhile = meanwhile

    def start(self, service: Service) -> None:
        """Start ``service``, wait until it is ready, and supervise it. Raises OrderdError or StopRequested."""
        watched = _Watched(service, self._while_starting(len(self._watched)))
        for left in reversed(range(_MAX_FIRST_STARTS)):
            try:
                watched.start()
                break
            except ChildEndedError as ended:
                if ended.exit_code == _EXIT_CONFIGURATION:
                    raise OrderdError(ErrorCode.SERVICE_CONFIGURATION, ended.detail) from ended
                if not left:
                    raise
                watched.failed(ended)
            if signal.sigtimedwait(stop_signals(), watched.seconds_to_restart) is not None:
                raise StopRequested
        self._watched.append(watched)

    def is_running(self, service: Service) -> bool:
        """Whether the service was started and is not known to have ended."""
        return any(watched.is_running for watched in self._watched if watched.is_of(service))

    def send(self, service: Service, number: signal.Signals) -> None:
        """Send a signal to a running service."""
        for watched in self._watched:
            if watched.is_of(service):
                watched.send(number)

    def run(self, tick: Callable[[], None], tick_seconds: float, reload: Callable[[], None] = lambda: None) -> None:
        """Supervise until a stop signal arrives. Calls ``tick`` at least every ``tick_seconds`` and ignores its
        exceptions.

        ``reload`` is called on SIGHUP if that is not a stop signal. Raises StopRequested if a stop signal arrives
        during a restart.
        """
        while True:
            for watched in self._watched:
                watched.check()
            with best_effort("watchdog"):
                tick()
            seconds = min([tick_seconds, *(watched.seconds_to_restart for watched in self._watched)])
            received = signal.sigtimedwait({*STOP_SIGNALS, signal.SIGCHLD}, seconds)
            if received is None or received.si_signo == signal.SIGCHLD:
                continue
            if received.si_signo in stop_signals():
                return
            with best_effort("reload"):
                reload()

    def _while_starting(self, number: int) -> Meanwhile:
        """The callback during the start of service ``number``: supervises the services before it, which it may depend
        on."""

        def meanwhile(what: str) -> None:
            for earlier in self._watched[:number]:
                earlier.check()
            self._meanwhile(what)

        return meanwhile

    def stop(self, meanwhile: Meanwhile = ignore_wait) -> None:
        """Stop all services, the last one first. Another stop signal kills those that have not stopped yet."""
        for watched in reversed(self._watched):
            watched.stop(meanwhile)


class _Watched:
    """A service and its current child process."""

    def __init__(self, service: Service, meanwhile: Meanwhile) -> None:
        self._service = service
        self._meanwhile = meanwhile
        self._child: Child | None = None
        self._failures = 0
        self._restart_at = 0.0

    def is_of(self, service: Service) -> bool:
        return self._service is service

    @property
    def is_running(self) -> bool:
        return self._child is not None

    def send(self, number: signal.Signals) -> None:
        if self._child is not None:
            self._child.send(number)

    @property
    def seconds_to_restart(self) -> float:
        """Seconds until the service is to be restarted; infinite while it runs."""
        return float("inf") if self.is_running else max(0.0, self._restart_at - time.monotonic())

    def start(self) -> None:
        self._child = self._service.start(self._meanwhile)
        _log.info("started", action="service_start", service=self._service.name, pid=self._child.pid)

    def check(self) -> None:
        """Detect that the service has ended, and restart it when due. Raises StopRequested."""
        if self._child is not None and self._child.exit_code is not None:
            if time.monotonic() - self._child.started > _STABLE_SECONDS:
                self._failures = 0
            _log.error(
                "a service ended unexpectedly and is restarted",
                action="service_end",
                service=self._service.name,
                pid=self._child.pid,
                exit_code=self._child.exit_code,
            )
            self._child = None
            self._back_off()
        if self._child is None and time.monotonic() >= self._restart_at:
            try:
                self.start()
            except OrderdError as error:
                self.failed(error)

    def failed(self, error: OrderdError) -> None:
        """Record a failed start; the next one is due after a backoff."""
        _log.error(
            "a service could not be started",
            action="service_start_failed",
            service=self._service.name,
            error=error.detail,
        )
        self._back_off()

    def stop(self, meanwhile: Meanwhile) -> None:
        if self._child is None:
            return
        self._child.stop(meanwhile)
        _log.info("stopped", action="service_stop", service=self._service.name, exit_code=self._child.exit_code)

    def _back_off(self) -> None:
        seconds = min(_MIN_BACKOFF_SECONDS * 2**self._failures, _MAX_BACKOFF_SECONDS)
        self._failures += 1
        self._restart_at = time.monotonic() + seconds
