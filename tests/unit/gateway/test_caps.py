"""Connections are counted in total and per owner."""

import pytest

from orderd.gateway.port.caps import Caps


def test_connections_beyond_the_total_are_refused_until_one_closes() -> None:
    caps = Caps(2, 0)
    leave = caps.admit("10.0.0.1")
    assert leave is not None
    assert caps.admit("10.0.0.2") is not None
    assert caps.admit("10.0.0.3") is None
    leave()
    assert caps.admit("10.0.0.3") is not None


def test_connections_per_address_are_independent() -> None:
    caps = Caps(0, 2)
    assert [caps.admit("10.0.0.1") is not None for _ in range(3)] == [True, True, False]
    assert caps.admit("10.0.0.2") is not None


@pytest.mark.parametrize(("first", "second"), [("2001:db8::1", "2001:db8::ffff:2"), ("::ffff:10.0.0.1", "10.0.0.1")])
def test_addresses_of_one_ipv6_network_count_as_one(first: str, second: str) -> None:
    caps = Caps(0, 1)
    assert caps.admit(first) is not None
    assert caps.admit(second) is None
    assert caps.admit("2001:db8:0:1::1") is not None


def test_a_trusted_proxy_counts_only_in_total() -> None:
    caps = Caps(3, 1, spared=lambda address: address == "10.0.0.9")
    assert [caps.admit("10.0.0.9") is not None for _ in range(4)] == [True, True, True, False]


def test_closed_connections_leave_no_state() -> None:
    caps = Caps(0, 5)
    for number in range(1_000):
        leave = caps.admit(f"10.0.{number // 250}.{number % 250}")
        assert leave is not None
        leave()
    assert not caps._by_owner
