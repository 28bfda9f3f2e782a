"""TLS: which certificates of the daemon the client trusts."""

from __future__ import annotations

import ssl
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from orderd.client.errors import unusable

if TYPE_CHECKING:
    from orderd.client.endpoint import Endpoint

_EXPIRED: Final = 10
_OTHER_NAMES: Final = (62, 64)
"""Results of OpenSSL's verification (X509_V_ERR_...): the certificate has expired, or has another name or address."""
_NO_TLS: Final = ("WRONG_VERSION_NUMBER", "HTTP_REQUEST")


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
        return f"its certificate is not trusted ({error.verify_message})"
    if error.reason in _NO_TLS:
        return "the port does not use TLS"
    return f"TLS failed: {error.reason or error}"


def tls_next_step(error: ssl.SSLError) -> str:
    """What the trader can do about it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code in _OTHER_NAMES:
            return "give --url a host name that the certificate has"
        if error.verify_code == _EXPIRED:
            return "renew the daemon's certificate (ORDERD_TLS_CERT), or that of the proxy in front of it"
        return "name the CA of the certificate: --ca FILE, or ca in orderctl.toml"
    if error.reason in _NO_TLS:
        return "write ws:// instead of wss:// in --url"
    return "check the TLS settings of the daemon, or of the proxy in front of it"
