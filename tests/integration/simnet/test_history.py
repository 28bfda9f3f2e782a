"""Queries of the past over JSON-RPC: blocks, and the transactions of an address."""

import base64
from contextlib import closing
from typing import Any

import pytest
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction

from orderd.solana.block_history import unbroken_from
from orderd.solana.programs import memo, system
from orderd.solana.rpc import RpcClient
from tests.integration.simnet.server import SOL, Client, RpcFailureError, Server, build, encoded, payment

CONFIRMED = {"commitment": "confirmed"}
V0 = {"maxSupportedTransactionVersion": 0}
UNKNOWN = str(Signature.from_bytes(bytes([9] * 64)))


def pay(client: Client, payer: Keypair, shop: Pubkey, count: int) -> list[str]:
    """Confirmed payments in separate blocks, the newest first."""
    signatures = []
    for _ in range(count):
        signatures.append(client.send(payment(payer, shop, SOL // 100, client.blockhash()), skipPreflight=True))
        client.wait(signatures[-1])
    return signatures[::-1]


def history(client: Client, address: Pubkey, **options: Any) -> list[str]:
    found = client.call("getSignaturesForAddress", str(address), CONFIRMED | options)
    return [each["signature"] for each in found]


def legacy(payer: Keypair, client: Client, *instructions: Instruction) -> VersionedTransaction:
    message = Message.new_with_blockhash(list(instructions), payer.pubkey(), client.blockhash())
    return VersionedTransaction(message, [payer])


# getSignaturesForAddress


def test_transactions_of_an_address_are_listed_newest_first(client: Client, wallet: Keypair) -> None:
    shop = Keypair().pubkey()
    sent = pay(client, wallet, shop, 3)

    found = client.call("getSignaturesForAddress", str(shop), CONFIRMED)

    assert [each["signature"] for each in found] == sent
    for each in found:
        record = client.call("getTransaction", each["signature"], V0 | CONFIRMED)
        assert (each["slot"], each["blockTime"]) == (record["slot"], record["blockTime"])
        assert each["err"] is None
        assert each["confirmationStatus"] in ("confirmed", "finalized")
        assert each["memo"].startswith("[")
    assert history(client, wallet.pubkey())[:3] == sent


def test_transactions_of_one_block_are_listed_last_first(client: Client, wallet: Keypair) -> None:
    shop = Keypair().pubkey()
    blockhash = client.blockhash()
    sent = [client.send(payment(wallet, shop, SOL // 100, blockhash), skipPreflight=True) for _ in range(20)]
    client.wait(sent[-1])

    assert history(client, shop) == sent[::-1]


def test_a_transaction_is_listed_for_read_only_accounts(client: Client, wallet: Keypair) -> None:
    transaction = build([], wallet, client.blockhash())
    client.wait(client.send(transaction, skipPreflight=True))

    newest = history(client, memo.PROGRAM_ID, limit=1)

    assert newest == [str(transaction.signatures[0])]


def test_a_failed_transaction_is_reported_with_its_error(client: Client, wallet: Keypair) -> None:
    shop = Keypair().pubkey()
    status = client.wait(client.send(payment(wallet, shop, 10**18, client.blockhash()), skipPreflight=True))

    (found,) = client.call("getSignaturesForAddress", str(shop), CONFIRMED)

    assert found["err"] == status["err"] == {"InstructionError": [0, {"Custom": 1}]}


def test_memos_are_reported_with_their_length(client: Client, wallet: Keypair) -> None:
    transaction = legacy(wallet, client, memo.memo("one"), memo.memo("zwölf"))
    client.wait(client.send(transaction, skipPreflight=True))
    plain = legacy(wallet, client, system.transfer(wallet.pubkey(), Keypair().pubkey(), SOL))
    client.wait(client.send(plain, skipPreflight=True))

    without, with_memos = client.call("getSignaturesForAddress", str(wallet.pubkey()), {"limit": 2, **CONFIRMED})

    assert with_memos["memo"] == "[3] one; [6] zwölf"
    assert without["memo"] is None


def test_a_list_is_read_in_pages(client: Client, wallet: Keypair) -> None:
    shop = Keypair().pubkey()
    sent = pay(client, wallet, shop, 5)

    assert history(client, shop, limit=2) == sent[:2]
    assert history(client, shop, limit=2, before=sent[1]) == sent[2:4]
    assert history(client, shop, until=sent[3]) == sent[:3]
    assert history(client, shop, before=sent[0], until=sent[4]) == sent[1:4]
    assert history(client, shop, before=sent[4]) == []
    assert history(client, shop, before=sent[1], until=sent[1]) == []


def test_an_unknown_until_is_ignored_and_an_unknown_before_returns_nothing(client: Client, wallet: Keypair) -> None:
    shop = Keypair().pubkey()
    sent = pay(client, wallet, shop, 2)

    assert history(client, shop, until=UNKNOWN) == sent
    assert history(client, shop, before=UNKNOWN) == []


def test_only_finalized_transactions_are_listed_by_default(client: Client, wallet: Keypair) -> None:
    shop = Keypair().pubkey()
    (sent,) = pay(client, wallet, shop, 1)
    assert client.call("getSignaturesForAddress", str(shop)) == []

    client.wait(sent, "finalized")

    (found,) = client.call("getSignaturesForAddress", str(shop))
    assert (found["signature"], found["confirmationStatus"]) == (sent, "finalized")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"commitment": "processed"}, -32602),
        ({"limit": 0}, -32602),
        ({"limit": 1_001}, -32602),
        ({"before": "abc"}, -32602),
        ({"minContextSlot": 10**12}, -32016),
        ({"minContextSlot": 10**12, **CONFIRMED}, -32016),
    ],
)
def test_invalid_options_are_refused(client: Client, options: dict[str, Any], code: int) -> None:
    with pytest.raises(RpcFailureError) as failure:
        client.call("getSignaturesForAddress", str(memo.PROGRAM_ID), options)

    assert failure.value.code == code


# getBlock


def test_a_block_holds_its_transactions_in_order(client: Client, wallet: Keypair) -> None:
    shop = Keypair().pubkey()
    blockhash = client.blockhash()
    transactions = [payment(wallet, shop, SOL // 100, blockhash) for _ in range(5)]
    sent = [client.send(each, skipPreflight=True) for each in transactions]
    slots = [client.wait(each)["slot"] for each in sent]
    slot = slots[0]
    here = [each for each, landed in zip(sent, slots, strict=True) if landed == slot]

    def block(**options: Any) -> Any:
        return client.call("getBlock", slot, V0 | CONFIRMED | options)

    assert block(transactionDetails="signatures")["signatures"] == here
    full = block()
    assert [each["transaction"]["signatures"][0] for each in full["transactions"]] == here
    assert all(each["meta"]["err"] is None and each["version"] == 0 for each in full["transactions"])
    (first, *_) = block(encoding="base64")["transactions"]
    assert first["transaction"] == [encoded(transactions[0]), "base64"]
    (first, *_) = block(transactionDetails="accounts")["transactions"]
    assert {"pubkey": str(shop), "signer": False, "writable": True, "source": "transaction"} in first["transaction"][
        "accountKeys"
    ]
    assert first["meta"]["fee"] == 5_000
    assert "logMessages" not in first["meta"]
    bare = block(transactionDetails="none", rewards=False)
    assert set(full) - set(bare) == {"transactions", "rewards"}
    assert bare["blockTime"] == client.call("getBlockTime", slot)


def test_each_block_names_its_parent(client: Client) -> None:
    client.wait_for_slots(3, "confirmed")
    newest = client.call("getSlot", CONFIRMED)
    options = {"transactionDetails": "none", **CONFIRMED}

    block, parent = (client.call("getBlock", slot, options) for slot in (newest, newest - 1))

    assert (block["parentSlot"], block["previousBlockhash"]) == (newest - 1, parent["blockhash"])
    assert block["blockHeight"] == parent["blockHeight"] + 1
    assert client.value("isBlockhashValid", block["blockhash"], CONFIRMED) is True


def test_a_block_with_versioned_transactions_requires_a_supported_version(client: Client, wallet: Keypair) -> None:
    (sent,) = pay(client, wallet, Keypair().pubkey(), 1)
    status = client.status(sent)
    assert status is not None

    with pytest.raises(RpcFailureError, match="maxSupportedTransactionVersion") as failure:
        client.call("getBlock", status["slot"], CONFIRMED)

    assert failure.value.code == -32015
    assert client.call("getBlock", status["slot"], {"transactionDetails": "signatures", **CONFIRMED})


@pytest.mark.parametrize(
    ("slot", "options", "code"),
    [
        (10**9, CONFIRMED, -32004),
        (0, {"commitment": "processed"}, -32602),
        (0, {"transactionDetails": "some"}, -32602),
    ],
)
def test_an_unknown_block_is_an_error(client: Client, slot: int, options: dict[str, Any], code: int) -> None:
    with pytest.raises(RpcFailureError) as failure:
        client.call("getBlock", slot, options)

    assert failure.value.code == code


def test_a_block_is_not_available_before_it_is_finalized_unless_asked_for(client: Client) -> None:
    client.wait_for_slots(3, "confirmed")
    newest = client.call("getSlot", CONFIRMED)

    with pytest.raises(RpcFailureError) as failure:
        client.call("getBlock", newest)

    assert failure.value.code == -32004
    assert client.call("getBlock", newest, V0 | CONFIRMED)["parentSlot"] == newest - 1


def test_slots_of_blocks_are_listed(client: Client) -> None:
    client.wait_for_slots(6, "confirmed")
    newest = client.call("getSlot", CONFIRMED)

    assert client.call("getBlocks", newest - 4, newest - 1, CONFIRMED) == list(range(newest - 4, newest))
    assert client.call("getBlocks", newest, CONFIRMED)[0] == newest
    assert client.call("getBlocks", newest, newest - 1, CONFIRMED) == []
    assert client.call("getBlocks", newest, newest + 9) == []  # not finalized


def test_the_heights_of_its_blocks_show_that_none_is_missing(server: Server, client: Client, wallet: Keypair) -> None:
    pay(client, wallet, Keypair().pubkey(), 2)
    with closing(RpcClient(server.http_url)) as rpc:
        newest = rpc.get_epoch_info("confirmed")
        first = client.call("getBlocks", 0, CONFIRMED)[0]
        for oldest in (first, newest.absolute_slot - 1, newest.absolute_slot):
            assert unbroken_from(rpc, oldest, newest, "confirmed") == oldest


# Minimum context slot


def test_a_send_may_require_a_minimum_context_slot(client: Client, wallet: Keypair) -> None:
    transaction = payment(wallet, Keypair().pubkey(), SOL, client.blockhash())

    for preflight in ({"skipPreflight": True}, {"preflightCommitment": "processed"}):
        with pytest.raises(RpcFailureError) as failure:
            client.send(transaction, minContextSlot=10**12, **preflight)
        assert failure.value.code == -32016
    assert client.status(str(transaction.signatures[0])) is None


def test_the_first_block_is_available(client: Client) -> None:
    assert client.call("getFirstAvailableBlock") == 0
    options = {"transactionDetails": "none", **CONFIRMED}
    first = client.call("getBlocks", 0, CONFIRMED)[0]
    assert client.call("getBlock", first, options)["blockhash"] == client.call("getGenesisHash")
    with pytest.raises(RpcFailureError) as failure:
        client.call("getBlock", first - 1, options)
    assert failure.value.code == -32007


def test_a_block_and_a_single_query_return_the_same_transaction(client: Client, wallet: Keypair) -> None:
    (sent,) = pay(client, wallet, Keypair().pubkey(), 1)
    options = {"encoding": "base64", **V0, **CONFIRMED}
    record = client.call("getTransaction", sent, options)

    block = client.call("getBlock", record["slot"], options)

    assert {name: record[name] for name in ("transaction", "meta", "version")} in block["transactions"]
    assert base64.b64decode(record["transaction"][0])
