"""The host names that a daemon accepts."""

import pytest

from orderd.domain.errors import ErrorCode, OrderdError
from orderd.gateway.access.origin import OriginPolicy


@pytest.mark.parametrize(
    "host", ["orders.example", "Orders.Example:3000", "gateway", "10.0.0.7:3000", "[fd00::7]:3000"]
)
def test_the_bind_address_and_configured_names_are_accepted(host: str) -> None:
    policy = OriginPolicy("10.0.0.7", ("orders.example", "gateway", "[fd00::7]"))
    policy.check([host], [])
    policy.check([host], [f"https://{host}"])


def test_a_wildcard_address_is_not_a_name() -> None:
    with pytest.raises(OrderdError, match="not a name of this daemon"):
        OriginPolicy("0.0.0.0").check(["0.0.0.0:3000"], [])


@pytest.mark.parametrize("hosts", [[], ["localhost", "localhost"], ["localhost", "evil.example"], [""]])
def test_a_request_has_exactly_one_host(hosts: list[str]) -> None:
    with pytest.raises(OrderdError) as refused:
        OriginPolicy("127.0.0.1").check(hosts, [])
    assert refused.value.code is ErrorCode.AUTH_ORIGIN_REFUSED


def test_every_origin_must_match() -> None:
    with pytest.raises(OrderdError):
        OriginPolicy("127.0.0.1").check(["localhost:3000"], ["http://localhost:3000", "http://evil.example"])


def test_allowed_origins_may_be_foreign() -> None:
    policy = OriginPolicy("127.0.0.1", (), ("https://desk.example",))
    policy.check(["localhost:3000"], ["https://desk.example"])
    for foreign in ("http://desk.example", "https://desk.example:8443", "https://desk.example.evil.example", "null"):
        with pytest.raises(OrderdError):
            policy.check(["localhost:3000"], [foreign])
    with pytest.raises(OrderdError):
        policy.check(["evil.example"], ["https://desk.example"])


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:3000@evil.example",
        "127.0.0.1:3000/evil.example",
        "127.0.0.1:evil.example",
        "127.0.0.1:3000:80",
        "localhost:",
        "localhost:0",
        "localhost:65536",
        "localhost:+80",
        " localhost",
        "localhost,evil.example",
        "localhost\u0661",
        "user@localhost",
        "[::1",
        "[::1]evil.example",
        "[::1]:80@evil.example",
        "[::1%25lo]",
        "[127.0.0.1]",
        "::1",
    ],
)
def test_a_malformed_host_is_refused_as_a_whole(host: str) -> None:
    with pytest.raises(OrderdError, match="not a name of this daemon"):
        OriginPolicy("127.0.0.1").check([host], [])


@pytest.mark.parametrize("host", ["[::1]", "[::1]:3000", "[0:0:0:0:0:0:0:1]:3000", "LOCALHOST:3000", "127.0.0.1"])
def test_different_spellings_of_an_address_are_equal(host: str) -> None:
    OriginPolicy("127.0.0.1").check([host], [f"http://{host}"])
