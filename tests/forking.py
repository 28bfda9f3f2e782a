"""A fork server for our programs: tests fork them from a process that has already imported them.

An interpreter that starts and imports ``orderd gateway`` takes a second of CPU, and ``orderd run`` needs four of them;
a fork takes a few milliseconds. Everything else is real: the program is a process of its own and a child of the process
that started it, with the given arguments, environment, descriptors and session. It ends as any Python process does,
except that its modules are not torn down. Resource limits are those of the test, not those that a daemon would pass on.

The *fork server* has imported everything and built the gateway's routes; it has no thread, connection or secret. A
child of the fork server would not be a child of the test, so the server forks twice, and the kernel gives the orphan to
its nearest ancestor that adopts orphans (prctl(2), ``PR_SET_CHILD_SUBREAPER``), which is the process that asked. A
program that starts others has a fork server of its own. A program that a test started is killed when the process that
runs the tests ends, even if that is killed itself.

A shell finds files with our programs' names (``tests/forked.py``) that only send the request. Such a client is not an
ancestor of the fork server, so the server forks a process that waits for the program and reports its exit code.

Tests marked ``executed`` do not use the fork server: those about what happens before a program's first line, about
imports, about the environment as the kernel shows it, and some per program.
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
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple, NoReturn, cast, overload

import db
import orderctl
import orderd
from orderd.embedded.account import end_with_parent

_ROOT: Final = Path(__file__).parents[1]
_MAIN: Final = "orderd.main"
_MODULES: Final = (_MAIN, "orderd.simnet")
_SCRIPTS: Final = tuple(str(Path(sys.executable).with_name(name)) for name in ("orderctl", "orderd"))
_STARTERS: Final = {"run", "demo"}
"""Verbs that start further programs of ours."""
_NOT_LOADED: Final = ("orderctl.tui", "orderctl.assistant", "orderd.simnet.__main__")
"""Modules that few programs need and that import slowly, and one that does nothing but run."""
_LOADED_LATE: Final = ("encodings.idna", "typer._adapters", "typer._click.decorators", "uvicorn.lifespan.off")
"""Modules of others that most programs import while they run."""
_AT_START: Final = ("PYTHON", "LC_", "LANG")
"""Variables that an interpreter reads at its start. If they differ from ours, the program is executed, not forked."""
_PR_SET_CHILD_SUBREAPER: Final = 36
_NOT_FLUSHED: Final = 120
"""Exit code of an interpreter that could not flush its output."""
_MESSAGE_BYTES: Final = 1 << 17
_MOST_DESCRIPTORS: Final = 16

_libc = ctypes.CDLL(None, use_errno=True)
_control_lock = threading.Lock()
_fork_server: socket.socket | None = None
_executed: subprocess.Popen[Any] | None = None
"""The fork server, if this process started it and did not inherit it."""

are_forked = True
"""True while programs are forked."""


class _Launch(NamedTuple):
    """What the forked process becomes. All fields can be marshalled, which a client can do without importing a
    module."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str
    umask: int
    has_own_session: bool
    numbers: tuple[int, ...]
    """The descriptors' numbers in the program."""
    prepare: bytes | None
    """A pickled function to call before the program starts."""
    is_waited_for: bool
    """If true, a process of the fork server waits for the program and writes its exit code to the last descriptor."""


class Popen(subprocess.Popen[Any]):
    """A ``subprocess.Popen`` that forks our programs."""

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
    """Replace ``subprocess.Popen`` in this process."""
    subprocess.Popen = Popen  # type: ignore[misc]


def give_to_shell(directory: Path) -> list[int]:
    """Put our programs into ``directory`` for a shell; returns the descriptors that the shell must pass on.

    Only one program can be started at a time.
    """
    directory.mkdir()
    if not are_forked:
        for script in map(Path, _SCRIPTS):
            (directory / script.name).symlink_to(script)
        return []
    control = _control().fileno()
    asking = Path(__file__).with_name("forked.py").read_text()
    for script in map(Path, _SCRIPTS):
        program = directory / script.name
        request = f"ask({str(script)!r}, {control}, {_at_start(os.environ)!r}, {_AT_START!r})"
        program.write_text(f"#!{sys.executable} -SE\n{asking}\n{request}\n")
        program.chmod(0o700)
    return [control]


def end() -> None:
    """Stop the fork server."""
    if _fork_server is not None and _executed is not None:
        _fork_server.close()
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
    """Have a program forked as a child of this process; returns its process id."""
    with _control_lock:
        server = _control()
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
        try:
            message: tuple[Any, ...] = tuple(launch)  # marshal takes no subclass of tuple
            socket.send_fds(server, [marshal.dumps(message)], descriptors)
            return int(server.recv(32))
        finally:
            _libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def _control() -> socket.socket:
    global _fork_server
    _fork_server = _fork_server or _executed_fork_server()
    return _fork_server


def _executed_fork_server() -> socket.socket:
    """Start the first fork server, which ends with this process; returns the socket to it."""
    global _executed
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    start = "from tests import forking; forking.main()"
    with theirs:
        _executed = subprocess.Popen(
            [sys.executable, "-c", start], stdin=theirs.fileno(), cwd=_ROOT, start_new_session=True
        )
    return ours


def main() -> None:
    """Serve as a fork server; in each forked process, run the requested program."""
    gc.disable()
    for package in (db, orderctl, orderd):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not module.name.startswith(_NOT_LOADED):
                import_module(module.name)
    for name in _LOADED_LATE:
        import_module(name)
    _prepare_parts()
    gc.collect()
    gc.freeze()
    gc.enable()
    launch = _serve(socket.socket(fileno=os.dup(0)), end_with_tests=True)
    _end(0 if launch is None else _run(launch))


def _prepare_parts() -> None:
    """Compute once what each program would compute from constants: routes, command lines, derived addresses."""
    import_module("orderd.gateway.http.app").application()
    get_command = cache(import_module("typer.main").get_command)
    for module in ("typer.main", "orderctl.main"):
        vars(import_module(module))["get_command"] = get_command
    for module in ("orderd.app", "orderctl.app"):
        get_command(import_module(module).app)
    import_module("orderd.simnet.genesis").Genesis(0).block()


def _serve(control: socket.socket, *, end_with_tests: bool = False) -> _Launch | None:
    """Fork what is asked for. Returns the launch in each forked process, and None in the server when it ends."""
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
                os.read(begin[0], 1)  # until it is a child of the process that asked
                if end_with_tests:
                    end_with_parent(signal.SIGKILL)
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
        os.read(ready[0], 1)  # until the program is prepared or has ended
        control.send(program_id)
        for descriptor in (ready[0], *begin, *descriptors):
            os.close(descriptor)


def _prepare(launch: _Launch) -> None:
    """What must be done before ``Popen`` returns."""
    os.chdir(launch.cwd)
    os.umask(launch.umask)
    if launch.has_own_session:
        os.setsid()
    if launch.prepare is not None:
        pickle.loads(launch.prepare)()


def _become(launch: _Launch, descriptors: Mapping[int, int]) -> _Launch | None:
    """Set this process up as if it had been executed. For a program that starts others, also returns in each of
    those."""
    global _fork_server
    _fork_server = None
    if _STARTERS.isdisjoint(launch.argv):
        _keep_only(descriptors)
    else:
        _fork_server, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        if os.fork() == 0:
            os.setsid()
            _fork_server.detach()
            nothing = os.open(os.devnull, os.O_RDWR)
            return _serve(_keep_only(dict.fromkeys(range(3), nothing), theirs))
        theirs.detach()
        _fork_server = _keep_only(descriptors, _fork_server)
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
    """Close all descriptors except these, move them to their numbers, and move ``control`` to a free one."""
    above = max(descriptors, default=2) + 1
    moved = {number: fcntl.fcntl(each, fcntl.F_DUPFD_CLOEXEC, above) for number, each in descriptors.items()}
    kept = None if control is None else fcntl.fcntl(control.detach(), fcntl.F_DUPFD_CLOEXEC, above)
    for number, each in moved.items():
        os.dup2(each, number)
    for each in [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]:
        if each not in descriptors and each != kept:
            with suppress(OSError):  # the descriptor of the listing itself
                os.close(each)
    return None if kept is None else socket.socket(fileno=kept)


def _stream(descriptor: int, before: TextIOWrapper) -> TextIOWrapper:
    """Open a standard stream as an interpreter does; ``before`` is the fork server's own stream."""
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
    """Run the program to its end; returns its exit code."""
    try:
        if launch.argv[0] in _SCRIPTS:
            sys.argv = list(launch.argv)
            sys.path[0] = str(Path(launch.argv[0]).parent)
            runpy.run_path(launch.argv[0], run_name="__main__")
        else:
            interpreter, _, module, *arguments = launch.argv
            sys.path[0] = launch.cwd
            if module == _MAIN:
                main = sys.modules[module]
                sys.argv = [str(main.__file__), *arguments]
                sys.modules["__main__"] = main
                main.main()
            else:
                sys.argv = [interpreter, *arguments]
                runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        if not isinstance(end.code, int | None):
            raise
        return end.code or 0
    return 0


def _end(exit_code: int) -> NoReturn:
    """Exit as an interpreter does, but without tearing modules down.

    Teardown would touch memory that the kernel then has to copy, which takes longer than most programs run.
    """
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            try:
                stream.flush()
            except (OSError, ValueError):
                exit_code = _NOT_FLUSHED
    os._exit(exit_code)
