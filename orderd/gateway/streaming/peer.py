"""The sending side of a connection, for code that sends notifications or answers."""

from typing import Protocol


class Peer(Protocol):
    """The connection's sending side."""

    async def answer(self, message: bytes) -> None:
        """Send, and wait while the peer is behind. Raises ConnectionClosed."""

    def push(self, message: bytes) -> None:
        """Send without waiting; closes the connection if the peer does not read fast enough."""

    def close_slow(self) -> None: ...
