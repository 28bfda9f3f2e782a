"""The JSON-RPC over HTTP: shapes of results, error codes, commitment and batches."""

import base64
from itertools import pairwise
from typing import Any

import pytest
from solders.hash import Hash
from solders.keypair import Keypair
from solders.message import to_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from orderd.pools.meteora_dlmm import program as meteora_dlmm
from orderd.pools.meteora_dlmm.simnet.genesis import SOL_USDC_BS4
from orderd.pools.raydium_cpmm import addresses as raydium_cpmm_addresses
from orderd.pools.raydium_cpmm import instructions as raydium_cpmm_instructions
from orderd.pools.raydium_cpmm import program as raydium_cpmm
from orderd.pools.raydium_cpmm.accounts import PoolState
from orderd.pools.raydium_cpmm.instructions import SwapBaseInput
from orderd.pools.raydium_cpmm.simnet.genesis import SOL_USDC_CPMM
from orderd.simnet.actors import TRADERS
from orderd.simnet.base58 import b58encode
from orderd.simnet.genesis import STACC, USDC
from orderd.solana.programs import associated_token, system, token
from tests.integration.simnet.server import SOL, Client, RpcFailureError, build, encoded, payment

CONFIRMED = {"commitment": "confirmed"}
V0 = {"maxSupportedTransactionVersion": 0}


def request(method: str, *params: Any, identity: Any = 1) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": identity, "method": method, "params": list(params)}


def swap(client: Client, minimum_out: int = 1, trader: Keypair = TRADERS[0]) -> VersionedTransaction:
    """1.5 SOL for USDC on Raydium."""
    account = client.value("getAccountInfo", str(SOL_USDC_CPMM), {"encoding": "base64", **CONFIRMED})
    state = PoolState.decode(base64.b64decode(account["data"][0]))
    source, destination = (associated_token.address(trader.pubkey(), mint) for mint in (token.NATIVE_MINT, USDC))
    instruction = raydium_cpmm_instructions.swap(
        SwapBaseInput(1_500_000_000, minimum_out),
        SOL_USDC_CPMM,
        state,
        trader.pubkey(),
        source,
        destination,
        zero_for_one=True,
    )
    return build([instruction], trader, client.blockhash())


# Errors


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", -32700),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "getSlot", "method": "getHealth"}', -32600),
        (b'{"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": [{"commitment": 1, "commitment": 1}]}', -32600),
        (b'[{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "getSlot"}]', -32600),
        (b'{"jsonrpc": "2.0", "id": NaN, "method": "getSlot"}', -32700),
        (b"", -32700),
        (b"[]", -32600),
        (b"5", -32600),
        (b"{}", -32600),
        (request("getNonsense"), -32601),
        ({"jsonrpc": "2.0", "id": 1, "method": "getSlot", "params": {"a": 1}}, -32602),
        (request("getBalance"), -32602),
        (request("getBalance", 5), -32602),
        (request("getBalance", "abc"), -32602),
        (request("getBalance", str(USDC), {"commitment": "perhaps"}), -32602),
        (request("getBalance", str(USDC), "confirmed"), -32602),
        (request("getSlot", {"minContextSlot": 10**12}), -32016),
        (request("getMultipleAccounts", [str(USDC)] * 101), -32602),
        (request("getAccountInfo", str(SOL_USDC_CPMM), {"encoding": "base58", **CONFIRMED}), -32600),
        (request("getAccountInfo", str(USDC), {"encoding": "base63", **CONFIRMED}), -32602),
        (request("getProgramAccounts", str(token.PROGRAM_ID), {"filters": [{"size": 1}], **CONFIRMED}), -32602),
        (request("getTokenAccountsByOwner", str(USDC), {}), -32602),
        (request("getTokenAccountBalance", str(USDC), CONFIRMED), -32602),
        (request("getSignatureStatuses", ["abc"]), -32602),
        (request("getSignatureStatuses", [str(Signature.default())] * 257), -32602),
        (request("getTransaction", str(Signature.default()), {"commitment": "processed"}), -32602),
        (request("getMinimumBalanceForRentExemption", -1), -32602),
        (request("getBlockTime", 10**9), -32004),
        (request("sendTransaction", "%%%", {"encoding": "base64"}), -32602),
        (request("sendTransaction", "AAAA", {"encoding": "base64"}), -32602),
        (request("sendTransaction", "abc", {"encoding": "hex"}), -32602),
        (request("requestAirdrop", str(USDC), 1.5), -32602),
        (request("simnet_mintTokens", {"mint": str(SOL_USDC_CPMM), "owner": str(USDC), "amount": 1}), -32602),
    ],
)
def test_each_error_has_its_code(client: Client, body: Any, code: int) -> None:
    answer = client.post(body).json()

    assert answer["error"]["code"] == code
    assert answer["error"]["message"]
    assert "result" not in answer


def test_an_error_carries_the_request_s_id(client: Client) -> None:
    assert client.post(request("getNonsense", identity="mine")).json()["id"] == "mine"


def test_only_post_is_answered(client: Client) -> None:
    assert client._http.get("/").status_code == 405


def test_a_body_that_is_too_large_is_refused(client: Client) -> None:
    assert client.post(b" " * (5 * 1024 * 1024)).status_code == 413


def test_requests_of_a_batch_are_answered_independently_and_in_order(client: Client) -> None:
    batch = [request("getSlot", identity=1), request("getNonsense", identity=2), request("getHealth", identity=3)]

    answers = client.post(batch).json()

    assert [answer["id"] for answer in answers] == [1, 2, 3]
    assert isinstance(answers[0]["result"], int)
    assert answers[1]["error"]["code"] == -32601
    assert answers[2]["result"] == "ok"


# Commitment


def test_each_commitment_is_behind_the_previous_one(client: Client) -> None:
    client.wait_for_slots(40)
    batch = [request("getSlot", {"commitment": level}) for level in ("processed", "confirmed", "finalized")]

    processed, confirmed, finalized = (answer["result"] for answer in client.post(batch).json())

    assert processed > confirmed > finalized
    assert confirmed - finalized == 32


def test_a_blockhash_has_its_last_valid_height(client: Client) -> None:
    batch = [request("getLatestBlockhash", CONFIRMED), request("getBlockHeight", CONFIRMED)]

    latest, height = (answer["result"] for answer in client.post(batch).json())

    assert latest["value"]["lastValidBlockHeight"] == height + 150
    assert client.value("isBlockhashValid", latest["value"]["blockhash"], CONFIRMED) is True
    assert client.value("isBlockhashValid", str(Hash.new_unique()), CONFIRMED) is False


def test_the_default_commitment_is_finalized(client: Client) -> None:
    receiver = Keypair().pubkey()
    signature = client.call("requestAirdrop", str(receiver), SOL)
    client.wait(signature)
    assert client.balance(receiver) == SOL

    before = client.value("getBalance", str(receiver))
    client.wait(signature, "finalized")

    assert (before, client.value("getBalance", str(receiver))) == (0, SOL)


def test_the_commitment_of_a_status_increases(client: Client, wallet: Keypair) -> None:
    signature = client.send(
        payment(wallet, Keypair().pubkey(), SOL, client.blockhash()), preflightCommitment="confirmed"
    )
    seen = [client.wait(signature, level) for level in ("processed", "confirmed", "finalized")]

    assert len({status["slot"] for status in seen}) == 1
    assert seen[-1]["confirmationStatus"] == "finalized"
    assert seen[-1]["confirmations"] is None
    confirmations = [status["confirmations"] for status in seen[:-1]]
    assert all(one <= other for one, other in pairwise(confirmations))


# Sending


def test_a_transaction_with_an_unknown_blockhash_fails_the_preflight(client: Client, wallet: Keypair) -> None:
    transaction = payment(wallet, Keypair().pubkey(), SOL, Hash.new_unique())

    with pytest.raises(RpcFailureError, match="Transaction simulation failed: Blockhash not found") as failure:
        client.send(transaction)

    assert failure.value.code == -32002
    assert failure.value.data["err"] == "BlockhashNotFound"


def test_a_transaction_with_an_unknown_blockhash_is_accepted_without_preflight_and_lost(
    client: Client, wallet: Keypair
) -> None:
    signature = client.send(payment(wallet, Keypair().pubkey(), SOL, Hash.new_unique()), skipPreflight=True)
    client.wait_for_slots(2)

    assert client.status(signature) is None


def test_a_failing_swap_fails_the_preflight_with_its_log(client: Client) -> None:
    with pytest.raises(
        RpcFailureError, match="Error processing Instruction 0: custom program error: 0x1775"
    ) as failure:
        client.send(swap(client, minimum_out=10**12), preflightCommitment="confirmed")

    assert failure.value.code == -32002
    assert failure.value.data["err"] == {"InstructionError": [0, {"Custom": 6005}]}
    assert failure.value.data["unitsConsumed"] > 30_000
    assert any("Error Code: ExceededSlippage." in line for line in failure.value.data["logs"])


def test_a_failing_swap_without_preflight_lands_with_its_error(client: Client) -> None:
    signature = client.send(swap(client, minimum_out=10**12), skipPreflight=True)

    status = client.wait(signature)
    found = client.call("getTransaction", signature, V0 | CONFIRMED)

    error = {"InstructionError": [0, {"Custom": 6005}]}
    assert status["err"] == error
    assert status["status"] == {"Err": error}
    assert found["meta"]["err"] == error
    assert found["meta"]["fee"] == 5_000


def test_a_forged_signature_is_refused(client: Client, wallet: Keypair) -> None:
    transaction = payment(wallet, Keypair().pubkey(), SOL, client.blockhash())
    forged = VersionedTransaction.populate(transaction.message, [Signature.from_bytes(bytes([1] * 64))])

    with pytest.raises(RpcFailureError, match="signature verification failure") as failure:
        client.send(forged)

    assert failure.value.code == -32003


def test_a_processed_transaction_fails_the_preflight(client: Client, wallet: Keypair) -> None:
    transaction = payment(wallet, Keypair().pubkey(), SOL, client.blockhash())
    client.wait(client.send(transaction, skipPreflight=True))

    with pytest.raises(RpcFailureError, match="already been processed") as failure:
        client.send(transaction, preflightCommitment="confirmed")

    assert failure.value.data["err"] == "AlreadyProcessed"


def test_the_same_bytes_may_be_sent_again_and_land_once(client: Client, wallet: Keypair) -> None:
    shop = Keypair().pubkey()
    transaction = payment(wallet, shop, SOL, client.blockhash())
    for _ in range(20):
        client.send(transaction, skipPreflight=True)
    client.wait(str(transaction.signatures[0]))

    assert client.balance(shop) == SOL


def test_base58_is_accepted(client: Client, wallet: Keypair) -> None:
    transaction = payment(wallet, Keypair().pubkey(), SOL, client.blockhash())
    signature = client.call("sendTransaction", b58encode(bytes(transaction)), {"skipPreflight": True})

    assert client.wait(signature)["err"] is None


# Simulating


def test_a_simulation_returns_its_effects_and_changes_nothing(client: Client) -> None:
    transaction = swap(client)
    usdc = str(associated_token.address(TRADERS[0].pubkey(), USDC))
    before = client.value("getTokenAccountBalance", usdc, CONFIRMED)

    result = client.value(
        "simulateTransaction",
        encoded(transaction),
        {
            "encoding": "base64",
            "innerInstructions": True,
            "accounts": {"encoding": "jsonParsed", "addresses": [usdc]},
            **CONFIRMED,
        },
    )

    assert result["err"] is None
    assert 30_000 < result["unitsConsumed"] < 34_000
    assert len(result["innerInstructions"][0]["instructions"]) == 2
    (account,) = result["accounts"]
    after = account["data"]["parsed"]["info"]["tokenAmount"]
    assert 150_000_000 < int(after["amount"]) - int(before["amount"]) < 154_000_000
    assert client.value("getTokenAccountBalance", usdc, CONFIRMED) == before
    assert client.status(str(transaction.signatures[0])) is None


def test_a_simulation_may_replace_the_blockhash_and_skip_signatures(client: Client, wallet: Keypair) -> None:
    transaction = payment(wallet, Keypair().pubkey(), SOL, Hash.default())
    unsigned = VersionedTransaction.populate(transaction.message, [Signature.default()])
    options = {"encoding": "base64", **CONFIRMED}

    stale = client.value("simulateTransaction", encoded(unsigned), options)
    fresh = client.value("simulateTransaction", encoded(unsigned), {**options, "replaceRecentBlockhash": True})

    assert stale["err"] == "BlockhashNotFound"
    assert fresh["err"] is None
    assert fresh["replacementBlockhash"]["lastValidBlockHeight"] > 150
    with pytest.raises(RpcFailureError, match="signature verification"):
        client.call("simulateTransaction", encoded(unsigned), {**options, "sigVerify": True})


# Reading back


def test_a_swap_is_read_back_with_its_balance_changes(client: Client) -> None:
    trader = TRADERS[1]
    signature = client.send(swap(client, trader=trader), skipPreflight=True)
    client.wait(signature)

    found = client.call("getTransaction", signature, V0 | CONFIRMED)

    meta = found["meta"]
    balances = {
        side: {
            (each["owner"], each["mint"]): int(each["uiTokenAmount"]["amount"]) for each in meta[f"{side}TokenBalances"]
        }
        for side in ("pre", "post")
    }
    moved = {key: balances["post"][key] - amount for key, amount in balances["pre"].items()}
    authority, owner = str(raydium_cpmm_addresses.authority_address()[0]), str(trader.pubkey())
    sol, usdc = str(token.NATIVE_MINT), str(USDC)
    assert moved[owner, sol] == -1_500_000_000 == -moved[authority, sol]
    assert moved[owner, usdc] == -moved[authority, usdc] > 150_000_000
    assert sum(meta["preBalances"]) == sum(meta["postBalances"]) + meta["fee"]
    assert found["version"] == 0
    assert found["blockTime"] > 1_700_000_000
    assert client.call("getBlockTime", found["slot"]) == found["blockTime"]
    assert found["transaction"]["message"]["accountKeys"][0] == owner


@pytest.mark.parametrize("encoding", ["base64", "base58"])
def test_the_bytes_are_read_back_unchanged(client: Client, wallet: Keypair, encoding: str) -> None:
    transaction = payment(wallet, Keypair().pubkey(), SOL, client.blockhash())
    client.wait(client.send(transaction, skipPreflight=True))

    found = client.call("getTransaction", str(transaction.signatures[0]), {"encoding": encoding} | V0 | CONFIRMED)

    text = encoded(transaction) if encoding == "base64" else b58encode(bytes(transaction))
    assert found["transaction"] == [text, encoding]


def test_a_versioned_transaction_requires_a_supported_version(client: Client, wallet: Keypair) -> None:
    signature = client.send(payment(wallet, Keypair().pubkey(), SOL, client.blockhash()), skipPreflight=True)
    client.wait(signature)

    with pytest.raises(RpcFailureError, match="maxSupportedTransactionVersion") as failure:
        client.call("getTransaction", signature, CONFIRMED)

    assert failure.value.code == -32015


def test_an_unknown_signature_is_null(client: Client) -> None:
    signature = str(Signature.from_bytes(bytes([5] * 64)))

    assert client.call("getTransaction", signature, V0 | CONFIRMED) is None
    assert client.status(signature) is None
    assert client.value("getAccountInfo", str(Keypair().pubkey()), CONFIRMED) is None


# Accounts


def test_pools_are_found_by_their_mints(client: Client) -> None:
    def pools(program: Pubkey, size: int, offset_a: int, mint_a: Pubkey, offset_b: int, mint_b: Pubkey) -> set[str]:
        filters = [
            {"dataSize": size},
            {"memcmp": {"offset": offset_a, "bytes": str(mint_a)}},
            {"memcmp": {"offset": offset_b, "bytes": base64.b64encode(bytes(mint_b)).decode(), "encoding": "base64"}},
        ]
        options = {"encoding": "base64", "filters": filters, "dataSlice": {"offset": 0, "length": 8}, **CONFIRMED}
        found = client.call("getProgramAccounts", str(program), options)
        assert all(len(base64.b64decode(each["account"]["data"][0])) == 8 for each in found)
        return {each["pubkey"] for each in found}

    sol = token.NATIVE_MINT
    assert pools(raydium_cpmm.PROGRAM_ID, 637, 168, sol, 200, USDC) == {str(SOL_USDC_CPMM)}
    assert str(SOL_USDC_BS4) in pools(meteora_dlmm.PROGRAM_ID, 904, 88, sol, 120, USDC)
    assert pools(raydium_cpmm.PROGRAM_ID, 637, 168, USDC, 200, sol) == set()


def test_token_accounts_are_found_by_their_owner(client: Client) -> None:
    owner = Keypair().pubkey()
    for mint, amount in ((USDC, 5_000_000), (STACC, "7")):
        client.wait(client.call("simnet_mintTokens", {"mint": str(mint), "owner": str(owner), "amount": amount}))

    of_all = client.value(
        "getTokenAccountsByOwner",
        str(owner),
        {"programId": str(token.PROGRAM_ID)},
        {"encoding": "jsonParsed", **CONFIRMED},
    )
    (of_usdc,) = client.value(
        "getTokenAccountsByOwner", str(owner), {"mint": str(USDC)}, {"encoding": "jsonParsed", **CONFIRMED}
    )

    assert {each["pubkey"] for each in of_all} == {str(associated_token.address(owner, each)) for each in (USDC, STACC)}
    info = of_usdc["account"]["data"]["parsed"]["info"]
    assert info["tokenAmount"] == {"amount": "5000000", "decimals": 6, "uiAmount": 5.0, "uiAmountString": "5"}
    assert info["owner"] == str(owner)


def test_the_faucet_gives_wrapped_sol(client: Client) -> None:
    owner = Keypair().pubkey()
    mint = str(token.NATIVE_MINT)
    client.wait(client.call("simnet_mintTokens", {"mint": mint, "owner": str(owner), "amount": 3 * SOL}))

    balance = client.value("getTokenAccountBalance", str(associated_token.address(owner, token.NATIVE_MINT)), CONFIRMED)

    assert balance == {"amount": str(3 * SOL), "decimals": 9, "uiAmount": 3.0, "uiAmountString": "3"}


def test_equal_airdrops_are_two_transactions(client: Client) -> None:
    receiver = Keypair().pubkey()
    for signature in [client.call("requestAirdrop", str(receiver), SOL) for _ in range(3)]:
        client.wait(signature)

    assert client.balance(receiver) == 3 * SOL


def test_programs_are_executable_accounts(client: Client) -> None:
    account = client.value("getAccountInfo", str(system.PROGRAM_ID), {"encoding": "base64", **CONFIRMED})

    assert account["executable"] is True
    assert account["owner"] == "NativeLoader1111111111111111111111111111111"


def test_recent_priority_fees_are_returned(client: Client, wallet: Keypair) -> None:
    fees = client.call("getRecentPrioritizationFees", [])

    assert 0 < len(fees) <= 150
    assert all(each["prioritizationFee"] == 0 for each in fees)
    message = payment(wallet, Keypair().pubkey(), SOL, client.blockhash()).message
    text = base64.b64encode(to_bytes_versioned(message)).decode()
    assert client.value("getFeeForMessage", text, CONFIRMED) == 5_000


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_foreign_hosts_and_origins_change_nothing(client: Client, headers: dict[str, str], status: int) -> None:
    call = request("requestAirdrop", str(Keypair().pubkey()), SOL)
    answer = client._http.post("/", json=call, headers={"Content-Type": "application/json", **headers})

    assert answer.status_code == status
