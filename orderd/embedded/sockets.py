"""The directory of a service's Unix socket: its data directory, or a private directory in /tmp if that path is too
long."""

import hashlib
import os
import stat
from pathlib import Path

from orderd.domain.errors import ErrorCode, OrderdError

SOCKET_PATH_LIMIT = 107
"""In bytes, without the terminating NUL: ``sun_path`` in unix(7)."""


def socket_dir(data: Path, socket_name: str) -> Path:
    """The directory for the socket of the service with this data directory; the same on each call."""
    if len(os.fsencode(data / socket_name)) <= SOCKET_PATH_LIMIT:
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    return Path("/tmp") / f"orderd-{digest}"  # noqa: S108  (made and checked below)


def make_private(directory: Path, owner: int) -> None:
    """Create ``directory``, if it does not exist, with access for the user id ``owner`` only.

    Raises OrderdError if it exists and is open to others: another user may have prepared it.
    """
    try:
        directory.mkdir(mode=0o700)
        if owner != os.geteuid():  # in a hardened unit, chown fails even without a change
            os.chown(directory, owner, -1)
    except FileExistsError:
        status = directory.lstat()
        if status.st_uid != owner or stat.S_IMODE(status.st_mode) != 0o700 or not stat.S_ISDIR(status.st_mode):
            raise OrderdError(
                ErrorCode.SERVICE_UNAVAILABLE,
                f"{directory} exists and is not a private directory of user {owner}, so no socket can be created in "
                "it. "
                "Remove it, or use another --state-dir.",
            ) from None
