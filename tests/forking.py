"""Programs of ours that tests start: forked from a process that has loaded them, where a shell would execute them.

An interpreter that starts and loads ``orderd gateway`` takes a second of CPU, and ``orderd run`` is four of them; a
fork takes a few milliseconds. All else is the real thing: a process of its own, a child of whoever starts it, with the
arguments, environment, descriptors and session that it was to have, and it ends as any Python does, but for the taking
apart of what was loaded. Only resource limits are those of the test, where a daemon would pass on its own.

A *nursery* is a process that has loaded everything, built the gateway's routes, and done nothing else: no thread, no
connection, no secret. What it forks would be its own child; so it forks twice, and the orphan falls to the nearest
ancestor that takes orphans in (prctl(2), ``PR_SET_CHILD_SUBREAPER``), which is whoever asked for it. A program that
starts others has a nursery of its own.

A shell is given files of our programs' names (``tests/forked.py``) that do no more than ask. Who asks from there is no
ancestor of the nursery, so a process of the nursery's waits for the program and says how it ended.

Tests that are marked ``executed`` are not concerned: those of what happens before a program's first line, of what it
loads, of its environment as the kernel shows it, and some of each program.
"""

import atexit
import ctypes
import fcntl
import gc
import marshal
import os
import pickle
import pkgutil
import runpy
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, NoReturn, cast, overload

import db
import orderctl
import orderd

_ROOT: Final = Path(__file__).parents[1]
_MODULES: Final = ("orderd.main", "orderd.simnet")
_SCRIPTS: Final = tuple(str(Path(sys.executable).with_name(name)) for name in ("orderctl", "orderd"))
_STARTERS: Final = {"run", "demo"}
"""The verbs that start further programs of ours."""
_NOT_LOADED: Final = ("orderctl.tui", "orderctl.assistant", *_MODULES)
"""What few programs need and takes long, and what is to run as ``__main__``."""
_AT_START: Final = ("PYTHON", "LC_", "LANG")
"""What an interpreter reads when it starts: a program that is told something else than we were is executed."""
_PR_SET_CHILD_SUBREAPER: Final = 36
_NOT_FLUSHED: Final = 120
"""The exit code of an interpreter that could not write its last words."""
_MESSAGE_BYTES: Final = 1 << 17
_MOST_DESCRIPTORS: Final = 16

_libc = ctypes.CDLL(None, use_errno=True)
_asking = threading.Lock()
_nursery: socket.socket | None = None
_executed: subprocess.Popen[Any] | None = None
"""The nursery that this process has started, and not been given."""

are_forked = True
"""Whether programs are forked now."""


class _Launch(NamedTuple):
    """What to become. All of it can be marshalled, which one who merely asks can do without loading a module."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    umask: int
    has_own_session: bool
    numbers: tuple[int, ...]
    """Under which the descriptors that come along are to be known."""
    prepare: bytes | None
    """A function, pickled."""
    is_waited_for: bool
    """By a process of the nursery's, which writes the exit code to the descriptor that comes last."""


class Popen(subprocess.Popen[Any]):
    """As any other, but that programs of ours are forked."""

    def _execute_child(self, *given: Any) -> None:
        args, _, preexec_fn, _, pass_fds, cwd, env, _, _, _, *ends, _, _, _, _, _, start_new_session, _ = given
        argv = () if isinstance(args, str | bytes | os.PathLike) else tuple(map(os.fsdecode, args))
        environment = os.environ if env is None else env
        if not (are_forked and _is_ours(argv) and _at_start(environment) == _at_start(os.environ)):
            super()._execute_child(*given)  # type: ignore[misc]
            return
        ours_or_theirs = zip((0, 1, 2), (ends[0], ends[3], ends[5]), strict=True)
        numbered = {number: number if end == -1 else end for number, end in ours_or_theirs}
        numbered |= {number: number for number in pass_fds}
        launch = _Launch(
            argv,
            dict(environment),
            os.fspath(cwd or Path.cwd()),
            _umask(),
            start_new_session,
            tuple(numbered),
            None if preexec_fn is None else pickle.dumps(preexec_fn),
            is_waited_for=False,
        )
        try:
            self.pid = _ask(launch, list(numbered.values()))
            self._child_created = True
        finally:
            self._close_pipe_fds(*ends)  # type: ignore[attr-defined]


def use() -> None:
    """Let every ``subprocess.Popen`` of this process be one of ours."""
    subprocess.Popen = Popen  # type: ignore[misc]


def give_to_shell(directory: Path) -> list[int]:
    """Put our programs where a shell is to find them; the descriptors that it has to pass on.

    One can be started at a time.
    """
    directory.mkdir()
    if not are_forked:
        for script in map(Path, _SCRIPTS):
            (directory / script.name).symlink_to(script)
        return []
    control = _asked().fileno()
    asking = Path(__file__).with_name("forked.py").read_text()
    for script in map(Path, _SCRIPTS):
        program = directory / script.name
        request = f"ask({str(script)!r}, {control}, {_at_start(os.environ)!r}, {_AT_START!r})"
        program.write_text(f"#!{sys.executable} -SE\n{asking}\n{request}\n")
        program.chmod(0o700)
    return [control]


def end() -> None:
    """No more programs are started."""
    if _nursery is not None and _executed is not None:
        _nursery.close()
        _executed.wait()


def _is_ours(argv: Sequence[str]) -> bool:
    return bool(argv) and (argv[0] in _SCRIPTS or (argv[:2] == (sys.executable, "-m") and argv[2] in _MODULES))


def _at_start(env: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in env.items() if name.startswith(_AT_START)}


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _ask(launch: _Launch, descriptors: Sequence[int]) -> int:
    """Have a program forked that is a child of this process; its process id."""
    with _asking:
        nursery = _asked()
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            message: tuple[Any, ...] = tuple(launch)  # no subclass of it can be marshalled
            socket.send_fds(nursery, [marshal.dumps(message)], descriptors)
            return int(nursery.recv(32))
        finally:
            _libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _asked() -> socket.socket:
    global _nursery
    _nursery = _nursery or _executed_nursery()
    return _nursery


def _executed_nursery() -> socket.socket:
    """Where to ask the first one, which ends with this process."""
    global _executed
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    start = "from tests import forking; forking.main()"
    with theirs:
        _executed = subprocess.Popen(
            [sys.executable, "-c", start], stdin=theirs.fileno(), cwd=_ROOT, start_new_session=True
        )
    return ours


def main() -> None:
    """Be a nursery, and in each process that it forks the program that was asked for."""
    gc.disable()
    for package in (db, orderctl, orderd):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(_NOT_LOADED):
                import_module(module.name)
    import_module("orderd.gateway.http.app").application()
    gc.collect()
    gc.freeze()
    gc.enable()
    launch = _serve(socket.socket(fileno=os.dup(0)))
    _end(0 if launch is None else _run(launch))


def _serve(control: socket.socket) -> _Launch | None:
    """Fork whatever is asked for. Returns in each program, with what it is to do, and at the end None."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, _MESSAGE_BYTES, _MOST_DESCRIPTORS)
        if not message:
            return None
        launch = _Launch(*marshal.loads(message))
        ready, begin = os.pipe(), os.pipe()
        between = os.fork()
        if between == 0:
            if launch.is_waited_for and os.fork() != 0:
                os._exit(0)
            program = os.fork()
            if program == 0:
                os.read(begin[0], 1)  # until it is a child of who asked
                _prepare(launch)
                os.write(ready[1], b".")
                control.detach()
                return _become(launch, dict(zip(launch.numbers, descriptors, strict=not launch.is_waited_for)))
            os.write(ready[1], str(program).encode())
            if launch.is_waited_for:
                *those_of_the_program, answer = descriptors
                for descriptor in those_of_the_program:
                    os.close(descriptor)
                os.write(answer, str(os.waitstatus_to_exitcode(os.waitpid(program, 0)[1])).encode())
            os._exit(0)
        os.waitpid(between, 0)
        os.close(ready[1])
        program_id = os.read(ready[0], 32)
        os.write(begin[1], b"!")
        os.read(ready[0], 1)  # until it is prepared, or has ended
        control.send(program_id)
        for descriptor in (ready[0], *begin, *descriptors):
            os.close(descriptor)


def _prepare(launch: _Launch) -> None:
    """What is done by the time that ``Popen`` returns."""
    os.chdir(launch.cwd)
    os.umask(launch.umask)
    if launch.has_own_session:
        os.setsid()
    if launch.prepare is not None:
        pickle.loads(launch.prepare)()


def _become(launch: _Launch, descriptors: Mapping[int, int]) -> _Launch | None:
    """Be as if executed. Where that is a program which starts others, returns in each of those too."""
    global _nursery
    _nursery = None
    if _STARTERS.isdisjoint(launch.argv):
        _keep_only(descriptors)
    else:
        _nursery, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            os.setsid()
            _nursery.detach()
            nothing = os.open(os.devnull, os.O_RDWR)
            return _serve(_keep_only(dict.fromkeys(range(3), nothing), theirs))
        theirs.detach()
        _nursery = _keep_only(descriptors, _nursery)
        use()
    os.environ.clear()
    os.environ.update(launch.env)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        stream = _stream(number, getattr(sys, name)) if number in descriptors else None
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    return launch


@overload
def _keep_only(descriptors: Mapping[int, int]) -> None: ...
@overload
def _keep_only(descriptors: Mapping[int, int], control: socket.socket) -> socket.socket: ...
def _keep_only(descriptors: Mapping[int, int], control: socket.socket | None = None) -> socket.socket | None:
    """Close all but these, which get the numbers that they are under, and ``control``, which gets another."""
    above = max(descriptors, default=2) + 1
    moved = {number: fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, above) for number, each in descriptors.items()}
    kept = None if control is None else fcntl.fcntl(control.detach(), fcntl.F_DUPFD_CLOEXEC, above)
    for number, each in moved.items():
        os.dup2(each, number)
    for each in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if each not in descriptors and each != kept:
            with suppress(OSError):  # the listing's own
                os.close(each)
    return None if kept is None else socket.socket(fileno=kept)


def _stream(descriptor: int, before: TextIOWrapper) -> TextIOWrapper:
    """A standard stream, as an interpreter opens it; ``before`` is what it was in the nursery."""
    mode, buffering = "wb" if descriptor else "rb", 0 if before.write_through else -1
    raw = os.fdopen(descriptor, mode, buffering, closefd=False)
    return TextIOWrapper(
        cast("BinaryIO", raw),
        encoding=before.encoding,
        errors=before.errors,
        line_buffering=descriptor == 2 or raw.isatty(),
        write_through=before.write_through,
    )


def _run(launch: _Launch) -> int:
    """The program, to its end; its exit code."""
    try:
        if launch.argv[0] in _SCRIPTS:
            sys.argv = list(launch.argv)
            sys.path[0] = str(Path(launch.argv[0]).parent)
            runpy.run_path(launch.argv[0], run_name="__main__")
        else:
            interpreter, _, module, *arguments = launch.argv
            sys.argv = [interpreter, *arguments]
            sys.path[0] = launch.cwd
            runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        return end.code or 0
    return 0


def _end(exit_code: int) -> NoReturn:
    """As an interpreter ends, but that nothing is taken apart: the kernel would copy all that is touched by that, which
    takes longer than most programs."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                exit_code = _NOT_FLUSHED
    os._exit(exit_code)
