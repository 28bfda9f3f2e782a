"""The documented request, stream and default limits of dialect b: a snapshot on connection, then events."""

import json
from contextlib import ExitStack
from decimal import Decimal

import pytest

from orderd.config.settings import Settings
from tests.acceptance.dialects.engine import SECONDS, Engine, is_moment, statuses
from tests.log_entries import log_entries

BODY = '{"tokenIn": "SOL", "tokenOut": "USDC", "amount": 1.5}'

STREAM = "/ws/orders?orderId={}"
WSCAT = "/ws/orders?orderId=ord_xxx"
STATES = ["PENDING", "ROUTING", "BUILDING", "CONFIRMED", "FAILED"]
EVENT_TYPES = ("SNAPSHOT", "EVENT")


def test_a_submission_is_answered_with_an_order_id(engine: Engine) -> None:
    answer = engine.post("/orders", BODY)
    assert answer.status_code == 200
    assert engine.stored(answer.json()["orderId"])["amount_in"] == "1.5"


def test_a_stream_opened_before_the_execution_sends_a_snapshot_and_then_each_event(engine: Engine) -> None:
    with ExitStack() as waiting:
        waiting.enter_context(engine.worker_stopped())
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


def test_a_stream_can_be_opened_by_the_idempotency_key_of_the_order(engine: Engine) -> None:
    order_id = engine.post("/orders", BODY, **{"Idempotency-Key": "ord_xxx"}).json()["orderId"]
    frames = engine.frames_of(WSCAT)
    assert frames[0]["type"] == "SNAPSHOT"
    assert frames[-1]["status"] == "CONFIRMED"
    assert {frame["orderId"] for frame in frames} == {order_id}


def test_the_snapshot_of_an_ended_order_is_its_last_state(engine: Engine) -> None:
    order_id = engine.post("/orders", BODY).json()["orderId"]
    end = engine.frames_of(STREAM.format(order_id))[-1]
    (snapshot,) = engine.frames_of(STREAM.format(order_id))
    assert (snapshot["type"], snapshot["status"]) == ("SNAPSHOT", "CONFIRMED")
    assert (snapshot["txHash"], snapshot["executedPrice"]) == (end["txHash"], end["executedPrice"])
    assert (snapshot["tokenIn"], snapshot["tokenOut"], snapshot["amount"]) == ("SOL", "USDC", 1.5)


def test_the_router_logs_the_selected_venue_and_the_best_price_of_each(engine: Engine) -> None:
    """The JSON form of "[ROUTER] Selected raydium | Raydium=99.96 Meteora=97.88"."""
    order_id = engine.post("/orders", BODY).json()["orderId"]
    engine.frames_of(STREAM.format(order_id))
    (line,) = (line for line in log_entries(engine.daemon.log, "routed") if line["order_id"] == order_id)
    assert line["selected_dex"] in ("raydium", "meteora")
    assert line["best_prices"].keys() == {"raydium", "meteora"}
    assert line["best_prices"][line["selected_dex"]] == max(line["best_prices"].values(), key=Decimal)


@pytest.mark.parametrize(
    ("setting", "value"),
    [("worker_threads", 10), ("rate_limit", 100), ("rate_window_seconds", 60)],
)
def test_the_default_limits_are_the_documented_ones(setting: str, value: int) -> None:
    assert Settings.model_fields[setting].default == value
