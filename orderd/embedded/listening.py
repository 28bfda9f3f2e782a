"""Socket activation: a listening socket that the service manager passes to the process (sd_listen_fds(3)).

The manager keeps the socket open while the process restarts: connections wait in its backlog instead of being refused.
``orderd run`` passes the descriptor to its gateway under the same number.
"""

import os
import socket
from collections.abc import Mapping
from functools import cache
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.host import is_loopback

_FIRST_DESCRIPTOR: Final = 3
_VARIABLES: Final = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")


@cache
def inherited_port() -> int | None:
    """The descriptor of the inherited listening socket; None if this process opens the port itself.

    Removes the variables from the environment. Raises OrderdError if there are several sockets, or one of another kind.
    """
    number, owner = os.environ.get("LISTEN_FDS", ""), os.environ.get("LISTEN_PID", "")
    for variable in _VARIABLES:
        os.environ.pop(variable, None)
    # ``orderd run`` does not set LISTEN_PID, because it cannot know its child's process id in advance.
    if not number.isdecimal() or not int(number) or (owner and owner != str(os.getpid())):
        return None
    if int(number) > 1:
        raise _refusal(f"the service manager passed {number} sockets, but only one is supported: use one ListenStream")
    os.set_inheritable(_FIRST_DESCRIPTOR, False)
    try:
        with socket.socket(fileno=os.dup(_FIRST_DESCRIPTOR)) as port:
            listens = port.type == socket.SOCK_STREAM and port.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            is_internet = port.family in (socket.AF_INET, socket.AF_INET6)
    except OSError as error:
        raise _refusal(f"descriptor {_FIRST_DESCRIPTOR} is not a socket: {error.strerror}") from error
    if not listens or not is_internet:
        raise _refusal("the socket that was passed is not a listening TCP socket: use ListenStream=ADDRESS:PORT")
    return _FIRST_DESCRIPTOR


def open_inherited(host: str) -> socket.socket | None:
    """The inherited socket; None if there is none.

    Raises OrderdError if other machines can reach it although ``host`` is a loopback address, for which no API key is
    required.
    """
    descriptor = inherited_port()
    if descriptor is None:
        return None
    port = socket.socket(fileno=os.dup(descriptor))
    bound = port.getsockname()[0]
    if is_loopback(host) and not is_loopback(bound):
        port.close()
        raise _refusal(
            f"the socket that was passed listens on {bound}, which other machines can reach, but host is {host}: "
            "set ORDERD_HOST to the address in ListenStream, or ListenStream to the host"
        )
    port.setblocking(False)
    return port


def environment_of(descriptor: int | None) -> Mapping[str, str]:
    """The environment of a child that inherits the descriptor."""
    return {} if descriptor is None else {"LISTEN_FDS": "1"}


def cannot_listen(host: str, port: int, error: OSError) -> OrderdError:
    """The error if the port cannot be opened."""
    return OrderdError(ErrorCode.SERVICE_PORT, f"cannot listen on {host}:{port}: {error.strerror or error}")


def _refusal(detail: str) -> OrderdError:
    return OrderdError(ErrorCode.SERVICE_CONFIGURATION, detail)
