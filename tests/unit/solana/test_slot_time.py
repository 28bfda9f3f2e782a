"""How long a slot takes is what the node has measured, within reason."""

from typing import Any

import pytest

from orderd.solana.rpc import RpcClient
from orderd.solana.slot_time import measured_slot_ms
from tests.unit.solana.node import Node


def told(reply: dict[str, Any]) -> int:
    return measured_slot_ms(RpcClient("", transport=Node(getRecentPerformanceSamples=lambda _: reply)))


def samples(*slots: int) -> dict[str, Any]:
    return {"result": [{"slot": 1, "numSlots": each, "samplePeriodSecs": 60, "numTransactions": 9} for each in slots]}


@pytest.mark.parametrize(
    ("reply", "slot_ms"),
    [
        (samples(150, 150), 400),
        (samples(300, 298), 201),
        (samples(60_000), 50),
        (samples(1), 2_000),
        (samples(), 400),
        (samples(0), 400),
        ({"result": None}, 400),
        ({"error": {"code": -32601, "message": "Method not found"}}, 400),
    ],
)
def test_the_slot_time_is_the_average_of_the_last_minutes(reply: dict[str, Any], slot_ms: int) -> None:
    assert told(reply) == slot_ms
