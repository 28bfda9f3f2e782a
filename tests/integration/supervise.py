"""Runs a supervisor over scripts that print when they start and stop. Arguments: a directory, and a kind per script."""

import sys
from pathlib import Path

from orderd.domain.errors import OrderdError
from orderd.embedded.child import Child, Meanwhile, ServiceProgram, StopRequested, ignore_wait
from orderd.process.supervisor import Supervisor, blocked_signals
from orderd.telemetry import configure_logging

SERVICE = """
import os, pathlib, signal, sys
name, kind, ready = sys.argv[1:]
say = lambda what: os.write(1, f"{name} {what} {os.getpid()}\\n".encode())
def stop(number, frame):
    say("refuses" if kind == "stubborn" else "down")
    if kind != "stubborn":
        os._exit(0)
signal.signal(signal.SIGTERM, stop)
say("up")
if kind != "never-ready":
    pathlib.Path(ready).touch()
while True:
    signal.pause()
"""


STARTS_BEFORE_READY = {"late": 2, "never": 1_000}
"""How often a script of this kind exits before it becomes ready."""


class Script:
    def __init__(self, directory: Path, kind: str, number: int) -> None:
        self.name = f"{kind}-{number}"
        self._directory = directory
        self._kind = kind
        self._starts = 0

    @property
    def _script(self) -> str:
        if self._kind == "misconfigured":
            return "raise SystemExit(2)"
        return SERVICE if self._starts > STARTS_BEFORE_READY.get(self._kind, 0) else "raise SystemExit(1)"

    def start(self, meanwhile: Meanwhile = ignore_wait) -> Child:
        self._starts += 1
        if self._starts <= STARTS_BEFORE_READY.get(self._kind, 0):
            say(f"{self.name} starts")
        ready = self._directory / f"{self.name}.ready"
        ready.unlink(missing_ok=True)
        child = Child(
            ServiceProgram(
                name=self.name,
                argv=[sys.executable, "-c", self._script, self.name, self._kind, str(ready)],
                log=None,
                lock=self._directory / f"{self.name}.lock",
                stop_seconds=1000.0,
            )
        )
        first = self._first()
        child.wait_until(lambda: self._is_ready(ready, first), meanwhile=meanwhile)
        return child

    def _is_ready(self, ready: Path, beside: str) -> bool:
        """A script that ``needs`` the first service is ready again only after that service was restarted."""
        if self._kind == "needs" and self._starts > 1 and self._first() == beside:
            return False
        return ready.exists()

    def _first(self) -> str:
        return next(self._directory.glob("*-0.lock")).read_text()


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tick() -> None:
    raise RuntimeError("unforeseen")


configure_logging()
with blocked_signals():
    supervisor = Supervisor()
    try:
        for number, kind in enumerate(sys.argv[2:]):
            supervisor.start(Script(Path(sys.argv[1]), kind, number))
        say("watching")
        supervisor.run(tick, tick_seconds=0.05)
    except StopRequested:
        pass
    except OrderdError as error:
        say(f"gives up: {error.code} {error.detail}")
    finally:
        supervisor.stop()
say("done")
