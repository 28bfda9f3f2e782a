"""The state directory, in which only the daemon's own user may write.

With write access, another user could replace the database, or let a file of the daemon point to any file of its user.
The files in it are private in any case.
"""

import os
import stat
from pathlib import Path
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError

_OTHERS_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def open_state_dir(path: Path) -> None:
    """Create it, or take the right to write in it from others. Raises OSError, and OrderdError SERVICE_CONFIGURATION if
    it belongs to another user and everybody may write in it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == os.geteuid():
        if mode & _OTHERS_WRITE:
            path.chmod(mode & ~_OTHERS_WRITE)
    elif status.st_uid != 0 and mode & stat.S_IWOTH:
        detail = f"the state directory {path} belongs to user {status.st_uid}, and every user may write in it"
        raise OrderdError(ErrorCode.SERVICE_CONFIGURATION, f"{detail}; choose another one, or run: chmod o-w {path}")
