"""Dumps and restores a database with the programs of Postgres: the bundled ones, or else those on the PATH.

``pg_dump`` supports servers of its own major version and older ones; for a newer server it fails with a clear message.
"""

import os
import shutil
import subprocess
from pathlib import Path

from psycopg2.extensions import make_dsn, parse_dsn

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.embedded.environment import common_environment
from orderd.embedded.postgres import binary


def dump(url: str, file: Path) -> None:
    """Write a consistent dump of the database to ``file``, which must not exist. The server keeps running.

    The file gets its name once it is complete and on disk. Raises OrderdError SERVICE_UNAVAILABLE.
    """
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", f"--file={partial}")
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        partial.rename(file)
    finally:
        partial.unlink(missing_ok=True)


def restore(url: str, file: Path) -> None:
    """Restore a dump into an empty database in one transaction. Raises OrderdError SERVICE_UNAVAILABLE."""
    _run("pg_restore", url, "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", str(file))


def _run(program: str, url: str, *arguments: str) -> None:
    """Run a program of Postgres. The password is passed in the environment, because other users can see arguments."""
    parts = parse_dsn(url)
    password = parts.pop("password", None)
    environment = common_environment() | ({} if password is None else {"PGPASSWORD": password})
    argv = [_program(program), f"--dbname={make_dsn(**parts)}", *arguments]
    done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)  # noqa: S603
    if done.returncode:
        error_lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise OrderdError(ErrorCode.SERVICE_UNAVAILABLE, f"{program}: {error_lines[0]}")


def _program(name: str) -> str:
    try:
        bundled = binary(name)
    except OrderdError:
        bundled = None
    found = str(bundled) if bundled is not None and bundled.exists() else shutil.which(name)
    if found is None:
        raise OrderdError(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"{name} is missing: pip install 'orderd[embedded]', or install the client programs of Postgres",
        )
    return found
