"""The list of tokens that the operator has named: read from a file or an URL, and kept for the next start."""

from pathlib import Path
from typing import Final

import httpx
import structlog

from orderd.domain.token_list import read_list
from orderd.domain.tokens import Listing
from orderd.whole_file import write_whole

MAX_BYTES: Final = 16 * 1024 * 1024
_SECONDS: Final = 30.0
log = structlog.get_logger(__name__)


class TokenListError(Exception):
    """The list could not be read."""


class TokenList:
    """``source`` is a path or a URL; the last version is stored in the file ``kept``."""

    def __init__(self, source: str, kept: Path, chain: str) -> None:
        self._source = source
        self._kept = kept
        self._chain = chain

    def before(self) -> list[Listing]:
        """The stored list of an earlier process; empty if there is none, or it cannot be read."""
        try:
            return _listings(self._kept.read_bytes(), self._chain)
        except (OSError, TokenListError):
            return []

    def read(self) -> list[Listing]:
        """Read the list now, and store it. Raises TokenListError."""
        try:
            text = self._fetched() if "://" in self._source else Path(self._source).expanduser().read_bytes()
        except (OSError, httpx.HTTPError) as error:
            raise TokenListError(f"{self._source}: {str(error) or type(error).__name__}") from error
        if len(text) > MAX_BYTES:
            raise TokenListError(f"{self._source}: it has more than {MAX_BYTES} bytes")
        listings = _listings(text, self._chain)
        try:
            write_whole(self._kept, text)
        except OSError as error:
            log.warning("token list not kept", action="token_list_not_kept", error=str(error))
        return listings

    def _fetched(self) -> bytes:
        """Raises httpx.HTTPError, and TokenListError if the list is too long."""
        parts: list[bytes] = []
        with httpx.stream("GET", self._source, timeout=_SECONDS, follow_redirects=True) as answer:
            answer.raise_for_status()
            for part in answer.iter_bytes():
                parts.append(part)
                if sum(map(len, parts)) > MAX_BYTES:
                    raise TokenListError(f"{self._source}: it has more than {MAX_BYTES} bytes")
        return b"".join(parts)


def _listings(text: bytes, chain: str) -> list[Listing]:
    try:
        return read_list(text, chain)
    except (ValueError, RecursionError) as error:
        raise TokenListError(f"it is not a list of tokens: {error}") from error
