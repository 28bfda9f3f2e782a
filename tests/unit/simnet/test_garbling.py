"""Damaged answers: the client reports an error, or what the answer said before, and never anything else."""

from collections.abc import Callable
from random import Random
from typing import Any

import orjson
import pytest
from solders.hash import Hash
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.simnet.rpc.garbling import garbled
from orderd.solana.rpc import RpcClient, RpcError
from orderd.solana.transport import Response

FIRST, SECOND = (Signature.from_bytes(bytes(63) + bytes([number])) for number in (1, 2))
WALLET = Pubkey.default()
DRAWS = 300


def landed(signature: str) -> dict[str, Any]:
    slot = Signature.from_string(signature) == FIRST
    meta = {"err": None, "fee": 5_000, "preBalances": [9], "postBalances": [4]}
    return {
        "slot": 7 + slot,
        "transaction": {"signatures": [signature], "message": {"accountKeys": ["wallet"]}},
        "meta": meta,
    }


RESULTS: dict[str, Callable[[list[Any]], Any]] = {
    "getTransaction": lambda params: landed(params[0]),
    "getLatestBlockhash": lambda _: {
        "context": {"slot": 9},
        "value": {"blockhash": str(Hash.default()), "lastValidBlockHeight": 159},
    },
    "getSignatureStatuses": lambda params: {
        "context": {"slot": 9},
        "value": [{"slot": 7, "err": None, "confirmationStatus": "finalized"} for _ in params[0]],
    },
    "getBalance": lambda _: {"context": {"slot": 9}, "value": 2**63},
}


class Proxy:
    """A transport that damages what an honest node answers; without ``chance`` it does not."""

    def __init__(self, chance: Random | None) -> None:
        self.chance = chance

    def post(self, body: bytes) -> Response:
        requests = orjson.loads(body)
        many = requests if isinstance(requests, list) else [requests]
        answers = [{"id": each["id"], "result": RESULTS[each["method"]](each["params"])} for each in many]
        answer = orjson.dumps(answers if isinstance(requests, list) else answers[0])
        return Response(200, answer if self.chance is None else garbled(answer, self.chance))

    def close(self) -> None:
        """Nothing is open."""


def ask(chance: Random | None, question: Callable[[RpcClient], Any]) -> Any:
    rpc = RpcClient("http://proxy", transport=Proxy(chance))
    try:
        return question(rpc)
    except RpcError:
        return None


@pytest.mark.parametrize(
    "question",
    [
        RpcClient.get_latest_blockhash,
        lambda rpc: rpc.get_balance(WALLET),
        lambda rpc: rpc.get_signature_statuses([FIRST, SECOND]),
        lambda rpc: rpc.get_transactions([FIRST, SECOND]),
        lambda rpc: rpc.get_statuses_and_transactions([FIRST, SECOND]),
    ],
)
def test_the_client_takes_no_damaged_answer_for_another_one(question: Callable[[RpcClient], Any]) -> None:
    honest = ask(None, question)
    answers = [ask(Random(seed), question) for seed in range(DRAWS)]
    assert 0 < answers.count(honest) < DRAWS, "some damages change only batches, or only the order"
    for answer in answers:
        if answer is not None and answer != honest:
            assert _known(answer) < _known(honest), "only a part of a batch may be missing"


def _known(answer: Any) -> set[str]:
    """The parts of an answer that are not errors."""
    parts = answer if isinstance(answer, list) else [answer[0], *answer[1]]
    return {str(part) for part in parts if not isinstance(part, RpcError) and part is not None}
