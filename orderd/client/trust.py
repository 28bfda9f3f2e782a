"""Whom to trust when the daemon shows its certificate."""

import ssl
from typing import Any
from urllib.parse import urlsplit

from orderd.client.endpoint import Endpoint
from orderd.client.errors import unusable


def tls_options(endpoint: Endpoint) -> dict[str, Any]:
    """Arguments of websockets' ``connect``; none where this machine's own authorities do.

    Raises ConfigError for a file without certificates.
    """
    if endpoint.ca is None or urlsplit(endpoint.url).scheme != "wss":
        return {}
    try:
        return {"ssl": ssl.create_default_context(cafile=endpoint.ca)}
    except OSError as error:  # an ssl.SSLError is one
        raise unusable("ca", f"{endpoint.ca} holds no certificates: {error}") from error


def distrust(error: ssl.SSLError) -> str:
    """In the trader's words, why TLS did not come about."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message}); name its authority with --ca"
    if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST"):
        return "it speaks no TLS there: write ws:// for wss://"
    return f"TLS failed: {error.reason or error}"
