"""Version 1 is used if a node accepts a trial of it; errors of the trial itself and missing answers do not matter."""

import base64
from typing import Any

import orjson
import pytest
from solders.pubkey import Pubkey

from orderd.solana.rpc import RpcClient
from orderd.solana.transaction import MAX_SIZE, TransactionVersion, decode
from orderd.solana.transport import Response, TransportError
from orderd.solana.version_choice import VersionChoice

PAYER = Pubkey.from_bytes(b"\x51" * 32)
V0, V1 = TransactionVersion.V0, TransactionVersion.V1


class Node:
    """Returns configured answers."""

    def __init__(self) -> None:
        self.answer: dict[str, Any] | None = None
        self.tried: list[str] = []

    def post(self, body: bytes) -> Response:
        request = orjson.loads(body)
        self.tried.append(request["params"][0])
        if self.answer is None:
            raise TransportError("unavailable")
        return Response(200, orjson.dumps({"id": request["id"], **self.answer}))

    def close(self) -> None: ...


def simulated(err: Any) -> dict[str, Any]:
    return {"result": {"context": {"slot": 1}, "value": {"err": err, "logs": [], "unitsConsumed": 0}}}


def refused(code: int, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def asking(node: Node) -> VersionChoice:
    return VersionChoice.asking(RpcClient("http://127.0.0.1", transport=node), PAYER)


TAKEN = [
    simulated(None),
    simulated("AccountNotFound"),
    simulated({"InstructionError": [0, "ComputationalBudgetExceeded"]}),
]
NOT_TAKEN = [
    simulated("UnsupportedVersion"),
    refused(-32602, "base64 encoded solana_transaction::versioned::VersionedTransaction too large: 2044 bytes"),
    refused(-32602, "failed to deserialize solana_transaction::versioned::VersionedTransaction: io error"),
]
NOT_KNOWN = [None, refused(-32005, "Node is behind by 200 slots"), refused(-32601, "Method not found")]


@pytest.mark.parametrize(
    ("answer", "version"), [*((each, V1) for each in TAKEN), *((each, V0) for each in NOT_TAKEN + NOT_KNOWN)]
)
def test_the_newest_version_accepted_by_the_node_is_used(answer: dict[str, Any] | None, version: int) -> None:
    node = Node()
    node.answer = answer
    choice = asking(node)
    assert choice.current == V0, "version 0 is used before the first trial"
    choice.refresh()
    assert choice.current == version


@pytest.mark.parametrize("answer", NOT_KNOWN)
def test_an_unclear_answer_keeps_the_version(answer: dict[str, Any] | None) -> None:
    node = Node()
    node.answer = TAKEN[0]
    choice = asking(node)
    choice.refresh()
    node.answer = answer
    choice.refresh()
    assert choice.current == V1


def test_a_fallback_lasts_until_the_next_trial() -> None:
    node = Node()
    node.answer = TAKEN[0]
    choice = asking(node)
    choice.refresh()
    assert choice.fall_back()
    assert choice.current == V0
    assert not choice.fall_back(), "there is no older version"
    choice.refresh()
    assert choice.current == V1


@pytest.mark.parametrize("version", TransactionVersion)
def test_a_configured_version_is_always_used(version: TransactionVersion) -> None:
    choice = VersionChoice.of(version)
    choice.refresh()
    assert not choice.fall_back()
    assert choice.current == version


def test_the_trial_is_too_large_for_version_0_and_unsigned() -> None:
    node = Node()
    asking(node).refresh()
    (tried,) = node.tried
    raw = base64.b64decode(tried)
    assert len(raw) > MAX_SIZE
    transaction = decode(raw)
    assert transaction.message.account_keys[0] == PAYER
    assert not any(map(any, map(bytes, transaction.signatures)))
