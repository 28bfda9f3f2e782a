"""Best-effort parts of the gateway may fail in any way: orders are still accepted and published."""

import asyncio
import itertools

import pytest
from peewee import DatabaseError

from orderd.gateway.access import last_used, refusal_log
from orderd.gateway.access.last_used import LastUsed
from orderd.gateway.access.refusal_log import Refusals
from orderd.gateway.access.revocation import Revocations
from orderd.gateway.health_checks import HealthChecks
from orderd.gateway.streaming.feed import Feed
from orderd.gateway.streaming.heartbeat import Pacemaker
from orderd.gateway.streaming.hub import Hub
from tests.integration.gateway.conftest import CallRefusedError, Rig

pytestmark = pytest.mark.asyncio

PLACES = [
    (Feed, "_listen"),
    (Hub, "sweep"),
    (Pacemaker, "run"),
    (HealthChecks, "probe_lag"),
    (HealthChecks, "doubts"),
    (Revocations, "check"),
    (Revocations, "listen"),
    (Refusals, "write"),
    (LastUsed, "write"),
]
TROUBLE = [RuntimeError("odd"), OSError(28, "no space"), DatabaseError("gone"), MemoryError()]


@pytest.fixture(
    params=list(zip(PLACES, itertools.cycle(TROUBLE), strict=False)),
    ids=lambda param: f"{param[0][0].__name__}.{param[0][1]}",
    autouse=True,
)
def broken(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> asyncio.Event:
    """One place that always raises one kind of exception, patched before the gateway starts."""
    (owner, name), trouble = request.param
    asked = asyncio.Event()

    async def fail(*_: object) -> None:
        asked.set()
        raise trouble

    monkeypatch.setattr(owner, name, fail)
    monkeypatch.setattr(refusal_log, "WRITE_SECONDS", 0.0)
    monkeypatch.setattr(last_used, "WRITE_SECONDS", 0.0)
    return asked


async def test_orders_are_accepted_despite_a_failing_best_effort_part(broken: asyncio.Event, rig: Rig) -> None:
    await asyncio.wait_for(broken.wait(), 30)
    async with rig.client() as client:
        order = await client.submit("mine")
        assert (await client.call("order.get", order=str(order)))["order"]["client_order_id"] == "mine"
        with pytest.raises(CallRefusedError):
            await client.call("order.submit", token_in="SOL", token_out="NONE", amount_in="1", client_order_id="bad")
        assert (await client.call("order.cancel", order=str(order)))["order"]["status"] == "cancelled"
    assert not rig.served.done()
