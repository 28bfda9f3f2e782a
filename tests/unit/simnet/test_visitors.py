"""Programs may knock at the local chain; a page of a stranger's may not."""

import pytest

from orderd.simnet.rpc.visitors import refusal

JSON = "application/json"


@pytest.mark.parametrize(
    "host", ["127.0.0.1:8899", "localhost:8899", "[::1]:8899", "simnet:8899", "10.0.0.7", "host.docker.internal:8899"]
)
def test_programs_of_this_machine_and_network_are_let_in(host: str) -> None:
    assert refusal([host], [], JSON) is None
    assert refusal([host], [], f"{JSON}; charset=utf-8") is None
    assert refusal([host], [f"http://{host}"]) is None, "as some websocket clients say of themselves"


@pytest.mark.parametrize("hosts", [[], ["evil.example:8899"], ["127.0.0.1:8899@evil.example"], ["localhost"] * 2, [""]])
def test_a_name_that_a_stranger_can_register_is_none_of_this_chain(hosts: list[str]) -> None:
    assert (refusal(hosts, [], JSON) or (0, ""))[0] == 403


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1:3000", "http://127.0.0.1"])
def test_a_page_may_not_speak_to_it(origin: str) -> None:
    assert (refusal(["127.0.0.1:8899"], [origin], JSON) or (0, ""))[0] == 403
    assert (refusal(["127.0.0.1:8899"], [origin]) or (0, ""))[0] == 403


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/json, text/plain"]
)
def test_what_a_page_may_send_without_leave_is_not_taken(kind: str) -> None:
    assert (refusal(["127.0.0.1:8899"], [], kind) or (0, ""))[0] == 415
