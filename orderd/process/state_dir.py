"""The state directory, in which only the daemon's own user may write.

With write access, another user could replace the database, or let a file of the daemon point to any file of its user.
The files in it are private in any case.
"""

import os
import stat
from pathlib import Path
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.embedded.lock import LOCK_NAME

_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def open_state_dir(path: Path) -> None:
    """Create it, or take the right to write in it from others. Raises OSError, and OrderdError SERVICE_CONFIGURATION if
    it is a file, if another user's daemon has its files there, or if it belongs to another user and everybody may write
    in it."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    except FileExistsError as error:
        raise OrderdError(ErrorCode.SERVICE_CONFIGURATION, f"the state directory {path} is a file") from error
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == os.geteuid():
        if mode & _OTHERS_WRITE:
            path.chmod(mode & ~_OTHERS_WRITE)
    elif status.st_uid != 0 and mode & stat.S_IWOTH:
        detail = f"the state directory {path} belongs to user {status.st_uid}, and every user may write in it"
        raise OrderdError(ErrorCode.SERVICE_CONFIGURATION, f"{detail}; choose another one, or run: chmod o-w {path}")
    _check_files(path)


def _check_files(path: Path) -> None:
    """As root, a daemon would leave files that the directory's own daemon could not open any more."""
    try:
        owner = (path / LOCK_NAME).stat().st_uid
    except FileNotFoundError:
        return
    if owner != os.geteuid():
        detail = f"the daemon of user {owner} has its files in {path}, and could not use them after this one"
        raise OrderdError(
            ErrorCode.SERVICE_CONFIGURATION, f"{detail}; choose another directory, or run orderd as that user"
        )
