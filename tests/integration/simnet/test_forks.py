"""The chain replaces its newest blocks by another fork: their effects are undone permanently and completely."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import orjson
import pytest
from solders.keypair import Keypair

from tests.integration.simnet.server import SOL, Client, RpcFailureError, Server, payment
from tests.integration.simnet.stepped import Stepped, stepped

PROCESSED = {"commitment": "processed"}
CONFIRMED = {"commitment": "confirmed"}
V0 = {"maxSupportedTransactionVersion": 0}
SHOP = Keypair.from_seed(bytes([8] * 32)).pubkey()
PRICE = SOL // 100


@pytest.fixture
def chain(tmp_path: Path) -> Iterator[Stepped]:
    """A chain on which no transaction returns by itself."""
    with stepped(tmp_path, landing_again=0) as chain:
        chain.make_slots(40)
        yield chain


def balance(chain: Stepped, commitment: str = "processed") -> int:
    lamports: int = chain.call("getBalance", str(SHOP), {"commitment": commitment})["value"]
    return lamports


def status(chain: Stepped, signature: str) -> Any:
    return chain.status(signature, search=True)


def everything(state_dir: Path) -> dict[str, list[Any]]:
    """All contents of the ledger file."""
    with closing(sqlite3.connect(state_dir / "ledger.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        tables = ("accounts", "blocks", "transactions", "mentions", "images")
        return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}


def check_chain(state_dir: Path) -> None:
    """The file is one unbroken chain without dangling references."""
    tables = everything(state_dir)
    blocks = sorted(tables["blocks"])
    for (slot, height, blockhash, *_), (_, next_height, _, parent, _, _, parent_slot) in pairwise(blocks):
        assert (next_height, parent, parent_slot) == (height + 1, blockhash, slot)
    slots = {block[0] for block in blocks}
    assert {row[1] for row in tables["transactions"]} <= slots
    assert {row[1] for row in tables["mentions"]} <= slots
    assert {row[1] for row in tables["images"]} <= {row[1] for row in tables["transactions"]}


def test_confirmed_blocks_are_undone_and_the_chain_continues_from_the_fork(chain: Stepped) -> None:
    kept = chain.pay(SHOP)
    chain.make_slots()
    parent = chain.call("getBlock", chain.bank.open.slot - 1, CONFIRMED | V0)
    sent = []
    for _ in range(3):
        sent.append(chain.pay(SHOP))
        chain.make_slots()
    sent.append(chain.pay(SHOP))
    hashes = [block.blockhash for block in chain.bank.recent_blocks(3)]
    last = chain.bank.open.slot
    assert status(chain, sent[0])["confirmationStatus"] == "confirmed"

    tip = chain.call("simnet_fork", 3)

    assert tip == last + 1 == chain.call("getSlot", PROCESSED)
    assert chain.call("getBlockHeight", PROCESSED) == parent["blockHeight"] + 1
    assert balance(chain) == balance(chain, "confirmed") == PRICE
    assert [status(chain, each) for each in sent] == [None] * 4
    assert status(chain, kept) is not None
    assert [chain.call("getTransaction", each, CONFIRMED | V0) for each in sent] == [None] * 4
    assert [each["signature"] for each in chain.call("getSignaturesForAddress", str(SHOP), CONFIRMED)] == [kept]
    for blockhash in hashes:
        assert chain.call("isBlockhashValid", str(blockhash), PROCESSED)["value"] is False
    latest = chain.call("getLatestBlockhash", PROCESSED)["value"]
    assert latest["blockhash"] == parent["blockhash"]

    chain.make_slots()

    block = chain.call("getBlock", tip, CONFIRMED | V0)
    assert (block["parentSlot"], block["previousBlockhash"]) == (last - 4, parent["blockhash"])
    assert block["blockHeight"] == parent["blockHeight"] + 1
    assert chain.call("getBlocks", last - 4, CONFIRMED) == [last - 4, tip]
    with pytest.raises(RpcFailureError, match="not available") as failure:
        chain.call("getBlock", last, CONFIRMED)
    assert failure.value.code == -32004
    chain.make_slots(40)
    with pytest.raises(RpcFailureError, match="skipped") as failure:
        chain.call("getBlock", last)
    assert failure.value.code == -32007
    assert [status(chain, each) for each in sent] == [None] * 4


def test_accounts_are_restored_by_a_fork(chain: Stepped) -> None:
    before = dict(chain.bank.accounts)
    fresh = Keypair()
    for lamports in (SOL, SOL // 2):
        chain.send(payment(chain.payer, fresh.pubkey(), lamports, chain.bank.open.parent))
        chain.make_slots()
    chain.send(payment(fresh, SHOP, SOL + SOL // 2 - 5_000, chain.bank.open.parent))
    assert fresh.pubkey() not in chain.bank.accounts

    chain.call("simnet_fork", 2)

    assert chain.bank.accounts == before


def test_an_undone_transaction_can_be_sent_again(chain: Stepped) -> None:
    transaction = chain.payment(SHOP)
    signature = chain.send(transaction)
    first_slot = status(chain, signature)["slot"]
    chain.make_slots(3)
    chain.call("simnet_fork", 3)
    assert balance(chain) == 0

    assert chain.send(transaction) == signature
    chain.make_slots(40)

    assert status(chain, signature)["slot"] > first_slot
    assert status(chain, signature)["confirmationStatus"] == "finalized"
    assert balance(chain) == PRICE
    check_chain(chain.chain.config.state_dir)


def test_a_transaction_with_a_blockhash_of_the_other_fork_never_lands(chain: Stepped) -> None:
    chain.make_slots()
    transaction = chain.payment(SHOP)
    chain.make_slots()
    chain.call("simnet_fork", 2)

    signature = chain.send(transaction)
    chain.make_slots()

    assert status(chain, signature) is None


def test_some_undone_transactions_land_again_by_themselves(tmp_path: Path) -> None:
    with stepped(tmp_path, landing_again=0.5, late_slots=(0, 4)) as chain:
        chain.make_slots(40)
        parent = chain.bank.open.parent
        sent = [chain.send(chain.payment(SHOP, parent)) for _ in range(30)]
        chain.make_slots(2)
        sent += [chain.send(chain.payment(SHOP, parent)) for _ in range(30)]

        chain.call("simnet_fork", 2)

        at_once = [each for each in sent if status(chain, each)]
        chain.make_slots(5)
        landed = [each for each in sent if status(chain, each)]
        assert 0 < len(at_once) < len(landed)
        assert 15 < len(landed) < 45
        assert balance(chain) == PRICE * len(landed)


def test_a_delayed_transaction_lands_although_its_slot_was_skipped(tmp_path: Path) -> None:
    with stepped(tmp_path, late_landing=1, late_slots=(1, 1)) as chain:
        chain.make_slots(40)
        signature = chain.pay(SHOP)
        chain.chain._seal()
        chain.call("simnet_fork", 1)

        assert status(chain, signature) is not None


@pytest.mark.parametrize("depth", [0, 33, 10**6])
def test_finalized_blocks_cannot_be_undone(chain: Stepped, depth: int) -> None:
    finalized = chain.call("getSlot")

    with pytest.raises(RpcFailureError, match="not finalized"):
        chain.call("simnet_fork", depth)

    chain.call("simnet_fork", 32)
    assert chain.call("getSlot") == finalized
    with pytest.raises(RpcFailureError, match="not finalized"):
        chain.call("simnet_fork", 1)
    chain.make_slots(20)
    assert chain.call("getSlot") == finalized
    chain.call("simnet_fork", 20)
    assert chain.call("getSlot") == finalized
    chain.make_slots(33)
    assert chain.call("getSlot") > finalized


def test_views_of_earlier_slots_are_unchanged(chain: Stepped) -> None:
    for _ in range(6):
        chain.pay(SHOP)
        chain.make_slots()
    first = chain.bank.open.slot - 6
    chain.call("simnet_fork", 3)
    chain.make_slots(2)

    def seen(slot: int) -> int:
        account = chain.bank.view(slot).account(SHOP)
        return 0 if account is None else account.lamports // PRICE

    assert [seen(first + number) for number in range(3)] == [1, 2, 3]
    assert seen(chain.bank.open.slot) == seen(chain.bank.open.slot - 1) == 3
    behind = chain.bank.levels(lag=4)
    assert behind.processed == first + 2
    assert behind.confirmed == first + 1


def test_the_file_has_either_the_old_fork_or_the_new_one(tmp_path: Path) -> None:
    with stepped(tmp_path, landing_again=0) as chain:
        chain.make_slots(40)
        kept = chain.pay(SHOP)
        chain.make_slots()
        undone = chain.pay(SHOP)
        chain.make_slots(2)
        old = everything(tmp_path)
        chain.call("simnet_fork", 2)
        assert everything(tmp_path) == old
        chain.pay(SHOP)
        chain.chain._seal()
        assert everything(tmp_path) == old

        chain.make_durable()

        check_chain(tmp_path)
        accounts, tip = dict(chain.bank.accounts), chain.bank.open.slot
        assert everything(tmp_path) != old

    with stepped(tmp_path) as again:
        assert again.bank.accounts == accounts
        assert again.bank.open.slot == tip
        assert status(again, kept) is not None
        assert status(again, undone) is None
        assert balance(again) == 2 * PRICE


def test_a_fork_that_was_not_written_is_forgotten(tmp_path: Path) -> None:
    with stepped(tmp_path, landing_again=0) as chain:
        chain.make_slots(40)
        signature = chain.pay(SHOP)
        chain.make_slots(2)
        accounts = dict(chain.bank.accounts)
        chain.call("simnet_fork", 2)

    with stepped(tmp_path) as again:
        assert again.bank.accounts == accounts
        assert status(again, signature) is not None
        assert balance(again) == PRICE


def test_a_block_undone_while_it_is_written_is_never_confirmed(chain: Stepped) -> None:
    signature = chain.pay(SHOP)
    chain.chain._seal()
    (block,) = chain.chain._sealed
    chain.chain._write(block)

    chain.call("simnet_fork", 1)

    assert chain.chain._sealed == []
    assert status(chain, signature) is None
    chain.make_slots(2)
    assert status(chain, signature) is None
    check_chain(chain.chain.config.state_dir)


def test_a_second_fork_before_the_first_is_durable_undoes_both(chain: Stepped) -> None:
    """The block that is finally written undoes everything that either fork removed."""
    before = dict(chain.bank.accounts)
    chain.pay(SHOP)
    chain.make_slots(2)
    chain.call("simnet_fork", 1)
    other = Keypair().pubkey()
    chain.send(payment(chain.payer, other, SOL, chain.bank.open.parent))
    chain.chain._seal()

    chain.call("simnet_fork", 2)
    chain.make_slots()

    assert chain.bank.accounts == before
    restored = chain.chain.ledger.restore(100)
    assert restored is not None
    assert restored.accounts == before
    check_chain(chain.chain.config.state_dir)


# A server that forks at random and is killed


def test_a_forking_chain_survives_repeated_kills(tmp_path: Path) -> None:
    """All payments are sent until they are finalized: each is made once, and the number of lamports is constant."""
    faults = orjson.dumps({"fork_rate": 0.06, "fork_depth": [1, 12], "late_slots": [0, 3], "nodes": "pool"}).decode()
    server = Server(tmp_path, "--slot-ms", "15", "--faults", faults)
    server.start()
    client = Client(server.http_url)
    client.call("simnet_setFaults", {"views": {"honest": 1}})
    payer = fund_finally(client)
    made: dict[str, Any] = {}
    for _ in range(5):
        trade_until_killed(server, client, payer, made, payments=12)
        client.close()
        check_chain(tmp_path)
        server.start()
        client = Client(server.http_url)
        client.call("simnet_setFaults", {"views": {"honest": 1}})
    client.call("simnet_setFaults", {"fork_rate": 0})
    valid = [each for each, transaction in made.items() if can_land(client, each, transaction)]
    client.wait_for_slots(2)
    landed = [each for each in valid if client.wait(each, "finalized")["err"] is None]
    elsewhere = [each for each in made if each not in valid and client.status(each) is not None]

    assert len(landed) > 10
    assert elsewhere == []
    assert client.balance(SHOP) == PRICE * len(landed)
    client.close()
    assert server.stop() == 0
    check_chain(tmp_path)


def fund_finally(client: Client) -> Keypair:
    payer = Keypair()
    while client.balance(payer.pubkey(), "finalized") == 0:
        if client.balance(payer.pubkey(), "processed") == 0:
            client.call("requestAirdrop", str(payer.pubkey()), 100 * SOL)
    return payer


def trade_until_killed(server: Server, client: Client, payer: Keypair, made: dict[str, Any], *, payments: int) -> None:
    """Pay once per slot; after a number of payments another thread kills the server."""
    sent = 0
    with server.killed_at_an_event() as enough:
        while True:
            transaction = payment(payer, SHOP, PRICE, client.blockhash())
            made[str(transaction.signatures[0])] = transaction
            client.send(transaction, skipPreflight=True)
            sent += 1
            if sent == payments:
                enough.set()
            client.wait_for_slots(1)


def can_land(client: Client, signature: str, transaction: Any) -> bool:
    """Send the transaction once more; True if it is on the chain afterwards."""
    client.send(transaction, skipPreflight=True)
    return client.status(signature) is not None
