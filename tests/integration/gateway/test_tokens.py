"""Any mint over the port: amounts are parsed once its decimals are known, and resubmissions are always recognised."""

import asyncio
from typing import Any

import httpx
import pytest
from solders.pubkey import Pubkey

from db.connection import database
from db.models import Order
from orderd.domain.errors import ErrorCode
from orderd.solana.programs.token import Extension
from tests.integration.gateway.conftest import CallRefusedError, Rig
from tests.samples.mints import SOMEBODY, extended, plain, spl

pytestmark = pytest.mark.asyncio

NEW, OTHER = Pubkey([1] * 32), Pubkey([2] * 32)


def order(client_order_id: str, token_in: str, amount_in: str = "1.5", **terms: str) -> dict[str, Any]:
    return {
        "client_order_id": client_order_id,
        "token_in": token_in,
        "token_out": "USDC",
        "amount_in": amount_in,
        **terms,
    }


def stored(client_order_id: str) -> Order:
    with database.connection_context():
        found: Order = Order.get(Order.client_order_id == client_order_id)
        return found


async def refused(rig: Rig, method: str, **params: Any) -> ErrorCode:
    async with rig.client() as client:
        with pytest.raises(CallRefusedError) as error:
            await client.call(method, **params)
    return error.value.problem.code


async def test_an_unnamed_mint_is_traded_at_once(rig: Rig) -> None:
    mint = rig.mints.has(NEW, spl(4))
    async with rig.client() as client:
        taken = await client.call("order.submit", **order("a", mint, "1.5001"))
        assert (taken["order"]["token_in"], taken["order"]["amount_in"]) == (mint, "1.5001")
        row = await asyncio.to_thread(stored, "a")
        assert (row.token_in, row.mint_in, row.decimals_in, row.amount_in) == (mint, mint, 4, 15_001)
        rig.mints.away = True
        await client.call("order.submit", **order("b", mint))
        assert len(rig.mints.asked) == 1
        listed = await client.call("orders.list", token=mint)
        assert [each["client_order_id"] for each in listed["orders"]] == ["b", "a"]
    assert await refused(rig, "order.submit", **order("c", mint, "1.00001")) is ErrorCode.AMOUNT_TOO_PRECISE


async def test_an_order_for_an_unread_mint_is_refused_while_the_chain_is_unavailable(rig: Rig) -> None:
    mint = rig.mints.has(NEW, spl(4))
    rig.mints.away = True
    assert await refused(rig, "order.submit", **order("a", mint)) is ErrorCode.TOKEN_UNREAD
    assert await refused(rig, "quote", token_in=mint, token_out="SOL", amount_in="1") is ErrorCode.TOKEN_UNREAD
    async with rig.client() as client:
        await client.submit("b")  # other orders are accepted
        rig.mints.away = False
        await client.call("order.submit", **order("a", mint))


@pytest.mark.parametrize(
    ("extension", "code"),
    [
        ((Extension.TRANSFER_HOOK, bytes(32) + bytes(SOMEBODY)), ErrorCode.TOKEN_TRANSFER_HOOK),
        ((Extension.CONFIDENTIAL_TRANSFER, bytes(65)), ErrorCode.TOKEN_CONFIDENTIAL),
        ((Extension.NON_TRANSFERABLE, b""), ErrorCode.TOKEN_NON_TRANSFERABLE),
        ((Extension.DEFAULT_STATE, b"\x02"), ErrorCode.TOKEN_FROZEN_BY_DEFAULT),
        ((99, b""), ErrorCode.TOKEN_EXTENSION_UNKNOWN),
    ],
)
async def test_an_untradable_mint_is_refused_at_submission(
    rig: Rig, extension: tuple[int, bytes], code: ErrorCode
) -> None:
    mint = rig.mints.has(NEW, extended(plain(), extension))
    assert await refused(rig, "order.submit", **order("a", mint)) is code
    assert await refused(rig, "order.preview", **order("a", mint)) is code


async def test_a_mint_with_too_many_decimals_is_refused_at_submission(rig: Rig) -> None:
    assert await refused(rig, "order.submit", **order("a", rig.mints.has(NEW, spl(19)))) is ErrorCode.TOKEN_DECIMALS
    async with rig.client() as client:
        await client.call("order.submit", **order("b", rig.mints.has(OTHER, spl(18))))


async def test_a_resubmitted_order_is_the_same_order_after_its_symbol_changed(rig: Rig) -> None:
    first, second = rig.mints.has(NEW, spl(4)), rig.mints.has(OTHER, spl(4))
    async with rig.client() as client:
        await client.call("tokens.name", symbol="NEW", mint=first)
        taken = await client.call("order.submit", **order("a", "NEW"))
        assert taken["order"]["token_in"] == "NEW"
        await client.call("tokens.name", symbol="new", mint=second, pinned=True)
        again = await client.call("order.submit", **order("a", "NEW"))
        assert (again["created"], again["order"]["id"]) == (False, taken["order"]["id"])
        await client.call("tokens.unname", symbol="NEW")
        again = await client.call("order.submit", **order("a", "NEW"))
        assert (again["created"], again["order"]["id"]) == (False, taken["order"]["id"])
    assert await refused(rig, "order.submit", **order("a", "NEW", "2")) is ErrorCode.TOKEN_UNKNOWN
    assert await refused(rig, "order.submit", **order("a", second)) is ErrorCode.ORDER_CONFLICT
    assert await refused(rig, "order.submit", **order("b", "NEW")) is ErrorCode.TOKEN_UNKNOWN


async def test_a_resting_order_is_amended_after_its_symbol_changed(rig: Rig) -> None:
    first, second = rig.mints.has(NEW, spl(4)), rig.mints.has(OTHER, spl(9))
    async with rig.client() as client:
        await client.call("tokens.name", symbol="NEW", mint=first)
        taken = await client.call("order.submit", **order("a", "NEW", limit_price="2"))
        await client.call("tokens.name", symbol="NEW", mint=second, pinned=True)
        changed = await client.call("order.amend", order=taken["order"]["id"], amount_in="1.0001")
    assert changed["order"]["amount_in"] == "1.0001"
    row = await asyncio.to_thread(stored, "a")
    assert (row.mint_in, row.amount_in) == (first, 10_001)


async def test_symbols_are_listed_searched_set_and_removed(rig: Rig, http: httpx.AsyncClient) -> None:
    mint = rig.mints.has(NEW, spl(4, mint_authority=SOMEBODY), "New Token")
    named = await http.post("/api/tokens", json={"symbol": "NEW", "mint": mint})
    assert named.status_code == 200, named.text
    token = named.json()["token"]
    assert (token["symbol"], token["decimals"], token["name"]) == ("NEW", 4, "New Token")
    assert [each["code"] for each in token["warnings"]] == ["mint_authority"]
    listed = (await http.get("/api/tokens")).json()["tokens"]
    assert [each["symbol"] for each in listed] == ["SOL", "USDC", "CHILLGUY", "STACC", "NEW"]
    found = (await http.get("/api/tokens/search", params={"text": "ne"})).json()["tokens"]
    assert found == [{"symbol": "NEW", "mint": mint, "name": "", "verified": True, "pinned": False}]
    refusal = await http.post("/api/tokens", json={"symbol": "USDC", "mint": mint})
    assert (refusal.status_code, refusal.json()["code"]) == (422, "TOKEN_NAME_REFUSED")
    assert (await http.delete("/api/tokens", params={"symbol": "new"})).json() == {"removed": 1}
    assert (await http.get("/api/tokens/search", params={"text": "ne"})).json()["tokens"] == []


async def test_a_subscription_may_name_an_unread_mint(rig: Rig) -> None:
    mint = rig.mints.has(NEW, spl(4))
    async with rig.client() as client:
        rig.mints.away = True
        await client.call("orders.subscribe", token_in=mint)
        assert (await client.next()).type == "READY"
        rig.mints.away = False
        await client.call("order.submit", **order("a", mint))
        assert len(await client.events(1)) == 1
