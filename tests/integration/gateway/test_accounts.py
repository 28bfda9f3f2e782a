"""Which orders a key sees and changes: those of its account, or with the scope admin those of all accounts."""

import asyncio
from typing import Any
from uuid import UUID

import httpx
import pytest
import websockets

from db import accounts
from db.connection import database
from orderd.domain.errors import ErrorCode
from orderd.domain.events import Cancelled
from orderd.wire.subscriptions import Event, Ready, Snapshot
from tests.integration.gateway.api_keys import bearer, issue
from tests.integration.gateway.conftest import CallRefusedError, Client, Rig

pytestmark = pytest.mark.asyncio


@pytest.fixture
def desk(rig: Rig) -> UUID:
    """An account besides the default one."""
    with database.connection_context():
        return accounts.add("desk")


def key(scope: str, account_id: UUID | None = None) -> dict[str, Any]:
    """Connection options with a new key of this scope, of the default account unless another is given."""
    return {"additional_headers": bearer(issue(scope, **({} if account_id is None else {"account_id": account_id})))}


async def listed(client: Client, **params: Any) -> list[tuple[str, str]]:
    found = (await client.call("orders.list", **params))["orders"]
    return [(order["account"], order["client_order_id"]) for order in found]


async def refused(client: Client, method: str, **params: Any) -> ErrorCode:
    with pytest.raises(CallRefusedError) as caught:
        await client.call(method, **params)
    return caught.value.problem.code


class TestAdmin:
    async def test_all_orders_are_listed_with_their_accounts(self, rig: Rig, desk: UUID) -> None:
        async with rig.client(**key("trade", desk)) as trader, rig.client(**key("admin")) as admin:
            await trader.submit("theirs")
            await admin.submit("mine")
            assert await listed(admin) == [("default", "mine"), ("desk", "theirs")]
            assert await listed(admin, account="desk") == [("desk", "theirs")]
            assert await listed(trader) == await listed(trader, account="desk") == [("desk", "theirs")]

    async def test_orders_of_other_accounts_are_shown_and_cancelled(self, rig: Rig, desk: UUID) -> None:
        async with rig.client(**key("trade", desk)) as trader, rig.client(**key("admin")) as admin:
            order_id = await trader.submit("theirs")
            assert (await admin.call("order.get", order="theirs"))["order"]["id"] == str(order_id)
            cancelled = await admin.call("order.cancel", order=str(order_id))
            assert (cancelled["order"]["account"], cancelled["order"]["status"]) == ("desk", "cancelled")
            again = await admin.call("order.cancel", order="theirs")
            assert again == cancelled, "a second cancel gave another answer"

    async def test_a_submitted_order_belongs_to_the_own_account(self, rig: Rig, desk: UUID) -> None:
        """A client order id used in another account is neither a conflict nor a repetition."""
        async with rig.client(**key("trade", desk)) as trader, rig.client(**key("admin")) as admin:
            theirs = await trader.submit("same", "1.5")
            mine = await admin.submit("same", "2")
            assert theirs != mine
            assert await admin.submit("same", "2") == mine
            assert (await admin.call("order.get", order="same"))["order"]["id"] == str(mine)

    async def test_a_client_order_id_used_by_two_other_accounts_requires_the_order_id(
        self, rig: Rig, desk: UUID
    ) -> None:
        with database.connection_context():
            other = accounts.add("other")
        async with rig.client(**key("trade", desk)) as one, rig.client(**key("trade", other)) as two:
            await one.submit("same")
            wanted = await two.submit("same")
        async with rig.client(**key("admin")) as admin:
            for method in ("order.get", "order.cancel", "order.evidence", "orders.subscribe"):
                assert await refused(admin, method, order="same") is ErrorCode.ORDER_AMBIGUOUS
            assert (await admin.call("order.get", order=str(wanted)))["order"]["account"] == "other"

    async def test_orders_of_all_accounts_can_be_followed(self, rig: Rig, desk: UUID) -> None:
        async with (
            rig.client(**key("trade", desk)) as trader,
            rig.client(**key("admin")) as admin,
            rig.client(**key("read")) as reader,
        ):
            before = await trader.submit("before")
            for follower in (admin, reader):
                await follower.call("orders.subscribe")
            snapshot = await admin.next()
            assert isinstance(snapshot, Snapshot)
            assert (snapshot.order.id, snapshot.order.account) == (before, "desk")
            assert await admin.next() == Ready(subscription=1, orders=1)
            assert await reader.next() == Ready(subscription=1, orders=0)
            after = await trader.submit("after")
            first = await admin.next()
            assert isinstance(first, Event)
            assert (first.event.order_id, first.event.data.model_dump()["account"]) == (after, "desk")
            await rig.happen(before, Cancelled())
            assert await admin.events(1) == [(before, 2)]
            mine = await admin.submit("mine")
            assert await reader.events(1) == await admin.events(1) == [(mine, 1)], (
                "a reader received events of another account"
            )

    async def test_an_order_of_another_account_can_be_followed_by_its_client_order_id(
        self, rig: Rig, desk: UUID
    ) -> None:
        async with rig.client(**key("trade", desk)) as trader, rig.client(**key("admin")) as admin:
            order_id = await trader.submit("theirs")
            await admin.call("orders.subscribe", order="theirs", after=0)
            assert isinstance(await admin.next(), Snapshot)
            assert await admin.events(1) == [(order_id, 1)]

    async def test_without_a_key_all_accounts_are_seen_and_the_default_account_trades(
        self, rig: Rig, desk: UUID
    ) -> None:
        async with rig.client(**key("trade", desk)) as trader, rig.client() as local:
            await trader.submit("theirs")
            await local.submit("mine")
            assert await listed(local) == [("default", "mine"), ("desk", "theirs")]


class TestOthers:
    @pytest.mark.parametrize("scope", ["read", "trade"])
    async def test_other_accounts_are_neither_seen_nor_revealed(self, rig: Rig, desk: UUID, scope: str) -> None:
        async with rig.client(**key("trade", desk)) as trader, rig.client(**key(scope)) as other:
            order_id = await trader.submit("theirs")
            assert await listed(other) == []
            for ref in ("theirs", str(order_id), str(order_id)[:30]):
                assert await refused(other, "order.get", order=ref) is ErrorCode.ORDER_NOT_FOUND
                assert await refused(other, "order.evidence", order=ref) is ErrorCode.ORDER_NOT_FOUND
                assert await refused(other, "orders.subscribe", order=ref) is ErrorCode.ORDER_NOT_FOUND
            for name in ("desk", "missing"):
                assert await refused(other, "orders.list", account=name) is ErrorCode.AUTH_FORBIDDEN

    async def test_a_trader_cannot_cancel_an_order_of_another_account(self, rig: Rig, desk: UUID) -> None:
        async with rig.client(**key("trade", desk)) as trader, rig.client(**key("trade")) as other:
            order_id = await trader.submit("theirs")
            assert await refused(other, "order.cancel", order=str(order_id)) is ErrorCode.ORDER_NOT_FOUND
            assert await listed(trader, status=["pending"]) == [("desk", "theirs")]


async def test_two_keys_of_an_account_share_client_order_ids(rig: Rig, desk: UUID) -> None:
    """An order sent with an old key and repeated with a new one trades once."""
    async with rig.client(**key("trade", desk)) as old, rig.client(**key("trade", desk)) as new:
        assert await old.submit("same") == await new.submit("same")
        assert await listed(new) == [("desk", "same")]


async def test_the_rest_api_shows_the_same_accounts(rig: Rig, desk: UUID, http: httpx.AsyncClient) -> None:
    trader, admin = bearer(issue("trade", account_id=desk)), bearer(issue("admin"))
    body = {"token_in": "SOL", "token_out": "USDC", "amount_in": "1", "client_order_id": "theirs"}
    theirs = (await http.post("/api/orders", json=body, headers=trader)).json()["order"]
    assert theirs["account"] == "desk"
    repeated = await http.post("/api/orders", json=body, headers=admin)
    assert (repeated.status_code, repeated.json()["order"]["account"]) == (201, "default")
    page = (await http.get("/api/orders", headers=admin)).json()
    assert [order["account"] for order in page["orders"]] == ["default", "desk"]
    page = (await http.get("/api/orders?account=desk", headers=admin)).json()
    assert [order["id"] for order in page["orders"]] == [theirs["id"]]
    assert (await http.get("/api/orders?account=default", headers=trader)).status_code == 403
    assert (await http.get("/api/orders?account=nobody", headers=admin)).status_code == 422
    assert (await http.delete(f"/api/orders/{theirs['id']}", headers=admin)).json()["order"]["status"] == "cancelled"


async def test_a_dialect_stream_sends_an_admin_the_orders_of_all_accounts(rig: Rig, desk: UUID) -> None:
    async with rig.client(**key("trade", desk)) as trader:
        order_id = await trader.submit("theirs")
        async with websockets.connect(f"{rig.url}ws", proxy=None, **key("admin")) as stream, asyncio.timeout(10):
            assert str(order_id) in str(await stream.recv())
