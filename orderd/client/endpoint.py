"""The daemon's address, with the client's API key and trusted certificates."""

from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_URL = "ws://127.0.0.1:3000/"
DEFAULT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str = DEFAULT_URL
    ca: Path | None = None
    """PEM file with the CA that issued the daemon's certificate, if the system does not trust that CA."""
    api_key: str | None = field(default=None, repr=False)
    timeout: float = DEFAULT_TIMEOUT
    """Seconds to wait for the connection, and for each response."""
