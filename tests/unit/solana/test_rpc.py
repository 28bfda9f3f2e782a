"""The JSON-RPC client: its requests, its interpretation of answers, and its errors."""

import base64
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature

from orderd.domain.errors import ErrorCode
from orderd.solana.keys import Wallet
from orderd.solana.programs import memo
from orderd.solana.rpc import (
    RpcClient,
    RpcError,
    RpcRateLimitedError,
    RpcResponseError,
    RpcTransportError,
    RpcWrongChainError,
    in_requests,
)
from orderd.solana.rpc_types import (
    AccountsLike,
    EpochInfo,
    LatestBlockhash,
    Memcmp,
    PrioritizationFee,
    SignatureStatus,
    Simulation,
    TokenBalance,
)
from orderd.solana.transaction import decode, sign
from orderd.solana.transport import Response, TransportError
from tests.samples.counted import Counted

KEY = Pubkey.from_bytes(b"\x01" * 32)
OTHER = Pubkey.from_bytes(b"\x02" * 32)
SIGNATURE = Signature.from_bytes(b"\x03" * 64)
SIGNED = sign([memo.memo("tried")], Wallet(Keypair()), Hash.default())
ACCOUNT = {
    "lamports": 7,
    "owner": str(OTHER),
    "data": ["aGVsbG8=", "base64"],
    "executable": False,
    "rentEpoch": 18446744073709551615,
    "space": 5,
}


class Node:
    """A transport that records requests and returns configured answers."""

    def __init__(self, answer: Callable[[Any], Any]) -> None:
        self.answer = answer
        self.requests: list[Any] = []
        self.closed = False

    def post(self, body: bytes) -> Response:
        request = orjson.loads(body)
        self.requests.append(request)
        answer = self.answer(request)
        return answer if isinstance(answer, Response) else Response(200, orjson.dumps(answer))

    def close(self) -> None:
        self.closed = True

    @property
    def params(self) -> Any:
        return self.requests[-1]["params"]


EPOCH_INFO = {"absoluteSlot": 9, "blockHeight": 8, "epoch": 0, "slotIndex": 9, "slotsInEpoch": 432_000}


def node_with(result: Any) -> tuple[Node, RpcClient]:
    node = Node(lambda request: {"jsonrpc": "2.0", "id": request["id"], "result": result})
    return node, RpcClient("http://node", transport=node)


def node_that(answer: Callable[[Any], Any]) -> RpcClient:
    return RpcClient("http://node", transport=Node(answer))


def at(value: Any, slot: int = 9) -> dict[str, Any]:
    return {"context": {"slot": slot, "apiVersion": "2.0"}, "value": value}


def test_a_blockhash_has_its_last_valid_height_and_its_slot() -> None:
    node, rpc = node_with(at({"blockhash": str(Hash.default()), "lastValidBlockHeight": 150}))
    found = rpc.get_latest_blockhash()
    assert (found.slot, found.value) == (9, LatestBlockhash(Hash.default(), 150))
    assert node.requests[0]["method"] == "getLatestBlockhash"
    assert node.params == [{"commitment": "confirmed"}]


def test_a_blockhash_is_taken_only_from_the_expected_chain() -> None:
    """Whatever is signed with it can land on the chain of the blockhash, and on no other."""
    genesis = str(Hash.new_unique())

    def answer(requests: Any) -> Any:
        results = {
            "getLatestBlockhash": at({"blockhash": str(Hash.default()), "lastValidBlockHeight": 150}),
            "getMultipleAccounts": at([None]),
            "getGenesisHash": genesis,
        }
        return [{"id": each["id"], "result": results[each["method"]]} for each in requests]

    def expect(genesis_hash: str) -> None:
        if genesis_hash != expected:
            raise RpcWrongChainError(genesis_hash)

    expected, node = genesis, Node(answer)
    rpc = RpcClient("http://node", transport=node, check_chain=expect)
    latest, _ = rpc.get_latest_blockhash_and_accounts([KEY])
    assert latest.value == LatestBlockhash(Hash.default(), 150)
    assert len(node.requests) == 1, "the check takes a request of its own"
    expected = "another"
    with pytest.raises(RpcWrongChainError):
        rpc.get_latest_blockhash_and_accounts([KEY])


def test_the_chain_can_be_asked_for_again() -> None:
    genesis = str(Hash.new_unique())
    seen = list[str]()
    transport = Node(lambda request: {"id": request["id"], "result": genesis})
    RpcClient("http://node", transport=transport, check_chain=seen.append).confirm_chain()
    assert seen == [genesis]
    RpcClient("http://node", transport=transport).confirm_chain()
    assert len(transport.requests) == 1, "a client of any chain has nothing to ask"


def test_a_commitment_can_be_set_for_one_call() -> None:
    node, rpc = node_with({"absoluteSlot": 5, "blockHeight": 4, "epoch": 1, "slotIndex": 0, "slotsInEpoch": 1})
    assert rpc.get_epoch_info("finalized") == EpochInfo(5, 4, 1, 0, 1)
    assert node.params == [{"commitment": "finalized"}]


def test_numeric_results_are_returned() -> None:
    _, rpc = node_with(12)
    assert (rpc.get_block_height(), rpc.get_slot(), rpc.get_minimum_balance_for_rent_exemption(165)) == (12, 12, 12)


def test_statuses_keep_the_order_of_the_signatures() -> None:
    landed = {"slot": 3, "confirmations": 1, "err": None, "status": {"Ok": None}, "confirmationStatus": "confirmed"}
    failed = {"slot": 4, "confirmations": None, "err": {"InstructionError": [0, "Custom"]}, "confirmationStatus": None}
    node, rpc = node_with(at([None, landed, failed]))
    found = rpc.get_signature_statuses([SIGNATURE] * 3, search_history=True)
    assert found.value == [
        None,
        SignatureStatus(3, None, "confirmed"),
        SignatureStatus(4, {"InstructionError": [0, "Custom"]}, "finalized"),
    ]
    assert node.params == [[str(SIGNATURE)] * 3, {"searchTransactionHistory": True}]


def test_a_status_without_a_commitment_is_final_only_without_confirmations() -> None:
    counted = {"slot": 3, "confirmations": 5, "err": None, "confirmationStatus": None}
    _, rpc = node_with(at([counted]))
    assert rpc.get_signature_statuses([SIGNATURE]).value == [SignatureStatus(3, None, "processed")]


def test_too_few_answers_are_an_error() -> None:
    _, rpc = node_with(at([None]))
    with pytest.raises(RpcTransportError, match="1 answers to 2 questions"):
        rpc.get_signature_statuses([SIGNATURE] * 2)
    with pytest.raises(RpcTransportError, match="1 answers to 2 questions"):
        rpc.get_multiple_accounts([KEY] * 2)


def test_too_many_signatures_are_refused() -> None:
    _, rpc = node_with(None)
    with pytest.raises(ValueError, match="257 signatures"):
        rpc.get_signature_statuses([SIGNATURE] * 257)


def test_accounts_are_decoded_and_the_missing_are_none() -> None:
    node, rpc = node_with(at([ACCOUNT, None]))
    found = rpc.get_multiple_accounts([KEY, OTHER])
    account, missing = found.value
    assert missing is None
    assert account is not None
    assert (account.lamports, account.owner, account.data, account.executable) == (7, OTHER, b"hello", False)
    assert node.params == [[str(KEY), str(OTHER)], {"commitment": "confirmed", "encoding": "base64"}]


def test_many_accounts_are_read_in_one_batch_whose_slot_is_the_oldest() -> None:
    def answer(requests: Any) -> Any:
        replies = [
            {
                "id": request["id"],
                "result": at(
                    [ACCOUNT | {"lamports": len(request["params"][0])}] * len(request["params"][0]), slot=10 - index
                ),
            }
            for index, request in enumerate(requests)
        ]
        return replies[::-1]  # a node may answer a batch in any order

    found = node_that(answer).get_multiple_accounts([KEY] * 250)
    assert found.slot == 8
    assert [account.lamports for account in found.value if account] == [100] * 200 + [50] * 50


def test_no_request_is_made_for_no_accounts() -> None:
    node, rpc = node_with(None)
    assert rpc.get_multiple_accounts([]).value == []
    assert node.requests == []


def test_program_accounts_are_filtered_by_size_and_keys() -> None:
    node, rpc = node_with(at([{"pubkey": str(KEY), "account": ACCOUNT}]))
    ((found,),) = rpc.get_program_accounts([AccountsLike(OTHER, 637, (Memcmp(168, KEY),))], offset=72, length=64)
    assert (found.key, found.account.data) == (KEY, b"hello")
    program, config = node.params
    assert program == str(OTHER)
    assert config["filters"] == [{"dataSize": 637}, {"memcmp": {"offset": 168, "bytes": str(KEY)}}]
    assert config["dataSlice"] == {"offset": 72, "length": 64}
    assert config["withContext"] is True


def test_token_accounts_are_queried_by_mint_or_by_program() -> None:
    node, rpc = node_with(at([{"pubkey": str(KEY), "account": ACCOUNT}]))
    assert rpc.get_token_accounts_by_owner(OTHER, mint=KEY).value[0].key == KEY
    assert node.params[1] == {"mint": str(KEY)}
    rpc.get_token_accounts_by_owner(OTHER, program=KEY)
    assert node.params[1] == {"programId": str(KEY)}
    for both in (None, KEY):
        with pytest.raises(ValueError, match="either"):
            rpc.get_token_accounts_by_owner(OTHER, mint=both, program=both)


def test_a_transaction_is_sent_once_without_preflight() -> None:
    node, rpc = node_with(str(SIGNATURE))
    assert rpc.send_transaction(b"bytes") == SIGNATURE
    assert node.params == [
        "Ynl0ZXM=",
        {"encoding": "base64", "skipPreflight": True, "preflightCommitment": "confirmed", "maxRetries": 0},
    ]


def test_transactions_sent_in_one_request_fail_individually() -> None:
    def answer(requests: Any) -> Any:
        first, second, _ = requests
        return [
            {"id": second["id"], "error": {"code": -32002, "message": "failed", "data": {"logs": ["x"]}}},
            {"id": first["id"], "result": str(SIGNATURE)},
        ]

    taken, refused, forgotten = node_that(answer).send_transactions([b"1", b"2", b"3"])
    assert taken is None
    assert isinstance(refused, RpcResponseError)
    assert (refused.code, refused.data) == (-32002, {"logs": ["x"]})
    assert isinstance(forgotten, RpcTransportError)


def test_a_failed_request_fails_for_each_transaction() -> None:
    errors = node_that(lambda _: Response(503, b"down")).send_transactions([b"1", b"2"])
    assert [type(error) for error in errors] == [RpcTransportError, RpcTransportError]


def test_a_single_call_is_sent_without_a_batch() -> None:
    node, rpc = node_with(str(SIGNATURE))
    assert rpc.send_transactions([b"1"]) == [None]
    assert isinstance(node.requests[0], dict)
    refusing = node_that(lambda request: {"id": request["id"], "error": {"code": -32002, "message": "no"}})
    assert isinstance(refusing.send_transactions([b"1"])[0], RpcResponseError)


def test_a_failed_simulation_is_an_answer_and_not_an_error() -> None:
    node, rpc = node_with(at({"err": "BlockhashNotFound", "logs": None, "unitsConsumed": 0, "accounts": None}))
    assert rpc.simulate_transaction(SIGNED.raw).value == Simulation("BlockhashNotFound", (), 0)
    assert node.params[1]["sigVerify"] is False


def test_several_simulations_share_a_request_and_fail_individually() -> None:
    tried = {"context": {"slot": 7}, "value": {"err": None, "logs": [], "unitsConsumed": 1}}

    def answer(requests: Any) -> Any:
        first, second = requests
        return [
            {"id": second["id"], "error": {"code": -32005, "message": "behind"}},
            {"id": first["id"], "result": tried},
        ]

    good, bad = node_that(answer).simulate_transactions([SIGNED.raw, SIGNED.raw])
    assert good == Simulation(None, (), 1)
    assert isinstance(bad, RpcResponseError)


def test_a_simulated_transaction_cannot_land() -> None:
    node, rpc = node_with(at({"err": None, "logs": [], "unitsConsumed": 1}))
    rpc.simulate_transaction(SIGNED.raw)
    given = decode(base64.b64decode(node.params[0]))
    assert given.signatures == [Signature.default()]
    assert given.message == decode(SIGNED.raw).message


def test_balances_fees_and_versions_are_read() -> None:
    assert node_with(at(5))[1].get_balance(KEY).value == 5
    fees = [{"slot": 1, "prioritizationFee": 0}, {"slot": 2, "prioritizationFee": 700}]
    node, rpc = node_with(fees)
    assert rpc.get_recent_prioritization_fees([KEY]) == [PrioritizationFee(1, 0), PrioritizationFee(2, 700)]
    assert node.params == [[str(KEY)]]
    assert node_with({"solana-core": "3.0.1", "feature-set": 1})[1].get_version() == "3.0.1"
    assert node_with(str(SIGNATURE))[1].request_airdrop(KEY, 10) == SIGNATURE
    node_with("ok")[1].get_health()


LANDED: dict[str, Any] = {
    "slot": 77,
    "blockTime": 1_786_000_000,
    "version": 0,
    "transaction": {"signatures": [str(SIGNATURE)], "message": {"accountKeys": ["wallet", "ata", "vault-in"]}},
    "meta": {
        "err": None,
        "fee": 5800,
        "logMessages": ["Program x success"],
        "preBalances": [100, 0, 5, 6],
        "postBalances": [90, 2, 5, 6],
        "loadedAddresses": {"writable": ["vault-out"], "readonly": []},
        "preTokenBalances": [
            {"accountIndex": 2, "mint": "SOL", "owner": "pool", "uiTokenAmount": {"amount": "1000"}},
            {"accountIndex": 3, "mint": "USDC", "owner": "pool", "uiTokenAmount": {"amount": "9000"}},
        ],
        "postTokenBalances": [
            {"accountIndex": 1, "mint": "USDC", "owner": "wallet", "uiTokenAmount": {"amount": "150"}},
            {"accountIndex": 2, "mint": "SOL", "owner": "pool", "uiTokenAmount": {"amount": "1002"}},
            {"accountIndex": 3, "mint": "USDC", "owner": "pool", "uiTokenAmount": {"amount": "8850"}},
        ],
    },
}


def test_a_landed_transaction_has_its_balance_changes() -> None:
    node, rpc = node_with(LANDED)
    found = rpc.get_transaction(SIGNATURE)
    assert found is not None
    assert (found.slot, found.block_time, found.err, found.fee) == (77, 1_786_000_000, None, 5800)
    assert found.logs == ("Program x success",)
    assert found.lamports["wallet"] == (100, 90)
    assert found.lamports["vault-out"] == (6, 6)
    assert found.tokens[0] == TokenBalance("ata", "USDC", "wallet", 0, 150)
    assert found.token_delta("USDC", lambda owner: owner == "wallet") == 150
    assert found.token_delta("SOL", lambda owner: owner != "wallet") == 2
    assert found.token_delta("USDC", lambda owner: owner == "stranger") == 0
    assert node.params[1] == {"commitment": "confirmed", "encoding": "json", "maxSupportedTransactionVersion": 1}


def test_a_closed_token_account_has_a_final_balance_of_zero() -> None:
    closed = LANDED["meta"] | {"postTokenBalances": []}
    found = node_with(LANDED | {"meta": closed})[1].get_transaction(SIGNATURE)
    assert found is not None
    assert found.token_delta("SOL", lambda owner: owner == "pool") == -1000


def test_transactions_are_fetched_together_and_the_unknown_are_none() -> None:
    def answer(requests: Any) -> Any:
        first, second, third = requests
        return [
            {"id": first["id"], "result": LANDED},
            {"id": second["id"], "result": None},
            {"id": third["id"], "error": {"code": -32009, "message": "skipped"}},
        ]

    known, unknown, failed = node_that(answer).get_transactions([SIGNATURE] * 3)
    assert known is not None
    assert unknown is None
    assert isinstance(failed, RpcResponseError)


def test_a_nodes_error_keeps_its_code_message_and_data() -> None:
    rpc = node_that(
        lambda request: {"id": request["id"], "error": {"code": -32005, "message": "behind", "data": {"n": 3}}}
    )
    with pytest.raises(RpcResponseError, match="-32005: behind") as error:
        rpc.get_health()
    assert (error.value.code, error.value.message, error.value.data) == (-32005, "behind", {"n": 3})
    assert error.value.error_code == ErrorCode.RPC_UNAVAILABLE


@pytest.mark.parametrize(("header", "seconds"), [("3", 3.0), (None, None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)])
def test_a_rate_limit_error_has_its_retry_time(header: str | None, seconds: float | None) -> None:
    with pytest.raises(RpcRateLimitedError) as error:
        node_that(lambda _: Response(429, b"slow down", header)).get_slot()
    assert error.value.retry_after == seconds
    assert error.value.error_code == ErrorCode.RPC_RATE_LIMITED


def test_a_rate_limit_in_a_json_error_is_recognised() -> None:
    rpc = node_that(lambda request: {"id": request["id"], "error": {"code": 429, "message": "Too many requests"}})
    with pytest.raises(RpcRateLimitedError):
        rpc.get_slot()


@pytest.mark.parametrize(
    "answer",
    [
        Response(500, b"oops"),
        Response(502, b'{"jsonrpc":"2.0","id":1,"result":5}'),
        Response(403, b"<html>forbidden</html>"),
        Response(200, b""),
        Response(200, b"{"),
        Response(200, b"\xff\xfe"),
        Response(200, b"5"),
        Response(200, b"[]"),
        Response(200, b'{"jsonrpc":"2.0","id":1}'),
        Response(200, b'{"jsonrpc":"2.0","id":1,"error":"no"}'),
        Response(200, b'{"jsonrpc":"2.0","id":1,"error":{"message":"no code"}}'),
        Response(200, b'{"jsonrpc":"2.0","id":1,"result":"twelve"}'),
        Response(200, b'{"jsonrpc":"2.0","id":1,"result":null}'),
    ],
    ids=lambda answer: f"{answer.status} {answer.body[:40]!r}",
)
def test_an_invalid_answer_is_a_transport_error(answer: Response) -> None:
    with pytest.raises(RpcTransportError):
        node_that(lambda _: answer).get_slot()


def test_an_answer_to_another_request_is_an_error() -> None:
    rpc = node_that(lambda request: {"id": request["id"] - 1, "result": at([None])})
    with pytest.raises(RpcTransportError, match="another request"):
        rpc.get_signature_statuses([SIGNATURE])


def test_a_result_of_another_shape_is_an_error() -> None:
    for result in (None, {}, {"context": {}, "value": 1}, at({"blockhash": "!", "lastValidBlockHeight": 1}), at(None)):
        with pytest.raises(RpcTransportError, match="getLatestBlockhash"):
            node_with(result)[1].get_latest_blockhash()


_READ_AS_NUMBERS: dict[str, tuple[Any, Callable[[RpcClient], object]]] = {
    "last valid height": (
        at({"blockhash": str(Hash.default()), "lastValidBlockHeight": 7}),
        RpcClient.get_latest_blockhash,
    ),
    "context slot": (at(5, slot=7), lambda rpc: rpc.get_balance(KEY)),
    "balance": (at(7), lambda rpc: rpc.get_balance(KEY)),
    "height": (7, RpcClient.get_block_height),
    "slot": (7, RpcClient.get_slot),
    "first block": (7, RpcClient.get_first_available_block),
    "rent": (7, lambda rpc: rpc.get_minimum_balance_for_rent_exemption(165)),
    "blocks": ([7], lambda rpc: rpc.get_blocks(1, 9)),
    "epoch": (EPOCH_INFO | {"blockHeight": 7}, RpcClient.get_epoch_info),
    "place of a block": ({"blockHeight": 7, "parentSlot": 1}, lambda rpc: rpc.get_block_place(1)),
    "slot of a status": (
        at([{"slot": 7, "err": None, "confirmationStatus": "finalized"}]),
        lambda rpc: rpc.get_signature_statuses([SIGNATURE]),
    ),
    "slot of a mention": (
        [{"signature": str(SIGNATURE), "slot": 7, "err": None}],
        lambda rpc: rpc.get_signatures_for_address(KEY),
    ),
    "lamports": (
        at([{"lamports": 7, "owner": str(KEY), "data": ["", "base64"], "executable": False}]),
        lambda rpc: rpc.get_multiple_accounts([KEY]),
    ),
    "compute units": (at({"err": None, "unitsConsumed": 7}), lambda rpc: rpc.simulate_transaction(SIGNED.raw)),
    "recent fee": ([{"slot": 1, "prioritizationFee": 7}], lambda rpc: rpc.get_recent_prioritization_fees()),
}
"""The result of a call with one number 7, and the call."""


@pytest.mark.parametrize("name", _READ_AS_NUMBERS)
@pytest.mark.parametrize("wrong", [7.0, 2.0**64, "7", True, -7, [7]], ids=str)
def test_a_number_that_is_no_integer_of_the_chain_is_an_error(name: str, wrong: Any) -> None:
    """A proxy that writes 1.5e15 has rounded, and a text is greater than no height."""
    result, ask = _READ_AS_NUMBERS[name]
    ask(node_with(result)[1])
    with pytest.raises(RpcTransportError, match="another shape"):
        ask(node_with(_with(result, wrong))[1])


def _with(result: Any, value: Any) -> Any:
    """The result with the value in place of each 7."""
    if isinstance(result, dict):
        return {name: _with(each, value) for name, each in result.items()}
    if isinstance(result, list):
        return [_with(each, value) for each in result]
    return value if result == 7 else result


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("fee", 5e3), ("fee", "5000"), ("preBalances", [1e2, 0, 5, 6]), ("postBalances", [-1, 2, 5, 6])],
)
def test_a_landed_transaction_with_odd_amounts_is_an_error(name: str, wrong: Any) -> None:
    with pytest.raises(RpcTransportError, match="2\\^64-1"):
        node_with(LANDED | {"meta": LANDED["meta"] | {name: wrong}})[1].get_transaction(SIGNATURE)


@pytest.mark.parametrize("amount", [1e15, 1_000, "1e15", "1_000", "-5", "", None, str(2**64)], ids=str)
def test_a_token_balance_is_a_text_of_digits(amount: Any) -> None:
    odd = [LANDED["meta"]["preTokenBalances"][0] | {"uiTokenAmount": {"amount": amount}}]
    with pytest.raises(RpcTransportError, match="another shape"):
        node_with(LANDED | {"meta": LANDED["meta"] | {"preTokenBalances": odd}})[1].get_transaction(SIGNATURE)


def test_another_transaction_than_the_requested_one_is_an_error() -> None:
    """Its balances would become the fill of an order."""
    other = Signature.from_bytes(bytes(63) + b"\1")
    with pytest.raises(RpcTransportError, match="another transaction"):
        node_with(LANDED)[1].get_transaction(other)
    (found,) = node_with(LANDED)[1].get_transactions([other])
    assert isinstance(found, RpcTransportError)


def test_a_connection_that_fails_is_a_transport_error() -> None:
    def answer(_: Any) -> Any:
        raise TransportError("node: timed out")

    with pytest.raises(RpcTransportError, match="timed out"):
        node_that(answer).get_slot()


def test_a_batch_that_is_refused_as_a_whole_is_one_error() -> None:
    calls: list[tuple[str, list[Any]]] = [("getSlot", []), ("getHealth", [])]
    with pytest.raises(RpcResponseError, match="-32600"):
        node_that(lambda _: {"id": None, "error": {"code": -32600, "message": "no batches"}}).call_many(calls)
    with pytest.raises(RpcTransportError, match="single answer"):
        node_that(lambda _: {"id": 1, "result": 5}).call_many(calls)
    assert RpcClient("http://node", transport=Node(lambda _: None)).call_many([]) == []


def test_a_batch_whose_answers_have_unusable_ids_is_an_error_for_each_call() -> None:
    rpc = RpcClient("http://node", transport=Node(lambda _: [{"id": [], "result": 5}, {"id": {}, "result": 5}, 7]))
    outcomes = rpc.call_many([("getSlot", []), ("getBlockHeight", [])])
    assert [type(each) for each in outcomes] == [RpcTransportError] * 2


REFUSALS: list[Any] = [
    Response(403, b"batch requests are not allowed on your plan"),
    Response(413, b"<html>too large</html>"),
    Response(200, b'{"id": null, "error": {"code": -32600, "message": "batches are not supported"}}'),
    Response(400, b'{"id": null, "error": {"code": -32600, "message": "batches are not supported"}}'),
    Response(200, b'[{"id": null, "error": {"code": -32600, "message": "batches are not supported"}}]'),
]


def without_batches(refusal: Response, answer: Callable[[Any], Any]) -> tuple[Node, RpcClient]:
    node = Node(lambda request: refusal if isinstance(request, list) else {"id": request["id"]} | answer(request))
    return node, RpcClient("http://node", transport=node)


@pytest.mark.parametrize("refusal", REFUSALS)
def test_an_endpoint_without_batches_gets_single_calls_from_then_on(refusal: Response) -> None:
    calls: list[tuple[str, list[Any]]] = [("getSlot", []), ("getHealth", []), ("getSlot", [])]
    answers = {"getSlot": {"result": 5}, "getHealth": {"error": {"code": -32005, "message": "behind"}}}
    node, rpc = without_batches(refusal, lambda request: answers[request["method"]])
    slot, health, again = rpc.call_many(calls)
    assert (slot, again) == (5, 5)
    assert isinstance(health, RpcResponseError)
    assert rpc.call_many(calls)[0] == 5
    assert [isinstance(request, list) for request in node.requests] == [True, *[False] * 6]


def test_a_refused_single_call_does_not_disable_batches() -> None:
    node, rpc = without_batches(REFUSALS[2], lambda _: {"error": {"code": -32005, "message": "behind"}})
    for _ in range(2):
        with pytest.raises(RpcResponseError, match="not supported"):
            rpc.call_many([("getSlot", []), ("getHealth", [])])
    assert [isinstance(request, list) for request in node.requests] == [True, False, False] * 2


def test_a_rate_limited_batch_is_not_split() -> None:
    node, rpc = without_batches(Response(429, b""), lambda _: {"result": 5})
    with pytest.raises(RpcRateLimitedError):
        rpc.call_many([("getSlot", []), ("getSlot", [])])
    assert len(node.requests) == 1


def test_single_calls_stop_when_the_endpoint_stops_answering() -> None:
    asked: list[Any] = []

    def answer(request: Any) -> Any:
        if isinstance(request, list):
            return REFUSALS[0]
        asked.append(request)
        if len(asked) > 1:
            raise TransportError("gone")
        return {"id": request["id"], "result": str(SIGNATURE)}

    taken, *unknown = node_that(answer).send_transactions([b"1", b"2", b"3"])
    assert taken is None
    assert [type(error) for error in unknown] == [RpcTransportError] * 2
    assert len(asked) == 2


def test_requests_are_timed_and_failed_calls_counted_by_method() -> None:
    counted = Counted()
    node, rpc = node_with(7)
    rpc.get_slot()
    for status, error in ((429, "rate_limited"), (502, "transport")):
        answer = Response(status, b"")
        node.answer = lambda _, answer=answer: answer  # type: ignore[misc]
        with pytest.raises(RpcError):
            rpc.get_slot()
        assert counted("orderd_chain_rpc_errors_total", method="getSlot", error=error) == 1
    assert counted("orderd_chain_rpc_seconds_count", method="getSlot") == 3


def test_several_calls_are_timed_as_one_request_and_fail_by_method() -> None:
    counted = Counted()
    refusal = {"code": -32005, "message": "behind"}
    rpc = node_that(lambda request: [{"id": each["id"], "error": refusal} for each in request])
    rpc.call_many([("getSlot", []), ("getBlockHeight", [])])
    rpc.call_many([("getSlot", [])] * 2)
    assert counted("orderd_chain_rpc_seconds_count", method="batch") == 1
    assert counted("orderd_chain_rpc_seconds_count", method="getSlot") == 1
    assert counted("orderd_chain_rpc_errors_total", method="getSlot", error="response") == 3
    assert counted("orderd_chain_rpc_errors_total", method="getBlockHeight", error="response") == 1


def test_every_error_is_an_rpc_error_and_close_reaches_the_transport() -> None:
    assert all(issubclass(kind, RpcError) for kind in (RpcTransportError, RpcRateLimitedError, RpcResponseError))
    node, rpc = node_with(1)
    rpc.close()
    assert node.closed


@pytest.mark.parametrize(
    ("sizes", "batches"),
    [([], []), ([4_096], [1]), ([1_232] * 60, [25, 25, 10]), ([4_096] * 8, [7, 1]), ([100] * 26, [25, 1])],
)
def test_the_transactions_per_request_are_limited_by_size(sizes: list[int], batches: list[int]) -> None:
    """At most 50 KiB; base64 encodes three bytes as four."""
    transactions = [bytes([number]) * size for number, size in enumerate(sizes)]
    requests = [*in_requests(transactions)]
    assert [len(each) for each in requests] == batches
    assert [one for each in requests for one in each] == transactions
    assert all(sum(map(len, each)) * 4 // 3 + 200 * len(each) < 50 * 1024 for each in requests)
