"""The recurring tasks of a worker process, each in its own thread, which survives all exceptions of a pass."""

import threading
import time
from collections.abc import Callable
from typing import Final

import structlog

from orderd.metrics.process import LOOP_FAILURES
from orderd.solana.json_rpc import RpcError
from orderd.telemetry import name_thread

_MAX_BACKOFF_SECONDS: Final = 5.0
_LONGEST_SECONDS: Final = 30.0
"""Maximum time of a pass."""
log = structlog.get_logger(__name__)


class Loop:
    """Calls ``run_once`` every ``interval`` seconds, or sooner when woken, until it is stopped.

    After a failure it waits longer each time, however often it is woken.
    """

    def __init__(
        self, name: str, run_once: Callable[[], object], interval: float, *, longest: float = _LONGEST_SECONDS
    ) -> None:
        """A pass that takes more than ``longest`` seconds counts as hanging."""
        self.name = name
        self._longest = longest
        self._run_once = run_once
        self.interval = interval
        self._stop = threading.Event()
        self._woken = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._pass_began: float | None = None
        self._failures = LOOP_FAILURES.labels(name)

    @property
    def seconds_silent(self) -> float:
        """Seconds since the running pass began; 0 between two passes. A growing value means that the loop hangs."""
        began = self._pass_began
        return 0.0 if began is None else time.monotonic() - began

    @property
    def hangs(self) -> bool:
        return self.seconds_silent > self._longest

    def start(self) -> None:
        self._thread.start()

    def wake(self) -> None:
        """Run the next pass now."""
        self._woken.set()

    def stop(self, seconds: float) -> bool:
        """Wait for the current pass to end. False if it takes longer than ``seconds``."""
        self._stop.set()
        self._woken.set()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _run(self) -> None:
        name_thread(self.name)
        failures = 0
        while not self._stop.is_set():
            self._pass_began = time.monotonic()
            try:
                self._run_once()
            except BaseException as error:  # a panic of a native library is not an Exception
                failures += 1
                self._failures.inc()
                # Only the first failure of a series gets a traceback, because one per second would hide other log
                # lines. Errors of the endpoint get none.
                is_first = failures == 1 and not isinstance(error, RpcError)
                log.warning("pass failed", action="loop_failed", loop=self.name, error=str(error), exc_info=is_first)
            else:
                if failures:
                    log.info("works again", action="loop_recovered", loop=self.name, failures=failures)
                failures = 0
            self._pass_began = None
            if failures:
                self._stop.wait(min(self.interval * 2 ** min(failures, 20), max(_MAX_BACKOFF_SECONDS, self.interval)))
            else:
                self._woken.wait(self.interval)
            self._woken.clear()
