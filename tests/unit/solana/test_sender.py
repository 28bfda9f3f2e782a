"""The sender: what a look at the chain proves, and requests that a node will take."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from solders.signature import Signature

from orderd.solana.rpc import RpcClient, RpcRateLimited, RpcResponseError, RpcTransportError
from orderd.solana.rpc_types import EpochInfo, SignatureStatus, TransactionInfo
from orderd.solana.sender import Sender, Sighting
from orderd.solana.transport import Response

MOST_BYTES_A_REQUEST = 50 * 1024
LARGEST_TRANSACTION = b"\x01" * 1232
LANDED: dict[str, Any] = {
    "slot": 7,
    "transaction": {"message": {"accountKeys": ["wallet"]}},
    "meta": {"err": None, "fee": 5_000, "preBalances": [9], "postBalances": [4]},
}


class Node:
    """Answers each call by its method; ``requests`` are the bodies it was sent."""

    def __init__(self, **methods: Callable[[list[Any]], Any]) -> None:
        self._methods = methods
        self.requests: list[bytes] = []

    def post(self, body: bytes) -> Response:
        self.requests.append(body)
        request = orjson.loads(body)
        many = isinstance(request, list)
        replies = [
            {"id": call["id"], **self._methods[call["method"]](call["params"])}
            for call in (request if many else [request])
        ]
        return Response(200, orjson.dumps(replies if many else replies[0]))

    def close(self) -> None: ...


def sender_to(node: Node) -> Sender:
    return Sender(RpcClient("http://node", transport=node), "finalized")


def signatures(count: int) -> list[Signature]:
    return [Signature.from_bytes(number.to_bytes(64, "big")) for number in range(count)]


def valid_until(height: int, count: int = 1) -> dict[Signature, int]:
    return dict.fromkeys(signatures(count), height)


def chain_at(height: int, slot: int, **more: Callable[[list[Any]], Any]) -> Node:
    """A node that knows none of the transactions it is asked about."""
    return Node(
        getEpochInfo=lambda _: {"result": {"absoluteSlot": slot, "blockHeight": height, "epoch": 0}},
        getSignatureStatuses=lambda params: {"result": {"context": {"slot": slot}, "value": [None] * len(params[0])}},
        **more,
    )


def test_however_many_are_sent_again_no_request_is_larger_than_nodes_take() -> None:
    node = Node(sendTransaction=lambda _: {"result": str(Signature.default())})
    assert sender_to(node).send([LARGEST_TRANSACTION] * 200) == [None] * 200
    assert max(map(len, node.requests)) <= MOST_BYTES_A_REQUEST


def test_however_many_have_landed_no_request_is_larger_than_nodes_take() -> None:
    node = Node(getTransaction=lambda _: {"result": LANDED})
    found = sender_to(node).fetch(signatures(500))
    assert all(isinstance(each, TransactionInfo) for each in found)
    assert len(found) == 500
    assert max(map(len, node.requests)) <= MOST_BYTES_A_REQUEST


def test_a_transaction_that_cannot_be_read_keeps_no_other_from_being_read() -> None:
    known, odd = signatures(2)
    node = Node(getTransaction=lambda params: {"result": LANDED | ({"meta": None} if params[0] == str(odd) else {})})
    good, bad = sender_to(node).fetch([known, odd])
    assert isinstance(good, TransactionInfo)
    assert isinstance(bad, RpcTransportError)


def test_a_request_that_is_turned_away_is_the_answer_for_each() -> None:
    node = Node(getTransaction=lambda _: {"error": {"code": 429, "message": "slow down"}})
    (single,) = sender_to(node).fetch(signatures(1))
    assert isinstance(single, RpcRateLimited)


def test_the_height_is_read_before_the_statuses_and_at_the_given_commitment() -> None:
    asked: list[list[Any]] = []

    def epoch(params: list[Any]) -> Any:
        asked.append(params)
        return {"result": {"absoluteSlot": 20, "blockHeight": 18, "epoch": 0}}

    def statuses(params: list[Any]) -> Any:
        asked.append(params)
        return {"result": {"context": {"slot": 20}, "value": [None] * len(params[0])}}

    seen = sender_to(Node(getEpochInfo=epoch, getSignatureStatuses=statuses)).look(valid_until(17, 300))
    assert asked[0] == [{"commitment": "finalized"}]
    assert [len(params[0]) for params in asked[1:]] == [256, 44]
    assert all(params[1] == {"searchTransactionHistory": True} for params in asked[1:])
    assert all(sighting.proves_expiry(17) and not sighting.proves_expiry(18) for sighting in seen.values())
    assert len(seen) == 300


def test_statuses_older_than_the_height_prove_nothing() -> None:
    node = Node(
        getEpochInfo=lambda _: {"result": {"absoluteSlot": 20, "blockHeight": 18, "epoch": 0}},
        getSignatureStatuses=lambda _: {"result": {"context": {"slot": 19}, "value": [None]}},
    )
    (sighting,) = sender_to(node).look(valid_until(1)).values()
    assert not sighting.proves_expiry(1)


def test_a_node_that_keeps_no_history_proves_nothing() -> None:
    node = Node(
        getEpochInfo=lambda _: {"result": {"absoluteSlot": 20, "blockHeight": 18, "epoch": 0}},
        getSignatureStatuses=lambda _: {"error": {"code": -32011, "message": "history is not available"}},
    )
    with pytest.raises(RpcResponseError):
        sender_to(node).look(valid_until(1))


@pytest.mark.parametrize(("level", "landed"), [("processed", False), ("confirmed", True), ("finalized", True)])
def test_what_is_only_processed_has_neither_landed_nor_expired(level: str, landed: bool) -> None:
    sighting = Sighting(SignatureStatus(7, None, level), slot=1_000, epoch=EpochInfo(1_000, 900, 0))
    assert sighting.landed is landed
    assert not sighting.proves_expiry(1)


@pytest.mark.parametrize(
    ("level", "final_at", "landed"),
    [("confirmed", "finalized", False), ("finalized", "finalized", True), ("confirmed", "confirmed", True)],
)
def test_a_failure_counts_once_its_block_cannot_be_rolled_back(level: str, final_at: Any, landed: bool) -> None:
    failed = SignatureStatus(7, "ProgramFailedToComplete", level)
    assert Sighting(failed, slot=8, epoch=EpochInfo(8, 7, 0), final_at=final_at).landed is landed


DAY = 216_000
"""Slots."""


@pytest.mark.parametrize(
    ("age", "history", "proven"),
    [
        (1, DAY, True),
        (DAY // 4, DAY, True),
        (2 * DAY, DAY, False),
        (2 * DAY, 10 * DAY, True),
        (100, 50, True),
        (101, 50, False),
        (101, 600, True),
    ],
    ids=[
        "just now",
        "within what the node keeps",
        "before what the node keeps",
        "a node that keeps much",
        "within the statuses that come with a snapshot",
        "before those, of a node that began a moment ago",
        "before those, of a node that has the blocks",
    ],
)
def test_not_found_is_proof_only_of_what_the_node_would_still_know(age: int, history: int, proven: bool) -> None:
    slot, height = 300 * DAY, 280 * DAY
    node = chain_at(height, slot, getFirstAvailableBlock=lambda _: {"result": slot - history})
    (sighting,) = sender_to(node).look(valid_until(height - age)).values()
    assert sighting.shows_none(height - age)
    assert sighting.proves_expiry(height - age) is proven


def test_where_a_nodes_memory_is_unknown_only_recent_expiries_are_proved() -> None:
    slot, height = 300 * DAY, 280 * DAY
    node = chain_at(height, slot, getFirstAvailableBlock=lambda _: {"error": {"code": -32601, "message": "no method"}})
    old, young = signatures(2)
    seen = sender_to(node).look({old: height - DAY, young: height - 1})
    assert not seen[old].proves_expiry(height - DAY)
    assert seen[young].proves_expiry(height - 1)


def test_a_nodes_memory_is_asked_for_only_when_it_matters() -> None:
    (sighting,) = sender_to(chain_at(1_000, 1_001)).look(valid_until(900)).values()
    assert sighting.proves_expiry(900)
