import pytest

from orderd.domain.host import is_loopback


@pytest.mark.parametrize("host", ["localhost", "LocalHost", "localhost.", "127.0.0.1", "127.1.2.3", "::1"])
def test_these_are_this_machine_alone(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.0.2.7", "localhost.example", "127.0.0.1.example"])
def test_these_others_may_reach_or_be(host: str) -> None:
    assert not is_loopback(host)
