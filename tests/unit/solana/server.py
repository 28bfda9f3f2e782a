"""A small HTTP server whose behaviour a test defines by a function from request body to raw response bytes."""

import socket
import threading
from collections.abc import Callable
from types import TracebackType
from typing import BinaryIO, Self

Answer = Callable[[bytes], bytes | None]
"""None closes the connection without an answer."""


def response(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


class Server:
    """Listens on loopback within its context; counts connections. With ``hang_up`` it closes after each answer."""

    def __init__(self, answer: Answer, *, hang_up: bool = False) -> None:
        self._answer = answer
        self._hang_up = hang_up
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads: list[threading.Thread] = []
        self._open: list[socket.socket] = []
        self.connections = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}/key?token=secret"

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            connection.close()
        self.drop()
        for thread in self._threads:
            thread.join(10)

    def drop(self) -> None:
        """Close every connection, as a server does with idle ones."""
        for connection in self._open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def _start(self, work: Callable[..., None], *args: socket.socket) -> None:
        thread = threading.Thread(target=work, args=args, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._start(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            while body := self._read(stream):
                answer = self._answer(body)
                if answer is None:
                    return
                try:
                    connection.sendall(answer)
                except OSError:
                    return
                if self._hang_up:
                    return

    @staticmethod
    def _read(stream: BinaryIO) -> bytes:
        length = 0
        try:
            while (line := stream.readline()) not in (b"\r\n", b""):
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            return stream.read(length)
        except (OSError, ValueError):
            return b""
