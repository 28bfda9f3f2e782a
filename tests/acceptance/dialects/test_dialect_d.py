"""The documented requests, responses and stream of dialect d: all updates of all orders, with their quotes."""

import json
import re

from tests.acceptance.dialects.engine import SECONDS, Engine, Frame, is_like, is_moment, statuses

BODY = """\
{
    "walletAddress": "6xKS8hCXqh5VCBKhNJ6YJJqzqGwKCyp8CYVDJqmz3Lez",
    "tokenIn": "So11111111111111111111111111111111111111112",
    "tokenOut": "EPjFWdd5AufqSSqeM2qN1xzybapC8G4wEGGkZwyTDt1v",
    "amountIn": 1.5,
    "orderType": "market",
    "slippage": 1.0
  }"""
UPDATE = """\
{
  "orderId": "550e8400-e29b-41d4-a716-446655440000",
  "status": "routing",
  "timestamp": "2025-11-09T10:30:02.000Z",
  "quote": {
    "dex": "raydium",
    "amountOut": 2.245,
    "priceImpact": 0.8,
    "fee": 0.0045,
    "route": ["SOL", "USDC"]
  },
  "selectedDex": "raydium"
}"""
FLOW = ["pending", "routing", "routing", "building", "submitted", "confirmed"]
"""The status "routing" is sent twice: at the start, and with the quote."""
WALLET = json.loads(BODY)["walletAddress"]


def updates_of_new_orders(engine: Engine, count: int) -> dict[str, list[Frame]]:
    """Submit ``count`` orders; their updates on the stream of all orders, opened before."""
    with engine.listen("/ws") as websocket:
        order_ids = [engine.post("/api/orders/execute", BODY).json()["orderId"] for _ in range(count)]
        frames_by_order: dict[str, list[Frame]] = {order_id: [] for order_id in order_ids}
        while not all(frames and frames[-1]["status"] == "confirmed" for frames in frames_by_order.values()):
            frame = json.loads(websocket.recv(SECONDS))
            frames_by_order.get(frame["orderId"], []).append(frame)
        assert websocket.protocol.close_code is None, "the stream of all orders stays open"
    return frames_by_order


def test_the_wallet_address_of_a_submission_is_only_stored_as_its_label(engine: Engine) -> None:
    answer = engine.post("/api/orders/execute", BODY)
    assert answer.status_code == 200
    assert answer.json().keys() == {"orderId", "message"}
    order_id = answer.json()["orderId"]
    order = engine.stored(order_id)
    terms = ("token_in", "token_out", "amount_in", "slippage", "kind")
    assert [order[name] for name in terms] == ["SOL", "USDC", "1.5", "1", "market"]
    shown = engine.http.get(f"/api/orders/{order_id}").json()
    assert shown["walletAddress"] == shown["events"][0]["data"]["label"] == WALLET
    assert engine.http.get("/api/status").json()["wallet"] != WALLET


def test_an_update_has_the_documented_members(engine: Engine) -> None:
    (frames,) = updates_of_new_orders(engine, 1).values()

    assert statuses(frames) == FLOW
    update, documented = frames[2], json.loads(UPDATE)
    assert is_like(documented, update)
    assert update["status"] == documented["status"]
    assert update["quote"]["route"] == documented["quote"]["route"]
    assert update["selectedDex"] == update["quote"]["dex"] in ("raydium", "meteora")
    as_written = re.compile(re.sub(r"\d", r"\\d", re.escape(documented["timestamp"])))
    assert all(as_written.fullmatch(frame["timestamp"]) and is_moment(frame["timestamp"]) for frame in frames)


def test_one_stream_reports_all_orders_with_their_quotes(engine: Engine) -> None:
    for order_id, frames in updates_of_new_orders(engine, 3).items():
        assert statuses(frames) == FLOW
        order = engine.stored(order_id)
        for frame in frames[2:]:
            assert frame["quote"]["dex"] == frame["selectedDex"] == order["venue"]
            assert frame["quote"]["amountOut"] == float(order["quoted_amount_out"])
        assert frames[-1]["txSignature"] == frames[-1]["txHash"] == order["signature"]
        assert engine.frames_of(f"/ws?orderId={order_id}") == frames


def test_the_last_update_of_a_failed_order_contains_its_error(engine: Engine) -> None:
    order_id = engine.post("/api/orders/execute", BODY.replace("1.5", "2000")).json()["orderId"]
    end = engine.frames_of(f"/ws?orderId={order_id}")[-1]
    assert end["status"] == "failed"
    assert end["errorMessage"] == engine.http.get(f"/api/orders/{order_id}").json()["errorMessage"]


def test_the_status_of_an_order_can_be_requested_by_its_id(engine: Engine) -> None:
    order_id = engine.post("/api/orders/execute", BODY).json()["orderId"]
    end = engine.frames_of(f"/ws?orderId={order_id}")[-1]
    answer = engine.http.get(f"/api/orders/{order_id}").json()
    assert (answer["orderId"], answer["status"]) == (order_id, "confirmed")
    assert (answer["selectedDex"], answer["txSignature"]) == (end["selectedDex"], end["txSignature"])


def test_the_metrics_of_the_queue_and_the_health_can_be_requested(engine: Engine) -> None:
    order_id = engine.post("/api/orders/execute", BODY).json()["orderId"]
    engine.frames_of(f"/ws?orderId={order_id}")
    metrics = engine.http.get("/api/orders").json()["queue"]
    assert {"waiting", "active", "delayed", "confirmed", "failed"} <= metrics.keys()
    assert metrics["confirmed"] > 0
    assert engine.http.get("/health").json()["status"] == "ok"
