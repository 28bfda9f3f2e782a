"""The body of a file that a shell finds by the name of one of our programs: has it forked, and ends as it does.

It is started without ``site`` and loads next to nothing, for that is all that a fork saves. See ``tests/forking.py``.
"""

import _socket  # where ``socket`` loads a dozen modules more
import marshal
import os
import sys


def ask(program: str, control: int, at_start: dict[str, str], names_at_start: tuple[str, ...]) -> None:
    """``control`` is where to ask; what an interpreter would be told otherwise at its start has it executed."""
    argv = (program, *sys.argv[1:])
    if {name: value for name, value in os.environ.items() if name.startswith(names_at_start)} != at_start:
        os.set_inheritable(control, False)
        os.execv(program, argv)
    numbers = tuple(number for number in range(3) if _is_open(number))
    ending, answer = os.pipe()
    umask = os.umask(0o077)
    os.umask(umask)
    launch = (argv, dict(os.environ), os.getcwd(), umask, False, numbers, None, True)  # noqa: PTH109  (it need load nothing)
    descriptors = b"".join(number.to_bytes(4, sys.byteorder) for number in (*numbers, answer))
    nursery = _socket.socket(fileno=control)
    nursery.sendmsg([marshal.dumps(launch)], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptors)])
    nursery.recv(32)
    os.close(answer)
    exit_code = int(os.read(ending, 32))
    os._exit(exit_code if exit_code >= 0 else 128 - exit_code)  # of a signal, as shells say it


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
