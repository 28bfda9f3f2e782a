"""At most one daemon per state directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from orderd.domain.errors import ErrorCode, OrderdError

LOCK_NAME: Final = "orderd.lock"


@contextmanager
def instance_lock(state_dir: Path) -> Iterator[None]:
    """Lock ``state_dir`` for this process. The kernel releases the lock when the process ends, even if it is killed.

    Raises OrderdError with the other process' id if a daemon already runs there.
    """
    descriptor = os.open(state_dir / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(descriptor, 20, 0).decode() or "unknown"
            raise OrderdError(
                ErrorCode.SERVICE_STATE_DIR, f"another orderd (process {holder}) already runs on {state_dir}"
            ) from None
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def is_locked(path: Path) -> bool:
    """Whether a process of an earlier run still holds this lock."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
