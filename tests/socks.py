"""A small SOCKS 5 proxy (RFC 1928, RFC 1929) that resolves only the names a test gives it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import BinaryIO, Final

USER: Final = b"trader"
PASSWORD: Final = b"secret@1"


@dataclass
class SocksProxy:
    port: int
    leads_to: dict[tuple[str, int], int]
    """The local port of each endpoint that the proxy knows."""
    wants_user: bool = False
    asked: list[tuple[str, int]] = field(default_factory=list)
    """The endpoints that clients asked for, known or not."""

    def url(self, kind: str = "socks5h") -> str:
        return f"{kind}://{'trader:secret%401@' if self.wants_user else ''}127.0.0.1:{self.port}"

    def serve(self, client: socket.socket) -> None:
        with client, client.makefile("rb") as said, suppress(OSError):
            if not self._admits(client, said):
                return
            where = _where(said)
            self.asked.append(where)
            if (port := self.leads_to.get(where)) is None:
                client.sendall(b"\5\4\0\1" + bytes(6))  # host unreachable
                return
            with socket.create_connection(("127.0.0.1", port)) as endpoint:
                client.sendall(b"\5\0\0\3\7example" + bytes(2))
                back = threading.Thread(target=_pass, args=(endpoint, client))
                back.start()
                _pass(client, endpoint)
                back.join()

    def _admits(self, client: socket.socket, said: BinaryIO) -> bool:
        _, count = said.read(2)
        ways = said.read(count)
        way = 2 if self.wants_user else 0
        if way not in ways:
            client.sendall(b"\5\xff")
            return False
        client.sendall(bytes((5, way)))
        if not self.wants_user:
            return True
        said.read(1)
        is_right = [said.read(said.read(1)[0]) for _ in range(2)] == [USER, PASSWORD]
        client.sendall(b"\1\0" if is_right else b"\1\1")
        return is_right


@contextmanager
def socks_proxy(leads_to: dict[tuple[str, int], int], *, wants_user: bool = False) -> Iterator[SocksProxy]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        proxy = SocksProxy(listener.getsockname()[1], leads_to, wants_user)

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=proxy.serve, args=(client,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield proxy
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


def _where(said: BinaryIO) -> tuple[str, int]:
    kind = said.read(4)[3]
    if kind == 3:
        host = said.read(said.read(1)[0]).decode()
    else:
        host = socket.inet_ntop(*((socket.AF_INET, said.read(4)) if kind == 1 else (socket.AF_INET6, said.read(16))))
    return host, int.from_bytes(said.read(2))


def _pass(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
