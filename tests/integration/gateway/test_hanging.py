"""A gateway answers in time while one of its services accepts requests and never answers them.

It also never answers "no" for "unknown" when a service loses an answer or refuses a request.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest
import pytest_asyncio

from db.connection import connect, database
from db.models import Order
from tests.integration.gateway.api_keys import issue
from tests.integration.gateway.conftest import Start, log_until
from tests.relay import Relay, relay_to_postgres, relay_to_redis

pytestmark = pytest.mark.asyncio

BODY = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5"}
_GENEROUS_SECONDS = 8.0
"""Far below the timeouts of the drivers, and far above the deadline of an answer on a busy machine."""


@pytest.fixture
def postgres(postgres_url: str, tmp_path: Path) -> Iterator[tuple[Relay, str]]:
    connect(postgres_url)
    with relay_to_postgres(postgres_url, tmp_path) as through:
        yield through
    database.close_all()


@pytest.fixture
def redis(redis_url: str, tmp_path: Path) -> Iterator[tuple[Relay, str]]:
    with relay_to_redis(redis_url, tmp_path) as through:
        yield through


@pytest.fixture
def chain() -> Iterator[str]:
    """An endpoint that accepts connections and never answers."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        yield f"http://127.0.0.1:{silent.getsockname()[1]}"


@pytest_asyncio.fixture
async def http(
    start: Start, tmp_path: Path, postgres: tuple[Relay, str], redis: tuple[Relay, str], chain: str
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a gateway whose connections to all services the test controls."""
    process = await start(database_url=postgres[1], redis_url=redis[1], rpc_url=chain)
    await log_until(process, "feed_open")
    url = json.loads((tmp_path / "gateway.json").read_text())["url"].replace("ws:", "http:")
    async with AsyncExitStack() as stack:
        reading = asyncio.create_task(process.stderr.read())  # type: ignore[union-attr]
        client = httpx.AsyncClient(base_url=url, timeout=_GENEROUS_SECONDS, trust_env=False)
        yield await stack.enter_async_context(client)
        reading.cancel()


async def stored(client_order_id: str) -> bool:
    def look() -> bool:
        with database.connection_context():
            return bool(Order.select().where(Order.client_order_id == client_order_id).exists())

    return await asyncio.to_thread(look)


async def submit(http: httpx.AsyncClient, client_order_id: str, **more: Any) -> httpx.Response:
    return await http.post("/api/orders", json=BODY | {"client_order_id": client_order_id}, **more)


async def test_orders_are_accepted_and_cancelled_while_redis_hangs(
    http: httpx.AsyncClient, redis: tuple[Relay, str]
) -> None:
    redis[0].hang()
    taken = await submit(http, "mine")
    assert taken.status_code == 201
    cancelled = await http.delete("/api/orders/mine")
    assert cancelled.status_code == 200
    async with asyncio.timeout(30):
        while (page := await http.get("/api/orders")).json()["queue"]["rate_limit"] is not None:
            pass  # the last status is cached for a moment
    assert page.status_code == 200


async def test_a_hanging_redis_is_reported_and_its_figures_are_unknown(
    http: httpx.AsyncClient, redis: tuple[Relay, str]
) -> None:
    redis[0].hang()
    async with asyncio.timeout(30):
        while (status := (await http.get("/api/status")).json())["services"]["redis"]["ok"]:
            pass  # the last status is cached for a moment
    assert "no answer" in status["services"]["redis"]["detail"]
    assert status["services"]["postgres"]["ok"]
    assert {"endpoints", "workers", "queue_depth", "rate_limit.used", "rate_limit.waiting"} == set(status["untold"])
    assert status["executing"] is None
    metrics = (await http.get("/metrics")).text
    assert "\norderd_ready 1.0\n" in metrics
    for metric in ("workers", "queue_depth", "executing", "rate_limit_used"):
        assert f"\norderd_{metric} " not in metrics


async def test_a_gateway_that_accepts_orders_is_ready_and_says_what_they_wait_for(
    http: httpx.AsyncClient, redis: tuple[Relay, str]
) -> None:
    redis[0].hang()
    async with asyncio.timeout(30):
        reasons: list[str] = []
        while not any(reason.startswith("redis") for reason in reasons):
            said = (await http.get("/ready")).json()
            reasons = said["executing_reasons"]
    assert (said["ready"], said["executing"]) == (True, None)
    assert [reason.split(":")[0] for reason in said["executing_reasons"]] == ["redis", "rpc"]


async def test_every_request_is_answered_while_postgres_hangs(
    http: httpx.AsyncClient, postgres: tuple[Relay, str]
) -> None:
    await submit(http, "before")
    postgres[0].hang()
    unknown = await submit(http, "mine")
    assert (unknown.status_code, unknown.json()["code"]) == (504, "SERVICE_TIMEOUT")
    detail = unknown.json()["detail"]
    assert "client order id mine" in detail
    assert UUID(detail.partition("order ")[2][:36]).version == 7
    asked = [http.get(f"/api/{path}") for path in ("orders", "orders/before", "orders/before/timeline")]
    answers = await asyncio.gather(*asked, submit(http, "other"), http.delete("/api/orders/before"))
    assert {answer.status_code for answer in answers[:3]} == {503}
    assert {answer.status_code for answer in answers[3:]} <= {503, 504}, (
        "depending on whether a connection was available"
    )
    async with asyncio.timeout(30):
        while (status := await http.get("/api/status")).json()["services"]["postgres"]["ok"]:
            pass
    assert (status.status_code, status.json()["services"]["postgres"]["ok"]) == (200, False)
    assert (await http.get("/ready")).status_code == 503
    assert (await http.get("/health")).status_code == 200


async def test_an_order_answered_as_unknown_is_the_same_order_when_resubmitted(
    http: httpx.AsyncClient, postgres: tuple[Relay, str]
) -> None:
    postgres[0].hang()
    assert (await submit(http, "mine")).status_code == 504
    postgres[0].resume()
    again = await submit(http, "mine")
    assert again.status_code in (200, 201)
    assert (await submit(http, "mine")).json()["order"]["id"] == again.json()["order"]["id"]


async def test_no_thread_is_lost_after_postgres_hung(http: httpx.AsyncClient, postgres: tuple[Relay, str]) -> None:
    """More requests than threads, and one more after Postgres is back."""
    postgres[0].hang()
    answers = await asyncio.gather(*(http.get("/api/orders/none") for _ in range(40)))
    assert {answer.status_code for answer in answers} == {503}
    postgres[0].resume()
    async with asyncio.timeout(30):
        while (await http.get("/api/orders/none")).status_code != 404:
            pass


async def test_a_key_check_is_answered_while_postgres_hangs(
    http: httpx.AsyncClient, postgres: tuple[Relay, str]
) -> None:
    token = {"Authorization": f"Bearer {await asyncio.to_thread(issue, 'trade')}"}
    assert (await submit(http, "before", headers=token)).status_code == 201
    postgres[0].hang()
    refused = await submit(http, "mine", headers=token)
    assert (refused.status_code, refused.json()["code"]) == (503, "SERVICE_UNAVAILABLE"), (
        "a refusal is only certain if nothing was sent"
    )
    postgres[0].resume()
    assert not await stored("mine")


async def test_an_order_whose_commit_went_unanswered_is_found_again(
    http: httpx.AsyncClient, postgres: tuple[Relay, str]
) -> None:
    await submit(http, "before")
    postgres[0].lose_the_next_answer()
    taken = await submit(http, "mine")
    assert (taken.status_code, taken.json()["created"]) == (201, True)


@pytest.fixture
def read_only(postgres: tuple[Relay, str]) -> Iterator[Callable[[], None]]:
    """Makes the database read-only."""

    def let(value: str) -> None:
        with database.connection_context():
            (name,) = database.execute_sql("SELECT current_database()").fetchone()
            database.execute_sql("SET default_transaction_read_only = off")
            database.execute_sql(f"ALTER DATABASE {name} SET default_transaction_read_only = {value}")
        database.close_all()

    def begin() -> None:
        let("on")
        postgres[0].cut()

    yield begin
    let("off")


async def test_a_read_only_server_gives_a_definite_refusal(
    http: httpx.AsyncClient, read_only: Callable[[], None]
) -> None:
    await asyncio.to_thread(read_only)
    refused = await submit(http, "mine")
    assert (refused.status_code, refused.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert "read-only" in refused.json()["detail"]
    assert (await http.get("/api/orders")).status_code == 200, "reads are answered"
    async with asyncio.timeout(30):
        while (await http.get("/ready")).status_code != 503:
            pass


async def test_a_redis_that_refuses_is_reported_and_orders_are_accepted(start: Start, tmp_path: Path) -> None:
    process = await start(redis_url="redis://127.0.0.1:1/0")
    await log_until(process, "gateway_listening")
    await log_until(process, "feed_lost")
    url = json.loads((tmp_path / "gateway.json").read_text())["url"].replace("ws:", "http:")
    async with httpx.AsyncClient(base_url=url, trust_env=False) as http:
        health = (await http.get("/health")).json()
        assert {name: each["ok"] for name, each in health["dependencies"].items()} == {
            "postgres": True,
            "redis": False,
            "rpc": False,
        }
        ready = await http.get("/ready")
        assert (ready.status_code, ready.json()["executing"]) == (200, False)
        assert (await submit(http, "mine")).status_code == 201
