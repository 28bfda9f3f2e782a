"""The REST API for orders."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import httpx
import psycopg2
import pytest

from db.connection import database
from db.models import DEFAULT_ACCOUNT, ApiKey
from orderd.gateway.access.authentication import api_key_hash, new_api_key
from orderd.wire.rpc import MAX_MESSAGE_BYTES
from tests.integration.gateway.conftest import Rig, deferred

pytestmark = pytest.mark.asyncio

_BODY = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5"}


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"], body["instance"]) == (status, code, answer.url.path)
    assert body["detail"]
    assert body["next_step"]
    return body


async def test_a_submitted_order_is_found_at_its_location(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/orders", json=_BODY)
    assert answer.status_code == 201
    order = answer.json()["order"]
    found = await http.get(answer.headers["location"])
    assert found.json()["order"] == order
    assert order["amount_in"] == "1.5"


async def test_an_orders_own_limits_are_shown_and_are_terms_of_the_order(http: httpx.AsyncClient) -> None:
    own = {"min_out": "150", "max_cost": "1.5", "floor": "each", "use_wrapped": True}
    key = {"Idempotency-Key": "bounds"}
    answer = await http.post("/api/orders", json=_BODY | own, headers=key)
    order = answer.json()["order"]
    assert {name: order[name] for name in own} == own
    assert order["min_amount_out"] is None, "the order has no route yet"
    for name in own:
        others = {each: value for each, value in own.items() if each != name}
        problem(await http.post("/api/orders", json=_BODY | others, headers=key), 422, "ORDER_CONFLICT")


async def test_the_same_idempotency_key_and_body_return_the_same_order(http: httpx.AsyncClient) -> None:
    key = {"Idempotency-Key": "key-1"}
    first, second = [await http.post("/api/orders", json=_BODY, headers=key) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["order"] == second.json()["order"]
    other = await http.post("/api/orders", json=_BODY | {"amount_in": "2"}, headers=key)
    problem(other, 422, "ORDER_CONFLICT")
    assert len((await http.get("/api/orders")).json()["orders"]) == 1


async def test_an_idempotency_key_whose_order_is_not_committed_is_in_progress(
    http: httpx.AsyncClient, postgres_url: str
) -> None:
    key = {"Idempotency-Key": "twice"}
    keeper = await asyncio.to_thread(_orders_locked, postgres_url)
    try:
        first = asyncio.create_task(http.post("/api/orders", json=_BODY, headers=key))
        await asyncio.to_thread(_somebody_waits, postgres_url)
        second = await http.post("/api/orders", json=_BODY, headers=key)
        problem(second, 409, "REQUEST_IN_PROGRESS")
        assert second.headers["retry-after"] == "1"
        assert second.json()["retryable"]
    finally:
        keeper.close()
    created = await first
    again = await http.post("/api/orders", json=_BODY, headers=key)
    assert (created.status_code, again.status_code) == (201, 200)
    assert created.json()["order"]["id"] == again.json()["order"]["id"]


def _orders_locked(postgres_url: str) -> Any:
    """A connection that locks the table of orders until it is closed."""
    keeper = psycopg2.connect(postgres_url)
    keeper.cursor().execute("LOCK TABLE orders IN SHARE MODE")
    return keeper


def _somebody_waits(postgres_url: str) -> None:
    """Return once another session waits for the lock."""
    with closing(psycopg2.connect(postgres_url)) as watcher:
        watcher.autocommit = True
        cursor = watcher.cursor()
        waiting = 0
        while not waiting:
            cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass")
            ((waiting,),) = cursor.fetchall()


@pytest.mark.parametrize("body", [[], 1, "x", True])
async def test_a_body_that_is_not_an_object_is_refused_without_internal_details(
    http: httpx.AsyncClient, body: object
) -> None:
    detail = problem(await http.post("/api/orders", json=body), 422, "REQUEST_INVALID")["detail"]
    assert "OrderBody" not in detail


async def test_an_idempotency_key_that_differs_from_the_client_order_id_is_refused(http: httpx.AsyncClient) -> None:
    body = _BODY | {"client_order_id": "one"}
    problem(await http.post("/api/orders", json=body, headers={"Idempotency-Key": "two"}), 422, "REQUEST_INVALID")
    assert (await http.get("/api/orders")).json()["orders"] == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"amount_in": "-1"}, "AMOUNT_NOT_POSITIVE"),
        ({"min_out": "-1"}, "AMOUNT_NOT_POSITIVE"),
        ({"max_cost": "-1"}, "COST_OUT_OF_RANGE"),
        ({"floor": "none"}, "REQUEST_INVALID"),
        ({"use_wrapped": True, "token_in": "USDC", "token_out": "SOL"}, "TOKEN_NOT_WRAPPED"),
        ({"use_wrapped": "perhaps"}, "REQUEST_INVALID"),
        ({"amount_in": 1.5}, "REQUEST_INVALID"),
        ({"token_in": "NOPE"}, "TOKEN_UNKNOWN"),
        ({"token_out": "SOL"}, "TOKEN_SAME"),
        ({"slippage": "101"}, "SLIPPAGE_OUT_OF_RANGE"),
        ({"surprise": 1}, "REQUEST_INVALID"),
    ],
)
async def test_invalid_orders_are_refused_and_change_nothing(
    http: httpx.AsyncClient, change: dict[str, Any], code: str
) -> None:
    problem(await http.post("/api/orders", json=_BODY | change), 422, code)
    assert (await http.get("/api/orders")).json()["orders"] == []


async def test_orders_are_listed_by_status_in_pages(http: httpx.AsyncClient) -> None:
    ids = [(await http.post("/api/orders", json=_BODY)).json()["order"]["id"] for _ in range(3)]
    await http.delete(f"/api/orders/{ids[0]}")
    first = (await http.get("/api/orders", params={"status": "pending", "limit": 1})).json()
    rest = (
        await http.get("/api/orders", params={"status": "pending", "limit": 1, "cursor": first["next_cursor"]})
    ).json()
    assert [order["id"] for order in first["orders"] + rest["orders"]] == [ids[2], ids[1]]
    assert [each["id"] for each in (await http.get("/api/orders?status=cancelled")).json()["orders"]] == [ids[0]]


async def test_orders_are_listed_by_kind_in_pages(http: httpx.AsyncClient) -> None:
    ids = [(await http.post("/api/orders", json=_BODY)).json()["order"]["id"] for _ in range(4)]
    with database.connection_context():
        database.execute_sql("UPDATE orders SET kind = 'limit' WHERE id = %s", (ids[2],))
    first = (await http.get("/api/orders", params={"kind": "market", "limit": 2})).json()
    rest = (await http.get("/api/orders", params={"kind": "market", "cursor": first["next_cursor"]})).json()
    assert [order["id"] for order in first["orders"] + rest["orders"]] == [ids[3], ids[1], ids[0]]
    assert {order["kind"] for order in first["orders"]} == {"market"}


async def test_an_unknown_kind_is_refused_with_the_known_ones(http: httpx.AsyncClient) -> None:
    refused = problem(await http.get("/api/orders?kind=iceberg"), 422, "REQUEST_INVALID")
    assert "'market'" in refused["detail"]


async def test_a_page_links_the_next_one_and_shows_the_queue(http: httpx.AsyncClient) -> None:
    for _ in range(3):
        await http.post("/api/orders", json=_BODY)
    query = {"status": ["pending", "routing"], "kind": "market", "token": "SOL", "limit": "2"}
    first = await http.get("/api/orders", params=query)
    assert first.links["next"]["url"].startswith("/api/orders?")
    last = await http.get(first.links["next"]["url"])
    assert (len(first.json()["orders"]), len(last.json()["orders"])) == (2, 1)
    assert last.links == {}
    assert first.json()["queue"] == {
        "waiting": 1,
        "active": 2,
        "delayed": 3,
        "confirmed": 4,
        "failed": 5,
        "unknown": 0,
        "rate_limit": {"limit": 100, "window_seconds": 60, "used": 3, "waiting": 1},
    }


@pytest.mark.parametrize(
    "query", ["status=asleep", "kind=iceberg", "limit=0", "limit=501", "cursor=x", "colour=red", "token=a%00b"]
)
async def test_an_unknown_filter_is_refused(http: httpx.AsyncClient, query: str) -> None:
    refused = problem(await http.get(f"/api/orders?{query}"), 422, "REQUEST_INVALID")
    assert query.partition("=")[0] in refused["detail"]


async def test_an_unknown_token_is_refused_with_a_suggestion(http: httpx.AsyncClient) -> None:
    await http.post("/api/orders", json=_BODY)
    detail = problem(await http.get("/api/orders?token=SOLL"), 422, "TOKEN_UNKNOWN")["detail"]
    assert detail.endswith("did you mean SOL?")
    for known, count in (("sol", 1), ("CHILLGUY", 0)):
        assert len((await http.get(f"/api/orders?token={known}")).json()["orders"]) == count


async def test_an_unknown_parameter_is_refused_on_every_path(http: httpx.AsyncClient) -> None:
    order = (await http.post("/api/orders", json=_BODY)).json()["order"]["id"]
    requests = [("GET", path) for path in ("tokens", "pools", "balances", "status", f"orders/{order}")]
    requests += [("GET", f"orders/{order}/timeline"), ("POST", "orders"), ("DELETE", f"orders/{order}")]
    for method, path in requests:
        body = _BODY if method == "POST" else None
        problem(await http.request(method, f"/api/{path}?surprise=1", json=body), 422, "REQUEST_INVALID")
    assert len((await http.get("/api/orders?status=pending")).json()["orders"]) == 1


@pytest.mark.parametrize("kind", [None, "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"])
async def test_a_body_that_is_not_declared_as_json_is_refused(http: httpx.AsyncClient, kind: str | None) -> None:
    headers = {} if kind is None else {"Content-Type": kind}
    problem(await http.post("/api/orders", content=json.dumps(_BODY), headers=headers), 415, "REQUEST_MEDIA_TYPE")
    headers = {"Content-Type": "Application/JSON; charset=utf-8"}
    assert (await http.post("/api/orders", content=json.dumps(_BODY), headers=headers)).status_code == 201


_TWICE = json.dumps(_BODY)[:-1] + ', "amount_in": "100"}'


@pytest.mark.parametrize("path", ["/api/orders", "/api/orders/execute", "/orders"])
async def test_a_member_that_is_given_twice_is_refused(http: httpx.AsyncClient, path: str) -> None:
    words = _TWICE if path == "/api/orders" else _TWICE.replace("token_in", "tokenIn").replace("token_out", "tokenOut")
    answer = await http.post(path, content=words, headers={"Content-Type": "application/json"})
    assert "'amount_in' is given twice" in problem(answer, 422, "REQUEST_INVALID")["detail"]
    assert (await http.get("/api/orders")).json()["orders"] == []


@pytest.mark.parametrize("path", ["/api/orders", "/orders"])
@pytest.mark.parametrize("name", ["Idempotency-Key", "Content-Type"])
async def test_a_header_that_is_given_twice_is_refused(http: httpx.AsyncClient, path: str, name: str) -> None:
    headers = [("Content-Type", "application/json"), ("Idempotency-Key", "key-1"), (name, "application/json")]
    answer = await http.post(path, content=json.dumps(_BODY), headers=headers)
    assert problem(answer, 422, "REQUEST_INVALID")["detail"] == f"{name}: is given twice"


@pytest.mark.parametrize("path", ["/api/orders", "/orders"])
async def test_an_empty_idempotency_key_is_refused(http: httpx.AsyncClient, path: str) -> None:
    body = _BODY if path == "/api/orders" else {"tokenIn": "SOL", "tokenOut": "USDC", "amount": "1.5"}
    problem(await http.post(path, json=body, headers={"Idempotency-Key": ""}), 422, "REQUEST_INVALID")


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("orders?limit=1&limit=2", "limit"),
        ("orders?token=SOL&token=USDC", "token"),
        ("quote?token_in=SOL&token_out=USDC&amount_in=1&amount_in=2", "amount_in"),
        ("quote?token_in=SOL&token_out=USDC&amount_in=1&amount%5Fin=2", "amount_in"),
    ],
)
async def test_a_parameter_that_is_given_twice_is_refused(http: httpx.AsyncClient, query: str, name: str) -> None:
    answer = await http.get(f"/api/{query}")
    assert problem(answer, 422, "REQUEST_INVALID")["detail"] == f"{name}: is given twice"


async def test_a_list_parameter_may_be_repeated(http: httpx.AsyncClient) -> None:
    for query in (
        "orders?status=pending&status=failed",
        "orders?kind=market&kind=market",
        "pools?token=SOL&token=USDC",
    ):
        assert (await http.get(f"/api/{query}")).status_code == 200


@pytest.mark.parametrize(
    ("headers", "body", "named"),
    [
        ({"Content-Encoding": "gzip"}, gzip.compress(json.dumps(_BODY).encode(), mtime=0), "gzip"),
        ({"Content-Encoding": "br"}, json.dumps(_BODY).encode(), "br"),
        ({"Content-Type": "application/json; charset=latin-1"}, json.dumps(_BODY).encode(), "latin-1"),
        ({"Content-Type": "application/json; charset=utf-16"}, json.dumps(_BODY).encode("utf-16"), "utf-16"),
        ({}, json.dumps(_BODY).encode("utf-16"), "UTF-16"),
        ({}, json.dumps(_BODY).encode("utf-32-be"), "UTF-32-BE"),
        ({}, json.dumps(_BODY).encode().replace(b"USDC", b"USD\xc3"), "not UTF-8"),
    ],
)
async def test_a_body_in_another_encoding_is_refused_with_its_name(
    http: httpx.AsyncClient, headers: dict[str, str], body: bytes, named: str
) -> None:
    answer = await http.post("/api/orders", content=body, headers={"Content-Type": "application/json", **headers})
    assert named in problem(answer, 415, "REQUEST_MEDIA_TYPE")["detail"]


async def test_tokens_and_pools_are_listed(http: httpx.AsyncClient) -> None:
    assert [token["symbol"] for token in (await http.get("/api/tokens")).json()["tokens"]][:2] == ["SOL", "USDC"]
    assert (await http.get("/api/pools?token=SOL&token=USDC")).json() == {"pools": [], "refusals": [], "slot": None}
    problem(await http.get("/api/pools?token=SOL&token=USDC&token=X"), 422, "REQUEST_INVALID")


async def test_a_timeline_has_all_events_by_time(rig: Rig, http: httpx.AsyncClient) -> None:
    async with rig.client() as client:
        order_id = await client.submit("timeline")
    await rig.happen(order_id, deferred(), deferred())
    entries = (await http.get(f"/api/orders/{order_id}/timeline")).json()["entries"]
    assert [entry["event"]["seq"] for entry in entries] == [1, 2, 3]
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)


async def test_a_refusal_of_the_market_is_a_problem(http: httpx.AsyncClient) -> None:
    problem(await http.get("/api/quote", params=_BODY), 422, "ROUTE_NOT_FOUND")
    assert (await http.get("/api/balances")).json() == {"wallet": "wallet", "balances": []}
    assert (await http.get("/api/status")).json()["queue_depth"] == 7


async def test_unknown_paths_and_too_large_bodies_are_problems(http: httpx.AsyncClient) -> None:
    problem(await http.get("/api/orders/nothing-like-it"), 404, "ORDER_NOT_FOUND")
    problem(await http.get("/nowhere"), 404, "REQUEST_UNKNOWN_METHOD")
    refused = await http.put("/api/orders")
    problem(refused, 405, "REQUEST_UNKNOWN_METHOD")
    assert "allow" in refused.headers
    broken = await http.post("/api/orders", content=b"{", headers={"Content-Type": "application/json"})
    problem(broken, 422, "REQUEST_INVALID")
    large = await http.post("/api/orders", json=_BODY | {"token_in": "x" * MAX_MESSAGE_BYTES})
    problem(large, 413, "REQUEST_TOO_LARGE")

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(2):
            yield b" " * (MAX_MESSAGE_BYTES // 2 + 1)

    problem(await http.post("/api/orders", content=chunks()), 413, "REQUEST_TOO_LARGE")


async def test_another_origin_may_not_trade(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/orders", json=_BODY, headers={"Origin": "https://evil.example"})
    problem(answer, 403, "AUTH_ORIGIN_REFUSED")
    assert (await http.get("/api/orders")).json()["orders"] == []


async def test_a_wrong_key_is_refused(http: httpx.AsyncClient) -> None:
    answer = await http.post("/api/orders", json=_BODY, headers={"Authorization": "Bearer wrong"})
    problem(answer, 401, "AUTH_INVALID")
    assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_a_read_key_cannot_trade(http: httpx.AsyncClient, method: str) -> None:
    order = (await http.post("/api/orders", json=_BODY)).json()["order"]
    bearer = {"Authorization": f"Bearer {await asyncio.to_thread(_read_token)}"}
    path = "/api/orders" if method == "POST" else f"/api/orders/{order['id']}"
    refused = await http.request(method, path, json=_BODY if method == "POST" else None, headers=bearer)
    problem(refused, 403, "AUTH_FORBIDDEN")
    assert (await http.get("/api/orders", headers=bearer)).json()["orders"] == [order]


def _read_token() -> str:
    token = new_api_key()
    with database.connection_context():
        ApiKey.insert(
            id=uuid4(),
            account_id=DEFAULT_ACCOUNT,
            name="reader",
            hash=api_key_hash(token),
            scopes=["read"],
            created_at=datetime.now(UTC),
        ).execute()
    return token
