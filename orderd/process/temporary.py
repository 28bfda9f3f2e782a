"""Runs ``orderd run`` on a free port for the duration of a block. For the demo, tests and benchmarks."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.embedded.notify import NotificationReceiver
from orderd.whole_file import read_address

_READY_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 45.0


@dataclass(frozen=True)
class Daemon:
    """A running ``orderd run``."""

    process: subprocess.Popen[bytes]
    url: str
    """The URL for clients."""
    log: Path
    manager: NotificationReceiver
    """Receives its notifications to a service manager."""


@contextmanager
def running_daemon(
    state_dir: Path,
    settings: Mapping[str, str] | None = None,
    *,
    tree: Path | None = None,
    python: str = sys.executable,
) -> Iterator[Daemon]:
    """Start ``orderd run`` on a free port, wait until it accepts orders, and stop it at the end of the block.

    It runs the code in the directory ``tree``, if given, or else the package that is installed for ``python``.

    Its configuration is only ``settings`` (``ORDERD_*`` variables, and those of a service manager); this process's
    ``ORDERD_*`` variables and configuration files are ignored. Raises OrderdError with the end of the log if it does
    not start, or ends with an error.
    """
    log = state_dir / "orderd.log"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ORDERD_")}
    environment |= {"ORDERD_CONFIG": os.devnull, "ORDERD_PORT": "0", **(settings or {})}
    manager = NotificationReceiver()
    environment["NOTIFY_SOCKET"] = manager.address
    with log.open("ab") as output:
        process = subprocess.Popen(  # noqa: S603  (our own argv)
            [python, "-m", "orderd.main", "run", "--state-dir", str(state_dir)],
            cwd=tree,
            env=environment,
            stdin=subprocess.DEVNULL,
            stderr=output,
            start_new_session=True,  # Ctrl-C must only reach this process, which stops the daemon
        )
        try:
            _wait_until_ready(process, manager, log)
            yield Daemon(process, read_address(state_dir / "gateway.json")["url"], log, manager)
        finally:
            ended_before = process.poll() is not None
            exit_code = _stop(process)
    if exit_code != 0 and not ended_before:
        raise OrderdError(ErrorCode.SERVICE_INTERNAL, f"orderd ended with exit code {exit_code}. {_tail(log)}")


def _wait_until_ready(process: "subprocess.Popen[bytes]", manager: NotificationReceiver, log: Path) -> None:
    """Wait for READY=1, as a service manager does."""
    deadline = time.monotonic() + _READY_SECONDS
    ended = os.pidfd_open(process.pid)
    try:
        while True:
            seconds = max(0.0, deadline - time.monotonic())
            readable, _, _ = select.select([manager.fileno(), ended], [], [], seconds)
            if manager.fileno() in readable:
                if any(notice.get("READY") == "1" for notice in manager.received()):
                    return
            elif ended in readable:
                raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, f"orderd did not start. {_tail(log)}")
            else:
                raise OrderdError(
                    ErrorCode.SERVICE_UNAVAILABLE, f"orderd was not ready after {_READY_SECONDS:.0f} s. {_tail(log)}"
                )
    finally:
        os.close(ended)


def _stop(process: "subprocess.Popen[bytes]") -> int:
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        return process.wait()


def _tail(log: Path) -> str:
    return f"The end of {log}:\n" + "\n".join(log.read_text(errors="replace").splitlines()[-15:])
