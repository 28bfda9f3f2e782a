"""Simulated hosts: network namespaces, each with its own address, that can be disconnected.

Use it in a process with its own network and mount namespaces (``unshare --net --mount``), which end with it.
"""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final

_NETWORK: Final = "10.77.0"
_SLICE_SECONDS: Final = 0.01
_OUTSIDE: Final = f"{_NETWORK}.1"
_CLONE_NEWNET: Final = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def open_network() -> None:
    """Create the bridge that connects this process and all hosts."""
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    Path("/run/netns").mkdir(exist_ok=True)
    for place in ("/run/netns", "/dev/shm"):  # so that files of killed processes are removed as well
        subprocess.run(["mount", "-t", "tmpfs", "tmpfs", place], check=True)
    ip("link", "set", "lo", "up")
    ip("link", "add", "br0", "type", "bridge")
    ip("addr", "add", f"{_OUTSIDE}/24", "dev", "br0")
    ip("link", "set", "br0", "up")


def _enter(namespace: str) -> None:
    """Move this process into the network namespace."""
    with Path("/run/netns", namespace).open() as entered:
        if _libc.setns(entered.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


class Host:
    """One process on its own host."""

    def __init__(self, name: str, number: int, command: Sequence[str], env: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.address = f"{_NETWORK}.{number}"
        self._command = command
        self._env = env
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._cable = f"v-{name}"
        ip("netns", "add", name)
        ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", name)
        ip("link", "set", self._cable, "master", "br0", "up")
        for words in (["addr", "add", f"{self.address}/24", "dev", "eth0"], ["link", "set", "eth0", "up"]):
            ip("-n", name, *words)
        ip("-n", name, "link", "set", "lo", "up")

    def set_env(self, env: Mapping[str, str]) -> None:
        """Set the environment of the next start."""
        self._env = env

    def add_env(self, env: Mapping[str, str]) -> None:
        """Add variables to the environment of the next start."""
        self._env = {**self._env, **env}

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                preexec_fn=partial(_enter, self.name),
                env={**os.environ, **self._env},
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def watch(self) -> None:
        """Restart the process if it has ended."""
        if self._process is None or self._process.poll() is not None:
            self.start()

    def kill(self) -> None:
        """Kill all processes of the host, as a power failure does, and restart it."""
        self._send(signal.SIGKILL)
        assert self._process is not None
        self._process.wait()
        self.start()

    def freeze(self, seconds: float) -> None:
        self._send(signal.SIGSTOP)
        time.sleep(seconds)  # not a wait for an event: the duration of the fault
        self._send(signal.SIGCONT)

    def slow_down(self, seconds: float) -> None:
        """Let the process run for only a tenth of the time."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._send(signal.SIGSTOP)
            time.sleep(9 * _SLICE_SECONDS)  # not a wait for an event, like the next one
            self._send(signal.SIGCONT)
            time.sleep(_SLICE_SECONDS)

    def cut_off(self, seconds: float) -> None:
        """Drop all packets from and to the host, without an error at the other end."""
        ip("link", "set", self._cable, "down")
        time.sleep(seconds)  # not a wait for an event: the duration of the fault
        ip("link", "set", self._cable, "up")

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop the process and return its exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._process.wait(60)

    def pids(self) -> list[int]:
        found = subprocess.run(["ip", "netns", "pids", self.name], check=True, capture_output=True, text=True)
        return [int(pid) for pid in found.stdout.split()]

    def _send(self, number: signal.Signals) -> None:
        for pid in self.pids():
            with suppress(ProcessLookupError):
                os.kill(pid, number)
