"""How long a slot takes is what the node has measured, within reason."""

from typing import Any

import pytest

from orderd.solana.rpc import RpcClient
from orderd.solana.slot_time import SlotTime
from tests.unit.solana.node import Node


def slot_ms_of(reply: dict[str, Any]) -> int:
    slot_time = SlotTime(RpcClient("", transport=Node(getRecentPerformanceSamples=lambda _: reply)), asks=False)
    slot_time.look()
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


def test_a_later_look_tells_whether_slots_have_notably_changed_and_keeps_what_it_cannot_tell() -> None:
    replies = [samples(150), samples(152), samples(300), {"result": None}, samples(290), samples(150)]
    node = Node(getRecentPerformanceSamples=lambda _: replies.pop(0))
    slot_time = SlotTime(RpcClient("", transport=node), asks=False)
    assert [(slot_time.look(), slot_time.ms) for _ in range(6)] == [
        *[(False, 400), (False, 400), (True, 200)],
        *[(False, 200), (False, 200), (True, 400)],
    ]


@pytest.mark.parametrize(
    ("behind", "commitment"),
    [(0, "finalized"), (1, "finalized"), (4, "finalized"), (5, "confirmed"), (32, "confirmed")],
)
def test_where_blocks_are_final_soon_after_their_confirmation_finality_is_all_that_counts(
    behind: int, commitment: str
) -> None:
    slots = {"finalized": 1_000 - behind, "confirmed": 1_000}
    node = Node(getSlot=lambda params: {"result": slots[params[0]["commitment"]]}, getRecentPerformanceSamples=unknown)
    slot_time = SlotTime(RpcClient("", transport=node))
    assert (slot_time.look(), slot_time.commitment) == (commitment == "finalized", commitment)
    slots["finalized"] = 900
    assert (slot_time.look(), slot_time.commitment) == (commitment == "finalized", "confirmed"), "finality is late"
    slots["finalized"] = 1_001
    assert (slot_time.look(), slot_time.commitment) == (True, "finalized"), "of two nodes one may be ahead"


def test_a_node_that_does_not_tell_its_finality_leaves_the_commitment_as_it_was() -> None:
    node = Node(getSlot=unknown, getRecentPerformanceSamples=unknown)
    slot_time = SlotTime(RpcClient("", transport=node), commitment="finalized")
    assert (slot_time.look(), slot_time.commitment) == (False, "finalized")


def test_a_commitment_that_the_operator_has_set_is_not_measured() -> None:
    node = Node(getRecentPerformanceSamples=unknown)
    slot_time = SlotTime(RpcClient("", transport=node), commitment="confirmed", asks=False)
    assert (slot_time.look(), slot_time.commitment) == (False, "confirmed")


def test_of_the_local_chain_it_is_what_its_profile_says() -> None:
    slot_time = SlotTime(None, 25)
    assert (slot_time.look(), slot_time.ms) == (False, 25)
