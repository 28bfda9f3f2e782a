"""The daemon's own limits on order values apply to every client, with a key or without."""

import pytest

from orderd.domain.errors import ErrorCode
from orderd.domain.tokens import USDC_MINT, WSOL_MINT
from orderd.engine.allowance import TradingLimits
from tests.integration.gateway.conftest import CallRefusedError, Client, Rig

pytestmark = pytest.mark.asyncio

USDC = 1_000_000
SOL = {"token_in": "SOL", "token_out": "USDC"}
"""1 SOL is worth 100 USDC on the fake market."""


async def refusal(client: Client, **terms: str) -> ErrorCode | None:
    try:
        await client.call("order.submit", **SOL | terms)
    except CallRefusedError as error:
        return error.problem.code
    return None


async def test_orders_and_days_have_limits(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.intake, "limits", TradingLimits(per_order=150 * USDC, per_day=250 * USDC))
    async with rig.client() as client:
        assert await refusal(client, amount_in="1.51", client_order_id="large") is ErrorCode.LIMIT_ORDER
        assert await refusal(client, amount_in="1.5", client_order_id="first") is None
        assert await refusal(client, amount_in="1.01", client_order_id="second") is ErrorCode.LIMIT_DAY
        assert await refusal(client, amount_in="1.5", client_order_id="first") is None, (
            "a resubmitted order was refused"
        )
        rests = {"client_order_id": "rests", "limit_price": "105"}
        assert await refusal(client, amount_in="1", **rests) is None
        with pytest.raises(CallRefusedError) as refused:
            await client.call("order.amend", order="rests", amount_in="1.01")
        assert refused.value.problem.code is ErrorCode.LIMIT_DAY
        await client.call("order.amend", order="rests", amount_in="0.5")
        assert await refusal(client, amount_in="0.5", client_order_id="third") is None


async def test_tradable_tokens_can_be_restricted(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rig.intake, "limits", TradingLimits(frozenset({WSOL_MINT, USDC_MINT})))
    async with rig.client() as client:
        assert await refusal(client, amount_in="1", client_order_id="good") is None
        other = {"token_out": "CHILLGUY", "client_order_id": "other"}
        assert await refusal(client, amount_in="1", **other) is ErrorCode.LIMIT_TOKENS
