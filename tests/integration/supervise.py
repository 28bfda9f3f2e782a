"""A supervisor over scripts that say when they start and stop. Arguments: a directory, and a script's kind each."""

import sys
from pathlib import Path

from orderd.embedded.child import Child, Program, StopRequested
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


class Script:
    def __init__(self, directory: Path, kind: str, number: int) -> None:
        self.name = f"{kind}-{number}"
        self._directory = directory
        self._kind = kind

    def start(self) -> Child:
        ready = self._directory / f"{self.name}.ready"
        ready.unlink(missing_ok=True)
        child = Child(
            Program(
                name=self.name,
                argv=[sys.executable, "-c", SERVICE, self.name, self._kind, str(ready)],
                log=None,
                lock=self._directory / f"{self.name}.lock",
                stop_seconds=1000.0,
            )
        )
        child.wait_until(ready.exists)
        return child


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


configure_logging()
with blocked_signals():
    supervisor = Supervisor()
    try:
        for number, kind in enumerate(sys.argv[2:]):
            supervisor.start(Script(Path(sys.argv[1]), kind, number))
        say("watching")
        supervisor.run(lambda: None, tick_seconds=1000.0)
    except StopRequested:
        pass
    finally:
        supervisor.stop()
say("done")
