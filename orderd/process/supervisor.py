"""One process tree: services start in order, are started again when they end by themselves, and stop in reverse.

The supervising process has one thread and keeps all stop signals and SIGCHLD blocked; ``sigtimedwait`` is the one place
where it meets them. So nothing is interrupted halfway, and no handler runs anywhere.
"""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import structlog

from orderd.best_effort import best_effort
from orderd.domain.errors import OrderdError
from orderd.embedded.child import (
    STOP_SIGNALS,
    Child,
    ChildEndedError,
    Meanwhile,
    StopRequested,
    in_silence,
    stop_signals,
)

_BACKOFF_FIRST_SECONDS = 0.1
_BACKOFF_LAST_SECONDS = 10.0
_STABLE_SECONDS = 30.0
"""A service that ran this long before it ended starts with the first backoff again."""
_FIRST_STARTS = 5
"""How often a service may end before it was ever ready, until the daemon gives up. Later it is restarted without
limit."""
_CONFIGURATION = 2
"""What a role exits with where its configuration cannot be used: to start it again would change nothing."""

_log = structlog.get_logger(__name__)


class Service(Protocol):
    @property
    def name(self) -> str: ...

    def start(self, meanwhile: Meanwhile = in_silence) -> Child:
        """Start it and return when it is ready. Raises OrderdError or StopRequested."""
        ...


@contextmanager
def blocked_signals() -> Iterator[None]:
    """Keep what the supervisor waits for from interrupting it. Children are started with nothing blocked."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP_SIGNALS, signal.SIGCHLD})
    try:
        yield
    finally:
        while signal.sigtimedwait(STOP_SIGNALS, 0) is not None:
            pass  # further requests to stop, which has been done
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Supervisor:
    """Runs services until it is stopped. Use it within ``blocked_signals``."""

    def __init__(self, meanwhile: Meanwhile = in_silence) -> None:
        """``meanwhile`` is called again and again while a service starts."""
        self._watched: list[_Watched] = []
        self._meanwhile = meanwhile

    def start(self, service: Service) -> None:
        """Start ``service`` after those before it, and watch it. Raises OrderdError or StopRequested."""
        watched = _Watched(service, self._while_starting(len(self._watched)))
        for left in reversed(range(_FIRST_STARTS)):
            try:
                watched.start()
                break
            except ChildEndedError as ended:
                if not left or ended.exit_code == _CONFIGURATION:
                    raise
                watched.failed(ended)
            if signal.sigtimedwait(stop_signals(), watched.seconds_to_restart) is not None:
                raise StopRequested
        self._watched.append(watched)

    def is_running(self, service: Service) -> bool:
        """Whether it has been started, and has not ended since as far as is known."""
        return any(watched.is_running for watched in self._watched if watched.is_of(service))

    def send(self, service: Service, number: signal.Signals) -> None:
        """Send a signal to a service that runs."""
        for watched in self._watched:
            if watched.is_of(service):
                watched.send(number)

    def run(self, tick: Callable[[], None], tick_seconds: float, reload: Callable[[], None] = lambda: None) -> None:
        """Watch until a stop signal comes; call ``tick`` at least every ``tick_seconds``, and ignore what it raises.

        ``reload`` is called when SIGHUP comes and is not a stop signal.
        Raises StopRequested when the signal comes while a service is being started again.
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
        """What happens while the service of this number starts: those before it, which it may wait for, are watched."""

        def meanwhile(what: str) -> None:
            for earlier in self._watched[:number]:
                earlier.check()
            self._meanwhile(what)

        return meanwhile

    def stop(self, meanwhile: Meanwhile = in_silence) -> None:
        """Stop all, the last started first. A further stop signal kills what has not stopped yet."""
        for watched in reversed(self._watched):
            watched.stop(meanwhile)


class _Watched:
    """A service and the child that currently is it."""

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
        """How long the supervisor may wait before it looks again; infinite while the service runs."""
        return float("inf") if self.is_running else max(0.0, self._restart_at - time.monotonic())

    def start(self) -> None:
        self._child = self._service.start(self._meanwhile)
        _log.info("started", action="service_start", service=self._service.name, pid=self._child.pid)

    def check(self) -> None:
        """Notice an end, start again when that is due. Raises StopRequested."""
        if self._child is not None and self._child.exit_code is not None:
            if time.monotonic() - self._child.started > _STABLE_SECONDS:
                self._failures = 0
            _log.error(
                "a service ended by itself and is started again",
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
        """It could not be started, and is tried again after a while."""
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
        seconds = min(_BACKOFF_FIRST_SECONDS * 2**self._failures, _BACKOFF_LAST_SECONDS)
        self._failures += 1
        self._restart_at = time.monotonic() + seconds
