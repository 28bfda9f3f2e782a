"""Properties of every HTTP request, whatever it asks for."""

import json
from uuid import UUID

import httpx
import pytest
import structlog

from orderd.wire.balances import BalancesResult
from tests.integration.gateway.conftest import PlayedMarket, Rig

pytestmark = pytest.mark.asyncio


async def test_a_request_has_its_clients_id_or_a_new_one(http: httpx.AsyncClient) -> None:
    named = await http.get("/nowhere", headers={"X-Request-Id": "run-7.step:3"})
    assert named.headers["x-request-id"] == "run-7.step:3"
    for bad in ("", "x" * 65, "two words", "a\tb"):
        answer = await http.get("/api/status", headers={"X-Request-Id": bad})
        assert UUID(answer.headers["x-request-id"]).version == 7


async def test_a_refusal_before_routing_has_a_request_id(http: httpx.AsyncClient) -> None:
    refused = await http.get("/health", headers={"Origin": "https://evil.example", "X-Request-Id": "mine"})
    assert (refused.status_code, refused.headers["x-request-id"]) == (403, "mine")


async def test_no_answer_may_be_cached_framed_or_sniffed(http: httpx.AsyncClient) -> None:
    for path in ("/health", "/api/orders", "/nowhere", "/metrics"):
        headers = (await http.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in headers["content-security-policy"]


async def test_an_unexpected_exception_is_a_problem_that_the_log_explains(
    rig: Rig, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(self: PlayedMarket) -> BalancesResult:
        raise ZeroDivisionError

    monkeypatch.setattr(PlayedMarket, "balances", stumble)
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        answer = await http.get("/api/balances", headers={"X-Request-Id": "find-me"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["instance"]) == ("SERVICE_INTERNAL", "/api/balances")
    assert "find-me" in answer.json()["detail"]
    failed = [line for line in lines if line["action"] == "http_failed"]
    assert [(line["request_id"], line["exc_info"]) for line in failed] == [("find-me", True)]
    assert (await http.get("/health")).status_code == 200


async def test_requests_are_logged_at_debug_with_their_id(http: httpx.AsyncClient) -> None:
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        await http.get("/api/orders/nothing-like-it", headers={"X-Request-Id": "seen"})
    line = next(line for line in lines if line["action"] == "http_request")
    assert (line["log_level"], line["request_id"], line["method"], line["status"]) == ("debug", "seen", "GET", 404)
    assert line["path"] == "/api/orders/nothing-like-it"


async def test_requests_are_counted_and_timed_by_route(http: httpx.AsyncClient) -> None:
    def counted(text: str, name: str) -> float:
        return sum(float(line.rpartition(" ")[2]) for line in text.splitlines() if line.startswith(name))

    routed = 'orderd_http_requests_total{method="GET",route="/api/orders/{order}",status="404"}'
    stray = 'orderd_http_requests_total{method="GET",route="none",status="404"}'
    timed = 'orderd_http_request_seconds_count{route="/api/orders/{order}"}'
    before = (await http.get("/metrics")).text
    for path in ("/api/orders/abcd", "/api/orders/efgh", "/nowhere"):
        await http.get(path)
    after = (await http.get("/metrics")).text
    assert [counted(after, name) - counted(before, name) for name in (routed, stray, timed)] == [2, 1, 2]


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/api/orders", "GET, HEAD, OPTIONS, POST"),
        ("/api/orders/abcd", "DELETE, GET, HEAD, OPTIONS, PATCH"),
        ("/api/quote", "GET, HEAD, OPTIONS"),
        ("/health", "GET, HEAD, OPTIONS"),
    ],
)
async def test_an_unsupported_method_is_refused_with_the_supported_ones(
    http: httpx.AsyncClient, path: str, methods: str
) -> None:
    refused = await http.put(path)
    assert (refused.status_code, refused.headers["allow"]) == (405, methods)
    asked = await http.options(path)
    assert (asked.status_code, asked.headers["allow"], asked.content) == (204, methods, b"")
    assert (await http.options("/nowhere")).status_code == 404


async def test_head_answers_like_get_without_the_body(http: httpx.AsyncClient) -> None:
    for path in ("/api/orders", "/health", "/nowhere"):
        head, get = await http.head(path), await http.get(path)
        assert (head.status_code, head.content) == (get.status_code, b"")
        assert head.headers["content-type"] == get.headers["content-type"]


async def test_invalid_unicode_is_refused_and_reported(http: httpx.AsyncClient) -> None:
    for body, status, code in (
        (r'{"\ud800": 1}', 422, "REQUEST_INVALID"),
        (r'{"token_in": "\ud800"}', 422, "REQUEST_INVALID"),
        ("[" * 30_000, 422, "REQUEST_INVALID"),
        ("\udcff", 415, "REQUEST_MEDIA_TYPE"),
    ):
        answer = await http.post(
            "/api/orders",
            content=body.encode("utf-8", "surrogateescape"),
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == status, answer.text
        assert json.loads(answer.content)["code"] == code
