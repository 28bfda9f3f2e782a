"""Who a client is: its address, as reported by trusted proxies, and whether it needs an API key."""

from pathlib import Path

import pytest

from orderd.config.settings import Settings
from orderd.gateway.access.authentication import api_key_required
from orderd.gateway.access.authenticator import Authenticator
from orderd.gateway.threads import DatabaseThreads


@pytest.fixture
def gate(tmp_path: Path) -> Authenticator:
    settings = Settings(state_dir=tmp_path, trusted_proxies=("10.0.0.0/8", "fd00::1"))
    return Authenticator(settings, DatabaseThreads("unused", 1))


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.5", [], "203.0.113.5"),
        ("203.0.113.5", ["198.51.100.7"], "203.0.113.5"),
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("fd00::1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.2.3.4, 198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["1.2.3.4", "198.51.100.7, 10.9.9.9"], "198.51.100.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["10.0.0.2"], "10.0.0.2"),
        ("10.0.0.1", ["x" * 1000], "x" * 64),
    ],
)
def test_only_addresses_seen_by_trusted_proxies_count(
    gate: Authenticator, peer: str, forwarded: list[str], address: str
) -> None:
    assert gate.address(peer, forwarded) == address


@pytest.mark.parametrize(
    ("settings", "required"),
    [
        ({}, False),
        ({"host": "192.0.2.1"}, True),
        ({"tls_terminated_by_proxy": True}, True),
        ({"chain": "devnet", "rpc_url": "http://127.0.0.1:8899"}, True),
    ],
)
def test_an_api_key_is_needed_where_others_reach_the_port_or_real_money_is_at_stake(
    tmp_path: Path, settings: dict[str, object], required: bool
) -> None:
    assert api_key_required(Settings.model_validate({"state_dir": tmp_path, **settings})) is required
