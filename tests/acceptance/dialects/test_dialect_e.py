"""What dialect e documents: it names no paths, only the way of an order from its POST to the subscribers of its
stream."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import UUID

import pytest
from websockets.sync.client import connect

from orderd.config.settings import Settings
from orderd.process.roles import ListeningRole
from tests.acceptance.dialects.engine import SECONDS, Engine, statuses

BODY = '{"tokenIn": "SOL", "tokenOut": "USDC", "amount": 0.01}'
STREAM = "ws/orders?orderId={}"


@pytest.fixture
def other_gateway(engine: Engine, tmp_path: Path) -> Iterator[str]:
    """The URL of a second gateway over the same Postgres and Redis."""
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


def test_a_submission_is_stored_as_pending_before_a_worker_takes_the_order(engine: Engine) -> None:
    with engine.worker_stopped():
        answer = engine.post("/api/orders/execute", BODY)
        assert answer.status_code == 200
        order_id = str(UUID(answer.json()["orderId"]))
        assert engine.stored(order_id)["status"] == "pending"
    assert engine.frames_of(f"/{STREAM.format(order_id)}")[-1]["status"] == "CONFIRMED"


def test_updates_reach_the_subscribers_of_another_gateway_than_the_one_that_accepted_the_order(
    engine: Engine, other_gateway: str
) -> None:
    with ExitStack() as waiting:
        waiting.enter_context(engine.worker_stopped())
        order_id = engine.post("/orders", BODY).json()["orderId"]
        with connect(other_gateway + STREAM.format(order_id)) as websocket:
            assert json.loads(websocket.recv(SECONDS))["status"] == "PENDING"
            waiting.close()
            assert statuses([json.loads(message) for message in websocket]) == ["ROUTING", "BUILDING", "CONFIRMED"]


def test_an_order_has_three_attempts_by_default() -> None:
    assert Settings.model_fields["max_attempts"].default == 3
