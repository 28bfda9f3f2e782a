"""What dialect e documents. It names no paths, but the way of an order from its POST to whoever listens."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import pytest
from websockets.sync.client import connect

from orderd.config.settings import Settings
from orderd.process.roles import ListeningRole
from tests.acceptance.seeds.engine import SECONDS, Engine, statuses

BODY = '{"tokenIn": "SOL", "tokenOut": "USDC", "amount": 0.01}'
STREAM = "ws/orders?orderId={}"


@pytest.fixture
def other_gateway(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """Where a second one is reached, over the same Postgres and Redis."""
    gateway = ListeningRole(
        "gateway",
        tmp_path,
        {**engine.services, "ORDERD_STATE_DIR": str(tmp_path), "ORDERD_PORT": "0"},
        stop_seconds=20.0,
        address_file=tmp_path / "gateway.json",
        url_field="url",
        port_variable="ORDERD_PORT",
    )
    child = gateway.start()
    yield gateway.url
    child.stop()


def test_the_answer_is_an_id_and_the_order_is_stored_as_pending_before_any_worker_has_seen_it(engine: Engine) -> None:
    with engine.worker_held():
        answer = engine.post("/api/orders/execute", BODY)
        assert answer.status_code == 200
        order_id = str(UUID(answer.json()["orderId"]))
        assert engine.stored(order_id)["status"] == "pending"
    assert engine.story(f"/{STREAM.format(order_id)}")[-1]["status"] == "CONFIRMED"


def test_updates_reach_who_listens_at_a_gateway_that_did_not_take_the_order(engine: Engine, other_gateway: str) -> None:
    with ExitStack() as waiting:
        waiting.enter_context(engine.worker_held())
        order_id = engine.post("/orders", BODY).json()["orderId"]
        with connect(other_gateway + STREAM.format(order_id)) as websocket:
            assert json.loads(websocket.recv(SECONDS))["status"] == "PENDING"
            waiting.close()
            assert statuses([json.loads(message) for message in websocket]) == ["ROUTING", "BUILDING", "CONFIRMED"]


def test_an_order_is_tried_three_times_where_nothing_else_is_set() -> None:
    assert Settings.model_fields["max_attempts"].default == 3
