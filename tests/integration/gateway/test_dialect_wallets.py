"""Which wallet an order of a dialect may name, and what happens to the name."""

from typing import Any

import httpx
import pytest

from orderd.config.settings import Settings
from tests.integration.engine.conftest import WALLET

pytestmark = pytest.mark.asyncio

OTHER = "6xKS8hCXqh5VCBKhNJ6YJJqzqGwKCyp8CYVDJqmz3Lez"
BODY = {"tokenIn": "SOL", "tokenOut": "USDC", "amountIn": 1.5, "orderType": "market"}


async def submit(http: httpx.AsyncClient, key: str | None = None, **more: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await http.post("/api/orders/execute", json=BODY | more, headers=headers)


async def order_of(http: httpx.AsyncClient, answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = (await http.get(f"/api/orders/{answer.json()['orderId']}")).json()
    return found


class TestLabels:
    """On simnet, with default settings."""

    async def test_any_address_is_stored_as_a_label(self, http: httpx.AsyncClient) -> None:
        for wallet in (OTHER, WALLET):
            order = await order_of(http, await submit(http, walletAddress=wallet))
            assert order["walletAddress"] == order["events"][0]["data"]["label"] == wallet

    async def test_an_order_without_a_wallet_has_no_label(self, http: httpx.AsyncClient) -> None:
        order = await order_of(http, await submit(http))
        assert order["walletAddress"] is None
        assert "label" not in order["events"][0]["data"]

    async def test_an_invalid_address_is_refused(self, http: httpx.AsyncClient) -> None:
        for wallet in ("", "mine", OTHER[:-4], f"{OTHER}{OTHER}", None, 7, [OTHER], "0" * 44):
            answer = await submit(http, walletAddress=wallet)
            assert (answer.status_code, answer.json()["code"]) == (422, "REQUEST_INVALID"), wallet
            assert "walletAddress" in answer.json()["error"]

    async def test_a_label_is_not_a_term_of_the_order(self, http: httpx.AsyncClient) -> None:
        first, second = [await submit(http, "mine", walletAddress=wallet) for wallet in (OTHER, WALLET)]
        assert first.json() == second.json()
        assert (await order_of(http, second))["walletAddress"] == OTHER


class TestOwn:
    @pytest.fixture
    def settings(self, settings: Settings) -> Settings:
        return settings.model_copy(update={"dialect_wallet": "own"})

    async def test_the_daemons_own_wallet_is_accepted(self, http: httpx.AsyncClient) -> None:
        assert (await order_of(http, await submit(http, walletAddress=WALLET)))["walletAddress"] == WALLET
        assert (await submit(http)).status_code == 200

    async def test_another_wallet_is_refused_with_both_addresses(self, http: httpx.AsyncClient) -> None:
        for wallet in (OTHER, "mine", None):
            answer = await submit(http, walletAddress=wallet)
            assert (answer.status_code, answer.json()["code"]) == (422, "WALLET_OTHER"), wallet
            assert str(wallet) in answer.json()["error"]
            assert WALLET in answer.json()["error"]


@pytest.mark.parametrize(
    ("chain", "dialect_wallet", "keeps"),
    [
        ("simnet", None, True),
        ("devnet", None, False),
        ("mainnet", None, False),
        ("simnet", "own", False),
        ("mainnet", "label", True),
    ],
)
async def test_labels_are_the_default_only_on_simnet(
    settings: Settings, chain: str, dialect_wallet: str | None, keeps: bool
) -> None:
    given = settings.model_copy(update={"chain": chain, "dialect_wallet": dialect_wallet})
    assert given.keeps_wallet_labels is keeps
