"""The daemon's address, with the client's API key and trusted certificates."""

from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_URL = "ws://127.0.0.1:3000/"
DEFAULT_TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Endpoint:
    url: str = DEFAULT_URL
    ca: Path | None = None
    """The certificates, in PEM, of the authority that the daemon's own is from, where this machine knows it not."""
    api_key: str | None = field(default=None, repr=False)
    timeout: float = DEFAULT_TIMEOUT
    """Seconds to wait for a connection, and for each answer."""
