"""Figures about an endpoint's answers: counted per process, summed over all, and dropped after a minute."""

import json
from dataclasses import asdict

import pytest

from orderd.solana.endpoint import EndpointUrl
from orderd.solana.endpoint_figures import WINDOW_SECONDS, EndpointFigures, EndpointTally, combined
from orderd.solana.rpc import RpcClient, RpcRateLimitedError, RpcResponseError, RpcTransportError
from orderd.solana.transport import Response, TransportError


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


class PlayedTransport:
    """Answers requests with ``answers`` in turn, and repeats the last one."""

    def __init__(self, *answers: Response | TransportError) -> None:
        self._answers = [*answers]

    def post(self, body: bytes) -> Response:
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, TransportError):
            raise answer
        return Response(answer.status, answer.body.replace(b"ID", str(json.loads(body)["id"]).encode()))

    def close(self) -> None: ...


def blockhash(slot: int) -> Response:
    value = {"blockhash": "11111111111111111111111111111111", "lastValidBlockHeight": 150}
    return Response(200, json.dumps({"id": "ID", "result": {"context": {"slot": slot}, "value": value}}).encode())


def numbered(response: Response) -> Response:
    return Response(response.status, response.body.replace(b'"ID"', b"ID"))


def test_latencies_failures_and_outdated_answers_of_a_client_are_counted() -> None:
    figures = EndpointFigures("node")
    answers = [numbered(blockhash(slot)) for slot in (812, 809)]
    node_error = Response(200, b'{"id": ID, "error": {"code": -32007, "message": "skipped"}}')
    rpc = RpcClient(
        "",
        transport=PlayedTransport(*answers, Response(429, b""), node_error, TransportError("timed out")),
        figures=figures,
    )
    for _ in answers:
        rpc.get_latest_blockhash()
    for error in (RpcRateLimitedError, RpcResponseError, RpcTransportError):
        with pytest.raises(error):
            rpc.get_latest_blockhash()
    tally = figures.tally()
    assert (tally.host, tally.requests, tally.slot, tally.slot_lag) == ("node", 5, 812, 3)
    assert tally.failures == {"rate_limited": 1, "response": 1, "transport": 1}


def test_answers_at_another_commitment_are_not_counted_as_outdated() -> None:
    figures = EndpointFigures("node")
    rpc = RpcClient("", transport=PlayedTransport(numbered(blockhash(812)), numbered(blockhash(780))), figures=figures)
    rpc.get_latest_blockhash()
    rpc.get_latest_blockhash("finalized")
    assert figures.tally().slot_lag == 0


def test_percentiles_are_at_most_ten_percent_too_high() -> None:
    figures = EndpointFigures("node")
    for milliseconds in range(1, 101):
        figures.answered(milliseconds / 1000)
    for share, true in ((0.5, 50), (0.99, 99)):
        note_slot = figures.tally().latency_ms(share)
        assert note_slot is not None
        assert true <= note_slot <= true * 1.1


def test_there_is_no_latency_without_a_request() -> None:
    tally = EndpointFigures("node").tally()
    assert (tally.requests, tally.latency_ms(0.5), tally.slot, tally.slot_lag) == (0, None, None, None)


def test_figures_older_than_the_window_are_dropped() -> None:
    clock = Clock()
    figures = EndpointFigures("node", clock)
    figures.answered(0.1)
    figures.failed("transport")
    figures.note_slot(10)
    clock.now += WINDOW_SECONDS
    assert figures.tally() == EndpointTally("node", slot=10)
    figures.answered(0.1)
    assert figures.tally().requests == 1


def test_figures_of_several_processes_are_merged() -> None:
    one, other, all_of_them = (EndpointFigures("node") for _ in range(3))
    for number in range(100):
        for figures in (one if number % 3 else other, all_of_them):
            figures.answered(number / 1000)
            figures.note_slot(800 + number)
    one.failed("transport")
    all_of_them.failed("transport")
    elsewhere = EndpointFigures("elsewhere").tally()
    # In the form of a worker's heartbeat.
    sent = EndpointTally.from_json(json.loads(json.dumps(asdict(other.tally()))))
    found = combined([one.tally(), elsewhere, sent])
    assert [(each.host, each.processes) for each in found] == [("node", 2), ("elsewhere", 1)]
    assert found[0].latencies == all_of_them.tally().latencies
    assert found[0].failures == {"transport": 1}
    assert (found[0].slot, found[0].slot_lag) == (899, 0)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:secret@rpc.example.com/v2/KEY?api-key=KEY", "rpc.example.com"),
        ("http://127.0.0.1:8899", "127.0.0.1:8899"),
        ("https://[::1]:8443/KEY", "[::1]:8443"),
    ],
)
def test_an_endpoint_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert EndpointUrl.of(url).shown == shown
