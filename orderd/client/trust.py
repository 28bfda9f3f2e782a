"""TLS: which certificates of the daemon the client trusts."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from orderd.client.errors import unusable

if TYPE_CHECKING:
    from orderd.client.endpoint import Endpoint


def tls_options(endpoint: Endpoint) -> dict[str, Any]:
    """Arguments for ``connect`` of websockets; empty if the system's CAs are used.

    Raises ConfigError if the file contains no certificates.
    """
    if endpoint.ca is None or urlsplit(endpoint.url).scheme != "wss":
        return {}
    try:
        return {"ssl": ssl.create_default_context(cafile=endpoint.ca)}
    except OSError as error:  # an ssl.SSLError is one
        raise unusable("ca", f"{endpoint.ca} contains no certificates: {error}") from error


def tls_failure(error: ssl.SSLError) -> str:
    """Why TLS failed, for the trader."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); name its CA with --ca"
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return "the port does not use TLS: write ws:// instead of wss://"
    return f"TLS failed: {error.reason or error}"
