"""A child process that cannot outlive its parent, nor run twice on the same data.

Two properties of the kernel provide this, so that no pid file has to be trusted:

* ``PR_SET_PDEATHSIG`` (prctl(2)): the kernel signals the child when its parent dies, even by SIGKILL.
* ``flock(2)`` belongs to the open file: a child that inherits the locked descriptor holds the lock until it and all
  its own children are gone. A process that gets the lock knows that no predecessor is alive.
"""

import ctypes
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
from orderd.embedded.environment import what_any_program_needs
from orderd.embedded.notify import service_manager

_POLL_SECONDS = 0.02
_LONGEST_POLL_SECONDS = 0.5
"""Of a child that takes long: each question is work for it as well."""
_LOG_LIMIT_BYTES = 10 * 2**20

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)

STOP_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT, signal.SIGHUP})
"""What asks the daemon to stop. It keeps them blocked, and looks for them where it can act on them."""


def stop_signals() -> frozenset[signal.Signals]:
    """Those that ask this process to stop: under a service manager SIGHUP asks it to read its settings again."""
    return STOP_SIGNALS - {signal.SIGHUP} if service_manager().is_there else STOP_SIGNALS


Meanwhile = Callable[[str], None]
"""Is called, again and again, with what is being waited for."""


class ChildEndedError(OrderdError):
    """A child ended by itself before it was ready; minus the signal's number where a signal ended it."""

    def __init__(self, detail: str, exit_code: int) -> None:
        super().__init__(ErrorCode.SERVICE_UNAVAILABLE, detail)
        self.exit_code = exit_code


def in_silence(what: str) -> None:
    """Reports nothing of what is being waited for."""


class StopRequested(BaseException):
    """The daemon was asked to stop while it waited for a child to become ready.

    Like KeyboardInterrupt it is not an error, so code that catches errors does not catch it.
    """


@dataclass(frozen=True)
class ServiceProgram:
    """What to run, and how it wants to be stopped."""

    name: str
    argv: Sequence[str]
    log: Path | None
    """Where its output goes; None lets it write to the daemon's own stderr."""
    lock: Path
    """Locked by the running process; two programs with the same lock never run at the same time."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Its environment, beside what any program needs."""
    account: pwd.struct_passwd | None = None
    """The system user to run as; needs root."""
    leftovers: Sequence[Path] = ()
    """Pid files that a killed predecessor leaves. They are removed under the lock, which proves that it is gone: else
    the program might take some other process with the same id for it."""
    scratch: Path | None = None
    """A directory that is removed when the program has been stopped, if it is empty by then."""
    descriptors: Sequence[int] = ()
    """Open files that it inherits, each under its own number."""
    stop_signal: signal.Signals = signal.SIGTERM
    stop_seconds: float = 10.0
    """How long it may take to stop before it is killed."""


class Child:
    """One running ``ServiceProgram``."""

    def __init__(self, program: ServiceProgram) -> None:
        """Start it, once the remains of an earlier daemon's child have ended.

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
        """Send it a signal; one that has ended gets none."""
        self._process.send_signal(number)

    @property
    def exit_code(self) -> int | None:
        """None while it runs; minus the signal's number when a signal ended it."""
        return self._process.poll()

    def wait_until(
        self,
        ready: Callable[[], bool],
        seconds: float = 60.0,
        *,
        progress: Callable[[], str] = lambda: "",
        meanwhile: Meanwhile = in_silence,
    ) -> None:
        """Wait for ``ready``; what does not become ready is stopped.

        ``progress`` is what the child says of itself, if anything: as long as that changes, its patience begins again.
        Raises ChildEndedError when it ends and OrderdError when it takes too long, with what it said or the end of its
        log; StopRequested when a stop signal arrives meanwhile.
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
            if (news := progress()) != progress_text:
                progress_text, deadline = news, time.monotonic() + seconds
            if time.monotonic() > deadline:
                self.stop()
                late = self._failure(f"was not ready after {seconds:.0f} s", progress_text)
                raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, late)
            try:
                meanwhile(f"{self.program.name}: {progress_text or 'starting'}")
            except StopRequested:
                self.stop()
                raise
            time.sleep(min(_POLL_SECONDS + (time.monotonic() - began) / 50, _LONGEST_POLL_SECONDS))

    def stop(self, meanwhile: Meanwhile = in_silence) -> None:
        """Ask it to stop; kill it when it takes longer than ``stop_seconds`` or a stop signal arrives meanwhile."""
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
    """Run a program that does its work and ends. Raises OrderdError when it fails."""
    child = Child(program)
    child.wait_until(lambda: child.exit_code == 0, seconds=120.0)


def _take_lock(program: ServiceProgram) -> int:
    """Lock ``program.lock``; a predecessor that does not end in its time is killed first."""
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
            env={**what_any_program_needs(), **program.env},
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
        _become(account)
    # After the change of user, which would clear it. The parent may have died before: then nothing would signal us.
    _prctl(_PR_SET_PDEATHSIG, stop_signal)
    if os.getppid() != parent:
        os._exit(1)


def _open_log(path: Path) -> int:
    if path.exists() and path.stat().st_size > _LOG_LIMIT_BYTES:
        path.rename(path.with_suffix(path.suffix + ".1"))
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _become(account: pwd.struct_passwd) -> None:
    """Change from root to ``account``, keeping only the right to walk through directories that root alone may enter.

    Postgres refuses to run as root, while its programs and its data may well lie below /root. The alternative, opening
    these directories to everybody, would outlast us.
    """
    _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(account.pw_gid, account.pw_gid, account.pw_gid)
    os.setresuid(account.pw_uid, account.pw_uid, account.pw_uid)
    kept = 1 << _CAP_DAC_READ_SEARCH
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(kept, kept, kept, 0, 0, 0)
    # A container may lack the capability; then the paths must be open to the account, and exec says so if not.
    if _libc.capset(header, sets) == 0:
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_READ_SEARCH)


def _prctl(option: int, *arguments: int) -> None:
    values = [ctypes.c_ulong(argument) for argument in (*arguments, 0, 0, 0, 0)[:4]]
    if _libc.prctl(option, *values) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
