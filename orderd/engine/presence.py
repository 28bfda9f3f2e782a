"""Tracks the live processes of the cluster, and releases the leases of dead ones.

On the same machine the kernel is asked: no process with this id exists, or it started at another time. On other
machines only missing heartbeats show it. The listener measures silence by its own clock and only while it listens, so
neither a clock that is set nor an outage of Postgres makes a process look dead.

A process that counts as dead although it is alive does no harm: each write is fenced by the order's version.
"""

import os
import secrets
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import structlog

from db import processes
from db.connection import database
from db.processes import Process

BEAT_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 7.0
"""A process of another machine that is silent for this long counts as dead."""
_NOT_LISTENING_SECONDS: Final = 3.0
"""A process that has not listened for this long starts to measure silence again."""
_PROC: Final = Path("/proc")
log = structlog.get_logger(__name__)


class Presence:
    """This process among the others. For one thread at a time."""

    def __init__(
        self,
        released: Callable[[Sequence[str]], object] = lambda _: None,
        *,
        watches: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``released`` gets the names of processes whose leases were released.

        ``watches`` says whether this process watches resting orders, now and until the next beat.
        """
        self._self = this_process()
        self._released = released
        self._watches = watches
        self._clock = clock
        self.watchers: frozenset[str] = frozenset()
        """The names of the processes that watch resting orders, as last read."""
        self._last_beats: dict[str, tuple[int, float]] = {}
        self._listened_at = clock()

    @property
    def name(self) -> str:
        """The owner name of this process in leases; never used by another process."""
        return self._self.name

    def beat(self) -> None:
        """Write a heartbeat."""
        with database.connection_context():
            processes.beat(self._self)

    def run_once(self) -> int:
        """Write a heartbeat, and release the leases of dead processes. Returns how many were found dead."""
        with database.connection_context():
            processes.beat(self._self, watches=self._watches())
            dead = [(other, beats) for other, beats in processes.known().items() if self._is_dead(other, beats)]
            self._listened_at = self._clock()
            names = processes.release_dead(dead)
            if (watchers := processes.watching()) != self.watchers:
                self.watchers = watchers
        if names:
            log.warning("processes are dead, and their leases are released", action="processes_dead", processes=names)
            self._released(names)
        return len(names)

    def leave(self) -> int:
        """This process stops: release its orders for others. Returns their number."""
        with database.connection_context():
            return processes.unregister(self.name)

    def _is_dead(self, other: Process, beats: int) -> bool:
        if other.name == self.name:
            return False
        if other.machine == self._self.machine and not is_running(other):
            return True
        now = self._clock()
        last_beat, since = self._last_beats.get(other.name, (None, now))
        if beats != last_beat or now - self._listened_at > _NOT_LISTENING_SECONDS:
            since = now
        self._last_beats[other.name] = beats, since
        return now - since > SILENT_SECONDS


def this_process() -> Process:
    """A record of this process, with a unique name."""
    pid, token = os.getpid(), secrets.token_hex(4)
    try:
        boot = (_PROC / "sys/kernel/random/boot_id").read_text().strip()
        machine, started = f"{boot}:{(_PROC / 'self/ns/pid').stat().st_ino}", _stat(pid)[1]
    except OSError:  # without this information, other processes cannot ask the kernel about this one
        machine, started = f"unknown:{token}", 0
    return Process(f"{socket.gethostname()}:{pid}:{token}", machine, pid, started)


def is_running(process: Process) -> bool:
    """Whether this process of this machine lives, or might."""
    try:
        state, started = _stat(process.pid)
    except OSError:
        return _may_be_hidden(process.pid)
    return state not in "ZX" and started == process.started


def _stat(pid: int) -> tuple[str, int]:
    """State and start time, in clock ticks since the boot; proc_pid_stat(5), fields 3 and 22."""
    after_name = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    return after_name[0], int(after_name[19])


def _may_be_hidden(pid: int) -> bool:
    """A mount with ``hidepid`` shows no processes of other users, but a signal still shows whether there is one."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
