"""A relay in front of a service that a test can pause, so that its clients hang as with a stopped peer."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final
from urllib.parse import parse_qs, unquote, urlsplit

_CHUNK: Final = 65_536


class Relay:
    """Passes bytes between its own Unix socket and the service's."""

    def __init__(self, listens: Path, service: Path) -> None:
        self._service = service
        self._flows = threading.Event()
        self._flows.set()
        self._swallows_answers = threading.Event()
        self.asked = threading.Event()
        """Set when data for the service has arrived since ``hang``."""
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(listens))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()

    def hang(self) -> None:
        """Stop passing data in both directions; connections are still accepted."""
        self.asked.clear()
        self._flows.clear()

    def resume(self) -> None:
        """Pass on the data that was held back, and all that follows."""
        self._flows.set()

    def lose_the_next_answer(self) -> None:
        """Pass on the next request, and cut the connection when the service answers."""
        self._swallows_answers.set()

    def cut(self) -> None:
        """Close all connections."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for each in pair:
                _close(each)

    def close(self) -> None:
        self._flows.set()
        _close(self._listener)
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self.asked.set()
                threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        self._flows.wait()
        service = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            service.connect(str(self._service))
        except OSError:
            _close(client)
            return
        self._pairs.append((client, service))
        threading.Thread(target=self._pass, args=(service, client, True), daemon=True).start()
        self._pass(client, service, False)

    def _pass(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with suppress(OSError):
            while data := source.recv(_CHUNK):
                if not is_answer:
                    self.asked.set()
                self._flows.wait()
                if is_answer and self._swallows_answers.is_set():
                    self._swallows_answers.clear()
                    break
                target.sendall(data)
        _close(source)
        _close(target)


def _close(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()


@contextmanager
def relay_to(service: Path, directory: Path) -> Iterator[tuple[Relay, Path]]:
    """A relay, and the path of its socket, which has the same name as the service's socket."""
    listens = directory / service.name
    relay = Relay(listens, service)
    try:
        yield relay, listens
    finally:
        relay.close()


@contextmanager
def relay_to_postgres(url: str, directory: Path) -> Iterator[tuple[Relay, str]]:
    """A relay to the server in ``url``, and the URL that leads through the relay."""
    parts = urlsplit(url)
    (server,) = parse_qs(parts.query)["host"]
    with relay_to(Path(server) / ".s.PGSQL.5432", directory) as (relay, listens):
        yield relay, parts._replace(query=f"host={listens.parent}").geturl()


@contextmanager
def relay_to_redis(url: str, directory: Path) -> Iterator[tuple[Relay, str]]:
    """The same for Redis."""
    parts = urlsplit(url)
    with relay_to(Path(unquote(parts.path)), directory) as (relay, listens):
        yield relay, f"unix://{listens}?{parts.query}"
