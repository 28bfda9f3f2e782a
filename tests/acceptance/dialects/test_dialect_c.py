"""The documented request, response and stream of dialect c."""

import json
from uuid import UUID

from tests.acceptance.dialects.engine import Engine, is_moment, statuses

BODY = """\
{
"inputToken": "SOL",
"outputToken": "USDC",
"amount": 10
}"""
ANSWER = """\
{
"message": "Order queued successfully",
"orderId": "d290f1ee-6c54-4b01-90e6-d701748f0851"
}"""
STREAM = "/ws/orders/{}"
EVENTS = ["ROUTING", "ROUTING_COMPLETE", "CONFIRMED"]


def test_a_submission_is_answered_with_an_order_id(engine: Engine) -> None:
    answer = engine.post("/api/orders", BODY)
    assert (answer.status_code, answer.reason_phrase) == (201, "Created")
    documented = json.loads(ANSWER)
    assert answer.json() == documented | {"orderId": str(UUID(answer.json()["orderId"]))}
    order = engine.stored(answer.json()["orderId"])
    assert (order["token_in"], order["token_out"], order["amount_in"]) == ("SOL", "USDC", "10")


def test_the_stream_has_the_three_documented_events(engine: Engine) -> None:
    order_id = engine.post("/api/orders", BODY).json()["orderId"]

    frames = engine.frames_of(STREAM.format(order_id))

    assert statuses(frames) == EVENTS
    assert {frame["orderId"] for frame in frames} == {order_id}
    assert all(is_moment(frame["timestamp"]) for frame in frames)
    _, chosen, confirmed = frames
    assert chosen["dex"] in ("Raydium", "Meteora")
    assert confirmed["txHash"] == engine.stored(order_id)["signature"]
