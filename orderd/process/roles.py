"""A role of orderd (simnet, gateway, worker) as a child process of ``orderd run``."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from socket import gethostname
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import RedisError

from orderd.embedded.child import Child, Program


class Role:
    """Runs ``orderd NAME`` with its configuration in the environment."""

    def __init__(self, name: str, state_dir: Path, env: Mapping[str, str], stop_seconds: float) -> None:
        self.name = name
        self._env = dict(env)
        self._state_dir = state_dir
        self._stop_seconds = stop_seconds

    def start(self) -> Child:
        return Child(
            Program(
                name=self.name,
                argv=[sys.executable, "-m", "orderd.main", self.name],
                log=None,
                lock=self._state_dir / f"{self.name}.lock",
                env=self._env,
                stop_seconds=self._stop_seconds,
            )
        )


class WorkerRole(Role):
    """A worker is ready when its heartbeat is in Redis."""

    def __init__(self, state_dir: Path, env: Mapping[str, str], stop_seconds: float, redis_url: str) -> None:
        super().__init__("worker", state_dir, env, stop_seconds)
        self._redis = Redis.from_url(redis_url, socket_timeout=5)
        self._heartbeat = ""

    def start(self) -> Child:
        """Start it and wait until it takes orders. Raises OrderdError or StopRequested."""
        child = super().start()
        self._heartbeat = f"orderd:worker:{gethostname()}:{child.pid}:*"
        child.wait_until(self.is_well)
        return child

    def is_well(self) -> bool:
        """Whether it lives and none of its loops hangs, by its own account."""
        try:
            beats = [self._redis.get(key) for key in self._redis.scan_iter(match=self._heartbeat, count=1000)]
        except RedisError:
            return False
        return any(beat is not None and not json.loads(beat)["stalled"] for beat in beats)


class ListeningRole(Role):
    """A role that is ready when its address file names its process: ``pid``, and one or more addresses."""

    address: Mapping[str, Any]
    """What the role wrote into the file; known once it has been started."""

    def __init__(
        self,
        name: str,
        state_dir: Path,
        env: Mapping[str, str],
        stop_seconds: float,
        *,
        address_file: Path,
        url_field: str,
        port_variable: str,
    ) -> None:
        super().__init__(name, state_dir, env, stop_seconds)
        self._address_file = address_file
        self._url_field = url_field
        self._port_variable = port_variable

    @property
    def url(self) -> str:
        url: str = self.address[self._url_field]
        return url

    def start(self) -> Child:
        """Start it and wait until it listens. Raises OrderdError or StopRequested.

        Whatever port it takes at first, it takes again when it is started again: others have been told of it.
        """
        child = super().start()
        child.wait_until(lambda: self._listens(child.pid))
        self._env[self._port_variable] = str(urlsplit(self.url).port)
        return child

    def _listens(self, pid: int) -> bool:
        try:
            written = read_address(self._address_file)
        except FileNotFoundError:
            return False
        if written["pid"] != pid:
            return False
        self.address = written
        return True


def read_address(file: Path) -> Mapping[str, Any]:
    """What a role that listens has written: ``pid``, ``url``, ... Raises FileNotFoundError."""
    address: dict[str, Any] = json.loads(file.read_text())
    return address
