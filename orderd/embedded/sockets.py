"""Where a service's Unix socket lies: beside its data, or in a short private directory where that path is too long."""

import hashlib
import os
from pathlib import Path

from orderd.domain.errors import ErrorCode, OrderdError

SOCKET_PATH_LIMIT = 107
"""Bytes, without the closing NUL: ``sun_path`` in unix(7)."""


def socket_dir(data: Path, socket_name: str, owner: int) -> Path:
    """A directory for ``socket_name`` that only the user id ``owner`` can enter.

    Raises OrderdError when the short directory exists and belongs to somebody else.
    """
    if len(os.fsencode(data / socket_name)) <= SOCKET_PATH_LIMIT:
        return data
    digest = hashlib.sha256(os.fsencode(data)).hexdigest()[:16]
    short = Path("/tmp") / f"orderd-{digest}"  # noqa: S108  (checked below for its owner and mode)
    try:
        short.mkdir(mode=0o700)
        os.chown(short, owner, -1)
    except FileExistsError:
        status = short.lstat()
        if status.st_uid != owner or status.st_mode & 0o777 != 0o700 or short.is_symlink():
            raise OrderdError(
                ErrorCode.SERVICE_UNAVAILABLE,
                f"{short} exists and is not a private directory of user {owner}, so no socket can be made there "
                f"(the state directory's own path is too long for one). Remove it, or use a shorter --state-dir.",
            ) from None
    return short
