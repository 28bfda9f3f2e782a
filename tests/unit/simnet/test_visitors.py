"""Local programs may use the local chain; pages of other web sites may not."""

import pytest

from orderd.simnet.rpc.visitors import refusal

JSON = "application/json"


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8899", "localhost:8899", "[::1]:8899", "simnet:8899", "10.0.0.7", "host.docker.internal:8899"]
)
def test_programs_of_this_machine_and_network_are_accepted(host: str) -> None:
    assert refusal([host], [], JSON) is None
    assert refusal([host], [], f"{JSON}; charset=utf-8") is None
    assert refusal([host], [f"http://{host}"]) is None, "some websocket clients send such an Origin"


@pytest.mark.parametrize("hosts", [[], ["evil.example:8899"], ["127.0.0.1:8899@evil.example"], ["localhost"] * 2, [""]])
def test_a_public_host_name_is_refused(hosts: list[str]) -> None:
    assert (refusal(hosts, [], JSON) or (0, ""))[0] == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:3000", "http://127.0.0.1"])
def test_a_foreign_origin_is_refused(origin: str) -> None:
    assert (refusal(["127.0.0.1:8899"], [origin], JSON) or (0, ""))[0] == 403
    assert (refusal(["127.0.0.1:8899"], [origin]) or (0, ""))[0] == 403


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/json, text/plain"]
)
def test_content_types_that_need_no_preflight_are_refused(kind: str) -> None:
    assert (refusal(["127.0.0.1:8899"], [], kind) or (0, ""))[0] == 415
