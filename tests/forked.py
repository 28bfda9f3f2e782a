"""Body of the files that a shell finds under the names of our programs: asks the fork server for the program.

The file runs without ``site`` and imports almost nothing, because start-up time is what forking saves. See
``tests/forking.py``.
"""

import _socket  # importing ``socket`` would load a dozen more modules
import marshal
import os
import sys


def ask(program: str, control: int, at_start: dict[str, str], names_at_start: tuple[str, ...]) -> None:
    """Ask the fork server at ``control`` for ``program``, and exit with its exit code.

    If variables that an interpreter reads at its start differ from ``at_start``, execute the program instead.
    """
    argv = (program, *sys.argv[1:])
    if {name: value for name, value in os.environ.items() if name.startswith(names_at_start)} != at_start:
        os.set_inheritable(control, False)
        os.execv(program, argv)
    numbers = tuple(number for number in range(3) if _is_open(number))
    ending, answer = os.pipe()
    umask = os.umask(0o077)
    os.umask(umask)
    launch = (argv, dict(os.environ), os.getcwd(), umask, False, numbers, None, True)  # noqa: PTH109  (avoids pathlib)
    descriptors = b"".join(number.to_bytes(4, sys.byteorder) for number in (*numbers, answer))
    server = _socket.socket(fileno=control)
    server.sendmsg([marshal.dumps(launch)], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptors)])
    server.recv(32)
    os.close(answer)
    exit_code = int(os.read(ending, 32))
    os._exit(exit_code if exit_code >= 0 else 128 - exit_code)  # for a signal, as a shell reports it


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
