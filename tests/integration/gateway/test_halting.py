"""The kill switch at the port: new orders are refused, resubmitted ones are answered, and the reason is shown."""

import asyncio

import httpx
import pytest

from db import audit
from db.audit import Filter
from db.connection import database
from orderd.domain.errors import ErrorCode
from tests.integration.gateway.api_keys import bearer, issue
from tests.integration.gateway.conftest import CallRefusedError, Rig

pytestmark = pytest.mark.asyncio

TERMS = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.5"}
WHY = "prices look wrong"


async def ready(rig: Rig, *, is_so: bool) -> dict[str, object]:
    """The answer of /ready, once its readiness is ``is_so``."""
    async with httpx.AsyncClient(base_url=rig.url.replace("ws", "http", 1)) as http:
        while (answer := await http.get("/ready")).status_code != (200 if is_so else 503):
            pass
        return dict(answer.json())


async def test_new_orders_are_refused_and_resubmitted_ones_are_answered(rig: Rig) -> None:
    async with rig.client() as client:
        before = await client.call("order.submit", **TERMS, client_order_id="before")
        halted = await client.call("trading.halt", reason=WHY)
        assert [(each["cause"], each["reason"]) for each in halted["halts"]] == [("operator", WHY)]
        with pytest.raises(CallRefusedError) as refused:
            await client.call("order.submit", **TERMS, client_order_id="after")
        assert refused.value.problem.code is ErrorCode.SERVICE_HALTED
        assert refused.value.problem.detail.endswith(WHY)
        again = await client.call("order.submit", **TERMS, client_order_id="before")
        assert (again["created"], again["order"]["id"]) == (False, before["order"]["id"])
        await client.call("order.cancel", order="before")
        await client.call("trading.lift")
        assert (await client.call("order.submit", **TERMS, client_order_id="after"))["created"]


async def test_a_halted_gateway_is_not_ready_and_says_who_halted_it_and_why(rig: Rig) -> None:
    async with rig.client() as client:
        await client.call("trading.halt", reason=WHY)
        said = await ready(rig, is_so=False)
        assert said["checks"]["halted"]["ok"] is False  # type: ignore[index]
        assert said["checks"]["halted"]["detail"].endswith(WHY)  # type: ignore[index]
        assert said["executing"] is False
        status = await client.call("status")
        assert [each["reason"] for each in status["halts"]] == [WHY]
        assert "orderd_halted 1.0" in await metrics(rig)
        await client.call("trading.lift")
        await ready(rig, is_so=True)
        assert "orderd_halted 0.0" in await metrics(rig)


async def metrics(rig: Rig) -> list[str]:
    async with httpx.AsyncClient(base_url=rig.url.replace("ws", "http", 1)) as http:
        return (await http.get("/metrics")).text.splitlines()


async def test_trading_is_halted_and_resumed_over_http(rig: Rig) -> None:
    token = await asyncio.to_thread(issue, "admin")
    async with httpx.AsyncClient(base_url=rig.url.replace("ws", "http", 1), headers=bearer(token)) as http:
        halted = await http.post("/api/halt", json={"reason": WHY})
        assert (halted.status_code, halted.json()["halts"][0]["reason"]) == (200, WHY)
        refused = await http.post("/api/orders", json=TERMS)
        assert (refused.status_code, refused.json()["code"]) == (503, "SERVICE_HALTED")
        lifted = await http.delete("/api/halt")
        assert lifted.json()["lifted"] == halted.json()["halts"]
        assert (await http.delete("/api/halt")).json() == {"lifted": [], "halts": []}
        assert (await http.post("/api/halt", json={"reason": ""})).status_code == 422

    def entries() -> list[tuple[str, str]]:
        with database.connection_context():
            return [(row.action, row.detail) for row in audit.read(Filter(action="trading.halt"), 10)]

    assert await asyncio.to_thread(entries) == [("trading.halt", f"operator: {WHY}")]
