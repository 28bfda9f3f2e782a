"""A Host header names exactly one host, or none if it is not understood."""

import pytest

from orderd.domain.authority import host_of, normalized


@pytest.mark.parametrize(
    ("authority", "host"),
    [
        ("localhost", "localhost"),
        ("LocalHost:3000", "localhost"),
        ("127.0.0.1:1", "127.0.0.1"),
        ("orders.example.:65535", "orders.example."),
        ("[::1]", "::1"),
        ("[0:0:0:0:0:0:0:1]:80", "::1"),
        ("[fd00::7]:3000", "fd00::7"),
    ],
)
def test_a_host_is_normalised(authority: str, host: str) -> None:
    assert host_of(authority) == host


@pytest.mark.parametrize(
    "authority",
    [
        "",
        "127.0.0.1:80@evil.example",
        "user@localhost",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:123456",
        "localhost:80:80",
        "local host",
        ".example",
        "[::1",
        "[::1]x",
        "[:::1]",
        "[evil.example]",
        "::1",
        "localhost\n",
    ],
)
def test_an_invalid_host_is_none(authority: str) -> None:
    assert host_of(authority) is None


@pytest.mark.parametrize(
    ("name", "as_told"),
    [("Orders.Example", "orders.example"), ("[FD00::0007]", "fd00::7"), ("10.0.0.7", "10.0.0.7"), ("::1", "::1")],
)
def test_a_configured_name_is_normalised_like_a_host(name: str, as_told: str) -> None:
    assert normalized(name) == as_told
