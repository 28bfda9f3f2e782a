"""The documented request, response and stream of dialect a: orders are submitted and followed at one path."""

import json
from uuid import UUID

from tests.acceptance.dialects.engine import Engine, is_like, is_moment, statuses

BODY = """\
{
  "tokenIn": "SOL",
  "tokenOut": "USDC",
  "amount": 1.5
}"""
ANSWER = """\
{
  "orderId": "uuid-string",
  "message": "Order submitted successfully"
}"""
STREAM = "/api/orders/execute?orderId={}"
MESSAGE_FLOW = """\
{ "status": "pending", "orderId": "..." }
{ "status": "routing", "timestamp": "..." }
{ "status": "building", "dex": "Raydium", "price": 102.5 }
{ "status": "submitted" }
{ "status": "confirmed", "txHash": "0x123...", "executedPrice": 102.5 }"""


def test_a_submission_is_answered_with_an_order_id(engine: Engine) -> None:
    answer = engine.post("/api/orders/execute", BODY)
    assert answer.status_code == 200
    documented = json.loads(ANSWER)
    assert answer.json() == documented | {"orderId": str(UUID(answer.json()["orderId"]))}
    order = engine.stored(answer.json()["orderId"])
    assert (order["token_in"], order["token_out"], order["amount_in"]) == ("SOL", "USDC", "1.5")


def test_the_stream_has_the_documented_frames(engine: Engine) -> None:
    order_id = engine.post("/api/orders/execute", BODY).json()["orderId"]

    frames = engine.frames_of(STREAM.format(order_id))

    documented = [json.loads(line) for line in MESSAGE_FLOW.splitlines()]
    assert [is_like(*pair) for pair in zip(documented, frames, strict=True)] == [True] * 5
    assert statuses(frames) == statuses(documented)
    pending, routing, building, _, confirmed = frames
    assert pending["orderId"] == order_id
    assert is_moment(routing["timestamp"])
    assert building["dex"] in ("Raydium", "Meteora")
    assert building["price"] > 0
    order = engine.stored(order_id)
    assert (confirmed["txHash"], confirmed["executedPrice"]) == (order["signature"], float(order["executed_price"]))
