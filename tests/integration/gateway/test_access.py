"""What an API key may do, how quickly its revocation takes effect, and what the audit log records."""

import asyncio
import json
from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID

import httpx
import pytest

from db import audit
from db import refused_requests as stranger_counts
from db.audit import Actor, Filter
from db.connection import database
from db.models import AuditRow, Order
from db.refused_requests import Refusal, RefusalCount
from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode, OrderdError
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.gateway.access import refusal_log as refusals
from orderd.gateway.access import revocation as revocations
from orderd.gateway.rpc.batch import Batcher
from orderd.wire.subscriptions import Ready
from tests.integration.gateway.api_keys import bearer, issue, let_expire, revoke
from tests.integration.gateway.conftest import CallRefusedError, Rig, deferred

pytestmark = pytest.mark.asyncio
USDC = 1_000_000


@pytest.fixture
def settings(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A real chain, which requires API keys; refusals are stored without delay."""
    monkeypatch.setattr(refusals, "WRITE_SECONDS", 0.02)
    return settings.model_copy(update={"chain": "devnet"})


def order(client_order_id: str, amount: str = "1", token_out: str = "USDC") -> dict[str, str]:
    return {"token_in": "SOL", "token_out": token_out, "amount_in": amount, "client_order_id": client_order_id}


async def audited(deeds: int) -> list[AuditRow]:
    """The rows of the audit log, once they cover this many actions."""

    def read() -> list[AuditRow]:
        with database.connection_context():
            return audit.read(Filter(), 100)

    found: list[AuditRow] = []
    async with asyncio.timeout(10):
        while sum(row.times for row in found) < deeds:
            found = await asyncio.to_thread(read)
    return found


async def counted(refused: int) -> tuple[list[RefusalCount], list[AuditRow]]:
    """The refusals of clients without a key, once there are this many, and the audit log, written in the same
    transactions."""

    def read() -> tuple[list[RefusalCount], list[AuditRow]]:
        with database.connection_context():
            return list(stranger_counts.read(10)), audit.read(Filter(), 10)

    found, rows = await asyncio.to_thread(read)
    async with asyncio.timeout(10):
        while sum(each.times for each in found) < refused:
            found, rows = await asyncio.to_thread(read)
    return found, rows


def stored_orders() -> int:
    with database.connection_context():
        return int(Order.select().count())


class TestLimits:
    async def test_a_pair_that_is_not_allowed_is_refused_over_both_protocols(
        self, rig: Rig, http: httpx.AsyncClient
    ) -> None:
        token = await asyncio.to_thread(issue, "trade", allowed_mints=[WSOL_MINT, USDC_MINT])
        async with rig.client(additional_headers=bearer(token)) as client:
            await client.call("order.submit", **order("a"))
            with pytest.raises(CallRefusedError) as refused:
                await client.call("order.submit", **order("b", token_out="CHILLGUY"))
        answer = await http.post("/api/orders", json=order("c", token_out="CHILLGUY"), headers=bearer(token))
        assert refused.value.problem.code is ErrorCode.LIMIT_TOKENS
        assert (answer.status_code, answer.json()["code"]) == (403, "LIMIT_TOKENS")
        assert await asyncio.to_thread(stored_orders) == 1

    async def test_an_order_above_the_keys_limit_is_refused_and_changes_nothing(self, rig: Rig) -> None:
        token = await asyncio.to_thread(issue, "trade", max_notional_per_order=150 * USDC)
        async with rig.client(additional_headers=bearer(token)) as client:
            await client.call("order.submit", **order("a", "1.5"))
            with pytest.raises(CallRefusedError) as refused:
                await client.call("order.submit", **order("b", "1.500001"))
        assert refused.value.problem.code is ErrorCode.LIMIT_ORDER
        assert await asyncio.to_thread(stored_orders) == 1

    async def test_a_purchase_pays_no_more_than_its_limits_have_counted(self, rig: Rig) -> None:
        token = await asyncio.to_thread(issue, "trade", max_notional_per_order=150 * USDC)
        purchase = {**order("a"), "amount_in": None, "exact_out": "1.5"}
        async with rig.client(additional_headers=bearer(token)) as client:
            created = await client.call("order.submit", **purchase)
            again = await client.call("order.submit", **purchase)
            with pytest.raises(CallRefusedError) as refused:
                await client.call("order.submit", **purchase, max_in="1.5")
        assert created["order"]["max_in"] == "1.5"
        assert (again["order"]["id"], again["created"]) == (created["order"]["id"], False)
        assert refused.value.problem.code is ErrorCode.ORDER_CONFLICT, "it was submitted without a maximum of its own"

    async def test_the_daily_limit_covers_both_protocols_and_says_when_to_retry(
        self, rig: Rig, http: httpx.AsyncClient
    ) -> None:
        token = await asyncio.to_thread(issue, "trade", max_notional_per_day=250 * USDC)
        async with rig.client(additional_headers=bearer(token)) as client:
            await client.call("order.submit", **order("a"))
            assert (await http.post("/api/orders", json=order("b"), headers=bearer(token))).status_code == 201
            with pytest.raises(CallRefusedError) as refused:
                await client.call("order.submit", **order("c"))
            answer = await http.post("/api/orders", json=order("d"), headers=bearer(token))
            again = await client.call("order.submit", **order("a"))
        problem = refused.value.problem
        assert (problem.code, problem.retryable) == (ErrorCode.LIMIT_DAY, False)
        assert problem.retry_after is not None
        assert (answer.status_code, answer.json()["code"]) == (429, "LIMIT_DAY")
        assert 86_000 < int(answer.headers["retry-after"]) <= 86_401
        assert again["created"] is False, "a resubmitted order was not answered"
        assert await asyncio.to_thread(stored_orders) == 2

    async def test_submissions_in_one_batch_are_checked_one_by_one(self, rig: Rig) -> None:
        token = await asyncio.to_thread(issue, "trade", max_notional_per_day=500 * USDC)
        async with rig.client(additional_headers=bearer(token)) as client:
            calls = [client.call("order.submit", **order(f"many-{number}")) for number in range(20)]
            outcomes = await asyncio.gather(*calls, return_exceptions=True)
        refused = [outcome for outcome in outcomes if isinstance(outcome, CallRefusedError)]
        assert len(refused) == 15
        assert {error.problem.code for error in refused} == {ErrorCode.LIMIT_DAY}
        assert await asyncio.to_thread(stored_orders) == 5

    async def test_the_request_rate_of_a_key_is_limited_across_its_connections(
        self, rig: Rig, http: httpx.AsyncClient
    ) -> None:
        token = await asyncio.to_thread(issue, "read", requests_per_minute=1, burst=3)
        async with (
            rig.client(additional_headers=bearer(token)) as first,
            rig.client(additional_headers=bearer(token)) as second,
        ):
            await first.call("tokens")
            await second.call("tokens")
            assert (await http.get("/api/tokens", headers=bearer(token))).status_code == 200
            for client in (first, second):
                with pytest.raises(CallRefusedError) as refused:
                    await client.call("tokens")
                assert refused.value.problem.code is ErrorCode.LIMIT_REQUESTS
                assert refused.value.problem.retry_after in range(1, 61)
            answer = await http.get("/api/tokens", headers=bearer(token))
        assert (answer.status_code, answer.json()["code"]) == (429, "LIMIT_REQUESTS")
        assert int(answer.headers["retry-after"]) in range(1, 61)

    async def test_the_request_rate_of_another_key_is_not_affected(self, rig: Rig) -> None:
        slow = await asyncio.to_thread(issue, "read", requests_per_minute=1, burst=1)
        free = await asyncio.to_thread(issue, "read")
        async with (
            rig.client(additional_headers=bearer(slow)) as first,
            rig.client(additional_headers=bearer(free)) as second,
        ):
            await first.call("tokens")
            with pytest.raises(CallRefusedError):
                await first.call("tokens")
            for _ in range(20):
                await second.call("tokens")


class TestRevocation:
    """Periodic checks are off, because they would hide a missing notification."""

    @pytest.fixture
    def settings(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
        monkeypatch.setattr(revocations, "CHECK_SECONDS", 3600.0)
        return settings

    async def test_a_revocation_closes_the_keys_connections_at_once_and_no_others(
        self, rig: Rig, http: httpx.AsyncClient
    ) -> None:
        token, kept = [await asyncio.to_thread(issue, "trade") for _ in range(2)]
        async with (
            rig.client(additional_headers=bearer(token)) as client,
            rig.client(additional_headers=bearer(kept)) as other,
        ):
            order_id = UUID((await other.call("order.submit", **order("watched")))["order"]["id"])
            await client.call("orders.subscribe")
            while not isinstance(await client.next(), Ready):
                pass
            await asyncio.to_thread(revoke, token)
            await asyncio.wait_for(client.websocket.wait_closed(), 10)
            assert client.websocket.close_code == 1008
            await rig.happen(order_id, deferred())
            assert client.notifications.empty()
            assert (await http.get("/api/orders", headers=bearer(token))).status_code == 401
            assert await other.call("orders.list")
            assert (await http.get("/api/orders", headers=bearer(kept))).status_code == 200

    async def test_calls_still_unread_at_the_revocation_are_not_executed(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        held, release = asyncio.Event(), asyncio.Event()
        submit = Batcher.submit

        async def hold(batcher: Batcher, submission: Any) -> Any:
            held.set()
            await release.wait()
            return await submit(batcher, submission)

        monkeypatch.setattr(Batcher, "submit", hold)
        token = await asyncio.to_thread(issue, "trade")
        async with rig.client(additional_headers=bearer(token)) as client:
            (session,) = rig.gateway._sessions._sessions
            # All slots but one are taken, so that calls after the first one stay unread.
            for _ in range(session.slots._value - 1):
                await session.slots.acquire()
            first = asyncio.create_task(client.call("order.submit", **order("first")))
            await held.wait()
            second = asyncio.create_task(client.call("order.submit", **order("second")))
            await asyncio.to_thread(revoke, token)
            await asyncio.wait_for(client.websocket.wait_closed(), 10)
            release.set()
            for call in (first, second):
                call.cancel()
            await asyncio.wait([first, second])
        with database.connection_context():
            assert [row.client_order_id for row in Order.select()] in ([], ["first"])

    async def test_a_key_revoked_during_its_handshake_is_disconnected(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        token = await asyncio.to_thread(issue, "read")
        await asyncio.to_thread(_await_the_listener)  # a notice from before that would only end keys in use
        identify = rig.gateway._authenticator.identify
        revoked = asyncio.Event()
        end: Callable[[Any], None] = rig.gateway._revocations._end

        async def late(*arguments: Any) -> Any:
            principal = await identify(*arguments)
            await asyncio.to_thread(revoke, token)
            await revoked.wait()
            return principal

        def end_and_report(ended: Any) -> None:
            end(ended)
            revoked.set()

        monkeypatch.setattr(rig.gateway._authenticator, "identify", late)
        monkeypatch.setattr(rig.gateway._revocations, "_end", end_and_report)
        async with rig.client(additional_headers=bearer(token)) as client:
            await asyncio.wait_for(client.websocket.wait_closed(), 10)
        assert client.websocket.close_code == 1008

    async def test_revocations_are_received_again_after_postgres_closed_the_connection(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(revocations, "CHECK_SECONDS", 0.05)
        token = await asyncio.to_thread(issue, "read")
        async with rig.client(additional_headers=bearer(token)) as client:
            await asyncio.to_thread(_drop_the_listener)
            await asyncio.to_thread(revoke, token)
            await asyncio.wait_for(client.websocket.wait_closed(), 10)
        assert client.websocket.close_code == 1008

    async def test_a_client_connected_after_that_is_served(self, rig: Rig) -> None:
        """The new client gets the file descriptor of the lost connection."""
        token = await asyncio.to_thread(issue, "read")
        await asyncio.to_thread(_drop_the_listener)
        async with AsyncExitStack() as clients:
            for _ in range(10):
                opening = clients.enter_async_context(rig.client(additional_headers=bearer(token)))
                client = await asyncio.wait_for(opening, 5)
                await client.call("orders.list")


class TestExpiry:
    @pytest.fixture
    def settings(self, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
        monkeypatch.setattr(revocations, "CHECK_SECONDS", 0.05)
        return settings

    async def test_a_connection_is_closed_when_its_key_expires(self, rig: Rig) -> None:
        token = await asyncio.to_thread(issue, "read")
        async with rig.client(additional_headers=bearer(token)) as client:
            await client.call("orders.list")
            await asyncio.to_thread(let_expire, token, 1)
            await asyncio.wait_for(client.websocket.wait_closed(), 10)
        assert client.websocket.close_code == 1008


def _await_the_listener() -> None:
    with database.connection_context():
        while not database.execute_sql(
            "SELECT 1 FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND state = 'idle' AND datname = "
            "current_database()"
        ).fetchone():
            pass


def _drop_the_listener() -> None:
    with database.connection_context():
        database.execute_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%%' AND datname = "
            "current_database()"
        )


class TestAudit:
    async def test_orders_are_recorded_with_key_and_address(self, rig: Rig, http: httpx.AsyncClient) -> None:
        token = await asyncio.to_thread(issue, "trade", name="desk")
        async with rig.client(additional_headers=bearer(token)) as client:
            order_id = UUID((await client.call("order.submit", **order("a")))["order"]["id"])
            await client.call("order.submit", **order("a"))
        assert (await http.delete(f"/api/orders/{order_id}", headers=bearer(token))).status_code == 200
        rows = await audited(2)
        assert [(row.actor, row.address, row.action, row.outcome, row.order_id) for row in rows] == [
            ("desk", "127.0.0.1", "order.submit", "ok", order_id),
            ("desk", "127.0.0.1", "order.cancel", "ok", order_id),
        ]

    async def test_equal_refusals_are_recorded_as_one_row(self, rig: Rig, http: httpx.AsyncClient) -> None:
        token = await asyncio.to_thread(issue, "read", name="desk")
        for _ in range(5):
            assert (await http.post("/api/orders", json=order("a"), headers=bearer(token))).status_code == 403
        async with rig.client(additional_headers=bearer(token)) as client:
            with pytest.raises(CallRefusedError):
                await client.call("order.cancel", order="0190abcd")
        assert (await http.get("/api/orders")).status_code == 401
        rows = await audited(6)
        recorded = {(row.actor, row.address, row.action, row.outcome) for row in rows}
        assert recorded == {
            ("desk", "127.0.0.1", "POST /api/orders", "AUTH_FORBIDDEN"),
            ("desk", "127.0.0.1", "order.cancel", "AUTH_FORBIDDEN"),
        }

    async def test_a_client_without_a_key_is_counted_without_an_audit_row(
        self, rig: Rig, http: httpx.AsyncClient
    ) -> None:
        for _ in range(5):
            assert (await http.get("/api/orders")).status_code == 401
        found, rows = await counted(5)
        assert {each.refusal for each in found} == {Refusal("127.0.0.1", "GET /api/orders", "AUTH_REQUIRED")}
        assert (sum(each.times for each in found), rows) == (5, [])

    async def test_failed_read_requests_are_not_recorded(self, rig: Rig) -> None:
        token = await asyncio.to_thread(issue, "trade")
        async with rig.client(additional_headers=bearer(token)) as client:
            for method, params in (("order.get", {"order": "nowhere"}), ("order.cancel", {"order": "nowhere"})):
                with pytest.raises(CallRefusedError):
                    await client.call(method, **params)
        (row,) = await audited(1)
        assert (row.action, row.outcome) == ("order.cancel", "ORDER_NOT_FOUND")

    @pytest.mark.parametrize("written", [r"\u0000", r"\ud800"])
    async def test_a_refusal_with_text_that_postgres_cannot_store_is_recorded(self, rig: Rig, written: str) -> None:
        name = json.loads(f'"{written}"')
        rig.gateway._refusals.note(Actor("desk"), "POST /orders", OrderdError(ErrorCode.REQUEST_INVALID, f"a{name}b"))
        (row,) = await audited(1)
        assert (row.action, len(row.detail)) == ("POST /orders", 3)

    async def test_a_flood_of_different_refusals_is_counted_in_few_rows(
        self, rig: Rig, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(refusals, "MAX_KEPT", 3)
        monkeypatch.setattr(refusals, "WRITE_SECONDS", 3600.0)
        token = await asyncio.to_thread(issue, "trade")
        async with rig.client(additional_headers=bearer(token)) as client:
            for number in range(20):
                with pytest.raises(CallRefusedError):
                    await client.call("order.cancel", order=f"nowhere-{number}")
        await rig.gateway._refusals.write()
        rows = await audited(20)
        assert "many" in {row.action for row in rows}
        assert len(rows) <= 2 * (3 + 1)  # the loop may have written once in between
