"""The slot time is measured by the node, within plausible bounds."""

from typing import Any

import pytest

from orderd.solana.rpc import RpcClient
from orderd.solana.slot_time import SlotTime
from tests.unit.solana.node import Node


def slot_ms_of(reply: dict[str, Any]) -> int:
    slot_time = SlotTime(
        RpcClient("", transport=Node(getRecentPerformanceSamples=lambda _: reply)), measures_finality=False
    )
    slot_time.refresh()
    return slot_time.ms


def samples(*slots: int) -> dict[str, Any]:
    return {"result": [{"slot": 1, "numSlots": each, "samplePeriodSecs": 60, "numTransactions": 9} for each in slots]}


def unknown(_: list[Any]) -> dict[str, Any]:
    return {"error": {"code": -32601, "message": "Method not found"}}


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
    assert slot_ms_of(reply) == slot_ms


def test_a_later_measurement_reports_notable_changes_and_keeps_unknown_values() -> None:
    replies = [samples(150), samples(152), samples(300), {"result": None}, samples(290), samples(150)]
    node = Node(getRecentPerformanceSamples=lambda _: replies.pop(0))
    slot_time = SlotTime(RpcClient("", transport=node), measures_finality=False)
    assert [(slot_time.refresh(), slot_time.ms) for _ in range(6)] == [
        *[(False, 400), (False, 400), (True, 200)],
        *[(False, 200), (False, 200), (True, 400)],
    ]


@pytest.mark.parametrize(
    ("behind", "commitment"),
    [(0, "finalized"), (1, "finalized"), (4, "finalized"), (5, "confirmed"), (32, "confirmed")],
)
def test_fast_finality_switches_the_commitment_to_finalized(behind: int, commitment: str) -> None:
    slots = {"finalized": 1_000 - behind, "confirmed": 1_000}
    node = Node(getSlot=lambda params: {"result": slots[params[0]["commitment"]]}, getRecentPerformanceSamples=unknown)
    slot_time = SlotTime(RpcClient("", transport=node))
    assert (slot_time.refresh(), slot_time.commitment) == (commitment == "finalized", commitment)
    slots["finalized"] = 900
    assert (slot_time.refresh(), slot_time.commitment) == (commitment == "finalized", "confirmed"), (
        "slow finality must keep confirmed"
    )
    slots["finalized"] = 1_001
    assert (slot_time.refresh(), slot_time.commitment) == (True, "finalized"), "a lead of one node must not count"


def test_an_unknown_finality_keeps_the_commitment() -> None:
    node = Node(getSlot=unknown, getRecentPerformanceSamples=unknown)
    slot_time = SlotTime(RpcClient("", transport=node), commitment="finalized")
    assert (slot_time.refresh(), slot_time.commitment) == (False, "finalized")


def test_a_configured_commitment_is_not_measured() -> None:
    node = Node(getRecentPerformanceSamples=unknown)
    slot_time = SlotTime(RpcClient("", transport=node), commitment="confirmed", measures_finality=False)
    assert (slot_time.refresh(), slot_time.commitment) == (False, "confirmed")


def test_the_local_chain_has_the_slot_time_of_its_profile() -> None:
    slot_time = SlotTime(None, 25)
    assert (slot_time.refresh(), slot_time.ms) == (False, 25)
