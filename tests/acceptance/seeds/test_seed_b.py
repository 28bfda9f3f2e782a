"""The documented request, stream and figures of dialect b: a snapshot on connection, then events."""

import json
from contextlib import ExitStack
from decimal import Decimal

import pytest

from orderd.config.settings import Settings
from tests.acceptance.seeds.engine import SECONDS, Engine, is_moment, statuses

BODY = '{"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1.5}'
"""It names the parts of an order as its table does, and as dialect a does on the wire."""
STREAM = "/ws/orders?orderId={}"
WSCAT = "/ws/orders?orderId=ord_xxx"
STATES = ["PENDING", "ROUTING", "BUILDING", "CONFIRMED", "FAILED"]
EVENT_TYPES = ("SNAPSHOT", "EVENT")


def test_the_order_is_taken_and_answered_with_its_id(engine: Engine) -> None:
    answer = engine.post("/orders", BODY)
    assert answer.status_code == 200
    assert engine.stored(answer.json()["orderId"])["amount_in"] == "1.5"


def test_whoever_connects_first_is_sent_a_snapshot_and_then_each_event(engine: Engine) -> None:
    with ExitStack() as waiting:
        waiting.enter_context(engine.worker_held())
        order_id = engine.post("/orders", BODY).json()["orderId"]
        with engine.listen(STREAM.format(order_id)) as websocket:
            frames = [json.loads(websocket.recv(SECONDS))]
            assert statuses(frames) == ["PENDING"]
            waiting.close()
            frames += [json.loads(message) for message in websocket]

    snapshot, event = EVENT_TYPES
    assert [frame["type"] for frame in frames] == [snapshot, event, event, event]
    assert statuses(frames) == STATES[:-1]
    assert {frame["orderId"] for frame in frames} == {order_id}
    assert all(is_moment(frame["timestamp"]) for frame in frames)
    assert frames[-1]["txHash"] == engine.stored(order_id)["signature"]


def test_a_client_that_names_the_order_itself_connects_by_that_name(engine: Engine) -> None:
    order_id = engine.post("/orders", BODY, **{"Idempotency-Key": "ord_xxx"}).json()["orderId"]
    frames = engine.story(WSCAT)
    assert frames[0]["type"] == "SNAPSHOT"
    assert frames[-1]["status"] == "CONFIRMED"
    assert {frame["orderId"] for frame in frames} == {order_id}


def test_of_an_order_that_has_ended_the_snapshot_is_its_end(engine: Engine) -> None:
    order_id = engine.post("/orders", BODY).json()["orderId"]
    end = engine.story(STREAM.format(order_id))[-1]
    (snapshot,) = engine.story(STREAM.format(order_id))
    assert (snapshot["type"], snapshot["status"]) == ("SNAPSHOT", "CONFIRMED")
    assert (snapshot["txHash"], snapshot["executedPrice"]) == (end["txHash"], end["executedPrice"])
    assert (snapshot["tokenIn"], snapshot["tokenOut"], snapshot["amount"]) == ("SOL", "USDC", 1.5)


def test_the_router_logs_the_choice_and_the_price_of_both(engine: Engine) -> None:
    """As in "[ROUTER] Selected raydium | Raydium=99.96 Meteora=97.88", in JSON."""
    order_id = engine.post("/orders", BODY).json()["orderId"]
    engine.story(STREAM.format(order_id))
    lines = [json.loads(line) for line in engine.daemon.log.read_text().splitlines() if line.startswith("{")]
    (line,) = (line for line in lines if line.get("action") == "routed" and line["order_id"] == order_id)
    assert line["selected_dex"] in ("raydium", "meteora")
    assert line["best_prices"].keys() == {"raydium", "meteora"}
    assert line["best_prices"][line["selected_dex"]] == max(line["best_prices"].values(), key=Decimal)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("worker_threads", 10), ("rate_limit", 100), ("rate_window_seconds", 60)],
)
def test_so_many_orders_are_worked_on_and_started_where_nothing_else_is_set(setting: str, value: int) -> None:
    assert Settings.model_fields[setting].default == value
