import pytest

from orderd.domain.host import is_loopback


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "localhost.", "127.0.0.1", "127.1.2.3", "::1"])
def test_loopback_hosts_are_local(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.0.2.7", "localhost.example", "127.0.0.1.example"])
def test_other_hosts_are_not_local(host: str) -> None:
    assert not is_loopback(host)
