"""What has been, over the websocket and over HTTP: the same answers."""

import asyncio
from uuid import UUID

import httpx
import pytest

from db.connection import database
from tests.integration.engine.test_history import filled
from tests.integration.gateway.conftest import Rig
from tests.integration.gateway.test_rest import problem

pytestmark = pytest.mark.asyncio


def _filled() -> UUID:
    with database.connection_context():
        return filled().id


async def test_fills_are_told_in_pages_that_lead_to_the_next(rig: Rig, http: httpx.AsyncClient) -> None:
    orders = [str(await asyncio.to_thread(_filled)) for _ in range(3)]
    first = await http.get("/api/history", params={"limit": 2, "kind": "market"})
    following = first.links["next"]["url"]
    last = await http.get(following)
    assert [fill["order_id"] for answer in (first, last) for fill in answer.json()["fills"]] == orders[::-1]
    assert "link" not in last.headers
    assert (first.json()["totals"]["fills"], last.json()["totals"]) == (3, None)
    async with rig.client() as client:
        assert await client.call("history", limit=2, kind=["market"]) == first.json()


async def test_what_cannot_be_asked_for_is_refused(http: httpx.AsyncClient) -> None:
    problem(await http.get("/api/history?since=yesterday"), 422, "TIME_INVALID")
    problem(await http.get("/api/history?cursor=1"), 422, "REQUEST_INVALID")
    problem(await http.get("/api/history?token=UDSC"), 422, "TOKEN_UNKNOWN")
