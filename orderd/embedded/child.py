"""A child process that cannot outlive its parent, and cannot run twice on the same data.

Two features of the kernel guarantee this, so no pid file has to be trusted:

* ``PR_SET_PDEATHSIG`` (prctl(2)): the kernel signals the child when its parent dies, even by SIGKILL.
* ``flock(2)`` belongs to the open file: a child that inherits the locked descriptor holds the lock until it and all
  its own children are gone. A process that gets the lock knows that no predecessor is alive.
"""

import fcntl
import os
import pwd
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.embedded.account import become, end_with_parent
from orderd.embedded.environment import common_environment
from orderd.embedded.notify import service_manager

_POLL_SECONDS = 0.02
_MAX_POLL_SECONDS = 0.5
"""Maximum interval between two checks of a child that starts slowly; each check costs the child time too."""
_LOG_LIMIT_BYTES = 10 * 2**20

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""Signals that request a stop. The daemon blocks them, and checks for pending ones where it can act on them."""


def stop_signals() -> frozenset[signal.Signals]:
    """The signals that stop this process. Under a service manager, SIGHUP is not one of them: it reloads the
    settings."""
    return STOP_SIGNALS - {signal.SIGHUP} if service_manager().is_there else STOP_SIGNALS


Meanwhile = Callable[[str], None]
"""A callback that is called repeatedly during a wait, with a description of what is awaited."""


class ChildEndedError(OrderdError):
    """A child ended before it was ready. ``exit_code`` is negative, minus the signal's number, if a signal ended it."""

    def __init__(self, detail: str, exit_code: int) -> None:
        super().__init__(ErrorCode.SERVICE_UNAVAILABLE, detail)
        self.exit_code = exit_code


def ignore_wait(what: str) -> None:
    """A callback that does nothing."""


class StopRequested(BaseException):
    """A stop signal arrived while the daemon waited for a child to become ready.

    Like KeyboardInterrupt, it is not an Exception, so handlers of errors do not catch it.
    """


@dataclass(frozen=True)
class ServiceProgram:
    """How to run and stop a program."""

    name: str
    argv: Sequence[str]
    log: Path | None
    """The file for its output; None: it writes to the daemon's stderr."""
    lock: Path
    """A file that the running process locks; two programs with the same lock never run at the same time."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment variables in addition to ``common_environment``."""
    account: pwd.struct_passwd | None = None
    """The system user to run as; needs root."""
    leftovers: Sequence[Path] = ()
    """Pid files that a killed predecessor left. They are removed under the lock, which proves that the predecessor has
    ended; otherwise the program could mistake another process with the same id for it."""
    scratch: Path | None = None
    """A directory that is removed after the program has stopped, if it is empty."""
    descriptors: Sequence[int] = ()
    """Open file descriptors that it inherits under the same numbers."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    """Seconds to stop before it is killed."""


class Child:
    """One running ``ServiceProgram``."""

    def __init__(self, program: ServiceProgram) -> None:
        """Start the program, after the child of an earlier daemon has ended.

        Raises OrderdError if it cannot be started.
        """
        self.program = program
        self.started = time.monotonic()
        lock = _take_lock(program)
        try:
            for leftover in program.leftovers:
                leftover.unlink(missing_ok=True)
            self._process = _spawn(program, lock)
            os.truncate(lock, 0)
            os.pwrite(lock, str(self._process.pid).encode(), 0)
        except (OSError, subprocess.SubprocessError) as error:
            raise OrderdError(
                ErrorCode.SERVICE_UNAVAILABLE, f"{program.name} could not be started ({program.argv[0]}): {error}"
            ) from error
        finally:
            os.close(lock)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        self._process.send_signal(number)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number if a signal ended it."""
        return self._process.poll()

    def wait_until(
        self,
        ready: Callable[[], bool],
        seconds: float = 60.0,
        *,
        progress: Callable[[], str] = lambda: "",
        meanwhile: Meanwhile = ignore_wait,
    ) -> None:
        """Wait until ``ready`` returns true. A child that does not become ready is stopped.

        ``progress`` returns the child's own status text. Each time the text changes, the time limit of ``seconds``
        starts again. Raises ChildEndedError if the child ends, OrderdError if it takes too long (both with its status
        or the end of its log), and StopRequested if a stop signal arrives.
        """
        began = time.monotonic()
        deadline = began + seconds
        progress_text = progress()
        while not ready():
            if (exit_code := self.exit_code) is not None:
                raise ChildEndedError(
                    self._failure(f"ended while starting (exit code {exit_code})", progress()), exit_code
                )
            if signal.sigtimedwait(stop_signals(), 0) is not None:
                self.stop()
                raise StopRequested
            if (latest := progress()) != progress_text:
                progress_text, deadline = latest, time.monotonic() + seconds
            if time.monotonic() > deadline:
                self.stop()
                late = self._failure(f"was not ready after {seconds:.0f} s", progress_text)
                raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, late)
            try:
                meanwhile(f"{self.program.name}: {progress_text or 'starting'}")
            except StopRequested:
                self.stop()
                raise
            time.sleep(min(_POLL_SECONDS + (time.monotonic() - began) / 50, _MAX_POLL_SECONDS))

    def stop(self, meanwhile: Meanwhile = ignore_wait) -> None:
        """Stop it; kill it after ``stop_seconds``, or when another stop signal arrives."""
        deadline = time.monotonic() + self.program.stop_seconds
        if self.exit_code is None:
            self._process.send_signal(self.program.stop_signal)
        while self.exit_code is None:
            if time.monotonic() > deadline or not stop_signals().isdisjoint(signal.sigpending()):
                self._process.kill()
                self._process.wait()
            meanwhile(self.program.name)
            time.sleep(_POLL_SECONDS)
        if self.program.scratch is not None:
            with suppress(OSError):
                self.program.scratch.rmdir()

    def _failure(self, what: str, progress_text: str) -> str:
        if self.program.log is None:
            tail = progress_text or "Its messages are above."
        else:
            lines = self.program.log.read_text(errors="replace").splitlines()[-5:]
            tail = f"The end of {self.program.log}: " + " | ".join(lines)
        return f"{self.program.name} {what}. {tail}"


def run_to_end(program: ServiceProgram) -> None:
    """Run a program until it ends. Raises OrderdError if it fails."""
    child = Child(program)
    child.wait_until(lambda: child.exit_code == 0, seconds=120.0)


def _take_lock(program: ServiceProgram) -> int:
    """Lock ``program.lock``. A predecessor that does not end within ``stop_seconds`` is killed."""
    program.lock.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(program.lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    killed = False
    deadline = time.monotonic() + program.stop_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                holder = os.pread(descriptor, 20, 0).decode()
                if killed or not holder:
                    os.close(descriptor)
                    raise OrderdError(
                        ErrorCode.SERVICE_UNAVAILABLE,
                        f"{program.name} of an earlier run (process {holder or 'unknown'}) does not end; "
                        f"it holds {program.lock}. End it by hand, then start again.",
                    ) from None
                os.kill(int(holder), signal.SIGKILL)
                killed = True
                deadline = time.monotonic() + program.stop_seconds
            time.sleep(_POLL_SECONDS)
        else:
            return descriptor


def _spawn(program: ServiceProgram, lock: int) -> subprocess.Popen[bytes]:
    output = None if program.log is None else _open_log(program.log)
    try:
        return subprocess.Popen(  # noqa: S603  (our own argv, no shell)
            program.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**common_environment(), **program.env},
            pass_fds=(lock, *program.descriptors),
            preexec_fn=partial(_become_child, os.getpid(), program.account, program.stop_signal),
            start_new_session=True,  # Ctrl-C reaches the daemon alone, which stops its children in order
        )
    finally:
        if output is not None:
            os.close(output)


def _become_child(parent: int, account: pwd.struct_passwd | None, stop_signal: signal.Signals) -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    if account is not None:
        become(account)
    # Set after the change of user, which clears it. If the parent died earlier, no signal would ever arrive.
    end_with_parent(stop_signal)
    if os.getppid() != parent:
        os._exit(1)


def _open_log(path: Path) -> int:
    if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
        path.rename(path.with_suffix(path.suffix + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
