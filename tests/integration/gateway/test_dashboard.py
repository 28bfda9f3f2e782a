"""The dashboard's URL: open on this machine, elsewhere with read-only keys that expire."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest
import structlog

from db.connection import database
from db.models import Account
from orderd.config.settings import Settings
from orderd.domain.errors import ErrorCode
from orderd.gateway.access.authentication import new_api_key
from tests.integration.gateway.api_keys import bearer, issue
from tests.integration.gateway.conftest import Rig

pytestmark = pytest.mark.asyncio
SOON = datetime.now(UTC) + timedelta(days=1)


async def test_the_dashboard_is_open_and_read_only_on_this_machine(rig: Rig, http: httpx.AsyncClient) -> None:
    async with rig.client() as client:
        await client.call("order.submit", token_in="SOL", token_out="USDC", amount_in="1.25", client_order_id="shown")
    answer = await http.get("/dashboard", params={"span": "1h", "refresh": "off"})
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert (answer.headers["cache-control"], answer.headers["referrer-policy"]) == ("no-store", "no-referrer")
    assert "<td>1.25 SOL</td>" in answer.text
    assert "1 accepted, 0 filled, 0 attempts failed" in answer.text


async def test_unknown_parameters_of_the_dashboard_are_refused(http: httpx.AsyncClient) -> None:
    refused = await http.get("/dashboard", params={"span": "1y"})
    assert (refused.status_code, refused.json()["code"]) == (422, "REQUEST_INVALID")


class TestWithApiKeys:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"chain": "devnet"})

    async def test_an_expiring_read_key_is_accepted_in_the_url(self, http: httpx.AsyncClient) -> None:
        key = await asyncio.to_thread(issue, "read", expires_at=SOON)
        assert (await http.get("/dashboard")).json()["code"] == ErrorCode.AUTH_REQUIRED
        assert (await http.get(f"/dashboard/{key}")).status_code == 200
        assert key not in (await http.get(f"/dashboard/{key}")).text

    async def test_other_keys_are_refused_in_the_url(self, http: httpx.AsyncClient) -> None:
        now = datetime.now(UTC)
        keys = {
            await asyncio.to_thread(issue, "read"): ErrorCode.AUTH_FORBIDDEN,
            await asyncio.to_thread(issue, "trade", expires_at=SOON): ErrorCode.AUTH_FORBIDDEN,
            await asyncio.to_thread(issue, "admin", expires_at=SOON): ErrorCode.AUTH_FORBIDDEN,
            await asyncio.to_thread(issue, "read", expires_at=now): ErrorCode.AUTH_INVALID,
            await asyncio.to_thread(issue, "read", expires_at=SOON, revoked_at=now): ErrorCode.AUTH_INVALID,
            new_api_key(): ErrorCode.AUTH_INVALID,
        }
        for key, code in keys.items():
            assert (await http.get(f"/dashboard/{key}")).json()["code"] == code

    async def test_the_key_of_the_url_is_not_logged(self, http: httpx.AsyncClient) -> None:
        key = await asyncio.to_thread(issue, "read", expires_at=SOON)
        with structlog.testing.capture_logs() as lines:
            await http.get(f"/dashboard/{key}")
            await http.get(f"/nowhere/{key}")
        paths = [line["path"] for line in lines if line["action"] == "http_request"]
        assert paths == ["/dashboard/orderd_...", "/nowhere/orderd_..."]
        assert key not in str(lines)

    async def test_a_key_sees_only_the_orders_of_its_account(self, http: httpx.AsyncClient) -> None:
        def another() -> str:
            with database.connection_context():
                account = Account.insert(id=uuid4(), name="other", created_at=datetime.now(UTC)).execute()
            return issue("read", expires_at=SOON, account_id=account)

        trader = await asyncio.to_thread(issue, "trade")
        terms = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1.25"}
        assert (await http.post("/api/orders", json=terms, headers=bearer(trader))).status_code in (201, 202)
        own = await asyncio.to_thread(issue, "read", expires_at=SOON)
        assert "<td>1.25 SOL</td>" in (await http.get(f"/dashboard/{own}")).text
        other = await http.get(f"/dashboard/{await asyncio.to_thread(another)}")
        assert "0 accepted" in other.text
        assert "<td>1.25 SOL</td>" not in other.text
