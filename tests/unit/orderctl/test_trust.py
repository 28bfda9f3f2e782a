"""What orderctl says about a certificate that it does not trust."""

import ssl

import pytest

from orderd.client.trust import tls_failure, tls_next_step


def refused(code: int) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError()
    error.verify_code, error.verify_message = code, "the reason"
    return error


@pytest.mark.parametrize(
    ("code", "next_step"),
    [(18, "--ca FILE"), (62, "a host name that the certificate has"), (64, "a host name"), (10, "renew")],
)
def test_each_reason_has_its_own_next_step(code: int, next_step: str) -> None:
    assert tls_failure(refused(code)) == "its certificate is not trusted (the reason)"
    assert next_step in tls_next_step(refused(code))


def test_a_port_without_tls_is_reached_without_it() -> None:
    error = ssl.SSLError()
    error.reason = "WRONG_VERSION_NUMBER"
    assert (tls_failure(error), tls_next_step(error)) == (
        "the port does not use TLS",
        "write ws:// instead of wss:// in --url",
    )


def test_any_other_failure_names_its_reason() -> None:
    error = ssl.SSLError()
    error.reason = "NO_SHARED_CIPHER"
    assert tls_failure(error) == "TLS failed: NO_SHARED_CIPHER"
    assert "TLS settings" in tls_next_step(error)
