"""TLS on the port: the certificate from its files, renewed while the gateway runs."""

import asyncio
import ssl
from pathlib import Path
from typing import Final, cast

import structlog

from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError

HANDSHAKE_RECORD: Final = 0x16
"""The first byte that a TLS client sends (RFC 8446, 5.1)."""
CHECK_SECONDS: Final = 5.0
log = structlog.get_logger(__name__)


class Certificate:
    """A certificate chain and its key, in PEM files that may be replaced at any time."""

    def __init__(self, chain: Path, key: Path) -> None:
        """Raises OrderdError SERVICE_CERTIFICATE if the files cannot be used."""
        self._chain = chain
        self._key = key
        self._loaded = self._stamp()
        self.context = _server_context()
        self._load(self.context)

    async def follow(self) -> None:
        """Check the files repeatedly: if they have changed, new connections use the new contents.

        Files that cannot be used (half written, key of another certificate) do not replace the old ones.
        """
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                self.refresh()
            except OrderdError as error:
                log.warning("certificate not renewed", action="tls_certificate_unusable", detail=error.detail)

    def refresh(self) -> None:
        """Raises OrderdError SERVICE_CERTIFICATE."""
        stamp = self._stamp()
        if stamp == self._loaded:
            return
        self._load(_server_context())  # a context that fails to load is left with half of it
        self._load(self.context)
        self._loaded = stamp
        log.info("certificate renewed", action="tls_certificate_renewed", file=str(self._chain))

    def _load(self, context: ssl.SSLContext) -> None:
        try:
            context.load_cert_chain(self._chain, self._key, password=_no_password)
        except (OSError, ValueError) as error:
            raise _unusable(self._chain, self._key, error) from error

    def _stamp(self) -> tuple[tuple[int, int, int], ...]:
        try:
            stats = [file.stat() for file in (self._chain, self._key)]
        except OSError as error:
            raise _unusable(self._chain, self._key, error) from error
        return tuple((stat.st_mtime_ns, stat.st_size, stat.st_ino) for stat in stats)


def certificate_of(settings: Settings) -> Certificate | None:
    """None if the port does not use TLS. Raises OrderdError SERVICE_CERTIFICATE."""
    if settings.tls_cert is None or settings.tls_key is None:
        return None
    return Certificate(settings.tls_cert, settings.tls_key)


async def secure(
    transport: asyncio.Transport, protocol: asyncio.Protocol, context: ssl.SSLContext, received: bytes, seconds: float
) -> asyncio.Transport:
    """Start TLS on a connection that has already sent ``received``. Returns the TLS transport.

    Reading must be paused. ``protocol`` may be given the first data before this returns. Raises OSError if no
    handshake comes about within ``seconds``; the connection is closed then.
    """
    loop = asyncio.get_running_loop()
    handshake = asyncio.ensure_future(
        loop.start_tls(transport, protocol, context, server_side=True, ssl_handshake_timeout=seconds)
    )
    await asyncio.sleep(0)  # start_tls has replaced the protocol, and notifies the new one in the next iteration
    loop.call_soon(_feed, transport, received)
    secured = await handshake
    if secured is None or secured.is_closing():  # not an error for the event loop: the connection was closed meanwhile
        raise ConnectionAbortedError
    return secured


def _feed(transport: asyncio.Transport, received: bytes) -> None:
    """Feed the bytes that were read before TLS started to the TLS protocol."""
    tls = cast(asyncio.BufferedProtocol, transport.get_protocol())  # uvloop's is one, but no subclass
    rest = memoryview(received)
    while rest and not transport.is_closing():
        buffer = memoryview(cast("bytearray", tls.get_buffer(len(rest))))
        size = min(len(buffer), len(rest))
        buffer[:size] = rest[:size]
        tls.buffer_updated(size)
        rest = rest[size:]


def _server_context() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # The ciphers of TLS 1.2 that meet TLS 1.3: ephemeral keys and authenticated encryption (RFC 9325, 4.2).
    context.set_ciphers("ECDHE+AESGCM:ECDHE+CHACHA20")
    return context


def _no_password() -> str:
    raise ValueError("the key is protected by a password, which is not supported")


def _unusable(chain: Path, key: Path, error: Exception) -> OrderdError:
    return OrderdError(ErrorCode.SERVICE_CERTIFICATE, f"{chain} and {key}: {error}")
